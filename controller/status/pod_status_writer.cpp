// Create, update or delete one pod status so that it equals what is desired.
#include "controller/status/pod_status_writer.h"

#include <chrono>

#include "engine/value/json.h"

namespace portcullis::controller {

namespace {

constexpr std::string_view kPodLabel = "internal.gatekeeper.sh/pod";
constexpr std::chrono::seconds kWriteTimeout{20};

std::string key_of(std::string_view kind, std::string_view name) { return std::string(kind) + "/" + std::string(name); }

// Labels, owners and status are ours; the rest of the object is the server's.
bool agrees(const Value& current, const Value& desired) {
  return equal(current.get("status"), desired.get("status")) &&
         equal(current.path({"metadata", "labels"}), desired.path({"metadata", "labels"})) &&
         equal(current.path({"metadata", "ownerReferences"}), desired.path({"metadata", "ownerReferences"}));
}

// `desired` with the resourceVersion of `current`.
std::string update_body(const Value& current, const Value& desired) {
  Arena arena;
  const Value version = current.path({"metadata", "resourceVersion"});
  const Value metadata = with_member(arena, desired.get("metadata"), make_string(arena, "resourceVersion"), version);
  return to_json(with_member(arena, desired, make_string(arena, "metadata"), metadata));
}

}  // namespace

PodStatusWriter::PodStatusWriter(kube::Client& client, std::string ns, std::string pod)
    : client_(client), ns_(std::move(ns)), pod_(std::move(pod)), queue_(client.context(), {.name = "pod_status"}) {
  for (std::shared_ptr<kube::Store>& store : stores_) store = std::make_shared<kube::Store>();
}

void PodStatusWriter::set(Document status) {
  const Value root = status.root();
  const std::string key = key_of(root.string_or("kind"), root.path({"metadata", "name"}).as_string());
  const auto found = desired_.find(key);
  if (found != desired_.end() && found->second && equal(found->second->root(), root)) return;
  desired_.insert_or_assign(key, std::move(status));
  queue_.add(key);
}

void PodStatusWriter::remove(std::string_view kind, std::string_view name) {
  const std::string key = key_of(kind, name);
  desired_.insert_or_assign(key, std::nullopt);
  queue_.add(key);
}

void PodStatusWriter::recheck(const kube::ObjectPtr& object) {
  if (object == nullptr || object->meta().label(kPodLabel) != pod_) return;
  const std::string key = key_of(object->meta().kind(), object->meta().name());
  if (desired_.contains(key)) queue_.add(key);
}

void PodStatusWriter::sweep() {
  for (const StatusKind& kind : status_kinds()) {
    for (const kube::ObjectPtr& object : store_of(kind).list()) {
      const kube::Meta meta = object->meta();
      const bool known = desired_.contains(key_of(kind.name, meta.name()));
      if (meta.label(kPodLabel) == pod_ && !known) remove(kind.name, meta.name());
    }
  }
}

awaitable<Result<kube::Reconciled>> PodStatusWriter::reconcile(std::string key) {
  const std::size_t slash = key.find('/');
  const StatusKind* kind = find_status_kind(std::string_view(key).substr(0, slash));
  if (kind == nullptr) co_return PC_BUG("a pod status of an unknown kind");
  auto result_call = write(key, kind, key.substr(slash + 1));
  Result<kube::Reconciled> result = co_await std::move(result_call);
  co_return result;
}

awaitable<Result<kube::Reconciled>> PodStatusWriter::write(std::string key, const StatusKind* kind, std::string name) {
  const auto found = desired_.find(key);
  if (found == desired_.end()) co_return kube::Reconciled{};
  const kube::ApiResource resource = kind->resource();
  const kube::Store& store = store_of(*kind);
  if (!store.synced()) co_return kube::Reconciled{std::chrono::milliseconds(100)};
  const kube::ObjectPtr current = store.get(kube::object_key(ns_, name));
  const Deadline deadline = Deadline::after(kWriteTimeout);

  if (!found->second) {
    if (current != nullptr) {
      auto removed_call = client_.remove(resource, ns_, name, deadline);
      const Result<void> removed = co_await std::move(removed_call);
      if (!removed.ok() && removed.error().code != Code::kNotFound) co_return removed.error();
    }
    const auto again = desired_.find(key);
    if (again != desired_.end() && !again->second) desired_.erase(again);
    co_return kube::Reconciled{};
  }
  if (current != nullptr && agrees(current->root(), found->second->root())) co_return kube::Reconciled{};
  Result<kube::Object> written = Error{};
  if (current == nullptr) {
    std::string body = to_json(found->second->root());
    auto written_call = client_.create(resource, ns_, std::move(body), deadline);
    written = co_await std::move(written_call);
  } else {
    std::string body = update_body(current->root(), found->second->root());
    auto written_call = client_.update(resource, ns_, name, std::move(body), deadline);
    written = co_await std::move(written_call);
  }
  if (written.ok()) co_return kube::Reconciled{};
  // The store has not seen the newest version yet; the watch brings it within moments.
  if (written.error().code == Code::kConflict || written.error().code == Code::kNotFound) {
    co_return kube::Reconciled{std::chrono::milliseconds(200)};
  }
  co_return std::move(written).error();
}

}  // namespace portcullis::controller
