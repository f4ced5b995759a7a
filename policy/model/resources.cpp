// Group, version, kind and plural of each resource; discovery is not needed for what never changes.
#include "policy/model/resources.h"

#include "base/text.h"

namespace portcullis::policy {

namespace {

kube::ApiResource resource(const char* group, const char* version, const char* kind, const char* plural,
                           bool namespaced, bool has_status = false) {
  kube::ApiResource out;
  out.group = group;
  out.version = version;
  out.kind = kind;
  out.plural = plural;
  out.namespaced = namespaced;
  out.verbs = {"create", "delete", "get", "list", "patch", "update", "watch"};
  if (has_status) out.subresources = {"status"};
  return out;
}

}  // namespace

kube::ApiResource constraint_templates() {
  return resource("templates.gatekeeper.sh", "v1", "ConstraintTemplate", "constrainttemplates", false, true);
}
kube::ApiResource constraint_template_pod_statuses() {
  return resource("status.gatekeeper.sh", "v1beta1", "ConstraintTemplatePodStatus", "constrainttemplatepodstatuses",
                  true);
}
kube::ApiResource constraint_pod_statuses() {
  return resource("status.gatekeeper.sh", "v1beta1", "ConstraintPodStatus", "constraintpodstatuses", true);
}
kube::ApiResource config_pod_statuses() {
  return resource("status.gatekeeper.sh", "v1beta1", "ConfigPodStatus", "configpodstatuses", true);
}
kube::ApiResource configs() { return resource("config.gatekeeper.sh", "v1alpha1", "Config", "configs", true, true); }
kube::ApiResource sync_sets() { return resource("syncset.gatekeeper.sh", "v1alpha1", "SyncSet", "syncsets", false); }
kube::ApiResource constraints_of(std::string_view kind) {
  kube::ApiResource out = resource("constraints.gatekeeper.sh", "v1beta1", "", "", false, true);
  out.kind = kind;
  out.plural = text::to_lower_ascii(kind);
  return out;
}
kube::ApiResource custom_resource_definitions() {
  return resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, true);
}
kube::ApiResource namespaces() { return resource("", "v1", "Namespace", "namespaces", false, true); }
kube::ApiResource pods() { return resource("", "v1", "Pod", "pods", true, true); }
kube::ApiResource secrets() { return resource("", "v1", "Secret", "secrets", true); }
kube::ApiResource validating_webhook_configurations() {
  return resource("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration",
                  "validatingwebhookconfigurations", false);
}
kube::ApiResource mutating_webhook_configurations() {
  return resource("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
                  false);
}

}  // namespace portcullis::policy
