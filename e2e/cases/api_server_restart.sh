# The API server is killed and comes back while the manager runs: what was enforced still is, and news arrive.
rule E2eApi api-label deny
pid=$(manager_pid)
"$here/control-plane.sh" apiserver-kill "$run"
absent nodes  # really gone
"$here/control-plane.sh" apiserver-start "$run"
expect_eq "$(manager_pid)" "$pid"
manager_alive
wait_until 30 "denied again" denied '[api-label] bad has no label team' create_pod bad
label_template E2eApiNew | apply
constraint E2eApiNew api-new deny '{"parameters": {"label": "new"}}' | apply_when_served
wait_until 60 "the new constraint is enforced" field_is e2eapinew.constraints.gatekeeper.sh/api-new '{.status.byPod[0].enforced}' true
denied '[api-new] bad has no label new' create_pod bad
admitted create_pod good '{"team": "a", "new": "b"}'
