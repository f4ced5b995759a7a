package ingresshttps

complete if {
	input.review.object.spec.tls
	count(input.review.object.spec.tls) > 0
	input.review.object.metadata.annotations["ingress.example.org/allow-http"] == "false"
}

covered(host) if {
	some entry in input.review.object.spec.tls
	host in entry.hosts
}

violation contains {"msg": msg} if {
	regex.match("^(extensions|networking.k8s.io)/", input.review.object.apiVersion)
	not complete
	msg := sprintf("ingress %v must be https only", [input.review.object.metadata.name])
}

violation contains {"msg": msg} if {
	some rule in input.review.object.spec.rules
	not covered(rule.host)
	msg := sprintf("host %v has no certificate", [rule.host])
}
