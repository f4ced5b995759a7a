package imagedigest

containers contains container if some container in input.review.object.spec.containers

containers contains container if some container in input.review.object.spec.initContainers

exempt(image) if {
	some pattern in input.parameters.exempt
	startswith(image, trim_suffix(pattern, "*"))
}

violation contains {"msg": msg} if {
	some container in containers
	not exempt(container.image)
	not regex.match(`@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$`, container.image)
	msg := sprintf("container %v: image %v has no digest", [container.name, container.image])
}
