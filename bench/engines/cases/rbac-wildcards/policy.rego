package rbacwildcards

violation contains {"msg": msg} if {
	some i, rule in input.review.object.rules
	some field in ["apiGroups", "resources", "verbs"]
	"*" in rule[field]
	not exempt
	msg := sprintf("rule %d: %v may not hold *", [i, field])
}

violation contains {"msg": msg} if {
	some rule in input.review.object.rules
	some forbidden in input.parameters.forbidden
	every field in ["apiGroups", "resources", "verbs"] {
		some wanted in forbidden[field]
		wanted in rule[field]
	}
	not exempt
	msg := sprintf("%v on %v may not be granted", [forbidden.verbs, forbidden.resources])
}

exempt if {
	some pattern in input.parameters.exemptRoles
	glob.match(pattern, ["."], input.review.object.metadata.name)
}
