// Constraints: validate, load into the engine, report this pod's status.
// Threads: the controllers' thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "controller/constraint/kinds.h"
#include "controller/policy_world.h"
#include "controller/readiness.h"
#include "controller/status/pod_status_writer.h"
#include "kube/runtime/work_queue.h"
#include "policy/status/status.h"

namespace portcullis::controller {

class ConstraintReconciler final : public kube::Reconciler {
 public:
  struct Parts {
    PolicyWorld& world;
    ReadinessTracker& readiness;
    ConstraintKinds& kinds;
    PodStatusWriter& statuses;
    const policy::PodIdentity& pod;
  };
  ConstraintReconciler(kube::Client& client, Parts parts);

  kube::WorkQueue& queue() noexcept { return queue_; }
  void changed(const std::string& kind, const std::string& name) { queue_.add(kind + "/" + name); }
  // Every constraint of the kind again: its template was loaded, changed or removed.
  void requeue(const std::string& kind);

  // Constraints known, by action label and whether they are loaded: what gatekeeper_constraints counts.
  struct Count {
    std::string action;
    bool active;
    std::int64_t number;
  };
  std::vector<Count> counts() const;

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  struct Known {
    std::string uid;
    std::string action;     // label for metrics; empty: refused, counted nowhere
    bool active = false;    // the newest version is loaded
    bool enforced = false;  // some version was loaded
  };
  void remove(const std::string& kind, const std::string& name);
  Result<void> load(const kube::ObjectPtr& object, Known& known);

  Parts parts_;
  kube::WorkQueue queue_;
  std::map<std::string, Known> known_;  // "Kind/name"
};

}  // namespace portcullis::controller
