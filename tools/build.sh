#!/usr/bin/env bash
# Builds the optimised program and leaves it at bin/portcullis, with its other names beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

tools/setup.sh build >/dev/null || tools/setup.sh build
mkdir -p build
[ -f build/release/build.ninja ] || cmake --preset release >build/.configure.log 2>&1 || { cat build/.configure.log >&2; exit 1; }
cmake --build build/release --target portcullis -j "$(job_count)"
mkdir -p bin
# Copied beside and moved over, so that a running program is never written to.
cp build/release/cmd/portcullis bin/.portcullis.new
mv bin/.portcullis.new bin/portcullis
for name in gator opa manager; do ln -sfn portcullis "bin/$name"; done
say "built bin/portcullis (also as bin/gator, bin/opa, bin/manager)"
