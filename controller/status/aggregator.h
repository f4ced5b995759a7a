// Copies the pods' statuses into status.byPod of templates and constraints, and sets status.created of templates.
// Runs in pods with operation `status`; several may: they all write the same.
// Threads: the client's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kube/client/client.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

class StatusAggregator final : public kube::Reconciler {
 public:
  // The parent object as last seen, or null: by template name, by constraint kind and name.
  struct Parents {
    std::function<kube::ObjectPtr(const std::string& name)> constraint_template;
    std::function<kube::ObjectPtr(const std::string& kind, const std::string& name)> constraint;
  };
  StatusAggregator(kube::Client& client, Parents parents, std::shared_ptr<kube::Store> template_statuses,
                   std::shared_ptr<kube::Store> constraint_statuses);

  kube::WorkQueue& queue() noexcept { return queue_; }

  // A pod status appeared, changed or went (`after` null).
  void status_changed(const kube::ObjectPtr& before, const kube::ObjectPtr& after);
  void template_changed(const std::string& name) { queue_.add("t/" + name); }
  void constraint_changed(const std::string& kind, const std::string& name) { queue_.add("c/" + kind + "/" + name); }

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  kube::Client& client_;
  Parents parents_;
  std::shared_ptr<kube::Store> template_statuses_;
  std::shared_ptr<kube::Store> constraint_statuses_;
  kube::WorkQueue queue_;
  std::map<std::string, std::set<std::string>> statuses_of_;  // parent key -> keys of its pod statuses
};

// The merge patch that brings `parent`'s status up to date with `pod_statuses`, or "" when it is. Pure.
std::string plan_status_patch(const Value& parent, bool is_template, const std::vector<kube::ObjectPtr>& pod_statuses);

}  // namespace portcullis::controller
