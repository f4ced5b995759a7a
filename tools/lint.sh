#!/usr/bin/env bash
# Formatting, includes, scripts, generated manifests, then clang-tidy. usage: tools/lint.sh [--fast]   (--fast: no clang-tidy)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

tools/setup.sh build test lint
failed=0
step() { say "== $1"; shift; "$@" || failed=1; }

formatting() { git ls-files '*.h' '*.cpp' | xargs -r clang-format-19 --dry-run --Werror 2>&1 | tail -n 40; return "${PIPESTATUS[1]}"; }
scripts() { local bad=0 f; while read -r f; do bash -n "$f" || bad=1; done < <(git ls-files '*.sh' .ci/run); return $bad; }
# Headers are looked at through the files that include them. What a file of the list prints is all there is to say.
tidy() { git ls-files '*.cpp' | sed "s|^|$PWD/|" | xargs run-clang-tidy-19 -p build/tidy -j "$(job_count)" -quiet 2>/dev/null; }

mkdir -p build
cmake --preset tidy >build/.configure-tidy.log 2>&1 || { cat build/.configure-tidy.log >&2; exit 1; }
step "clang-format" formatting
step "includes" python3 tools/check_includes.py build/tidy/libraries.txt
step "shell scripts" scripts
step "generated manifests" python3 tools/manifests.py --check
[ "${1:-}" = --fast ] || step "clang-tidy" tidy
exit $failed
