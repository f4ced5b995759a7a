#!/usr/bin/env bash
# All benchmarks: the Rego engine beside its peers, then the webhook and the audit beside Gatekeeper's manager.
# usage: run.sh [engines] [load] [controller] [micro]      (none named: engines and load)
# BENCH_ARGS is given to bench/load/controller.py, e.g. --small or --only start.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh

parts=("$@"); [ ${#parts[@]} -gt 0 ] || parts=(engines load)
peers=${PEERS:-build/peers}

load() {
  if ! go_ready; then say "not run: webhook and audit under load need Go for etcd and kube-apiserver: $go_problem"; return; fi
  command -v wrk >/dev/null || { say "not run: webhook and audit under load need wrk"; return; }
  tools/build.sh
  e2e/control-plane.sh build
  local peer=()
  if [ -x "$peers/gatekeeper-manager" ] || bench/peers/build.sh "$peers" manager >build/bench-manager.log 2>&1; then
    peer=(--peer "$peers/gatekeeper-manager")
  else
    say "peer not built: Gatekeeper's manager: $(tail -n 1 build/bench-manager.log); ours is measured alone"
  fi
  for kind in webhook audit; do bench/load/run.py "$kind" --ours bin/manager ${peer[@]+"${peer[@]}"}; done
}

controller() {
  go_ready || fail "the controller's benchmark needs Go for etcd, kube-apiserver and Gatekeeper: $go_problem"
  command -v wrk >/dev/null || fail "the controller's benchmark needs wrk"
  tools/build.sh
  e2e/control-plane.sh build
  [ -x "$peers/gatekeeper-manager" ] || bench/peers/build.sh "$peers" manager
  # shellcheck disable=SC2086
  bench/load/controller.py --ours bin/manager --peer "$peers/gatekeeper-manager" ${BENCH_ARGS:-}
}

micro() {
  [ -f build/bench/build.ninja ] || cmake --preset bench >/dev/null
  cmake --build build/bench --target json_parse_bench review_bench -j "$(job_count)"
  build/bench/bench/micro/json_parse_bench
  build/bench/bench/micro/review_bench
}

for part in "${parts[@]}"; do
  case $part in
    engines) bench/engines/run.sh ;;
    load) load ;;
    controller) controller ;;
    micro) micro ;;
    *) fail "unknown part '$part' (engines, load, controller, micro)" ;;
  esac
done
