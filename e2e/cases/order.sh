# Template and constraint in one file, in either order: applied until it is taken, it works.
{ label_template E2eOrderOne; echo ---; constraint E2eOrderOne first-template deny; } >"$run/order-one.yaml"
{ echo ---; constraint E2eOrderTwo first-constraint deny '{"parameters": {"label": "owner"}}'; echo ---; label_template E2eOrderTwo; } >"$run/order-two.yaml"
wait_until 40 "template first" k apply -f "$run/order-one.yaml"
wait_until 40 "constraint first" k apply -f "$run/order-two.yaml"
enforced E2eOrderOne first-template
enforced E2eOrderTwo first-constraint
denied $'[first-constraint] bad has no label owner\n[first-template] bad has no label team' create_pod bad
