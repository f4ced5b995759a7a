# Health and readiness speak as Gatekeeper's do.
expect_eq "$(curl -sS "http://127.0.0.1:$health_port/healthz")" ok
expect_eq "$(curl -sS "http://127.0.0.1:$health_port/readyz")" ok
expect_in "$(curl -sS "http://127.0.0.1:$health_port/readyz?verbose")" '[+]tracker ok'
expect_eq "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$health_port/nowhere")" 404

step "the webhook's port speaks HTTP/2 and HTTP/1.1, as the client likes"
for version in 2 1.1; do
  expect_eq "$(curl -sSk --max-time 5 "--http$version" -o /dev/null -w '%{http_version}' "https://127.0.0.1:$webhook_port/v1/admit")" "$version"
done
