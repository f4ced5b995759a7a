# What e2e/long/node.sh is made of: one function for each thing that it shows. Sourced after long-lib.sh.
system=gatekeeper-system
webhook=deployment/gatekeeper-controller-manager
audit=deployment/gatekeeper-audit
image=portcullis:v$(sed -n 's/^project(portcullis VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
kubectl=$(e2e/control-plane.sh kubectl 2>/dev/null || true)
loads=()

[ "$(id -u)" = 0 ] || skip "a node needs root"
go_ready || skip "Go is needed for Kubernetes: $go_problem"
tools/setup.sh build test node >/dev/null || tools/setup.sh build test node

run=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-node.XXXXXX")
finish() {
  local code=$?
  trap - EXIT
  touch "$run/stop-load"
  e2e/node-cluster.sh down "$run" || true
  if [ $code -ne 0 ]; then say "logs of the run: $run"; else rm -rf "$run"; fi
  exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

inside() { nsenter --net="/run/netns/$(cat "$run/netns")" "$@"; }
k() { inside "$kubectl" --kubeconfig "$run/kubeconfig" "$@"; }
ks() { k -n $system "$@"; }
helm() { KUBECONFIG=$run/kubeconfig HELM_CACHE_HOME=$run/helm HELM_CONFIG_HOME=$run/helm HELM_DATA_HOME=$run/helm inside "$bin/helm" "$@"; }

# ---- images ----
prepare_images() {
  e2e/node-cluster.sh build
  e2e/control-plane.sh build --helm
  kubectl=$(e2e/control-plane.sh kubectl)
  if [ -z "${E2E_IMAGE_READY:-}" ]; then tools/build.sh; tools/image.sh; fi
  figure "image: $(stat -c %s build/portcullis-image.tar) bytes, of which the program $(stat -c %s build/image/manager)"
  gatekeeper_manifest=$(gatekeeper_folder)/deploy/gatekeeper.yaml
  [ -s "$gatekeeper_manifest" ] || fail "Gatekeeper's manifest is not in its module"
  local program=${E2E_GATEKEEPER:-$root/.cache/peers/gatekeeper-manager}
  if [ ! -x "$program" ]; then CGO_ENABLED=0 bench/peers/build.sh .cache/peers manager; fi
  mkdir -p "$run/gatekeeper"
  cp "$program" "$run/gatekeeper/manager"
  { ldd "$program" 2>/dev/null || true; } | grep -oE '/[^ ]+' | while read -r library; do install -D "$library" "$run/gatekeeper$library"; done
  python3 tools/image_archive.py "$run/gatekeeper" "openpolicyagent/gatekeeper:$GATEKEEPER" "$run/gatekeeper.tar"
}

# ---- deploying ----
pods_ready() {  # every pod that there should be is Ready, and no other is left
  ks get pods -o json | jq -e --argjson n "$1" '[.items[] | select(.metadata.labels["gatekeeper.sh/system"] == "yes" and .metadata.labels["control-plane"])]
    | length == $n and all(.[]; .metadata.deletionTimestamp == null and any(.status.conditions[]?; .type == "Ready" and .status == "True"))'
}
webhook_silent() { ! webhook_answers; }
webhook_answers() { k label namespace shop probed=yes --overwrite --dry-run=server; }
show_pods() { ks get pods -o wide | awk '{ print $1, $2, $3, $4 }' | column -t | sed 's/^/         /'; }
wait_ready() {  # pods, seconds
  wait_until "$2" "$1 pods are Ready" pods_ready "$1" || { show_pods; ks logs -l gatekeeper.sh/system=yes --tail=5 --prefix || true; return 1; }
}
deploy_manifest() {
  local began=$SECONDS
  k apply -f "$1" >"$run/apply.log" || { tail -n 5 "$run/apply.log"; return 1; }
  wait_ready 4 180
  figure "all 4 pods Ready $((SECONDS - began)) s after kubectl apply of $(basename "$1")"
  wait_until 60 "the webhook answers" webhook_answers
  show_pods
}
undeploy_manifest() { k delete -f "$1" --wait=true --timeout=120s >"$run/delete.log" 2>&1 || { tail -n 5 "$run/delete.log"; return 1; }; }
deploy_chart() {  # the chart, more arguments of helm
  local began=$SECONDS chart=$1; shift
  helm install gatekeeper "$chart" -n $system --create-namespace --wait --timeout 180s \
    -f e2e/node/values.yaml "$@" >"$run/helm.log" || { cat "$run/helm.log"; show_pods; ks describe jobs | tail -n 20; ks get events | tail -n 10; return 1; }
  wait_ready 4 180
  figure "all 4 pods Ready, hooks done, $((SECONDS - began)) s after helm install"
  expect_in "$(k get namespace $system -o 'jsonpath={.metadata.labels}')" '"admission.gatekeeper.sh/ignore":"no-self-managing"'
  wait_until 60 "the webhook answers" webhook_answers
  show_pods
}
show_chart_changes() {
  step "helm upgrade, rollback, under load"
  load_objects
  load_start
  helm upgrade gatekeeper charts/portcullis -n $system --wait --timeout 180s --reuse-values --set replicas=2 --set logDenies=true >"$run/helm.log" || { cat "$run/helm.log"; return 1; }
  wait_ready 3 120
  refused
  helm rollback gatekeeper 1 -n $system --wait --timeout 180s >/dev/null
  wait_ready 4 120
  refused
  load_end "helm upgrade and rollback"
}
undeploy_chart() {
  helm uninstall gatekeeper -n $system --wait --timeout 120s >/dev/null
  [ -z "$(k get validatingwebhookconfigurations -o name | grep gatekeeper || true)" ] || fail "the webhook configuration is left"
  k delete namespace $system --timeout=120s >/dev/null
  k delete -f crds/ --timeout=60s >/dev/null
}

# ---- the policy of the demo ----
refused() { denied 'Sharing the host namespace is not allowed: nginx-host-namespace' k -n shop create -f e2e/demo/pod.yaml --dry-run=server; }
enforced_by() {  # every pod says that it enforces the constraint
  [ "$(k get k8spsphostnamespace psp-host-namespace -o json | jq '[.status.byPod[]? | select(.enforced)] | length')" = "$1" ]
}
counted() { [ "$(k get k8spsphostnamespace psp-host-namespace -o 'jsonpath={.status.totalViolations}')" = 1 ]; }
show_policy() {
  k apply -f e2e/demo/template.yaml >/dev/null
  wait_until 60 "the constraint's kind is served" k apply -f e2e/demo/constraint.yaml
  wait_until 60 "all 4 pods enforce it" enforced_by 4
  refused
  k -n shop create -f e2e/demo/pod-fixed.yaml --dry-run=server >/dev/null
  step "the demo's pod is refused, its mended version is admitted"
  local began=$SECONDS
  wait_until 200 "audit counted the pod that was there before" counted
  step "audit, after another $((SECONDS - began)) s:"
  k get constraints | sed 's/^/         /'
}
kind_gone() { ! k get crd k8spsphostnamespace.constraints.gatekeeper.sh; }
remove_policies() {
  k delete constrainttemplates --all --timeout=60s >/dev/null
  wait_until 60 "the constraint's kind is gone" kind_gone
}
show_memory() {
  local pid pod
  while read -r pid pod; do
    figure "memory of $pod: $(awk '/^VmRSS|^VmHWM/ { printf "%s %.1f MB ", $1, $2 / 1024 }' "/proc/$pid/status")"
  done < <(e2e/node-cluster.sh processes "$run" | sort -k2)
}
show_label_webhook() {
  denied 'Only exempt namespace can have the admission.gatekeeper.sh/ignore label' \
    k label namespace shop admission.gatekeeper.sh/ignore=yes --dry-run=server
  step "nobody may take a namespace out of review by its label"
}

# ---- load: pods that the policy refuses, as fast as they are answered ----
# From here on nothing gets in that nobody looked at. The node's own lease is left out: it must be renewed even then.
fail_closed() {
  k patch validatingwebhookconfiguration gatekeeper-validating-webhook-configuration --type=json -p '[
    {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"},
    {"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 10},
    {"op": "replace", "path": "/webhooks/0/namespaceSelector", "value": {"matchExpressions": [
      {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["gatekeeper-system", "kube-node-lease"]}]}}]' >/dev/null
  load_objects
}
load_objects() {
  k -n shop create --dry-run=client -o json -f e2e/demo/pod.yaml >"$run/bad-pod.json"
  k -n shop create --dry-run=client -o json -f e2e/demo/pod-fixed.yaml >"$run/good-pod.json"
}
load_start() {
  rm -f "$run/stop-load"
  local kind
  for kind in bad good; do
    inside python3 e2e/support/load.py "$run/kubeconfig" /api/v1/namespaces/shop/pods "$run/$kind-pod.json" 600 "$run/stop-load" >"$run/load-$kind.json" &
    loads+=($!)
  done
}
# load_end WHAT [MAY-FAIL]: nothing was admitted that the policy refuses, and nothing refused that it admits.
load_end() {
  touch "$run/stop-load"
  wait "${loads[@]}"; loads=()
  local bad good
  bad=$(jq -c 'del(.samples)' "$run/load-bad.json"); good=$(jq -c 'del(.samples)' "$run/load-good.json")
  figure "$1: pods to refuse $bad"
  figure "$1: pods to admit  $good"
  [ "$(jq .denied <<<"$bad")" -gt 0 ] || fail "the load refused nothing"
  [ "$(jq .admitted <<<"$bad")" = 0 ] || { jq .samples.admitted "$run/load-bad.json"; fail "wrongly admitted"; }
  [ "$(jq .denied <<<"$good")" = 0 ] || { jq .samples.denied "$run/load-good.json"; fail "wrongly refused"; }
  if [ -z "${2:-}" ] && [ "$(jq '.webhook_failed + .other' <<<"$bad")$(jq '.webhook_failed + .other' <<<"$good")" != 00 ]; then
    jq -c .samples "$run/load-bad.json" "$run/load-good.json"
    fail "requests failed for want of a webhook"
  fi
}
show_rolling_restart() {
  step "a rolling restart under load"
  load_start
  ks rollout restart $webhook $audit >/dev/null
  ks rollout status $webhook --timeout=240s >/dev/null
  ks rollout status $audit --timeout=120s >/dev/null
  wait_ready 4 180
  load_end "rolling restart"
}
evict() { jq -n --arg n "$1" --arg s $system '{apiVersion: "policy/v1", kind: "Eviction", metadata: {name: $n, namespace: $s}}' | k create --raw "/api/v1/namespaces/$system/pods/$1/eviction" -f -; }
budget_allows() { [ "$(ks get pdb gatekeeper-controller-manager -o 'jsonpath={.status.disruptionsAllowed}')" = "$1" ]; }
show_budget() {
  local pods
  mapfile -t pods < <(ks get pods -l control-plane=controller-manager -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}')
  wait_until 60 "the budget allows two" budget_allows 2
  evict "${pods[0]}" >/dev/null
  evict "${pods[1]}" >/dev/null
  denied "disruption budget" evict "${pods[2]}"
  wait_ready 4 180
  step "the disruption budget let two of three pods go, and kept the last"
}
restarted() { [ "$(ks get pods -o json | jq '[.items[].status.containerStatuses[]? | select(.restartCount > 0 and .ready)] | length')" -ge 4 ]; }
show_node_restart() {
  step "the node goes down without a word, and comes back"
  load_start
  e2e/node-cluster.sh crash "$run"
  local began=$SECONDS
  wait_until 20 "nothing answers" webhook_silent
  e2e/node-cluster.sh boot "$run"
  wait_until 240 "all pods were started again and are Ready" restarted
  wait_ready 4 120
  wait_until 60 "the webhook answers" webhook_answers
  figure "all pods Ready $((SECONDS - began)) s after the node went"
  refused
  load_end "node restart" may-fail
}

# ---- Gatekeeper and back ----
switch_image() {  # image, words
  step "$2"
  load_start
  local began=$SECONDS
  ks set image $webhook $audit "manager=$1" >/dev/null
  ks rollout status $webhook --timeout=300s >/dev/null
  ks rollout status $audit --timeout=120s >/dev/null
  wait_ready 4 240
  figure "$2: switched over in $((SECONDS - began)) s"
  wait_until 60 "all 4 pods enforce the constraint" enforced_by 4
  refused
  load_end "$2" "${3:-}"
  wait_until 200 "audit counts on" counted
  show_memory
}
