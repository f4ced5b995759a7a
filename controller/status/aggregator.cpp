// Which parent a status belongs to, and the patch of the parent.
#include "controller/status/aggregator.h"

#include <chrono>

#include "base/text.h"
#include "engine/value/json.h"
#include "policy/model/resources.h"
#include "policy/status/status.h"

namespace portcullis::controller {

namespace {

constexpr std::chrono::seconds kWriteTimeout{20};

std::string parent_key(const kube::ObjectPtr& status) {
  const kube::Meta meta = status->meta();
  if (meta.kind() == "ConstraintTemplatePodStatus") {
    return "t/" + std::string(meta.label("internal.gatekeeper.sh/constrainttemplate-name"));
  }
  return "c/" + std::string(meta.label("internal.gatekeeper.sh/constraint-kind")) + "/" +
         std::string(meta.label("internal.gatekeeper.sh/constraint-name"));
}

}  // namespace

std::string plan_status_patch(const Value& parent, bool is_template, const std::vector<kube::ObjectPtr>& pod_statuses) {
  Arena arena;
  std::vector<Value> roots;
  roots.reserve(pod_statuses.size());
  for (const kube::ObjectPtr& status : pod_statuses) roots.push_back(status->root());
  const kube::Meta meta(parent);
  const Value by_pod =
      policy::aggregate_by_pod(arena, roots, is_template ? "templateUID" : "constraintUID", meta.uid());
  const Value status = parent.get("status");
  const bool created = is_template && policy::any_without_errors(by_pod);
  const bool was_created = status.get("created").is_true();
  const Value old_by_pod = status.get("byPod");
  const bool none_before = !old_by_pod.defined() || old_by_pod.size() == 0;
  const bool same_list = by_pod.size() == 0 ? none_before : equal(by_pod, old_by_pod);
  if (same_list && (!is_template || created == was_created)) return {};

  std::vector<Member> fields{{make_string(arena, "byPod"), by_pod}};
  if (is_template) {
    fields.push_back({make_string(arena, "created"), created ? Value::boolean(true) : Value::null()});
  }
  // The UID makes the patch fail when the parent was replaced by another of the same name meanwhile.
  const Member uid{make_string(arena, "uid"), make_string(arena, meta.uid())};
  const Member patch[] = {{make_string(arena, "metadata"), make_object(arena, {&uid, 1})},
                          {make_string(arena, "status"), make_object(arena, fields)}};
  return to_json(make_object(arena, patch));
}

StatusAggregator::StatusAggregator(kube::Client& client, Parents parents,
                                   std::shared_ptr<kube::Store> template_statuses,
                                   std::shared_ptr<kube::Store> constraint_statuses)
    : client_(client),
      parents_(std::move(parents)),
      template_statuses_(std::move(template_statuses)),
      constraint_statuses_(std::move(constraint_statuses)),
      queue_(client.context(), {.name = "status_aggregator"}) {}

void StatusAggregator::status_changed(const kube::ObjectPtr& before, const kube::ObjectPtr& after) {
  const kube::ObjectPtr& any = after != nullptr ? after : before;
  const std::string parent = parent_key(any);
  const std::string status = any->meta().key();
  std::set<std::string>& statuses = statuses_of_[parent];
  if (after != nullptr)
    statuses.insert(status);
  else
    statuses.erase(status);
  if (statuses.empty()) statuses_of_.erase(parent);
  queue_.add(parent);
}

awaitable<Result<kube::Reconciled>> StatusAggregator::reconcile(std::string key) {
  const std::vector<std::string_view> parts = text::split(key, '/');
  const bool is_template = parts[0] == "t";
  const std::string name(parts.back());
  const std::string kind = is_template ? "" : std::string(parts[1]);
  const kube::ObjectPtr parent = is_template ? parents_.constraint_template(name) : parents_.constraint(kind, name);
  if (parent == nullptr || !template_statuses_->synced() || !constraint_statuses_->synced()) {
    co_return kube::Reconciled{};
  }
  std::vector<kube::ObjectPtr> statuses;
  const auto found = statuses_of_.find(key);
  if (found != statuses_of_.end()) {
    const kube::Store& store = is_template ? *template_statuses_ : *constraint_statuses_;
    for (const std::string& status : found->second) {
      if (kube::ObjectPtr object = store.get(status)) statuses.push_back(std::move(object));
    }
  }
  std::string patch = plan_status_patch(parent->root(), is_template, statuses);
  if (patch.empty()) co_return kube::Reconciled{};
  kube::ApiResource resource = is_template ? policy::constraint_templates() : policy::constraints_of(kind);
  auto patched_call = client_.patch(std::move(resource), {}, name, kube::PatchType::kMerge, std::move(patch),
                                    Deadline::after(kWriteTimeout), {}, "status");
  const Result<kube::Object> patched = co_await std::move(patched_call);
  if (patched.ok() || patched.error().code == Code::kNotFound) co_return kube::Reconciled{};
  if (patched.error().code == Code::kConflict) co_return kube::Reconciled{std::chrono::milliseconds(200)};
  co_return patched.error();
}

}  // namespace portcullis::controller
