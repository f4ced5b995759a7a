#!/usr/bin/env bash
# make demo: sets up, builds, and shows Portcullis at work on a real API server; everything it started is stopped at the end.
# usage: demo.sh [--playground]     --playground keeps it running, ready for your own policies, until Ctrl-C
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lib.sh
playground=0
if [ "${1:-}" = --playground ]; then playground=1; fi

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
explain() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
# show COMMAND...: the command as one would type it, then what it prints; that stays in $shown for a check.
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; shown=$("$@" 2>&1) || true; say "$shown"; }

# ---- build: the program and the control plane side by side, with a line of progress now and then ----
build_all() {
  local log=build/demo-build.log cp_log=build/demo-control-plane.log began=$SECONDS pids=() code=0 pid told=-100
  mkdir -p build
  : >"$log"; : >"$cp_log"
  if [ -z "${E2E_MANAGER:-}" ]; then tools/build.sh >"$log" 2>&1 & pids+=($!); fi
  if go_ready; then e2e/control-plane.sh build >"$cp_log" 2>&1 & pids+=($!); fi
  for pid in "${pids[@]}"; do
    while kill -0 "$pid" 2>/dev/null; do
      if [ $((SECONDS - told)) -ge 10 ] && [ $((SECONDS - began)) -ge 3 ]; then
        told=$SECONDS
        say "  $((SECONDS - began)) s: portcullis $(grep -o '^\[[0-9]*/[0-9]*\]' "$log" | tail -n 1 || true); control plane: $(tail -n 1 "$cp_log")"
      fi
      sleep 0.2
    done
    wait "$pid" || code=1
  done
  if [ $code -ne 0 ]; then tail -n 30 "$log" "$cp_log"; fail "the build failed"; fi
  say "  built in $((SECONDS - began)) s"
}

# ---- the OPA side of the same story ----
opa_story() {
  explain "The same engine without a cluster: a policy in package main, and a Deployment whose website label is commented out"
  show cat e2e/demo/website.rego
  show cat e2e/demo/deployment.json
  show bin/opa eval --v0-compatible -d e2e/demo/website.rego -i e2e/demo/deployment.json --format pretty data.main.deny
  case $shown in *'Deployment shop has no website label'*) ;; *) fail "the policy did not find the missing label" ;; esac
}

explain "Setting up: Debian packages, the program, and a real etcd and kube-apiserver (the first time takes some minutes)"
tools/setup.sh build
build_all
if ! go_ready; then
  say "The control plane needs Go: $go_problem. Without it, this is what works offline."
  opa_story
  exit 0
fi

run=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-demo.XXXXXX")
E2E_MANAGER=${E2E_MANAGER:-$PWD/bin/portcullis manager}
audit_interval=2 ns=demo
. e2e/harness.sh
finish() {
  local code=$?
  trap - EXIT
  stop_all
  if [ $code -ne 0 ] && [ $code -ne 130 ] && [ $code -ne 143 ]; then
    say "the manager's last lines:"; tail -n 20 "$run/manager.log" 2>/dev/null | cut -c1-300
    say "the demo failed; its logs are in $run"
  else
    rm -rf "$run"
  fi
  exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
gatekeeper_metrics() {
  metrics | grep -E '^gatekeeper_(constraints|constraint_templates|violations|validation_request_count_total)' | grep -v ' 0$'
}
# What the reader sees as `kubectl` is kubectl, talking to the API server of this run.
kubectl() { "$kubectl" "$@"; }

explain "Starting etcd, kube-apiserver and the manager, on loopback ports, in $run"
e2e/control-plane.sh start "$run"
setup_cluster Fail
secret_mount_start
manager_start
manager_wait_ready 60
wait_until 30 "the webhook answers" k create namespace probe --dry-run=server
show curl -s "http://127.0.0.1:$health_port/readyz?verbose"

if [ "$playground" = 1 ]; then
  explain "The playground is up: Ctrl-C stops all of it"
  say "In another terminal:"
  say "  export KUBECONFIG=$run/kubeconfig"
  say "  kubectl apply -f $PWD/e2e/demo/template.yaml       # a policy"
  say "  kubectl apply -f $PWD/e2e/demo/constraint.yaml     # its use (a moment later: its kind must be served)"
  say "  kubectl apply -f $PWD/e2e/demo/pod.yaml            # is refused; pod-fixed.yaml beside it is not"
  say "  kubectl get constraints                            # what audit counts, every $audit_interval s"
  say "  curl http://127.0.0.1:$metrics_port/metrics"
  say "The manager's log: $run/manager.log"
  while manager_alive; do sleep 1; done
  fail "the manager ended"
fi

explain "A namespace, and in it a pod that breaks the rule to come"
show kubectl create namespace demo
show kubectl -n demo apply -f e2e/demo/old-pod.yaml

explain "The policy: a ConstraintTemplate with its Rego"
show cat e2e/demo/template.yaml
show kubectl apply -f e2e/demo/template.yaml
wait_until 30 "the template is loaded" field_is constrainttemplate/k8spsphostnamespace '{.status.created}' true
wait_until 30 "its constraint kind is served" k get k8spsphostnamespace

explain "The constraint: where the policy counts (all pods)"
show cat e2e/demo/constraint.yaml
show kubectl apply -f e2e/demo/constraint.yaml
enforced K8sPSPHostNamespace psp-host-namespace

explain "A pod that shares the host's namespaces: the API server refuses it"
show cat e2e/demo/pod.yaml
show kubectl -n demo apply -f e2e/demo/pod.yaml
expect_in "$shown" 'Sharing the host namespace is not allowed: nginx-host-namespace'
absent -n demo pod nginx-host-namespace

explain "The same pod without the two fields is admitted"
show kubectl -n demo apply -f e2e/demo/pod-fixed.yaml
show kubectl -n demo get pods

explain "Audit found the pod that was there before (it runs every $audit_interval s here)"
constraint=k8spsphostnamespace.constraints.gatekeeper.sh/psp-host-namespace
wait_until 30 "audit counted the old pod" field_is $constraint '{.status.totalViolations}' 1
show kubectl get constraints

explain "The violation is in the constraint's status"
show kubectl get k8spsphostnamespace psp-host-namespace -o 'jsonpath-as-json={.status.violations[*]}'
expect_in "$shown" was-here-before

explain "What Prometheus would scrape"
say "${dim}\$ curl -s http://127.0.0.1:$metrics_port/metrics | grep ^gatekeeper_     (those that are not 0, some families)$plain"
shown=$(gatekeeper_metrics)
say "$shown"
expect_in "$shown" 'gatekeeper_violations{enforcement_action="deny"} 1'

opa_story

explain "That was it. Everything that the demo started is stopped now"
say "Keep it running to try your own policies: make playground"
