#!/usr/bin/env bash
# The end-to-end cases: a real API server, the manager as a process beside it, and kubectl.
# usage: run.sh [--keep] [case...]      the cases are e2e/cases/*.sh; --keep leaves the folder of the run
# E2E_MANAGER="command" runs them against another manager (default: bin/portcullis manager, built first). With E2E_PEER=1
# that manager is Gatekeeper's: a case that says "# gatekeeper differs: …" may then fail.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
. tools/lib.sh

keep=0
if [ "${1:-}" = --keep ]; then keep=1; shift; fi
if ! go_ready; then
  say "SKIPPED: the end-to-end cases need Go for etcd and kube-apiserver: $go_problem"
  exit 0
fi
tools/setup.sh build test >/dev/null || tools/setup.sh build test
e2e/control-plane.sh build --controllers
if [ -z "${E2E_MANAGER:-}" ]; then tools/build.sh; E2E_MANAGER="$PWD/bin/portcullis manager"; fi
export E2E_MANAGER
audit_interval=3; export audit_interval

if [ $# -gt 0 ]; then cases=("$@"); else mapfile -t cases < <(cd e2e/cases && ls *.sh | sed 's/\.sh$//'); fi
for name in "${cases[@]}"; do [ -f "e2e/cases/$name.sh" ] || fail "no case '$name' in e2e/cases"; done

run=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-e2e.XXXXXX")
finish() {
  local code=$?
  trap - EXIT
  stop_all
  if [ "$keep" = 1 ] || [ $code -ne 0 ]; then say "logs of the run: $run"; else rm -rf "$run"; fi
  exit $code
}
. e2e/harness.sh
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run_case() {  # name -> exit code. A shell of its own: `set -e` would not hold in a function that `if` asks
  run="$run" ns="e2e-${1//_/-}" bash e2e/case.sh "$1" >"$run/case-$1.log" 2>&1
}

webhook_answers() { k label namespace default e2e=true --overwrite --dry-run=server; }

clean_case() {
  local kinds
  kinds=$(k get constrainttemplates -o name 2>/dev/null || true)
  [ -z "$kinds" ] || k delete $kinds --wait=false >/dev/null 2>&1 || true
  k delete syncset --all >/dev/null 2>&1 || true
  k -n "$system" delete config.config.gatekeeper.sh --all >/dev/null 2>&1 || true
  k delete namespace "e2e-${1//_/-}" --wait=false >/dev/null 2>&1 || true
  if absent -n "$system" secret gatekeeper-webhook-server-cert ||
      [ -n "$(field validatingwebhookconfiguration/gatekeeper-validating-webhook-configuration '{.webhooks[0].clientConfig.url}')" ]; then
    apply_webhook Fail
  fi
  if ! manager_alive; then manager_start; fi
  if ! { manager_wait_ready && wait_until 60 "the webhook answers" webhook_answers; } >"$run/clean-$1.log"; then
    say "   after $1: $(tr '\n' ' ' <"$run/clean-$1.log")"
  fi
}

e2e/control-plane.sh start "$run" --controllers
setup_cluster Fail
secret_mount_start
manager_start
manager_wait_ready 90 || { tail -n 30 "$run/manager.log"; fail "the manager did not become ready"; }
say "control plane and manager are up after ${SECONDS} s; ${#cases[@]} cases"

passed=0; failed=(); differing=()
for name in "${cases[@]}"; do
  began=$SECONDS
  if run_case "$name"; then
    passed=$((passed + 1)); say "ok      $name ($((SECONDS - began)) s)"
  elif [ "${E2E_PEER:-0}" = 1 ] && grep -q '^# gatekeeper differs:' "e2e/cases/$name.sh"; then
    differing+=("$name"); say "differs $name: $(sed -n 's/^# gatekeeper differs: //p' "e2e/cases/$name.sh")"
  else
    failed+=("$name"); say "FAILED  $name ($((SECONDS - began)) s)"
    { tail -n 15 "$run/case-$name.log"; echo "... its last commands:"; tail -n 5 "$run/case-$name.trace" 2>/dev/null
      echo "... the manager's last lines:"; tail -n 8 "$run/manager.log"; } | cut -c1-300 | sed 's/^/        /'
  fi
  clean_case "$name"
done
say "$passed of ${#cases[@]} end-to-end cases passed in $SECONDS s${differing[*]:+; different on purpose: ${differing[*]}}${failed[*]:+; failed: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
