# The certificate's Secret is deleted under load: it comes back, and no TLS connection fails.
# gatekeeper differs: it ends when the Secret is gone, and does not come back before the Secret does
rule E2eSecret secret-label deny
pod load >"$run/load.json"
rm -f "$run/stop-load"
python3 "$here/support/load.py" "$run/kubeconfig" "/api/v1/namespaces/$ns/pods" "$run/load.json" 120 "$run/stop-load" >"$run/load.out" &
load=$!
python3 "$here/support/tls_probe.py" "$kubectl" "$run/kubeconfig" "$webhook_port" "$webhook_name" 120 "$run/stop-load" >"$run/probe.out" &
probe=$!
secret="secret/gatekeeper-webhook-server-cert -n $system"
for round in 1 2; do
  uid=$(field "$secret" '{.metadata.uid}')
  k -n "$system" delete secret gatekeeper-webhook-server-cert >/dev/null
  wait_until 30 "the Secret is there again, with a certificate" bash -c \
    "$kubectl get $secret -o json | jq -e '.metadata.uid != \"$uid\" and (.data.\"tls.crt\" | length > 100)'"
  wait_until 10 "requests are answered" denied '[secret-label] bad has no label team' create_pod bad
done
touch "$run/stop-load"
wait "$load"; wait "$probe"
cat "$run/load.out" "$run/probe.out"
expect_eq "$(jq -c '[.admitted, .webhook_failed, .unreachable, .other]' "$run/load.out")" '[0,0,0,0]'
expect_eq "$(jq .failed "$run/probe.out")" 0
[ "$(jq .ok "$run/probe.out")" -ge 3 ]
