# What the cases are written with. Sourced by run.sh, once for the suite and again in each case's own shell.
# A case runs with `set -e`: any command that fails, fails the case. $ns is a namespace of its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
. "$root/tools/lib.sh"
export KUBECONFIG="$run/kubeconfig"
kubectl=$("$here/control-plane.sh" kubectl)
system=gatekeeper-system
webhook_name=gatekeeper-webhook-service.$system.svc
[ -s "$run/manager.ports" ] || "$here/control-plane.sh" free-ports 3 >"$run/manager.ports"
read -r webhook_port health_port metrics_port <"$run/manager.ports"

k() { "$kubectl" "$@"; }
kn() { "$kubectl" -n "$ns" "$@"; }
step() { printf -- '-- %s\n' "$*"; }

# wait_until SECONDS WHAT COMMAND...: polls until the command succeeds.
wait_until() {
  local limit=$1 what=$2 deadline=$((SECONDS + $1)); shift 2
  until "$@" >"$run/last-wait" 2>&1; do
    if [ $SECONDS -ge $deadline ]; then
      say "not within $limit s: $what"; tail -n 5 "$run/last-wait"
      return 1
    fi
    sleep 0.1
  done
}

# expect_in TEXT PART: the text holds the part.
expect_in() { [[ $1 == *"$2"* ]] || { say "expected in the output: $2"; say "got: $1"; return 1; }; }
expect_not_in() { [[ $1 != *"$2"* ]] || { say "not expected in the output: $2"; say "got: $1"; return 1; }; }
expect_eq() { [ "$1" = "$2" ] || { say "expected: $2"; say "got:      $1"; return 1; }; }

# denied PART COMMAND...: the command fails, and what it prints holds the part.
denied() {
  local part=$1 output; shift
  if output=$("$@" 2>&1); then say "expected a refusal of: $*"; say "got: $output"; return 1; fi
  expect_in "$output" "$part"
}
# admitted COMMAND...: the command works; what it printed, warnings included, is in $output.
admitted() { output=$("$@" 2>&1) || { say "expected to be admitted: $*"; say "got: $output"; return 1; }; }

# field RESOURCE JSONPATH: empty when it is not there.
field() { k get $1 -o "jsonpath=$2" 2>/dev/null || true; }
field_is() { local got; got=$(field "$1" "$2"); expect_eq "$got" "$3"; }
field_has() { local got; got=$(field "$1" "$2"); expect_in "$got" "$3"; }
absent() { ! k get "$@" >/dev/null 2>&1; }

# The pod as JSON, ready for `kubectl create -f -`: pod NAME [LABELS-JSON [SPEC-FIELDS-JSON]]
pod() {
  jq -n --arg name "$1" --arg ns "$ns" --argjson labels "${2:-{\}}" --argjson extra "${3:-{\}}" \
    '{apiVersion: "v1", kind: "Pod", metadata: {name: $name, namespace: $ns, labels: $labels},
      spec: ({containers: [{name: "main", image: "example/app:1"}]} + $extra)}'
}
create_pod() { pod "$@" | k create -f -; }

# template KIND <REGO: a ConstraintTemplate (v1) with the Rego of standard input.
template() {
  printf 'apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: %s}\nspec:\n' "${1,,}"
  printf '  crd: {spec: {names: {kind: %s}, validation: {openAPIV3Schema: {type: object, properties: {label: {type: string}}}}}}\n' "$1"
  printf '  targets:\n  - target: admission.k8s.gatekeeper.sh\n    rego: |\n'
  sed 's/^/      /'
}
# The policy most cases use: a pod must carry the label that the parameters name ("team" without one).
label_template() {
  template "$1" <<'REGO'
package labels
wanted = input.parameters.label { true }
wanted = "team" { not input.parameters.label }
violation[{"msg": msg, "details": {"label": wanted}}] {
  not input.review.object.metadata.labels[wanted]
  msg := sprintf("%v has no label %v", [input.review.object.metadata.name, wanted])
}
REGO
}
# constraint KIND NAME ACTION [SPEC-FIELDS-JSON]: on the pods of $ns.
constraint() {
  jq -n --arg kind "$1" --arg name "$2" --arg action "$3" --arg ns "$ns" --argjson extra "${4:-{\}}" \
    '{apiVersion: "constraints.gatekeeper.sh/v1beta1", kind: $kind, metadata: {name: $name},
      spec: ({enforcementAction: $action, match: {kinds: [{apiGroups: [""], kinds: ["Pod"]}], namespaces: [$ns]}} + $extra)}'
}
apply() { k apply -f - >/dev/null; }
# Applies standard input until the API server takes it: a constraint's kind is served a moment after its template.
apply_when_served() { cat >"$run/pending.$ns"; wait_until 30 "the API server takes the constraint" k apply -f "$run/pending.$ns"; }
enforced() { wait_until 30 "$1 $2 enforced" field_is "$1.constraints.gatekeeper.sh/$2" '{.status.byPod[0].enforced}' true; }
# rule KIND NAME ACTION [SPEC-FIELDS-JSON]: the label template and a constraint of it, enforced when this returns.
rule() { label_template "$1" | apply; constraint "$@" | apply_when_served; enforced "$1" "$2"; }

