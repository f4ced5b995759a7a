package replicarange

within(n) if {
	some range in input.parameters.ranges
	n >= range.min
	n <= range.max
}

violation contains {"msg": msg} if {
	n := input.review.object.spec.replicas
	not within(n)
	msg := sprintf("%v replicas are outside of %v", [n, input.parameters.ranges])
}
