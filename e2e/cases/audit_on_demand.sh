# An audit starts when an annotation of the own namespace changes, and only then where the interval is off.
# gatekeeper differs: it audits on its interval only
admitted create_pod before
rule E2eDemand demand-label deny
c=e2edemand.constraints.gatekeeper.sh/demand-label
manager_end TERM 30
audit_interval=0 manager_start --audit-request-annotation=portcullis/audit-requested --constraint-metrics
manager_wait_ready 60
k patch $c --subresource=status --type=merge -p '{"status": {"auditTimestamp": null, "totalViolations": null}}' >/dev/null
field_is $c '{.status.totalViolations}' ''
k annotate namespace "$system" portcullis/audit-requested="$(date +%s%N)" --overwrite >/dev/null
wait_until 20 "the audit that was asked for" field_is $c '{.status.totalViolations}' 1

step "metrics of the constraint, gone with it"
labels='{constraint_kind="E2eDemand",constraint_name="demand-label",enforcement_action="deny"}'
wait_until 10 "its violations" metric_is "portcullis_constraint_violations$labels" 1
denied '[demand-label]' create_pod bad
wait_until 10 "its refusals" metric_is "portcullis_constraint_admission_violations_total$labels" 1
k delete $c >/dev/null
gone() { ! metrics | grep -q portcullis_constraint_violations; }
wait_until 10 "its metrics are gone" gone
manager_end TERM 30
manager_start
manager_wait_ready 60
