#include "controller/config/plan.h"

#include "policy/model/sync.h"

namespace portcullis::controller {

ConfigPlan plan_config(const kube::Object* config) {
  ConfigPlan plan;
  plan.exclusions = std::make_shared<const policy::Exclusions>();
  if (config == nullptr || config->meta().being_deleted()) return plan;
  plan.exists = true;
  Result<policy::Config> decoded = policy::decode_config(config->root());
  if (!decoded.ok()) {
    plan.unusable = true;
    plan.problem = decoded.error().to_string();
    return plan;
  }
  plan.kinds = std::move(decoded->sync_only);
  plan.exclusions = std::make_shared<const policy::Exclusions>(decoded->match);
  plan.traces = std::move(decoded->traces);
  plan.readiness_stats = decoded->readiness_stats;
  return plan;
}

bool is_the_config(std::string_view key, std::string_view own_namespace) {
  return key == kube::object_key(own_namespace, policy::kConfigName);
}

}  // namespace portcullis::controller
