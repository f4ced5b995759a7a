# Action scoped: each enforcement point has actions of its own.
label_template E2eScoped | apply
constraint E2eScoped warn-at-admission scoped '{"scopedEnforcementActions": [
  {"action": "warn", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
  {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]}' | apply_when_served
constraint E2eScoped only-audit scoped '{"scopedEnforcementActions": [
  {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]}' | apply_when_served
enforced E2eScoped warn-at-admission
enforced E2eScoped only-audit
admitted create_pod scoped
expect_in "$output" 'Warning: [warn-at-admission] scoped has no label team'
expect_not_in "$output" 'only-audit'
for name in warn-at-admission only-audit; do
  c=e2escoped.constraints.gatekeeper.sh/$name
  wait_until 30 "audit counts the pod for $name" field_is $c '{.status.totalViolations}' 1
  field_is $c '{.status.violations[0].enforcementAction}' scoped
  field_is $c '{.status.violations[0].enforcementActions}' '["deny"]'
done

step "every point: denied at admission"
constraint E2eScoped everywhere scoped '{"scopedEnforcementActions": [
  {"action": "deny", "enforcementPoints": [{"name": "*"}]}]}' | apply
enforced E2eScoped everywhere
denied '[everywhere] scoped2 has no label team' create_pod scoped2
