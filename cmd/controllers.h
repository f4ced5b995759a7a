// Everything that runs on the controllers' thread: watches, queues, reconcilers, and how their events are joined.
// Threads: built on the main thread, then start() and everything after it on the client's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/config/reconcile.h"
#include "controller/constraint/kinds.h"
#include "controller/constraint/reconcile.h"
#include "controller/constraint_template/reconcile.h"
#include "controller/operations.h"
#include "controller/policy_world.h"
#include "controller/readiness.h"
#include "controller/status/aggregator.h"
#include "controller/status/pod_status_writer.h"
#include "controller/sync/reconcile.h"
#include "controller/syncset/reconcile.h"
#include "kube/client/client.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"

namespace portcullis::cmd {

struct ControllerEvents {
  std::function<void(bool good, std::chrono::nanoseconds time)> on_ingest;
  // An object was taken into data.inventory, or out of it.
  std::function<void(std::chrono::nanoseconds time)> on_sync;
  // Synced objects of a kind, and the bytes of all of them.
  std::function<void(const std::string& kind, std::int64_t active, std::int64_t error, std::size_t bytes)> on_synced;
  // Kinds of constraints and of synced objects that are watched, and that should be.
  std::function<void(std::size_t watched, std::size_t intended)> on_watching;
};

class Controllers {
 public:
  Controllers(kube::Client& client, controller::PolicyWorld& world, controller::ReadinessTracker& readiness,
              policy::PodIdentity pod, controller::Operations operations, controller::SyncOptions sync,
              ControllerEvents events);
  ~Controllers();

  void start();
  void stop();

  std::shared_ptr<const kube::Store> namespaces() const { return namespaces_; }
  const controller::ConstraintReconciler& constraints() const { return *constraint_reconciler_; }
  const controller::TemplateReconciler& templates() const { return *template_reconciler_; }

 private:
  struct Watch;
  void watch(const kube::ApiResource& resource, std::shared_ptr<kube::Store> store, kube::StoreListener listener,
             kube::ReflectorOptions options, const std::string& absent_hint = {}, std::string_view optional_group = {});
  void make_policies();
  void make_sync(const controller::SyncOptions& options);
  void make_aggregator();
  void report_watching() const;
  void start_policies();
  void watch_config();
  void watch_templates();
  void watch_statuses();
  void worker(kube::WorkQueue& queue, kube::Reconciler& reconciler, const char* name);
  static awaitable<void> run(std::shared_ptr<Watch> watch);
  static awaitable<void> sweep_when_ready(Controllers* self, std::shared_ptr<bool> alive);

  kube::Client& client_;
  controller::PolicyWorld& world_;
  controller::ReadinessTracker& readiness_;
  const policy::PodIdentity pod_;
  const controller::Operations operations_;
  std::shared_ptr<kube::Store> namespaces_ = std::make_shared<kube::Store>();
  std::unique_ptr<controller::PodStatusWriter> status_writer_;
  std::unique_ptr<controller::ConstraintKinds> kinds_;
  std::unique_ptr<controller::ConstraintReconciler> constraint_reconciler_;
  std::unique_ptr<controller::TemplateReconciler> template_reconciler_;
  ControllerEvents events_;
  std::unique_ptr<controller::SyncController> sync_;  // null: this process evaluates nothing
  std::unique_ptr<controller::ConfigReconciler> config_reconciler_;
  std::unique_ptr<controller::SyncSetReconciler> sync_set_reconciler_;  // null as sync_
  std::unique_ptr<controller::StatusAggregator> aggregator_;
  std::vector<std::shared_ptr<Watch>> watches_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace portcullis::cmd
