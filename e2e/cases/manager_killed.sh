# kill -9 and a new start, under load and failurePolicy Fail: not one request is admitted that should not be.
# gatekeeper differs: it serves before its constraints are loaded, and admits what comes in between
rule E2eKilled killed-label deny
pod load >"$run/load.json"
rm -f "$run/stop-load"
python3 "$here/support/load.py" "$run/kubeconfig" "/api/v1/namespaces/$ns/pods" "$run/load.json" 120 "$run/stop-load" >"$run/load.out" &
load=$!
for round in 1 2; do
  manager_end KILL
  wait_until 10 "requests meet a webhook that is gone" denied 'failed calling webhook' create_pod bad
  manager_start
  manager_wait_ready 60
  denied '[killed-label] bad has no label team' create_pod bad
done
touch "$run/stop-load"
wait "$load"
cat "$run/load.out"
expect_eq "$(jq .admitted "$run/load.out")" 0
[ "$(jq .denied "$run/load.out")" -gt 0 ]
[ "$(jq .webhook_failed "$run/load.out")" -gt 0 ]
admitted create_pod good '{"team": "a"}'
