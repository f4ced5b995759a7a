// Config: which kinds are synced, which namespaces are left out of what; this pod's status for it.
// Threads: the controllers' thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "controller/config/plan.h"
#include "controller/policy_world.h"
#include "controller/readiness.h"
#include "controller/status/pod_status_writer.h"
#include "controller/sync/reconcile.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"
#include "policy/status/status.h"

namespace portcullis::controller {

inline constexpr std::string_view kConfigGroup = "Config";  // in the readiness tracker

class ConfigReconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    PolicyWorld& world;
    ReadinessTracker& readiness;
    PodStatusWriter& statuses;
    const policy::PodIdentity& pod;
    SyncController* sync;  // null: this pod evaluates no policies and keeps nothing
  };
  explicit ConfigReconciler(Parts parts);

  kube::WorkQueue& queue() noexcept { return queue_; }
  std::shared_ptr<kube::Store> configs() const { return configs_; }  // of Gatekeeper's namespace
  kube::ObjectPtr config() const;                                    // null: there is none
  void changed(const std::string& key) { queue_.add(key); }
  // The state of a synced kind changed: the status may have to say something else.
  void recheck();
  // The first list of Configs is complete: the tracker waits for the Config if there is one.
  void listed();
  // spec.readiness.statsEnabled.
  bool readiness_stats() const noexcept { return stats_; }

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  void apply(const ConfigPlan& plan);
  void report(const kube::ObjectPtr& object, const ConfigPlan& plan);

  Parts parts_;
  kube::WorkQueue queue_;
  std::shared_ptr<kube::Store> configs_ = std::make_shared<kube::Store>();
  std::shared_ptr<const policy::Exclusions> exclusions_ = std::make_shared<const policy::Exclusions>();
  bool stats_ = false;
};

}  // namespace portcullis::controller
