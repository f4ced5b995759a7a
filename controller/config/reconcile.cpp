// The one Config against exclusions, synced kinds and status.
#include "controller/config/reconcile.h"

#include "base/log.h"

namespace portcullis::controller {

namespace {
constexpr std::string_view kLogger = "controller";
constexpr std::string_view kSource = "config";
}  // namespace

ConfigReconciler::ConfigReconciler(Parts parts) : parts_(parts), queue_(parts_.client.context(), {.name = "config"}) {}

kube::ObjectPtr ConfigReconciler::config() const {
  return configs_->get(kube::object_key(parts_.pod.ns, policy::kConfigName));
}

void ConfigReconciler::recheck() {
  if (config() != nullptr) queue_.add(kube::object_key(parts_.pod.ns, policy::kConfigName));
}

void ConfigReconciler::listed() {
  std::vector<std::string> members;
  if (config() != nullptr) members.emplace_back(policy::kConfigName);
  parts_.readiness.set_members(kConfigGroup, members);
}

void ConfigReconciler::apply(const ConfigPlan& plan) {
  if (plan.readiness_stats != stats_) {
    stats_ = plan.readiness_stats;
    log::info(kLogger, stats_ ? "enabling readiness stats" : "disabling readiness stats",
              {{"kind", std::string_view("Config")}});
  }
  if (!(*plan.exclusions == *exclusions_)) {
    exclusions_ = plan.exclusions;
    parts_.world.exclusions().publish(exclusions_);
    if (parts_.sync != nullptr) parts_.sync->set_exclusions(exclusions_);
  }
  if (const auto traces = parts_.world.traces().load(); *traces != plan.traces) {
    parts_.world.traces().publish(std::make_shared<const policy::Traces>(plan.traces));
  }
  if (parts_.sync != nullptr) parts_.sync->set_source(std::string(kSource), plan.kinds);
}

void ConfigReconciler::report(const kube::ObjectPtr& object, const ConfigPlan& plan) {
  policy::ConfigPodStatus status;
  status.config_ns = object->meta().ns();
  status.config_name = object->meta().name();
  status.config_uid = object->meta().uid();
  status.observed_generation = object->meta().generation();
  if (plan.unusable) status.errors.push_back(plan.problem);
  if (parts_.sync != nullptr && !plan.unusable) {
    SyncController::Trouble trouble = parts_.sync->trouble(plan.kinds);
    if (trouble.pending) return;  // recheck() comes when all kinds are known
    if (!trouble.text.empty()) status.errors.push_back(std::move(trouble.text));
  }
  Result<Document> document = policy::make_config_pod_status(parts_.pod, status);
  if (document.ok())
    parts_.statuses.set(std::move(document).value());
  else
    log::error(kLogger, document.error().to_string(), {{"kind", std::string_view("Config")}});
}

awaitable<Result<kube::Reconciled>> ConfigReconciler::reconcile(std::string key) {
  if (!is_the_config(key, parts_.pod.ns)) {
    const kube::KeyParts parts = kube::split_key(key);
    log::info(kLogger, "Ignoring unsupported config name",
              {{"kind", std::string_view("Config")}, {"namespace", parts.ns}, {"name", parts.name}});
    co_return kube::Reconciled{};
  }
  const kube::ObjectPtr object = config();
  const ConfigPlan plan = plan_config(object.get());
  if (!plan.unusable) apply(plan);
  if (plan.exists) {
    report(object, plan);
  } else {
    const std::string_view parts[] = {parts_.pod.name, parts_.pod.ns, policy::kConfigName};
    const Result<std::string> status = policy::pod_status_name(parts);
    if (status.ok()) parts_.statuses.remove(status_kind(StatusOf::kConfig).name, *status);
  }
  // After its kinds are expected, so that readiness cannot slip through between the two.
  parts_.readiness.observe(kConfigGroup, policy::kConfigName, plan.problem);
  co_return kube::Reconciled{};
}

}  // namespace portcullis::controller
