# A template that does not compile says so in its status; the others go on; mending it brings it to life.
rule E2eSound sound-label deny
template E2eBroken <<'REGO' | apply
package broken
violation[{"msg": msg}] { msg := undefined_function("x")
REGO
t=constrainttemplate/e2ebroken
wait_until 30 "the error is in the status" field_is $t '{.status.byPod[0].errors[0].code}' ingest_error
field_has $t '{.status.byPod[0].errors[0].message}' 'rego_parse_error'
field_is $t '{.status.byPod[0].id}' e2e-manager
denied '[sound-label] bad has no label team' create_pod bad
admitted create_pod good '{"team": "a"}'

step "a compile error is told apart from a parse error"
template E2eBroken <<'REGO' | apply
package broken
violation[{"msg": msg}] { msg := undefined_function("x") }
REGO
wait_until 30 "the compile error is in the status" field_has $t '{.status.byPod[0].errors[0].message}' 'undefined function undefined_function'

step "mended"
label_template E2eBroken | apply
wait_until 70 "the template is created" field_is $t '{.status.created}' true
wait_until 30 "no error is left" field_is $t '{.status.byPod[0].errors}' ''
constraint E2eBroken mended deny '{"parameters": {"label": "mended"}}' | apply_when_served
enforced E2eBroken mended
denied '[mended] bad has no label mended' create_pod bad

step "a good one that breaks keeps its constraints enforced"
template E2eBroken <<<'package broken' | apply
wait_until 30 "the error is in the status" field_has $t '{.status.byPod[0].errors[0].message}' 'violation'
denied '[mended] bad has no label mended' create_pod bad
