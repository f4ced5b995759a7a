# Config leaves namespaces out of the processes it names: webhook, audit, sync.
rule E2eExcluded excluded-label deny
c=e2eexcluded.constraints.gatekeeper.sh/excluded-label
denied '[excluded-label]' create_pod bad
exclude() {  # processes, as a JSON list
  jq -n --arg ns "$system" --arg excluded "${ns%?}*" --argjson processes "$1" \
    '{apiVersion: "config.gatekeeper.sh/v1alpha1", kind: "Config", metadata: {name: "config", namespace: $ns},
      spec: {sync: {syncOnly: [{version: "v1", kind: "Pod"}]}, match: [{excludedNamespaces: [$excluded], processes: $processes}]}}' | apply
}
synced_pod() { metrics | grep -qF 'gatekeeper_sync{kind="Pod",status="active"} '"$1"; }

step "webhook"
exclude '["webhook"]'
wait_until 20 "the webhook admits it" create_pod bad
wait_until 30 "audit still finds it" field_is $c '{.status.totalViolations}' 1
pods=$(k get pods -A -o name | wc -l)
wait_until 20 "every pod is synced" synced_pod "$pods"

step "audit and sync"
exclude '["audit", "sync"]'
wait_until 20 "the webhook refuses again" denied '[excluded-label]' create_pod worse
wait_until 30 "audit does not look there" field_is $c '{.status.totalViolations}' 0
wait_until 20 "nor are its pods synced" synced_pod "$((pods - 1))"

step "nothing any more"
exclude '[]'
wait_until 30 "audit finds it" field_is $c '{.status.totalViolations}' 1
wait_until 20 "every pod is synced" synced_pod "$pods"
denied '[excluded-label]' create_pod worse
