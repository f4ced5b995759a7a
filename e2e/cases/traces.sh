# Config's spec.validation.traces: what a user's requests for a kind meet is written to the log.
rule E2eTraces traces-label deny
k apply -f - >/dev/null <<YAML
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: $system}
spec: {validation: {traces: [{user: admin, kind: {group: "", version: v1, kind: Pod}}]}}
YAML
traced() { denied '[traces-label] bad has no label team' create_pod bad && grep -q 'Target: admission.k8s.gatekeeper.sh' "$run/manager.log"; }
wait_until 20 "a trace" traced
k -n "$system" delete config.config.gatekeeper.sh config >/dev/null
