#!/usr/bin/env bash
# Packs bin/portcullis for a cluster, without Docker: a root folder with the program and the libraries it needs, nothing
# else, and that folder as an image archive that `docker load` and `ctr images import` read.
# usage: tools/image.sh [NAME:TAG]      default portcullis:v<version>; leaves build/image/ and build/portcullis-image.tar
#        IMAGE_LIMIT_MB (40): larger is an error
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

version=$(sed -n 's/^project(portcullis VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=${1:-portcullis:v$version}
program=${PORTCULLIS:-bin/portcullis}
[ -x "$program" ] || fail "$program is not there: run make build"
root=build/image
rm -rf "$root"
mkdir -p "$root/etc" "$root/tmp"
install -m 0755 -s "$program" "$root/manager"
for link in gator opa portcullis; do ln -s manager "$root/$link"; done
cp -r crds "$root/crds"

# The loader and every library, under the paths where the program looks for them. Linked dynamically on purpose: a static
# glibc cannot look up names, and all libraries together are smaller than the limit by far.
ldd "$program" | grep -oE '/[^ ]+' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# Names for the user that config/ runs it as, where to look up hosts, authorities for outgoing TLS, and time zones for the
# time builtins.
printf 'nonroot:x:1000:999::/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'nonroot:x:999:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"; fi
if [ -d /usr/share/zoneinfo ]; then mkdir -p "$root/usr/share"; cp -a /usr/share/zoneinfo "$root/usr/share/"; fi

# What was left out would show only in the cluster: the program must run from that folder alone.
if [ "$(id -u)" = 0 ]; then
  chroot "$root" /manager --help >/dev/null 2>&1 || fail "the program does not run from $root alone"
  chroot "$root" /portcullis version
fi
python3 tools/image_archive.py "$root" "$name" build/portcullis-image.tar
size=$(($(stat -c %s build/portcullis-image.tar) / 1000000))
[ $size -le "${IMAGE_LIMIT_MB:-40}" ] || fail "the image has $size MB, more than ${IMAGE_LIMIT_MB:-40}"
say "$name: $size MB, in build/portcullis-image.tar"
