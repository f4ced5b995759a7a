#!/usr/bin/env bash
# Builds and runs the benchmarks. bench/README.md says what each measures, and which peer it needs beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

tools/setup.sh build bench
[ -x bench/run.sh ] || fail "there is no bench/run.sh"
exec bench/run.sh "$@"
