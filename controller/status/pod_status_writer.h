// Writes this pod's status objects (controller/status/kinds.h): what is desired is set here, a worker makes the API
// server agree. Loading policies never waits for these writes.
// Threads: the client's thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controller/status/kinds.h"
#include "engine/value/document.h"
#include "kube/client/client.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

using StatusStores = std::array<std::shared_ptr<kube::Store>, kStatusKinds>;  // by StatusOf

class PodStatusWriter final : public kube::Reconciler {
 public:
  // `ns` is Gatekeeper's namespace, `pod` the own pod's name.
  PodStatusWriter(kube::Client& client, std::string ns, std::string pod);

  // The stores that reflectors of all kinds fill (of the own pod at least).
  const StatusStores& stores() const noexcept { return stores_; }
  kube::WorkQueue& queue() noexcept { return queue_; }

  // `status` as policy/status makes it. Kept until it is replaced or removed.
  void set(Document status);
  // No status of that kind ("ConfigPodStatus") and name should exist.
  void remove(std::string_view kind, std::string_view name);
  // A status object changed on the server: check it against what is desired.
  void recheck(const kube::ObjectPtr& object);
  // Removes statuses of this pod for which nothing was set: left over from an earlier life. Call once, when ready.
  void sweep();

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  awaitable<Result<kube::Reconciled>> write(std::string key, const StatusKind* kind, std::string name);
  const kube::Store& store_of(const StatusKind& kind) const { return *stores_[static_cast<std::size_t>(kind.of)]; }

  kube::Client& client_;
  std::string ns_;
  std::string pod_;
  StatusStores stores_;
  kube::WorkQueue queue_;
  std::map<std::string, std::optional<Document>> desired_;  // "Kind/name"; nullopt: to be removed
};

}  // namespace portcullis::controller
