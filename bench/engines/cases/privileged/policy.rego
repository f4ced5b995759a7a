package privileged

containers contains container if some container in input.review.object.spec.containers

containers contains container if some container in input.review.object.spec.initContainers

containers contains container if some container in input.review.object.spec.ephemeralContainers

violation contains {"msg": msg} if {
	some container in containers
	container.securityContext.privileged
	not container.name in object.get(input.parameters, "exempt", [])
	msg := sprintf("container %v is privileged: %v", [container.name, container.securityContext])
}
