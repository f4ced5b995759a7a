package resourceratio

units := {"m": 1, "": 1000, "k": 1000000, "Ki": 1024000, "Mi": 1048576000, "Gi": 1073741824000, "M": 1000000000, "G": 1000000000000}

milli(quantity) := quantity * 1000 if is_number(quantity)

milli(quantity) := to_number(parts[1]) * units[parts[2]] if {
	is_string(quantity)
	parts := regex.find_all_string_submatch_n(`^([0-9.]+)([A-Za-z]*)$`, quantity, 1)[0]
}

violation contains {"msg": msg} if {
	some container in input.review.object.spec.containers
	some resource in ["cpu", "memory"]
	limit := milli(container.resources.limits[resource])
	request := milli(container.resources.requests[resource])
	limit > request * input.parameters.ratio
	msg := sprintf("container %v: %v limit %v is more than %v times the request %v", [container.name, resource, container.resources.limits[resource], input.parameters.ratio, container.resources.requests[resource]])
}

violation contains {"msg": msg} if {
	some container in input.review.object.spec.containers
	some resource in ["cpu", "memory"]
	not milli(container.resources.limits[resource])
	msg := sprintf("container %v has no usable %v limit", [container.name, resource])
}
