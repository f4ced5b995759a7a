# What the chart's hooks call: CRDs applied, a namespace labelled, the webhook waited for, its configuration deleted.
# gatekeeper differs: its chart's hooks run kubectl and curl
hook() { "$root/bin/portcullis" hook "$@"; }
step "apply"
k annotate crd configs.config.gatekeeper.sh example.com/mine=yes >/dev/null
admitted hook apply -f "$root/crds"
expect_in "$output" "customresourcedefinitions/configs.config.gatekeeper.sh applied"
expect_eq "$(printf '%s\n' "$output" | wc -l)" "$(ls "$root/crds" | wc -l)"
expect_eq "$(field crd/configs.config.gatekeeper.sh '{.metadata.annotations.example\.com/mine}')" yes
k annotate crd configs.config.gatekeeper.sh example.com/mine- >/dev/null
step "label"
admitted hook label ns "$ns" example.com/a=b example.com/c=d --overwrite
expect_in "$(field namespace/$ns '{.metadata.labels}')" '"example.com/c":"d"'
step "probe"
admitted hook probe "https://127.0.0.1:$webhook_port/v1/admitlabel?timeout=2s" --insecure --wait=10
expect_in "$output" "the webhook answers"
if hook probe "https://127.0.0.1:$webhook_port/" --cacert=/dev/null --wait=1 2>/dev/null; then say "an empty authority was trusted"; false; fi
step "delete"
k apply -f - >/dev/null <<'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: e2e-hook}
webhooks: []
YAML
admitted hook delete validatingwebhookconfiguration/e2e-hook
absent validatingwebhookconfiguration e2e-hook
admitted hook delete validatingwebhookconfiguration/e2e-hook
denied "cannot delete" hook delete pod/x
