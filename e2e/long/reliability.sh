#!/usr/bin/env bash
# replicas replaced and certificates changed a thousand times each, under load, without a request let in or turned away
# limit: 3600
# E2E_RESTARTS, E2E_CERTIFICATES, E2E_APPLIES, E2E_REPLACED: how often (1000, 1000, 200, 50); E2E_MANAGER: which program
part=reliability
. "$(dirname "${BASH_SOURCE[0]}")/../long-lib.sh"
go_ready || skip "Go is needed for the API server: $go_problem"
mkdir -p build/long
export FIGURES=$root/build/long/reliability.figures
: >"$FIGURES"
export E2E_RESTARTS=${E2E_RESTARTS:-1000} E2E_CERTIFICATES=${E2E_CERTIFICATES:-1000} E2E_APPLIES=${E2E_APPLIES:-200} E2E_REPLACED=${E2E_REPLACED:-50}
e2e/run.sh replicas &
suite=$!
trap 'kill "$suite" 2>/dev/null || true' INT TERM
tail -n +1 -F --pid="$suite" "$FIGURES" 2>/dev/null || true
wait "$suite"
