// One template: what the API server has against what engine and CRD have.
#include "controller/constraint_template/reconcile.h"

#include "base/log.h"
#include "policy/model/resources.h"

namespace portcullis::controller {

namespace {

constexpr std::chrono::seconds kWriteTimeout{20};
constexpr std::string_view kLogger = "constraint_template_controller";
constexpr std::string_view kCrdSuffix = ".constraints.gatekeeper.sh";

}  // namespace

TemplateReconciler::TemplateReconciler(Parts parts)
    : parts_(std::move(parts)), queue_(parts_.client.context(), {.name = "constraint_template"}) {}

void TemplateReconciler::crd_changed(const std::string& crd_name, const kube::ObjectPtr& crd) {
  if (crd_name.size() <= kCrdSuffix.size()) return;
  const std::string name = crd_name.substr(0, crd_name.size() - kCrdSuffix.size());
  if (!templates_->synced() || templates_->get(name) == nullptr) return;
  if (crd != nullptr && is_established(crd->root())) {
    const auto found = known_.find(name);
    if (found != known_.end() && !found->second.kind.empty()) parts_.kinds.nudge(found->second.kind);
  }
  queue_.add(name);
}

void TemplateReconciler::remove(const std::string& name) {
  const auto found = known_.find(name);
  if (found != known_.end()) {
    const std::string kind = found->second.kind;
    known_.erase(found);
    if (!kind.empty()) {
      const std::vector<std::string> constraints = parts_.kinds.names(kind);
      parts_.kinds.drop(kind);
      parts_.readiness.drop_group(kind);
      for (const std::string& constraint : constraints) parts_.constraints.changed(kind, constraint);
    }
  }
  if (parts_.world.builder().remove_template(name)) parts_.world.changed();
  const std::string_view status_parts[] = {parts_.pod.name, name};
  const Result<std::string> status = policy::pod_status_name(status_parts);
  if (status.ok()) parts_.statuses.remove("ConstraintTemplatePodStatus", *status);
  parts_.readiness.observe(kTemplateGroup, name);
  log::debug(kLogger, "template deleted",
             {{"event_type", std::string_view("template_deleted")}, {"template_name", name}});
}

void TemplateReconciler::load(const kube::ObjectPtr& object, Known& known) {
  const std::string name(object->meta().name());
  const auto start = std::chrono::steady_clock::now();
  Result<policy::TemplateChange> change = parts_.world.builder().set_template(object->root());
  const auto time = std::chrono::steady_clock::now() - start;
  known.good = change.ok();
  if (!change.ok()) {
    known.errors.push_back({"ingest_error", "Could not ingest Rego: " + change.error().to_string()});
    if (parts_.on_ingest) parts_.on_ingest(false, time);
    return;
  }
  if (!change->note.empty()) log::info(kLogger, change->note, {{"template_name", name}});
  if (change->changed) {
    parts_.world.changed();
    if (parts_.on_ingest) parts_.on_ingest(true, time);
  }
  known.kind = change->constraint_template->kind;
  // Before the template itself counts as observed, so that readiness cannot slip through between the two.
  parts_.readiness.expect_group(known.kind);
  parts_.kinds.ensure(known.kind);
  if (change->changed) parts_.constraints.requeue(known.kind);
}

void TemplateReconciler::report(const std::string& name, const kube::ObjectPtr& object,
                                const std::vector<policy::StatusError>& errors) {
  policy::TemplatePodStatus status;
  status.template_name = name;
  status.template_uid = object->meta().uid();
  status.observed_generation = object->meta().generation();
  status.errors = errors;
  Result<Document> document = policy::make_template_pod_status(parts_.pod, status);
  if (document.ok())
    parts_.statuses.set(std::move(document).value());
  else
    log::error(kLogger, document.error().to_string(), {{"template_name", name}});
}

awaitable<Result<void>> TemplateReconciler::apply_crd(std::string name, std::shared_ptr<const Document> crd) {
  if (!crds_->synced()) co_return make_error(Code::kUnavailable, "CustomResourceDefinitions are not listed yet");
  const std::string crd_name = name + std::string(kCrdSuffix);
  const kube::ObjectPtr current = crds_->get(crd_name);
  CrdPlan plan = plan_crd(crd->root(), current == nullptr ? Value::undefined() : current->root());
  if (plan.what == CrdPlan::Do::kNothing) co_return ok();
  const Deadline deadline = Deadline::after(kWriteTimeout);
  Result<kube::Object> written = Error{};
  if (plan.what == CrdPlan::Do::kCreate) {
    auto written_call = parts_.client.create(policy::custom_resource_definitions(), {}, std::move(plan.body), deadline);
    written = co_await std::move(written_call);
    if (!written.ok() && kube::is_already_exists(written.error())) co_return ok();  // the watch brings it
  } else {
    auto written_call =
        parts_.client.update(policy::custom_resource_definitions(), {}, crd_name, std::move(plan.body), deadline);
    written = co_await std::move(written_call);
  }
  if (written.ok()) co_return ok();
  co_return std::move(written).error();
}

awaitable<Result<kube::Reconciled>> TemplateReconciler::reconcile(std::string name) {
  const kube::ObjectPtr object = templates_->get(name);
  if (object == nullptr || object->meta().being_deleted()) {
    remove(name);
    co_return kube::Reconciled{};
  }
  TemplateReading reading = read_template(object->root());
  {
    Known& known = known_[name];
    known.errors = reading.errors;
    if (reading.errors.empty())
      load(object, known);
    else
      known.good = false;
    report(name, object, known.errors);
    const std::string problem = known.errors.empty() ? "" : known.errors.front().message;
    if (!problem.empty()) {
      log::error(kLogger, problem,
                 {{"template_name", name}, {"event_type", std::string_view("template_ingest_error")}});
    }
    parts_.readiness.observe(kTemplateGroup, name, problem);
    if (!known.good) co_return kube::Reconciled{};
  }
  if (!parts_.operations.generate) co_return kube::Reconciled{};
  auto crd = std::make_shared<const Document>(std::move(reading.crd));
  const bool existed = crds_->get(name + std::string(kCrdSuffix)) != nullptr;
  auto applied_call = apply_crd(name, std::move(crd));
  const Result<void> applied = co_await std::move(applied_call);
  if (applied.ok()) co_return kube::Reconciled{};
  if (applied.error().code == Code::kUnavailable && !crds_->synced()) {
    co_return kube::Reconciled{std::chrono::milliseconds(50)};
  }
  if (applied.error().code != Code::kConflict) {
    const std::string message =
        (existed ? "Could not update CRD: " : "Could not create CRD: ") + applied.error().to_string();
    report(name, object, {{existed ? "update_error" : "create_error", message}});
    log::error(kLogger, message, {{"template_name", name}});
  }
  co_return applied.error();
}

std::int64_t TemplateReconciler::count(bool good) const {
  std::int64_t number = 0;
  for (const auto& [name, known] : known_) {
    if (known.good == good) ++number;
  }
  return number;
}

}  // namespace portcullis::controller
