// Copies the pods' statuses into status.byPod of their parents (controller/status/kinds.h), and sets status.created of
// templates. A pod that is gone takes its statuses with it (they are owned by it), and so its entries.
// Runs in pods with operation `status`; several may: they all write the same.
// Threads: the client's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/status/kinds.h"
#include "controller/status/pod_status_writer.h"
#include "kube/client/client.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

class StatusAggregator final : public kube::Reconciler {
 public:
  // The parent object as last seen, or null.
  using FindParent = std::function<kube::ObjectPtr(const ParentKey& key)>;
  // `ns` is Gatekeeper's namespace.
  StatusAggregator(kube::Client& client, std::string ns, FindParent parent, const StatusStores& statuses);

  kube::WorkQueue& queue() noexcept { return queue_; }

  // A pod status appeared, changed or went (`after` null).
  void status_changed(const kube::ObjectPtr& before, const kube::ObjectPtr& after);
  // A parent appeared or changed.
  void parent_changed(const ParentKey& key) { queue_.add(key.text()); }

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  kube::Client& client_;
  const std::string ns_;
  FindParent parent_;
  StatusStores stores_;
  kube::WorkQueue queue_;
  std::map<std::string, std::set<std::string>> statuses_of_;  // parent key -> keys of its pod statuses
};

// The merge patch that brings `parent`'s status up to date with `pod_statuses`, or "" when it is. Pure.
std::string plan_status_patch(const Value& parent, const StatusKind& kind,
                              const std::vector<kube::ObjectPtr>& pod_statuses);

}  // namespace portcullis::controller
