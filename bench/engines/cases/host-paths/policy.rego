package hostpaths

allowed(volume) if {
	some path in input.parameters.allowedHostPaths
	below(path.pathPrefix, volume.hostPath.path)
}

below(prefix, path) if prefix == path

below(prefix, path) if startswith(path, sprintf("%s/", [trim_right(prefix, "/")]))

writable(volume) if {
	some container in input.review.object.spec.containers
	some mount in container.volumeMounts
	mount.name == volume.name
	not mount.readOnly
}

violation contains {"msg": msg} if {
	some volume in input.review.object.spec.volumes
	volume.hostPath
	not allowed(volume)
	msg := sprintf("volume %v: host path %v is not allowed", [volume.name, volume.hostPath.path])
}

violation contains {"msg": msg} if {
	some volume in input.review.object.spec.volumes
	volume.hostPath
	some path in input.parameters.allowedHostPaths
	path.readOnly
	below(path.pathPrefix, volume.hostPath.path)
	writable(volume)
	msg := sprintf("volume %v must be mounted read only", [volume.name])
}
