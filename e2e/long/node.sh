#!/usr/bin/env bash
# a real node with running pods: deployed four ways, restarts, disruption budget, and Gatekeeper switched over and back
# limit: 1800
# E2E_NODE="manifest chart gatekeeper-manifest gatekeeper-chart switch" runs some of it; E2E_IMAGE_READY=1 takes build/portcullis-image.tar as it is
part=node
. "$(dirname "${BASH_SOURCE[0]}")/../long-lib.sh"
. e2e/node/lib.sh

way_manifest() {
  step "WAY 1: kubectl apply -f manifests/portcullis.yaml"
  deploy_manifest manifests/portcullis.yaml
  show_policy
  show_memory
  show_label_webhook
  fail_closed
  show_rolling_restart
  show_budget
  show_node_restart
  remove_policies
  undeploy_manifest manifests/portcullis.yaml
}
way_chart() {
  step "WAY 2: the Helm chart, its hooks included"
  deploy_chart charts/portcullis
  show_policy
  show_chart_changes
  remove_policies
  undeploy_chart
}
way_gatekeeper_manifest() {
  step "WAY 3: Gatekeeper's released manifest, nothing changed but the image"
  sed "s#image: openpolicyagent/gatekeeper:.*#image: $image#" "$gatekeeper_manifest" >"$run/switched.yaml"
  [ "$(diff "$gatekeeper_manifest" "$run/switched.yaml" | grep -c '^>')" = 2 ] || fail "more or less than two images changed"
  deploy_manifest "$run/switched.yaml"
  show_policy
  show_memory
  remove_policies
  undeploy_manifest "$run/switched.yaml"
}
way_gatekeeper_chart() {
  step "AND: Gatekeeper's chart, nothing changed but the images, those of its hooks too"
  deploy_chart "$(gatekeeper_folder)/charts/gatekeeper" --set preUninstall.deleteWebhookConfigurations.enabled=false \
    --set "image.repository=${image%:*},image.crdRepository=${image%:*},image.release=${image#*:}" \
    --set "postInstall.labelNamespace.image.repository=${image%:*},postInstall.labelNamespace.image.tag=${image#*:}"
  show_policy
  remove_policies
  undeploy_chart
}
switch() {
  step "THE SWITCH: Gatekeeper with live policies, then Portcullis, then Gatekeeper again"
  deploy_manifest "$gatekeeper_manifest"
  show_policy
  show_memory
  fail_closed
  switch_image "$image" "Gatekeeper -> Portcullis"
  switch_image "openpolicyagent/gatekeeper:$GATEKEEPER" "Portcullis -> Gatekeeper"
  remove_policies
  undeploy_manifest "$gatekeeper_manifest"
}

prepare_images
step "a one-node cluster"
began=$SECONDS
e2e/node-cluster.sh up "$run" "library/$image=build/portcullis-image.tar" \
  "openpolicyagent/gatekeeper:$GATEKEEPER=$run/gatekeeper.tar" >"$run/up.log" 2>&1 || { tail -n 20 "$run/up.log"; fail "the cluster did not come up"; }
figure "cluster ready after $((SECONDS - began)) s"
k create namespace shop >/dev/null
wait_until 30 "the namespace has its account" k -n shop get serviceaccount default
k -n shop apply -f e2e/demo/old-pod.yaml >/dev/null

for what in ${E2E_NODE:-manifest chart gatekeeper-manifest gatekeeper-chart switch}; do
  case $what in
    manifest) way_manifest ;;
    chart) way_chart ;;
    gatekeeper-manifest) way_gatekeeper_manifest ;;
    gatekeeper-chart) way_gatekeeper_chart ;;
    switch) switch ;;
    *) fail "unknown: $what" ;;
  esac
done
step "done"
