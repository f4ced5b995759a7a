# What was in the cluster before the policy is found, described, and gone from the status when it is mended.
admitted create_pod before
admitted create_pod fine '{"team": "a"}'
rule E2eAudit audit-label deny
c=e2eaudit.constraints.gatekeeper.sh/audit-label
wait_until 30 "audit finds the old pod" field_is $c '{.status.totalViolations}' 1
expect_eq "$(k get $c -o json | jq -cS '.status.violations')" \
  '[{"enforcementAction":"deny","group":"","kind":"Pod","message":"before has no label team","name":"before","namespace":"'"$ns"'","version":"v1"}]'
[[ $(field $c '{.status.auditTimestamp}') =~ ^20[0-9-]+T[0-9:]+Z$ ]]

step "kubectl get constraints shows action and count"
output=$(k get constraints)
expect_in "$output" 'ENFORCEMENT-ACTION'
[[ $output =~ audit-label\ +deny\ +1 ]]

step "the metrics of the last run"
wait_until 20 "the violations gauge" metric_is 'gatekeeper_violations{enforcement_action="deny"}' 1

step "mended: the count goes to 0 and the list away"
kn label pod before team=a >/dev/null
wait_until 30 "the count is 0" field_is $c '{.status.totalViolations}' 0
field_is $c '{.status.violations}' ''
