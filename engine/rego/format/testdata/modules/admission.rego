# Policy for pods.
# Second line.

# METADATA
# title: Pods
# description: Which pods may run
package kubernetes.admission
import data.kubernetes.namespaces # known ones
import input.request as req

import data.lib.images


# Denied reasons.
deny contains msg if {
	req.kind.kind == "Pod" # only pods
	some container in req.object.spec.containers
    not startswith(container.image, "registry.example.com/")

	msg := sprintf("image %q of %v is not ours", [container.image,
		container.name]) # tell it
}

deny contains {"msg": msg, "code": 403} if {
	some i
	name := req.object.spec.containers[i].name
	count(name) > 63; msg := concat("", ["too long: ", name])
}
# trailing words

allow if { not any_denied; req.namespace in namespaces.allowed }
any_denied if count(deny) > 0
default allow := false
limits := {
	"cpu": 2, # cores
	"memory": "4Gi",
	# disks below
	"disks": [
		1, 2,
		3
	]
}
one := {"a": 1, "b": {2, 3}}
two :=    [x | x := one[_]; is_number(x)]
