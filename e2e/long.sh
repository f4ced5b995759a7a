#!/usr/bin/env bash
# What takes too long for every day: `make e2e-long`. Each part is bounded and writes a log to read, with its figures.
# usage: long.sh [part...]      the parts are e2e/long/*.sh; a part's "# limit:" line is its bound in seconds
# A part that lacks what it needs (root, Go, packages) says so and is skipped: exit code 77.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
. tools/lib.sh

if [ $# -gt 0 ]; then parts=("$@"); else mapfile -t parts < <(cd e2e/long && ls *.sh | sed 's/\.sh$//'); fi
for part in "${parts[@]}"; do [ -f "e2e/long/$part.sh" ] || fail "no part '$part' in e2e/long"; done
logs=build/long
mkdir -p "$logs"

passed=0 skipped=() failed=()
for part in "${parts[@]}"; do
  limit=$(sed -n 's/^# limit: \([0-9]*\).*/\1/p' "e2e/long/$part.sh")
  say "== $part (at most ${limit:-600} s): $(sed -n '2s/^# //p' "e2e/long/$part.sh")"
  began=$SECONDS code=0
  timeout --foreground -k 60 "${limit:-600}" bash "e2e/long/$part.sh" </dev/null > >(tee "$logs/$part.log") 2>&1 || code=$?
  case $code in
    0) passed=$((passed + 1)); say "== $part passed in $((SECONDS - began)) s" ;;
    77) skipped+=("$part") ;;
    124) failed+=("$part"); say "== $part did not end within $limit s" ;;
    *) failed+=("$part"); say "== $part FAILED after $((SECONDS - began)) s" ;;
  esac
done
say "$passed of ${#parts[@]} parts passed in $SECONDS s${skipped[*]:+; skipped: ${skipped[*]}}${failed[*]:+; failed: ${failed[*]}}; logs in $logs"
[ ${#failed[@]} -eq 0 ]
