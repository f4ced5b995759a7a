#!/usr/bin/env bash
# the Dockerfile, built by buildah on a base made by debootstrap, and its image run by containerd and runc
# limit: 3000
part=dockerfile
. "$(dirname "${BASH_SOURCE[0]}")/../long-lib.sh"
[ "$(id -u)" = 0 ] || skip "buildah without a daemon needs root here"
tools/setup.sh node >/dev/null || tools/setup.sh node
run=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-dockerfile.XXXXXX")
finish() {
  local code=$?
  trap - EXIT
  if [ -s "$run/containerd.pid" ]; then
    timeout 20 ctr -a "$run/c.sock" tasks rm -f try >/dev/null 2>&1 || true
    kill "$(cat "$run/containerd.pid")" 2>/dev/null || true
  fi
  awk -v d="$run/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
  if [ $code -ne 0 ]; then say "logs of the run: $run"; else rm -rf "$run"; fi
  exit $code
}
trap finish EXIT
store() { buildah --root "$run/storage" --runroot "$run/runroot" --storage-driver vfs "$@"; }

build_image() {
  step "a base, by debootstrap"
  base=$root/.cache/debian-base.tar
  if [ ! -s "$base" ]; then
    debootstrap --variant=minbase bookworm "$run/base" >"$run/debootstrap.log" 2>&1 || { tail -n 5 "$run/debootstrap.log"; fail "debootstrap"; }
    printf 'deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian bookworm-updates main\ndeb http://deb.debian.org/debian-security bookworm-security main\n' >"$run/base/etc/apt/sources.list"
    rm -rf "$run/base/var/cache/apt/archives"/*.deb "$run/base/var/lib/apt/lists"/*
    mkdir -p "$root/.cache"
    tar -C "$run/base" --numeric-owner -cf "$base.new" . && mv "$base.new" "$base"
    rm -rf "$run/base"
  fi
  container=$(store from scratch)
  store add --quiet "$container" "$base" / >/dev/null
  store commit --quiet "$container" localhost/debian:12-slim >/dev/null
  store rm "$container" >/dev/null
  step "the Dockerfile (its output is in $run/build.log)"
  git archive --format=tar HEAD | { mkdir "$run/source"; tar -C "$run/source" -xf -; }
  JOBS=${JOBS:-$(nproc)} store build --isolation chroot --pull-never --layers=false -t "portcullis:dockerfile" -f "$run/source/Dockerfile" "$run/source" >"$run/build.log" 2>&1 ||
    { tail -n 20 "$run/build.log"; fail "the build"; }
  store push --quiet portcullis:dockerfile "docker-archive:$run/image.tar:localhost/portcullis:dockerfile"
  figure "image from the Dockerfile: $(stat -c %s "$run/image.tar") bytes"
  [ "$(stat -c %s "$run/image.tar")" -le 40000000 ] || fail "more than 40 MB"
  tar -xOf "$run/image.tar" "$(tar -xOf "$run/image.tar" manifest.json | jq -r '.[0].Layers[0]')" | tar -t >"$run/files"
  ! grep -E '(^|/)(ba|da)?sh$|busybox' "$run/files" || fail "there is a shell in it"
}
# E2E_DOCKERFILE_IMAGE=ARCHIVE.tar: only runs an image that was built before.
if [ -n "${E2E_DOCKERFILE_IMAGE:-}" ]; then cp "$E2E_DOCKERFILE_IMAGE" "$run/image.tar"; else build_image; fi

step "the image in a container, by containerd and runc"
printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "%s"\n' "$run/c-root" "$run/c-state" "$run/c.sock" >"$run/containerd.toml"
setsid containerd -c "$run/containerd.toml" >"$run/containerd.log" 2>&1 </dev/null &
echo $! >"$run/containerd.pid"
wait_until 30 "containerd answers" ctr -a "$run/c.sock" version
ctr -a "$run/c.sock" images import "$run/image.tar" >/dev/null
try() { ctr -a "$run/c.sock" run --rm --read-only --seccomp "${options[@]}" localhost/portcullis:dockerfile try "$@"; }
options=()
expect_in "$(try /portcullis version)" "portcullis "
expect_in "$(try /manager --help 2>&1)" "-operation value"
options=(--mount "type=bind,src=$root/e2e/demo,dst=/demo,options=rbind:ro")
expect_in "$(try /opa eval --v0-compatible -d /demo/website.rego -i /demo/deployment.json --format pretty data.main.deny)" "has no website label"
step "done"
