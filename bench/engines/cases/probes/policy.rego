package probes

violation contains {"msg": msg} if {
	some container in input.review.object.spec.containers
	some probe in input.parameters.probes
	missing(container, probe)
	msg := sprintf("container %v has no %v", [container.name, probe])
}

missing(container, probe) if not container[probe]

missing(container, probe) if {
	used := {kind | some kind, _ in container[probe]}
	count(used & {kind | some kind in input.parameters.probeTypes}) == 0
}
