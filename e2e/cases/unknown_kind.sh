# A kind that the cluster does not serve is reported in Config's status and never waited for; it is found when it comes.
config="-n $system config.config.gatekeeper.sh/config"
k apply -f - >/dev/null <<YAML
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: $system}
spec:
  sync:
    syncOnly:
    - {group: e2e.example.com, version: v1, kind: E2eWidget}
    - {group: "", version: v1, kind: ConfigMap}
YAML
widget='e2e.example.com/v1, Kind=E2eWidget'
why="error establishing watches: error for gvk: $widget: adding watch for $widget getting informer for kind: $widget"
wait_until 20 "the status says so" field_is "$config" '{.status.byPod[0].errors[0].message}' \
  "$why no matches for kind \"E2eWidget\" in version \"e2e.example.com/v1\""

step "a manager that starts now becomes ready"
manager_end TERM
manager_start
manager_wait_ready
[ "${E2E_PEER:-0}" = 1 ] || expect_in "$(curl -sS "http://127.0.0.1:$health_port/readyz?verbose")" 'note: data e2e.example.com/v1/E2eWidget: '
wait_until 20 "the other kind is synced" sh -c "curl -fsS http://127.0.0.1:$metrics_port/metrics | grep -q '^gatekeeper_sync{kind=\"ConfigMap\",status=\"active\"} [1-9]'"
wait_until 10 "watched" metric_is gatekeeper_watch_manager_watched_gvk 1
metric_is gatekeeper_watch_manager_intended_watch_gvk 2

step "its CRD comes: the error goes and its objects are synced"
k apply -f - >/dev/null <<YAML
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: e2ewidgets.e2e.example.com}
spec:
  group: e2e.example.com
  scope: Namespaced
  names: {kind: E2eWidget, plural: e2ewidgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
YAML
wait_until 30 "no error any more" field_is "$config" '{.status.byPod[0].errors}' ''
printf 'apiVersion: e2e.example.com/v1\nkind: E2eWidget\nmetadata: {name: w, namespace: %s}\n' "$ns" >"$run/widget.yaml"
wait_until 20 "a widget is made" k apply -f "$run/widget.yaml"
wait_until 20 "it is synced" metric_is 'gatekeeper_sync{kind="E2eWidget",status="active"}' 1

step "the CRD goes: its objects, too"
k delete crd e2ewidgets.e2e.example.com >/dev/null
wait_until 30 "nothing is kept" metric_is 'gatekeeper_sync{kind="E2eWidget",status="active"}' 0
[ "${E2E_PEER:-0}" = 1 ] || wait_until 30 "the error is back" field_has "$config" '{.status.byPod[0].errors[0].message}' 'Kind=E2eWidget'
