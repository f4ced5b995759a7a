# Health and readiness speak as Gatekeeper's do.
expect_eq "$(curl -sS "http://127.0.0.1:$health_port/healthz")" ok
expect_eq "$(curl -sS "http://127.0.0.1:$health_port/readyz")" ok
expect_in "$(curl -sS "http://127.0.0.1:$health_port/readyz?verbose")" '[+]tracker ok'
expect_eq "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$health_port/nowhere")" 404
