# Violations become Events: in Gatekeeper's namespace, or beside the object; and statistics of reviews are logged.
admitted create_pod before
rule E2eEvents events-label deny
constraint E2eEvents events-warn warn | apply_when_served
enforced E2eEvents events-warn
restart() { manager_end TERM 30; manager_start "$@"; manager_wait_ready 60; }
event() {  # namespace reason object -> message and uid of the Event
  k -n "$1" get events -o json |
    jq -c --arg r "$2" --arg n "$3" '[.items[] | select(.reason == $r and .involvedObject.name == $n)][0] | [.message, .involvedObject.uid, .source.component, .metadata.annotations.process]'
}
event_is() { local got; got=$(event "$1" "$2" "$3"); expect_eq "$got" "$4"; }

restart --emit-admission-events --emit-audit-events --log-stats-admission --log-stats-audit
denied '[events-label] bad has no label team' create_pod bad
wait_until 10 "an Event of the refusal" event_is "$system" FailedAdmission bad \
  '["Admission webhook \"validation.gatekeeper.sh\" denied request, Resource Namespace: '"$ns"', Constraint: events-label, Message: bad has no label team","Pod/'"$ns"'/bad/E2eEvents//events-label","gatekeeper-webhook","admission"]'
wait_until 10 "an Event of the warning" event_is "$system" WarningAdmission bad \
  '["Admission webhook \"validation.gatekeeper.sh\" raised a warning for this request, Resource Namespace: '"$ns"', Constraint: events-warn, Message: bad has no label team","Pod/'"$ns"'/bad/E2eEvents//events-warn","gatekeeper-webhook","admission"]'
audit_events() { k -n "$system" get events -o json | jq -r '.items[] | select(.reason == "AuditViolation" and .involvedObject.name == "before") | .message' | sort; }
audit_told() { expect_eq "$(audit_events | head -n 1)" "Resource Namespace: $ns, Constraint: events-label, Message: before has no label team"; }
wait_until 20 "what audit tells" audit_told
logged() { grep -F "$1" "$run/manager.log" | grep -qF "$2"; }
wait_until 10 "statistics of admission" logged '"event_type":"review_response_stats"' '"name":"constraintCount","value":2'
wait_until 10 "statistics of audit" logged '"event_type":"audit_stats"' '"statsFor":"E2eEvents"'

step "beside the object"
restart --emit-admission-events --admission-events-involved-namespace --emit-audit-events --audit-events-involved-namespace
denied '[events-label] bad has no label team' create_pod bad
wait_until 10 "an Event of the refusal" event_is "$ns" FailedAdmission bad \
  '["Admission webhook \"validation.gatekeeper.sh\" denied request, Constraint: events-label, Message: bad has no label team",null,"gatekeeper-webhook","admission"]'
uid=$(kn get pod before -o jsonpath='{.metadata.uid}')
beside() { kn get events -o json | jq -e --arg uid "$uid" '.items[] | select(.reason == "AuditViolation" and .involvedObject.uid == $uid)'; }
wait_until 20 "an Event of the audit" beside
restart
