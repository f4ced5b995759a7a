# Without its constraint a rule counts no more; with it again it does.
rule E2eGone gone-label deny
denied '[gone-label]' create_pod bad
k delete e2egone gone-label >/dev/null
wait_until 10 "the pod is admitted" create_pod bad
wait_until 10 "its pod status is gone" absent -n "$system" constraintpodstatus e2e--manager-e2egone-gone--label
k -n "$ns" delete pod bad --force >/dev/null 2>&1
constraint E2eGone gone-label deny | apply
enforced E2eGone gone-label
denied '[gone-label]' create_pod bad
