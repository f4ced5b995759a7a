package deprecatedapi

violation contains {"msg": msg} if {
	some entry in input.parameters.kvs
	entry.deprecatedAPI == input.review.object.apiVersion
	entry.kind == input.review.object.kind
	msg := sprintf("%v of %v is gone in %v: use %v", [entry.kind, entry.deprecatedAPI, input.parameters.release, entry.targetAPI])
}
