// The Kubernetes resources that controllers, webhook and audit name themselves.
#pragma once

#include <string_view>

#include "kube/core/resource.h"

namespace portcullis::policy {

kube::ApiResource constraint_templates();
kube::ApiResource constraint_template_pod_statuses();
kube::ApiResource constraint_pod_statuses();
kube::ApiResource config_pod_statuses();
kube::ApiResource configs();                              // config.gatekeeper.sh/v1alpha1
kube::ApiResource sync_sets();                            // syncset.gatekeeper.sh/v1alpha1
kube::ApiResource constraints_of(std::string_view kind);  // constraints.gatekeeper.sh/v1beta1, plural lower(kind)
kube::ApiResource custom_resource_definitions();
kube::ApiResource namespaces();
kube::ApiResource pods();
kube::ApiResource secrets();
kube::ApiResource validating_webhook_configurations();
kube::ApiResource mutating_webhook_configurations();

}  // namespace portcullis::policy
