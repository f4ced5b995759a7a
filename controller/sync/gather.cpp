// Events to the inventory.
#include "controller/sync/gather.h"

#include "base/log.h"
#include "kube/core/object.h"

namespace portcullis::controller {

using State = KeptObject::State;

SyncedObjects::SyncedObjects(kube::GroupVersionKind kind, const SyncTarget& target, Events events)
    : kind_(std::move(kind)),
      api_version_(kind_.api_version()),
      are_namespaces_(kind_.group.empty() && kind_.kind == "Namespace"),
      target_(target),
      events_(std::move(events)) {}

SyncedObjects::~SyncedObjects() = default;

void SyncedObjects::on_event(kube::EventType type, const Value& object) {
  switch (type) {
    case kube::EventType::kInit: incoming_.clear(); return;
    case kube::EventType::kInitApply:
      incoming_.insert(kube::Meta(object).key());
      take(object, true);
      return;
    case kube::EventType::kInitDone: {
      std::vector<std::string> gone;
      for (const auto& [key, known] : objects_) {
        if (!incoming_.contains(key)) gone.push_back(key);
      }
      for (const std::string& key : gone) forget(key);
      std::unordered_set<std::string>().swap(incoming_);
      if (events_.listed) events_.listed();
      break;
    }
    case kube::EventType::kApply: take(object, false); break;
    case kube::EventType::kDelete: forget(kube::Meta(object).key()); break;
  }
  if (events_.changed) events_.changed();
}

void SyncedObjects::take(const Value& object, bool listed) {
  const auto start = std::chrono::steady_clock::now();
  const kube::Meta meta(object);
  const std::string key = meta.key();
  // As Gatekeeper: what is being deleted is no longer there for policies.
  if (meta.being_deleted()) return forget(key);
  const bool excluded = excluded_from_sync(*target_.exclusions, key, are_namespaces_);
  const std::uint64_t version = std::hash<std::string_view>{}(meta.resource_version());
  const auto known = objects_.find(key);
  if (listed && known != objects_.end() && known->second.version == version &&
      known->second.state == (excluded ? State::kExcluded : State::kKept)) {
    return;
  }
  const State wanted = excluded ? State::kExcluded : State::kKept;
  // Out of the other inventory first, so that one object never counts twice against the bound.
  if (known != objects_.end() && known->second.state != wanted) remove_from(known->second.state, key);
  const Result<void> stored = store(object, wanted);
  const State state = stored.ok() ? wanted : State::kRefused;
  count(state, 1);
  if (known != objects_.end()) {
    if (known->second.state == wanted && state != wanted) remove_from(wanted, key);
    count(known->second.state, -1);
  }
  objects_.insert_or_assign(key, KeptObject{state, version});
  if (!stored.ok() && problem_ != stored.error().message) {
    problem_ = stored.error().message;
    log::error("controller", "an object cannot be kept for data.inventory",
               {{"metaKind", std::string_view("Sync")},
                {"resource_api_version", api_version_},
                {"resource_kind", kind_.kind},
                {"resource_namespace", meta.ns()},
                {"resource_name", meta.name()},
                {"error", problem_}});
  }
  if (events_.taken_in) events_.taken_in(std::chrono::steady_clock::now() - start);
}

Result<void> SyncedObjects::store(const Value& object, State wanted) {
  policy::Inventory* to = wanted == State::kExcluded ? target_.withheld : &target_.inventory;
  if (to == nullptr) return ok();
  Arena scratch;
  const Value kept = kube::without_managed_fields(scratch, object);
  if (target_.max_bytes == 0) return to->upsert(kept);
  const std::size_t others = target_.used() - to->memory();
  Result<void> stored = to->upsert(kept, target_.max_bytes > others ? target_.max_bytes - others : 0);
  if (stored.ok() || stored.error().code != Code::kLimit) return stored;
  return make_error(Code::kLimit, "the bound of " + std::to_string(target_.max_bytes) +
                                      " bytes for synced objects is reached (--max-inventory-bytes)");
}

void SyncedObjects::remove_from(State state, std::string_view key) {
  if (state == State::kRefused) return;
  const kube::KeyParts parts = kube::split_key(key);
  if (state == State::kExcluded) {
    if (target_.withheld != nullptr) target_.withheld->remove(api_version_, kind_.kind, parts.ns, parts.name);
  } else {
    target_.inventory.remove(api_version_, kind_.kind, parts.ns, parts.name);
  }
}

void SyncedObjects::forget(std::string_view key) {
  const auto start = std::chrono::steady_clock::now();
  const auto known = objects_.find(std::string(key));
  if (known == objects_.end()) return;
  remove_from(known->second.state, key);
  count(known->second.state, -1);
  objects_.erase(known);
  if (events_.taken_in) events_.taken_in(std::chrono::steady_clock::now() - start);
}

void SyncedObjects::count(State state, int by) noexcept {
  if (state == State::kKept) kept_ += static_cast<std::size_t>(by);
  if (state == State::kRefused) refused_ += static_cast<std::size_t>(by);
  if (refused_ == 0) problem_.clear();
}

bool SyncedObjects::exclusions_changed() {
  const ExclusionPlan plan = plan_exclusions(objects_, are_namespaces_, *target_.exclusions);
  for (const std::string& key : plan.drop) {
    KeptObject& object = objects_.at(key);
    remove_from(object.state, key);
    count(object.state, -1);
    object = KeptObject{State::kExcluded, 0};
  }
  if (!plan.drop.empty() && events_.changed) events_.changed();
  // With a place for excluded objects, those dropped here have to be brought in again, too.
  return plan.relist || (target_.withheld != nullptr && !plan.drop.empty());
}

void SyncedObjects::clear() {
  for (const auto& [key, object] : objects_) remove_from(object.state, key);
  KeptObjects().swap(objects_);
  kept_ = refused_ = 0;
  problem_.clear();
  if (events_.changed) events_.changed();
}

}  // namespace portcullis::controller
