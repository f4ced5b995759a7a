#!/usr/bin/env bash
# Runs one case in a shell of its own, started by run.sh: $run and $ns are set, the commands are traced into a file.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
k create namespace "$ns" >/dev/null
exec {BASH_XTRACEFD}>"$run/case-$1.trace"
trap 'say "failed at e2e/cases/'"$1"'.sh line $LINENO: $BASH_COMMAND"' ERR
# Load that the case started must not outlive it.
trap 'touch "$run/stop-load"; for job in $(builtin jobs -p); do kill "$job" 2>/dev/null || true; done' EXIT
set -x
. "$here/cases/$1.sh"
