#!/usr/bin/env bash
# Packs bin/portcullis for a cluster, without Docker: a root folder with the program and the libraries it needs, nothing
# else, and that folder as an image archive that `docker load` and `ctr images import` read.
# usage: tools/image.sh [NAME:TAG]      default portcullis:v<version>; leaves build/image/ and build/portcullis-image.tar
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
install -m 0755 "$program" "$root/manager"
for link in gator opa portcullis; do ln -s manager "$root/$link"; done

# The loader and every library, under the paths where the program looks for them.
ldd "$program" | grep -oE '/[^ ]+' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# Names for the user that config/ runs it as, authorities for outgoing TLS, and time zones for the time builtins.
printf 'nonroot:x:1000:999::/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'nonroot:x:999:\n' >"$root/etc/group"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"; fi
if [ -d /usr/share/zoneinfo ]; then mkdir -p "$root/usr/share"; cp -a /usr/share/zoneinfo "$root/usr/share/"; fi
python3 tools/image_archive.py "$root" "$name" build/portcullis-image.tar
say "$name: $(du -sh "$root" | cut -f1), in build/portcullis-image.tar"
