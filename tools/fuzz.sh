#!/usr/bin/env bash
# Builds the fuzz targets (clang, libFuzzer, ASan+UBSan) and runs each for FUZZ_SECONDS (120).
# usage: tools/fuzz.sh [target...]     a finding is kept under build/fuzz/findings/ and ends the run with exit code 1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

tools/setup.sh build test lint
mkdir -p build
cmake --preset fuzz >build/.configure-fuzz.log 2>&1 || { cat build/.configure-fuzz.log >&2; exit 1; }
cmake --build --preset fuzz -j "$(job_count)"
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(find build/fuzz -type f -name 'fuzz_*' -perm -u+x -printf '%f\n' | sort); fi
[ ${#targets[@]} -gt 0 ] || fail "there is no fuzz target"

failed=0
for target in "${targets[@]}"; do
  program=$(find build/fuzz -type f -name "$target" -perm -u+x | head -n 1)
  [ -n "$program" ] || fail "no fuzz target '$target'"
  corpus=build/fuzz/corpus/$target findings=build/fuzz/findings/$target
  mkdir -p "$corpus" "$findings"
  seeds=build/fuzz/seeds/$target
  python3 tools/fuzz_seeds.py "$target" "$seeds"
  say "== $target for ${FUZZ_SECONDS:-120} s"
  if ! "$program" -max_total_time="${FUZZ_SECONDS:-120}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
       -artifact_prefix="$findings/" "$corpus" "$seeds" >"$findings/log" 2>&1; then
    failed=1; say "FINDING in $target:"; tail -n 40 "$findings/log"
  else
    grep -E 'number_of_executed_units|new_units_added' "$findings/log" | sed 's/^/   /'
  fi
done
exit $failed
