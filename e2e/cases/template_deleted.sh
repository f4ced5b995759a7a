# Deleting a template takes its CRD, its constraints and its rule away; applied again, all works again.
rule E2eTemplateGone tg-label deny
denied '[tg-label]' create_pod bad
k delete constrainttemplate e2etemplategone >/dev/null
wait_until 40 "the CRD is gone" absent crd e2etemplategone.constraints.gatekeeper.sh
wait_until 20 "the pod is admitted" create_pod bad
wait_until 20 "the template's pod status is gone" absent -n "$system" constrainttemplatepodstatus e2e--manager-e2etemplategone
k -n "$ns" delete pod bad --force >/dev/null 2>&1

step "again"
rule E2eTemplateGone tg-label deny
denied '[tg-label]' create_pod bad
