# A constraint with action deny refuses what violates it, as kubectl shows it, and lets the rest through.
rule E2eDeny deny-label deny
denied 'admission webhook "validation.gatekeeper.sh" denied the request: [deny-label] bad has no label team' create_pod bad
absent -n "$ns" pod bad
admitted create_pod good '{"team": "a"}'

step "an update that takes the label away is refused too"
denied '[deny-label] good has no label team' kn label pod good team-
field_is "pod/good -n $ns" '{.metadata.labels.team}' a

step "parameters are read, and a change of them counts at once"
constraint E2eDeny deny-label deny '{"parameters": {"label": "owner"}}' | apply
wait_until 10 "the new parameter counts" denied 'has no label owner' create_pod good2 '{"team": "a"}'

step "several constraints: every message, in order"
constraint E2eDeny deny-another deny '{"parameters": {"label": "another"}}' | apply
enforced E2eDeny deny-another
denied $'[deny-another] bad has no label another\n[deny-label] bad has no label owner' create_pod bad

step "a pod in another namespace is none of its business"
admitted k -n default run outside --image=example/app:1 --restart=Never
k -n default delete pod outside --wait=false --force >/dev/null 2>&1
