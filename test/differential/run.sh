#!/usr/bin/env bash
# The long differential run against OPA's Go library: builds both sides and compares PAIRS (100000) pairs from SEED (1).
# usage: test/differential/run.sh     exit 1: there was a difference; exit 77: there is no Go or no module
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tools/lib.sh

command -v go >/dev/null || { say "differential: skipped, there is no Go to build OPA with"; exit 77; }
mkdir -p build
if ! (cd test/differential/opa && go build -o ../../../build/differential_opa . 2>../../../build/.differential-opa.log); then
  say "differential: skipped, OPA cannot be built (build/.differential-opa.log)"
  exit 77
fi
cmake --preset bench -B build/differential -DPC_TESTS=ON -DPC_BENCH=OFF >build/.configure-differential.log 2>&1 ||
  { cat build/.configure-differential.log >&2; exit 1; }
cmake --build build/differential --target differential_tests -j "$(job_count)"
exec python3 test/differential/differential.py --ours build/differential/test/differential/differential_tests \
  --opa build/differential_opa --from "${SEED:-1}" --pairs "${PAIRS:-100000}"
