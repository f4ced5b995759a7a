# Gatekeeper's metric names, for what runs.
rule E2eMetrics metrics-label deny
denied '[metrics-label]' create_pod bad
admitted create_pod good '{"team": "a"}'
audited() { metrics | grep -q '^gatekeeper_audit_last_run_time '; }
wait_until 30 "an audit ran" audited
output=$(metrics)
for name in gatekeeper_constraints gatekeeper_constraint_templates gatekeeper_constraint_template_ingestion_count_total \
  gatekeeper_constraint_template_ingestion_duration_seconds gatekeeper_validation_request_count_total \
  gatekeeper_validation_request_duration_seconds gatekeeper_violations gatekeeper_audit_duration_seconds \
  gatekeeper_audit_last_run_time gatekeeper_audit_last_run_end_time; do
  expect_in "$output" $'\n'"# TYPE $name "
done
expect_in "$output" 'gatekeeper_validation_request_count_total{admission_dryrun="false",admission_status="deny"}'
wait_until 10 "one active constraint" metric_is 'gatekeeper_constraints{enforcement_action="deny",status="active"}' 1
if command -v promtool >/dev/null; then
  step "what promtool says of it"
  # A family of Gatekeeper's own has a name that it faults.
  metrics | grep -v gatekeeper_mutator_conflicting_count | promtool check metrics
fi
