# The CRD that a template gets: names, categories, labels, columns, schema.
label_template E2eCrd | sed 's/^metadata: .*/metadata: {name: e2ecrd, labels: {team: platform}}/' | apply
wait_until 30 "the CRD is there" k get crd e2ecrd.constraints.gatekeeper.sh
k get crd e2ecrd.constraints.gatekeeper.sh -o json >"$run/crd.json"
expect_eq "$(jq -cS '.metadata.labels' "$run/crd.json")" '{"gatekeeper.sh/constraint":"yes","team":"platform"}'
expect_eq "$(jq -cS '.spec.names' "$run/crd.json")" \
  '{"categories":["constraint","constraints"],"kind":"E2eCrd","listKind":"E2eCrdList","plural":"e2ecrd","singular":"e2ecrd"}'
expect_eq "$(jq -c '[.spec.scope, (.spec.versions[] | [.name, .served, .storage])]' "$run/crd.json")" \
  '["Cluster",["v1beta1",true,true],["v1alpha1",true,false]]'
expect_eq "$(jq -c '[.spec.versions[0].additionalPrinterColumns[] | [.name, .jsonPath, .type]]' "$run/crd.json")" \
  '[["enforcement-action",".spec.enforcementAction","string"],["total-violations",".status.totalViolations","integer"]]'
expect_eq "$(jq -cS '.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.parameters' "$run/crd.json")" \
  '{"properties":{"label":{"type":"string"}},"type":"object"}'
expect_eq "$(jq -c '.metadata.ownerReferences[0] | [.kind, .name, .controller]' "$run/crd.json")" '["ConstraintTemplate","e2ecrd",true]'
wait_until 20 "created" field_is constrainttemplate/e2ecrd '{.status.created}' true

step "a bad constraint is refused"
wait_until 20 "the kind is served" k get e2ecrd
denied 'spec.parameters.label' bash -c "$(declare -f constraint); ns=$ns; constraint E2eCrd bad deny '{\"parameters\": {\"label\": 7}}' | $kubectl create -f -"
denied 'is not within the supported list' bash -c "$(declare -f constraint); ns=$ns; constraint E2eCrd bad denny | $kubectl create -f -"
