# A webhook registered by URL instead of by Service: the manager gives it its authority, and its certificate names the host.
# gatekeeper differs: its certificate names its Service only, so that the API server trusts no other host
registration=validatingwebhookconfiguration/gatekeeper-validating-webhook-configuration
rule E2eUrl url-label deny
apply_webhook Fail --by-url
expect_eq "$(field $registration '{.webhooks[0].clientConfig.service}')" ''
expect_in "$(field $registration '{.webhooks[0].clientConfig.url}')" "https://127.0.0.1:$webhook_port/"
wait_until 20 "the registration has the authority" bash -c \
  "[ -n \"\$($kubectl get $registration -o 'jsonpath={.webhooks[0].clientConfig.caBundle}')\" ]"
wait_until 20 "the webhook answers at its URL" denied '[url-label] bad has no label team' create_pod bad
admitted create_pod good '{"team": "a"}'

step "a certificate that names the host, signed by the authority of the registration"
field $registration '{.webhooks[0].clientConfig.caBundle}' | base64 -d >"$run/url-ca.pem"
curl -sS --max-time 5 --cacert "$run/url-ca.pem" -H 'Content-Type: application/json' -d '{}' -o /dev/null \
  "https://127.0.0.1:$webhook_port/v1/admit"
apply_webhook Fail
