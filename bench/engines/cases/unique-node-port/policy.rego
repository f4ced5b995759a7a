package uniquenodeport

violation contains {"msg": msg} if {
	port := input.review.object.spec.ports[_].nodePort
	other := data.inventory.namespace[namespace].v1.Service[name]
	not same(other)
	taken := other.spec.ports[_].nodePort
	taken == port
	msg := sprintf("node port %v is taken by %v/%v", [port, namespace, name])
}

same(other) if {
	other.metadata.namespace == input.review.object.metadata.namespace
	other.metadata.name == input.review.object.metadata.name
}
