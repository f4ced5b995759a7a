// One SyncSet against the synced kinds.
#include "controller/syncset/reconcile.h"

#include "base/log.h"

namespace portcullis::controller {

SyncSetReconciler::SyncSetReconciler(kube::Client& client, ReadinessTracker& readiness, SyncController& sync)
    : readiness_(readiness), sync_(sync), queue_(client.context(), {.name = "syncset"}) {}

void SyncSetReconciler::recheck() {
  for (const std::string& name : sync_sets_->keys()) queue_.add(name);
}

void SyncSetReconciler::listed() { readiness_.set_members(kSyncSetGroup, sync_sets_->keys()); }

awaitable<Result<kube::Reconciled>> SyncSetReconciler::reconcile(std::string name) {
  const kube::ObjectPtr object = sync_sets_->get(name);
  const SyncSetPlan plan = plan_sync_set(name, object.get());
  if (!plan.unusable) sync_.set_source(plan.source, plan.kinds);
  readiness_.observe(kSyncSetGroup, name, plan.problem);
  const SyncController::Trouble trouble = plan.unusable ? SyncController::Trouble{} : sync_.trouble(plan.kinds);
  if (trouble.pending) co_return kube::Reconciled{};  // recheck() comes when all kinds are known
  const std::string text =
      trouble.text.empty() ? plan.problem : "syncset-controller: error upserting watches: " + trouble.text;
  if (text.empty()) {
    logged_.erase(name);
  } else if (logged_[name] != text) {
    logged_[name] = text;
    log::error(
        "controller", text,
        {{"kind", std::string_view("SyncSet")}, {"process", std::string_view("syncset_controller")}, {"name", name}});
  }
  co_return kube::Reconciled{};
}

}  // namespace portcullis::controller
