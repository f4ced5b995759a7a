// SyncSets: any number of them, each names kinds to sync. They have no status; what is wrong is logged.
// Threads: the controllers' thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "controller/readiness.h"
#include "controller/sync/reconcile.h"
#include "controller/syncset/plan.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

inline constexpr std::string_view kSyncSetGroup = "SyncSet";  // in the readiness tracker

class SyncSetReconciler final : public kube::Reconciler {
 public:
  SyncSetReconciler(kube::Client& client, ReadinessTracker& readiness, SyncController& sync);

  kube::WorkQueue& queue() noexcept { return queue_; }
  std::shared_ptr<kube::Store> sync_sets() const { return sync_sets_; }
  void changed(const std::string& name) { queue_.add(name); }
  void recheck();  // the state of a synced kind changed
  void listed();   // the first list of SyncSets is complete

  awaitable<Result<kube::Reconciled>> reconcile(std::string name) override;

 private:
  ReadinessTracker& readiness_;
  SyncController& sync_;
  kube::WorkQueue queue_;
  std::shared_ptr<kube::Store> sync_sets_ = std::make_shared<kube::Store>();
  std::map<std::string, std::string> logged_;  // the trouble last logged, by name
};

}  // namespace portcullis::controller
