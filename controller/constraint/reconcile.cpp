// One constraint: what the API server has against what the engine has.
#include "controller/constraint/reconcile.h"

#include "base/log.h"
#include "base/text.h"
#include "policy/model/action.h"

namespace portcullis::controller {

ConstraintReconciler::ConstraintReconciler(kube::Client& client, Parts parts)
    : parts_(parts), queue_(client.context(), {.name = "constraint"}) {}

void ConstraintReconciler::requeue(const std::string& kind) {
  for (const std::string& name : parts_.kinds.names(kind)) changed(kind, name);
  const std::string prefix = kind + "/";
  for (auto it = known_.lower_bound(prefix); it != known_.end() && it->first.compare(0, prefix.size(), prefix) == 0;
       ++it) {
    queue_.add(it->first);
  }
}

void ConstraintReconciler::remove(const std::string& kind, const std::string& name) {
  if (parts_.world.builder().remove_constraint(kind, name)) parts_.world.changed();
  known_.erase(kind + "/" + name);
  const std::string lower = text::to_lower_ascii(kind);
  const std::string_view status_parts[] = {parts_.pod.name, lower, name};
  const Result<std::string> status = policy::pod_status_name(status_parts);
  if (status.ok()) parts_.statuses.remove("ConstraintPodStatus", *status);
  parts_.readiness.observe(kind, name);
  log::debug(
      "constraint_controller", "constraint removed",
      {{"event_type", std::string_view("constraint_removed")}, {"constraint_kind", kind}, {"constraint_name", name}});
}

Result<void> ConstraintReconciler::load(const kube::ObjectPtr& object, Known& known) {
  const Value root = object->root();
  known.action.clear();
  known.active = false;
  PC_TRY_VOID(policy::validate_enforcement(root, false).with_context("could not validate enforcement actions"));
  known.action = policy::action_label(root.get("spec").string_or("enforcementAction", "deny"));
  Result<policy::SnapshotBuilder::ConstraintChange> change =
      parts_.world.builder().set_constraint(root).with_context("could not cache constraint");
  if (!change.ok()) return std::move(change).error();
  if (change->changed) parts_.world.changed();
  known.active = known.enforced = true;
  return ok();
}

awaitable<Result<kube::Reconciled>> ConstraintReconciler::reconcile(std::string key) {
  const std::size_t slash = key.find('/');
  const std::string kind = key.substr(0, slash);
  const std::string name = key.substr(slash + 1);
  const kube::ObjectPtr object = parts_.kinds.get(kind, name);
  if (object == nullptr || object->meta().being_deleted()) {
    remove(kind, name);
    co_return kube::Reconciled{};
  }
  const kube::Meta meta = object->meta();
  Known& known = known_[key];
  if (known.uid != meta.uid()) known = Known{std::string(meta.uid()), {}, false, false};
  const Result<void> loaded = load(object, known);

  policy::ConstraintPodStatus status;
  status.constraint_kind = kind;
  status.constraint_name = name;
  status.template_name = text::to_lower_ascii(kind);
  status.constraint_uid = meta.uid();
  status.enforced = known.enforced;
  status.observed_generation = meta.generation();
  std::string problem;
  if (!loaded.ok()) {
    problem = loaded.error().to_string();
    status.errors.push_back({"", problem});
    log::error("constraint_controller", problem, {{"constraint_kind", kind}, {"constraint_name", name}});
  } else {
    log::debug(
        "constraint_controller", "constraint added",
        {{"event_type", std::string_view("constraint_added")}, {"constraint_kind", kind}, {"constraint_name", name}});
  }
  Result<Document> document = policy::make_constraint_pod_status(parts_.pod, status);
  if (document.ok())
    parts_.statuses.set(std::move(document).value());
  else
    log::error("constraint_controller", document.error().to_string(), {{"constraint_name", name}});
  parts_.readiness.observe(kind, name, problem);
  co_return kube::Reconciled{};
}

std::vector<ConstraintReconciler::Count> ConstraintReconciler::counts() const {
  std::vector<Count> list;
  for (const char* action : {"deny", "dryrun", "scoped", "unrecognized", "warn"}) {
    for (const bool active : {true, false}) {
      std::int64_t number = 0;
      for (const auto& [key, known] : known_) {
        if (known.action == action && known.active == active) ++number;
      }
      list.push_back({action, active, number});
    }
  }
  return list;
}

}  // namespace portcullis::controller
