# Action dryrun: nobody sees it at admission, audit counts it.
rule E2eDryrun dryrun-label dryrun
admitted create_pod quiet
expect_not_in "$output" 'Warning'
c=e2edryrun.constraints.gatekeeper.sh/dryrun-label
wait_until 30 "audit counts the pod" field_is $c '{.status.totalViolations}' 1
field_is $c '{.status.violations[0].enforcementAction}' dryrun
field_is $c '{.status.violations[0].message}' 'quiet has no label team'
