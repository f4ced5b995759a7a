# A policy that reads other objects: an ingress host may be used once in the cluster. data.inventory follows Config and
# SyncSets, at the webhook and in audit.
ingress() {  # name host
  jq -n --arg name "$1" --arg ns "$ns" --arg host "$2" \
    '{apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: {name: $name, namespace: $ns},
      spec: {rules: [{host: $host, http: {paths: [{path: "/", pathType: "Prefix",
        backend: {service: {name: "web", port: {number: 80}}}}]}}]}}'
}
create_ingress() { ingress "$@" | k create -f -; }
synced() { metric_is "gatekeeper_sync{kind=\"$1\",status=\"active\"}" "$2"; }

admitted create_ingress first shop.example
admitted create_ingress second shop.example
k apply -f - >/dev/null <<YAML
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: $system}
spec:
  sync:
    syncOnly:
    - {group: networking.k8s.io, version: v1, kind: Ingress}
YAML
template E2eUniqueHost <<'REGO' | apply
package uniquehost
same(other) { other.metadata.namespace == input.review.object.metadata.namespace; other.metadata.name == input.review.object.metadata.name }
violation[{"msg": msg}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[_][version]["Ingress"][name]
  startswith(version, "networking.k8s.io/")
  other.spec.rules[_].host == host
  not same(other)
  msg := sprintf("host %v is used by %v", [host, name])
}
REGO
constraint E2eUniqueHost once deny '{"match": {"kinds": [{"apiGroups": ["networking.k8s.io"], "kinds": ["Ingress"]}]}}' | apply_when_served
enforced E2eUniqueHost once
wait_until 20 "both are synced" synced Ingress 2

step "audit finds what was there before, the webhook refuses a third"
wait_until 30 "audit finds both" field_is e2euniquehost.constraints.gatekeeper.sh/once '{.status.totalViolations}' 2
denied 'host shop.example is used by' create_ingress third shop.example
admitted create_ingress other blog.example
wait_until 20 "the new one is synced" synced Ingress 3
denied '[once] host blog.example is used by other' create_ingress third blog.example
admitted kn label ingress other changed=yes

step "what is deleted is in nobody's way"
kn delete ingress second first >/dev/null
wait_until 20 "they are gone" synced Ingress 1
admitted create_ingress third shop.example

step "this pod's status is in the Config's"
wait_until 20 "byPod" field_is "-n $system config.config.gatekeeper.sh/config" '{.status.byPod[0].id}' e2e-manager
field_is "-n $system config.config.gatekeeper.sh/config" '{.status.byPod[0].errors}' ''
[[ -n $(field "-n $system configpodstatus/e2e--manager-gatekeeper--system-config" '{.metadata.ownerReferences[0].uid}') ]]

step "a SyncSet takes over, the Config goes, nothing is lost"
k apply -f - >/dev/null <<YAML
apiVersion: syncset.gatekeeper.sh/v1alpha1
kind: SyncSet
metadata: {name: e2e-ingresses}
spec:
  gvks:
  - {group: networking.k8s.io, version: v1, kind: Ingress}
  - {group: "", version: v1, kind: Namespace}
YAML
namespaces_synced() { [[ $(metrics | grep -F 'gatekeeper_sync{kind="Namespace",status="active"}') != *' 0' ]]; }
wait_until 20 "namespaces are synced, too" namespaces_synced
k -n "$system" delete config.config.gatekeeper.sh config >/dev/null
wait_until 20 "its pod status is gone" absent -n "$system" configpodstatus e2e--manager-gatekeeper--system-config
synced Ingress 2
denied '[once] host blog.example is used by other' create_ingress fourth blog.example

step "nobody asks for it any more: no data, no refusal"
k delete syncset e2e-ingresses >/dev/null
wait_until 20 "nothing is kept" synced Ingress 0
admitted create_ingress fourth blog.example
