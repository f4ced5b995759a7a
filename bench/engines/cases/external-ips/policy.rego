package externalips

violation contains {"msg": msg} if {
	input.review.kind.kind == "Service"
	input.review.kind.group == ""
	allowed := {ip | some ip in input.parameters.allowedIPs}
	given := {ip | some ip in input.review.object.spec.externalIPs}
	forbidden := given - allowed
	count(forbidden) > 0
	msg := sprintf("service has forbidden external IPs: %v", [forbidden])
}

violation contains {"msg": msg} if {
	some ip in input.review.object.spec.externalIPs
	not inside(ip)
	msg := sprintf("external IP %v lies in no allowed network", [ip])
}

inside(ip) if {
	some network in input.parameters.networks
	net.cidr_contains(network, ip)
}
