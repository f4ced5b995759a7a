# Whatever is sent to the webhook gets one clear answer, and the process lives.
rule E2eReviews reviews-label deny
message() { jq -r '.response.status | "\(.code) \(.message)"'; }
good='{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},
 "resource":{"group":"","version":"v1","resource":"pods"},"operation":"CREATE","name":"p","namespace":"'$ns'","userInfo":{"username":"someone"},
 "object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"'$ns'"}}}}'
answer=$(printf %s "$good" | post /v1/admit -)
expect_eq "$(jq -c '[.apiVersion, .kind, .response.uid, .response.allowed, .response.status.code, .response.status.message]' <<<"$answer")" \
  '["admission.k8s.io/v1","AdmissionReview","u-1",false,403,"[reviews-label] p has no label team"]'
answer=$(printf %s "${good/k8s.io\/v1/k8s.io/v1beta1}" | post /v1/admit -)
expect_eq "$(jq -r .apiVersion <<<"$answer")" admission.k8s.io/v1beta1

step "empty, truncated, not an object, not JSON"
: >"$run/empty"
expect_eq "$(post /v1/admit "$run/empty" --http1.1 | message)" '400 request body is empty'
for bad in "${good:0:200}" '[]' '"text"' '7' '{"request": 5}' 'nonsense' "$good$good"; do
  answer=$(printf %s "$bad" | post /v1/admit -)
  expect_eq "$(jq -c '[.response.allowed, .response.status.code]' <<<"$answer")" '[false,400]'
done

step "another content type"
answer=$(printf %s "$good" | content_type=text/plain post /v1/admit -)
expect_in "$(message <<<"$answer")" '400 contentType=text/plain, expected application/json'

step "20 MB"
head -c 20000000 /dev/zero | tr '\0' x >"$run/large"
expect_eq "$(post /v1/admit "$run/large" --http1.1 | message)" '413 request entity is too large; limit is 7340032 bytes'

step "a namespace that is not there"
answer=$(printf %s "${good//$ns/no-such-namespace}" | post /v1/admit -)
expect_eq "$(message <<<"$answer")" '500 failed to create augmentedReview: namespaces "no-such-namespace" not found'

step "paths that are not there"
expect_eq "$(printf %s "$good" | post /nowhere - -o /dev/null -w '%{http_code}')" 404

step "ten connections that say nothing, and one that speaks no TLS"
for _ in $(seq 10); do exec {fd}<>"/dev/tcp/127.0.0.1/$webhook_port"; done
printf 'GET / HTTP/1.0\r\n\r\n' | timeout 5 bash -c "cat >/dev/tcp/127.0.0.1/$webhook_port" || true
manager_alive
denied '[reviews-label] bad has no label team' create_pod bad
