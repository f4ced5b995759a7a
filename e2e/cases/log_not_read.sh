# A log that nobody reads holds up no admission request: what does not fit is dropped.
# gatekeeper differs: it has no --log-explanations
rule E2eUnread unread-label deny
manager_end TERM 30
rm -f "$run/unread"; mkfifo "$run/unread"
# Open for both, so that writing begins to block when the pipe is full.
printf 'exec 9<>"%s"\nexec %s "$@" 2>&9\n' "$run/unread" "$E2E_MANAGER" >"$run/unread.sh"
more=(--log-explanations)  # long lines fill the pipe of 64 KiB soon
[ -z "${E2E_UNREAD_FLAGS+set}" ] || read -r -a more <<<"$E2E_UNREAD_FLAGS"
E2E_MANAGER="bash $run/unread.sh" manager_start "${more[@]}"
manager_wait_ready 60
pod load >"$run/load.json"
python3 "$here/support/load.py" "$run/kubeconfig" "/api/v1/namespaces/$ns/pods" "$run/load.json" "${E2E_UNREAD_SECONDS:-8}" >"$run/load.out"
cat "$run/load.out"
expect_eq "$(jq -c '[.admitted, .webhook_failed, .unreachable, .other]' "$run/load.out")" '[0,0,0,0]'
[ "$(jq .denied "$run/load.out")" -ge 60 ]
manager_ready >/dev/null
manager_end TERM 30
manager_start
manager_wait_ready 60
