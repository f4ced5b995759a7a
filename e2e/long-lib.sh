# What the parts of e2e/long/ are written with. Sourced with `part` set; each part runs in a shell of its own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. tools/lib.sh
bin=$root/.cache/control-plane
GATEKEEPER=${GATEKEEPER:-v3.23.1}
gatekeeper_module=github.com/open-policy-agent/gatekeeper/v3

skip() { say "SKIPPED: $*"; exit 77; }
step() { printf '%5s s  %s\n' "$SECONDS" "$*"; }
figure() { printf '         figure: %s\n' "$*"; }

wait_until() {  # seconds, what, command...
  local limit=$1 what=$2 deadline=$((SECONDS + $1)); shift 2
  until "$@" >"$run/last-wait" 2>&1; do
    if [ $SECONDS -ge $deadline ]; then say "not within $limit s: $what"; tail -n 5 "$run/last-wait"; return 1; fi
    sleep 0.2
  done
}
expect_in() { [[ $1 == *"$2"* ]] || { say "expected: $2"; say "got: $1"; return 1; }; }
denied() {  # text, command...: the command fails, and says so
  local part=$1 output; shift
  if output=$("$@" 2>&1); then say "expected a refusal of: $*"; say "got: $output"; return 1; fi
  expect_in "$output" "$part"
}

# The folder of Gatekeeper's Go module, downloaded when it is not there.
gatekeeper_folder() {
  (cd "$root/e2e/control-plane/helm" && GOFLAGS=-mod=mod go mod download -json "$gatekeeper_module@$GATEKEEPER") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}
