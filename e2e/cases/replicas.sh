# Two replicas are replaced one after the other and certificates change, under load: nothing gets in, nothing is turned away.
# gatekeeper differs: it loses requests while certificates change, and is not ready for seconds
# E2E_RESTARTS, E2E_CERTIFICATES, E2E_APPLIES and E2E_REPLACED say how often (e2e/long/reliability.sh: 1,000 times).
manager_end TERM 30
LOAD_NAMESPACE=$ns python3 "$here/support/replicas.py" "$run" "$kubectl" "$webhook_port" "restarts=${E2E_RESTARTS:-10}" \
  "certificates=${E2E_CERTIFICATES:-20}" "applies=${E2E_APPLIES:-6}" "replaced=${E2E_REPLACED:-3}" -- $E2E_MANAGER
k delete constrainttemplates --all >/dev/null
manager_start
manager_wait_ready 60
