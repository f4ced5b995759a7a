#!/usr/bin/env bash
# The project's tests. usage: tools/test.sh [unit|tsan|conformance|e2e]...    none given: unit, tsan, e2e
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

configure() {
  mkdir -p build
  cmake --preset "$1" >"build/.configure-$1.log" 2>&1 || { cat "build/.configure-$1.log" >&2; exit 1; }
}

unit() {
  say "== unit and data tests, address and undefined behaviour sanitizers"
  configure ci
  cmake --build --preset ci -j "$(job_count)"
  ctest --preset ci -j "$(job_count)"
}

tsan() {
  say "== concurrent tests, thread sanitizer"
  configure tsan
  cmake --build --preset tsan --target concurrent_tests -j "$(job_count)"
  ctest --preset tsan -L concurrent -j "$(job_count)"
}

conformance() {
  say "== conformance"
  configure ci
  cmake --build --preset ci --target conformance_tests -j "$(job_count)"
  local log=build/.conformance.log
  ctest --preset ci -L conformance --verbose | tee "$log"
  # ctest takes a skipped test for a passed one; asked for by name, it must have run.
  grep -Eq '^[0-9]+: all: ' "$log" || fail "the corpora were not run: Go is not there, or OPA's module cannot be had"
}

e2e() {
  say "== end to end, on a real control plane"
  e2e/run.sh
}

tools/setup.sh build test
steps=("$@"); [ ${#steps[@]} -gt 0 ] || steps=(unit tsan e2e)
for step in "${steps[@]}"; do
  case $step in
    unit|tsan|conformance|e2e) "$step" ;;
    *) fail "unknown step '$step' (unit, tsan, conformance, e2e)" ;;
  esac
done
