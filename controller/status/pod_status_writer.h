// Writes this pod's ConstraintTemplatePodStatus and ConstraintPodStatus objects: what is desired is set here, a worker
// makes the API server agree. Loading policies never waits for these writes.
// Threads: the client's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/value/document.h"
#include "kube/client/client.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

class PodStatusWriter final : public kube::Reconciler {
 public:
  // `ns` is Gatekeeper's namespace, `pod` the own pod's name.
  PodStatusWriter(kube::Client& client, std::string ns, std::string pod);

  // The stores that reflectors of both kinds fill (of the own pod at least).
  std::shared_ptr<kube::Store> templates() const { return templates_; }
  std::shared_ptr<kube::Store> constraints() const { return constraints_; }
  kube::WorkQueue& queue() noexcept { return queue_; }

  // `status` as policy/status makes it. Kept until it is replaced or removed.
  void set(Document status);
  // No status of that kind and name should exist. `kind` is ConstraintTemplatePodStatus or ConstraintPodStatus.
  void remove(std::string_view kind, std::string_view name);
  // A status object changed on the server: check it against what is desired.
  void recheck(const kube::ObjectPtr& object);
  // Removes statuses of this pod for which nothing was set: left over from an earlier life. Call once, when ready.
  void sweep();

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  awaitable<Result<kube::Reconciled>> write(std::string key, kube::ApiResource resource, std::string name);
  kube::Store& store_of(std::string_view kind) const;

  kube::Client& client_;
  std::string ns_;
  std::string pod_;
  std::shared_ptr<kube::Store> templates_ = std::make_shared<kube::Store>();
  std::shared_ptr<kube::Store> constraints_ = std::make_shared<kube::Store>();
  kube::WorkQueue queue_;
  std::map<std::string, std::optional<Document>> desired_;  // "Kind/name"; nullopt: to be removed
};

}  // namespace portcullis::controller
