# Broken objects that slipped past the webhook harm nobody else: not readiness after a restart, not later templates.
# gatekeeper differs: an undecodable template stops its informer, and a refused constraint keeps it from being ready for good
slip() { k --kubeconfig "$run/manager.kubeconfig" apply -f - >/dev/null; }  # the webhook does not review its own account
rule E2eNeighbour neighbour-label deny
constraint E2eNeighbour unknown-action denny | slip
wait_until 20 "the status says what is wrong" field_has e2eneighbour.constraints.gatekeeper.sh/unknown-action \
  '{.status.byPod[0].errors[0].message}' 'unrecognized enforcementAction'
template E2eUndecodable <<<'package x' | sed 's/properties: {label: {type: string}}/properties: "no"/' | slip
wait_until 20 "the status says what is wrong" field_has constrainttemplate/e2eundecodable '{.status.byPod[0].errors[0].code}' error

step "a later template is loaded all the same"
rule E2eLater later-label deny '{"parameters": {"label": "later"}}'
denied $'[later-label] bad has no label later\n[neighbour-label] bad has no label team' create_pod bad

step "after a restart the manager is ready, and enforces the good ones"
manager_end TERM 30
manager_start
manager_wait_ready 60
denied $'[later-label] bad has no label later\n[neighbour-label] bad has no label team' create_pod bad

step "a restart with other operations is seen in the statuses"
manager_end TERM 30
manager_start --operation=mutation-status
manager_wait_ready 60
operations() { field_has e2eneighbour.constraints.gatekeeper.sh/neighbour-label '{.status.byPod[0].operations}' mutation-status; }
wait_until 20 "the operations are the new ones" operations
