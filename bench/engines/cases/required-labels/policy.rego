package requiredlabels

violation contains {"msg": msg, "details": {"missing": missing}} if {
	given := {label | some label, _ in input.review.object.metadata.labels}
	wanted := {entry.key | some entry in input.parameters.labels}
	missing := wanted - given
	count(missing) > 0
	msg := sprintf("labels %v are missing", [missing])
}

violation contains {"msg": msg} if {
	some entry in input.parameters.labels
	value := input.review.object.metadata.labels[entry.key]
	not regex.match(entry.pattern, value)
	msg := sprintf("label %v: %q does not match %v", [entry.key, value, entry.pattern])
}
