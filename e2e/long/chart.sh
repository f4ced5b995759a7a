#!/usr/bin/env bash
# the Helm chart: lint, values beside Gatekeeper's chart, install, upgrade, rollback, uninstall on a real API server
# limit: 900
part=chart
. "$(dirname "${BASH_SOURCE[0]}")/../long-lib.sh"
go_ready || skip "Go is needed for helm and the API server: $go_problem"
run=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-chart.XXXXXX")
finish() {
  local code=$?
  trap - EXIT
  e2e/control-plane.sh stop "$run" || true
  if [ $code -ne 0 ]; then say "logs of the run: $run"; else rm -rf "$run"; fi
  exit $code
}
trap finish EXIT

e2e/control-plane.sh build
e2e/control-plane.sh build --helm
kubectl=$(e2e/control-plane.sh kubectl)
export KUBECONFIG=$run/kubeconfig HELM_CACHE_HOME=$run/helm HELM_CONFIG_HOME=$run/helm HELM_DATA_HOME=$run/helm
k() { "$kubectl" "$@"; }
helm() { "$bin/helm" "$@"; }
chart=charts/portcullis ns=gatekeeper-system
gatekeeper=$(gatekeeper_folder)/charts/gatekeeper
render() { helm template gatekeeper "$1" -n $ns --kube-version 1.36.3 --api-versions policy/v1/PodDisruptionBudget -f "$2"; }

step "lint"
helm lint $chart
for values in e2e/long/values/*.yaml; do
  step "the objects of both charts with $(basename "$values")"
  render $chart "$values" >"$run/ours.yaml"
  render "$gatekeeper" "$values" >"$run/theirs.yaml"
  python3 e2e/support/compare_charts.py "$run/ours.yaml" "$run/theirs.yaml"
done

e2e/control-plane.sh start "$run"
k create namespace $ns >/dev/null
# Jobs need a node; the hooks run in the part `node`.
apply_chart() { helm "$1" gatekeeper "$2" -n $ns --no-hooks "${@:3}" >"$run/helm.out" || { cat "$run/helm.out"; return 1; }; }
image() { k -n $ns get deployment gatekeeper-controller-manager -o 'jsonpath={.spec.template.spec.containers[0].image}'; }
flags() { k -n $ns get deployment gatekeeper-controller-manager -o 'jsonpath={.spec.template.spec.containers[0].args}'; }

step "install"
apply_chart install $chart
expect_in "$(image)" portcullis:v
[ "$(k get crd -o name | grep -c gatekeeper.sh)" = "$(ls crds | wc -l)" ] || fail "not every CRD is there"
step "upgrade with other values"
apply_chart upgrade $chart --set logDenies=true --set replicas=2
expect_in "$(flags)" --log-denies=true
step "rollback"
helm rollback gatekeeper 1 -n $ns --no-hooks >/dev/null
expect_in "$(flags)" --log-denies=false
step "uninstall: nothing is left but the CRDs"
helm uninstall gatekeeper -n $ns --no-hooks >/dev/null
left=$(k get deployments,services,secrets,poddisruptionbudgets,resourcequotas,roles,rolebindings -n $ns -o name; k get validatingwebhookconfigurations,clusterroles,clusterrolebindings -o name | grep gatekeeper || true)
[ -z "$left" ] || fail "left behind: $left"

step "from Gatekeeper's chart to this one, and back"
apply_chart install "$gatekeeper"
expect_in "$(image)" openpolicyagent/gatekeeper
k -n $ns get deployments,services,poddisruptionbudgets -o name | sort >"$run/before"
apply_chart upgrade $chart
expect_in "$(image)" portcullis:v
k -n $ns get deployments,services,poddisruptionbudgets -o name | sort | diff "$run/before" -
helm rollback gatekeeper 1 -n $ns --no-hooks >/dev/null
expect_in "$(image)" openpolicyagent/gatekeeper
step "done"
