package dirpkg
q := data.sub.z
