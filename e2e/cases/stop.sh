# SIGTERM: what comes in before the shutdown delay is over is answered; then the process ends by itself with code 0.
rule E2eStop stop-label deny
manager_end TERM 30
keep_job=1 manager_start
manager_wait_ready 60
pod load >"$run/load.json"
rm -f "$run/stop-load"
python3 "$here/support/load.py" "$run/kubeconfig" "/api/v1/namespaces/$ns/pods" "$run/load.json" 60 "$run/stop-load" >"$run/load.out" &
load=$!
wait_until 10 "the load meets the webhook" denied '[stop-label]' create_pod bad
pid=$(manager_pid)
kill -TERM "$pid"
denied '[stop-label] bad has no label team' create_pod bad  # within the delay: still served
code=0; wait "$pid" || code=$?
touch "$run/stop-load"
wait "$load"
cat "$run/load.out"
expect_eq "$code" 0
expect_eq "$(jq -c '[.admitted, .unreachable, .other]' "$run/load.out")" '[0,0,0]'
# Requests that failed met a closed port, never a connection that broke under them.
expect_not_in "$(jq -r '.samples.webhook_failed // ""' "$run/load.out")" 'EOF'

manager_start
manager_wait_ready 60
denied '[stop-label] bad has no label team' create_pod bad
