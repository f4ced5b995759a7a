#!/usr/bin/env bash
# the real Gatekeeper and ours on equal API servers with the same generated inputs: answers, statuses, audits, metrics, logs
# limit: 7200
# figures: reviews, audit passes, listed differences. SEED, WORLDS, REVIEWS, PASSES and OBJECTS (of a world) may be set.
part=controller_differential
. "$(dirname "${BASH_SOURCE[0]}")/../long-lib.sh"

go_ready || skip "Gatekeeper's manager, etcd and kube-apiserver are built with Go: $go_problem"
peers=${PEERS:-build/peers}
if [ ! -x "$peers/gatekeeper-manager" ]; then
  step "building Gatekeeper $GATEKEEPER from its Go module"
  bench/peers/build.sh "$peers" manager >build/peer-manager.log 2>&1 || skip "Gatekeeper's manager was not built: $(tail -n 1 build/peer-manager.log)"
fi
e2e/control-plane.sh build
tools/build.sh
step "comparing"
python3 test/differential/controller/run.py --ours bin/manager --real "$peers/gatekeeper-manager" \
  --seed "${SEED:-1}" --worlds "${WORLDS:-4}" --reviews "${REVIEWS:-5000}" --passes "${PASSES:-13}" --objects "${OBJECTS:-400}"