# ---- the cluster and the manager under test ----
# Everything the manager needs in the cluster; $1 is the webhook's failure policy.
setup_cluster() {
  # A fresh API server on a busy machine may time out on its first writes.
  wait_until 60 "the CRDs are applied" k apply --server-side -f "$root/crds/"
  wait_until 60 "the namespace and the rights are applied" k apply -f "$root/config/namespace.yaml" -f "$root/config/rbac.yaml"
  apply_webhook "$1"
  # A pod object that the statuses can belong to; nothing runs it.
  k apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: e2e-manager, namespace: $system}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: manager, image: "portcullis:e2e", securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
YAML
}
apply_webhook() { "$here/support/webhook_objects.py" "$webhook_port" "$@" | k apply -f - >/dev/null; }  # FAILURE-POLICY [--by-url]
secret_mount_start() {
  python3 "$here/support/secret_mount.py" "$kubectl" "$run/kubeconfig" "$system" gatekeeper-webhook-server-cert "$run/certs" &
  echo $! >"$run/mount.pid"
  disown
}
# Ends, by process id, whatever was started into $run.
stop_all() {
  local pid
  if [ -s "$run/mount.pid" ]; then kill "$(cat "$run/mount.pid")" 2>/dev/null || true; fi
  if [ -s "$run/manager.pid" ]; then
    pid=$(cat "$run/manager.pid")
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  "$here/control-plane.sh" stop "$run" || true
}
manager_start() {  # [more flags]
  read -r -a manager <<<"$E2E_MANAGER"
  mkdir -p "$run/certs" "$run/audit-cache"
  KUBECONFIG="$run/manager.kubeconfig" POD_NAME=e2e-manager POD_NAMESPACE=$system NAMESPACE=$system CONTAINER_NAME=manager \
    setsid "${manager[@]}" --port="$webhook_port" --host=127.0.0.1 --cert-dir="$run/certs" \
    --health-addr="127.0.0.1:$health_port" --prometheus-port="$metrics_port" --api-cache-dir="$run/audit-cache" \
    --audit-interval="${audit_interval:-3}" --shutdown-delay=2 --log-denies --exempt-namespace=$system \
    --operation=webhook --operation=audit --operation=status --operation=generate "$@" \
    >>"$run/manager.log" 2>&1 </dev/null &
  echo $! >"$run/manager.pid"
  [ -n "${keep_job:-}" ] || disown  # with keep_job the case can wait for its exit code
}
manager_pid() { cat "$run/manager.pid"; }
manager_alive() { kill -0 "$(manager_pid)" 2>/dev/null; }
manager_ready() { curl -fsS --max-time 5 "http://127.0.0.1:$health_port/readyz"; }
manager_wait_ready() { wait_until "${1:-60}" "the manager is ready" manager_ready; }
manager_gone() { ! manager_alive; }
manager_end() {  # signal [seconds]
  kill -"$1" "$(manager_pid)" 2>/dev/null || true
  wait_until "${2:-30}" "the manager ended after SIG$1" manager_gone
}
metrics() { curl -fsS --max-time 5 "http://127.0.0.1:$metrics_port/metrics"; }
metric_is() {  # name{labels} value
  local got; got=$(metrics | awk -v m="$1" 'index($0, m " ") == 1 { print $NF }'); expect_eq "$got" "$2"
}
# post PATH FILE|- [curl arguments]: the webhook's answer, trusting what its configuration says. $content_type may be set.
post() {
  local path=$1 file=$2; shift 2
  field validatingwebhookconfiguration/gatekeeper-validating-webhook-configuration '{.webhooks[0].clientConfig.caBundle}' |
    base64 -d >"$run/webhook-ca.crt"
  curl -sS --max-time 20 --cacert "$run/webhook-ca.crt" --resolve "$webhook_name:$webhook_port:127.0.0.1" \
    -H "Content-Type: ${content_type:-application/json}" --data-binary "@$file" "$@" "https://$webhook_name:$webhook_port$path"
}
