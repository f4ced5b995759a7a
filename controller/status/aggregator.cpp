// Which parent a status belongs to, and the patch of the parent.
#include "controller/status/aggregator.h"

#include <chrono>

#include "engine/value/json.h"
#include "policy/status/status.h"

namespace portcullis::controller {

namespace {
constexpr std::chrono::seconds kWriteTimeout{20};
}  // namespace

std::string plan_status_patch(const Value& parent, const StatusKind& kind,
                              const std::vector<kube::ObjectPtr>& pod_statuses) {
  Arena arena;
  std::vector<Value> roots;
  roots.reserve(pod_statuses.size());
  for (const kube::ObjectPtr& status : pod_statuses) roots.push_back(status->root());
  const kube::Meta meta(parent);
  const Value by_pod = policy::aggregate_by_pod(arena, roots, kind.uid_field, meta.uid());
  const Value status = parent.get("status");
  const bool created = kind.has_created && policy::any_without_errors(by_pod);
  const bool was_created = status.get("created").is_true();
  const Value old_by_pod = status.get("byPod");
  const bool none_before = !old_by_pod.defined() || old_by_pod.size() == 0;
  const bool same_list = by_pod.size() == 0 ? none_before : equal(by_pod, old_by_pod);
  if (same_list && (!kind.has_created || created == was_created)) return {};

  std::vector<Member> fields{{make_string(arena, "byPod"), by_pod}};
  if (kind.has_created) {
    fields.push_back({make_string(arena, "created"), Value::boolean(created)});
  }
  // The UID makes the patch fail when the parent was replaced by another of the same name meanwhile.
  const Member uid{make_string(arena, "uid"), make_string(arena, meta.uid())};
  const Member patch[] = {{make_string(arena, "metadata"), make_object(arena, {&uid, 1})},
                          {make_string(arena, "status"), make_object(arena, fields)}};
  return to_json(make_object(arena, patch));
}

StatusAggregator::StatusAggregator(kube::Client& client, std::string ns, FindParent parent,
                                   const StatusStores& statuses)
    : client_(client),
      ns_(std::move(ns)),
      parent_(std::move(parent)),
      stores_(statuses),
      queue_(client.context(), {.name = "status_aggregator"}) {}

void StatusAggregator::status_changed(const kube::ObjectPtr& before, const kube::ObjectPtr& after) {
  const kube::Meta meta = (after != nullptr ? after : before)->meta();
  const StatusKind* kind = find_status_kind(meta.kind());
  if (kind == nullptr) return;
  const std::string parent = parent_of(*kind, meta).text();
  std::set<std::string>& statuses = statuses_of_[parent];
  if (after != nullptr)
    statuses.insert(meta.key());
  else
    statuses.erase(meta.key());
  if (statuses.empty()) statuses_of_.erase(parent);
  queue_.add(parent);
}

awaitable<Result<kube::Reconciled>> StatusAggregator::reconcile(std::string key) {
  const ParentKey parent_key = ParentKey::parse(key);
  const StatusKind& kind = status_kind(parent_key.of);
  const kube::Store& store = *stores_[static_cast<std::size_t>(parent_key.of)];
  const kube::ObjectPtr parent = parent_(parent_key);
  if (parent == nullptr || !store.synced()) co_return kube::Reconciled{};
  std::vector<kube::ObjectPtr> statuses;
  const auto found = statuses_of_.find(key);
  if (found != statuses_of_.end()) {
    for (const std::string& status : found->second) {
      if (kube::ObjectPtr object = store.get(status)) statuses.push_back(std::move(object));
    }
  }
  std::string patch = plan_status_patch(parent->root(), kind, statuses);
  if (patch.empty()) co_return kube::Reconciled{};
  auto patched_call =
      client_.patch(kind.parent(parent_key.kind), kind.namespaced_parent ? ns_ : std::string(), parent_key.name,
                    kube::PatchType::kMerge, std::move(patch), Deadline::after(kWriteTimeout), {}, "status");
  const Result<kube::Object> patched = co_await std::move(patched_call);
  if (patched.ok() || patched.error().code == Code::kNotFound) co_return kube::Reconciled{};
  if (patched.error().code == Code::kConflict) co_return kube::Reconciled{std::chrono::milliseconds(200)};
  co_return patched.error();
}

}  // namespace portcullis::controller
