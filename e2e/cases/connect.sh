# What is no CREATE or UPDATE of a whole object: exec, attach, ephemeral containers, DELETE.
template E2eConnect <<'REGO' | apply
package connect
violation[{"msg": msg}] {
  input.review.operation == "CONNECT"
  msg := sprintf("%v of %v in %v: %v", [input.review.object.kind, input.review.name, input.review.namespaceObject.metadata.name, object.get(input.review.object, "command", [])])
}
violation[{"msg": msg}] {
  container := input.review.object.spec.ephemeralContainers[_]
  msg := sprintf("%v of %v adds %v", [input.review.subResource, input.review.object.metadata.name, container.name])
}
violation[{"msg": msg}] {
  input.review.operation == "DELETE"
  input.review.object.metadata.labels.keep
  msg := sprintf("%v is kept", [input.review.object.metadata.name])
}
REGO
jq -n --arg ns "$ns" '{apiVersion: "constraints.gatekeeper.sh/v1beta1", kind: "E2eConnect", metadata: {name: "connect"},
  spec: {match: {namespaces: [$ns], kinds: [{apiGroups: [""], kinds: ["Pod", "PodExecOptions", "PodAttachOptions"]}]}}}' | apply_when_served
enforced E2eConnect connect
k patch validatingwebhookconfiguration gatekeeper-validating-webhook-configuration --type=json \
  -p '[{"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE", "UPDATE", "DELETE", "CONNECT"]},
       {"op": "replace", "path": "/webhooks/0/rules/0/resources", "value": ["*", "pods/ephemeralcontainers", "pods/exec", "pods/attach"]}]' >/dev/null
admitted create_pod target '{"keep": "yes"}'

step "exec and attach"
connected() { denied '[connect] PodExecOptions of target in '"$ns"': ["sh", "-c", "id"]' kn exec target -- sh -c id; }
wait_until 20 "exec is refused" connected
denied '[connect] PodAttachOptions of target in '"$ns" kn attach target

step "an ephemeral container"
kn get pod target -o json | jq '.spec.ephemeralContainers = [{name: "debugger", image: "busybox"}]' >"$run/ephemeral.json"
denied '[connect] ephemeralcontainers of target adds debugger' \
  k replace --raw "/api/v1/namespaces/$ns/pods/target/ephemeralcontainers" -f "$run/ephemeral.json"

step "deletion: the object is the one that goes"
denied '[connect] target is kept' kn delete pod target
kn label pod target keep- >/dev/null
admitted kn delete pod target --wait=false
apply_webhook Fail
