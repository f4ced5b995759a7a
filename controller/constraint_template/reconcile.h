// ConstraintTemplates: load into the engine, make the CRD of their kind, report this pod's status.
// Threads: the controllers' thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "controller/constraint/kinds.h"
#include "controller/constraint/reconcile.h"
#include "controller/constraint_template/plan.h"
#include "controller/operations.h"
#include "controller/policy_world.h"
#include "controller/readiness.h"
#include "controller/status/pod_status_writer.h"
#include "kube/client/client.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"

namespace portcullis::controller {

inline constexpr std::string_view kTemplateGroup = "ConstraintTemplate";  // in the readiness tracker

class TemplateReconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    PolicyWorld& world;
    ReadinessTracker& readiness;
    ConstraintKinds& kinds;
    ConstraintReconciler& constraints;
    PodStatusWriter& statuses;
    const policy::PodIdentity& pod;
    Operations operations;
    // For metrics: a template was compiled (or failed to) in that time.
    std::function<void(bool good, std::chrono::nanoseconds time)> on_ingest;
  };
  explicit TemplateReconciler(Parts parts);

  kube::WorkQueue& queue() noexcept { return queue_; }
  std::shared_ptr<kube::Store> templates() const { return templates_; }
  std::shared_ptr<kube::Store> crds() const { return crds_; }
  void changed(const std::string& name) { queue_.add(name); }
  // The CRD of a constraint kind appeared, changed or went.
  void crd_changed(const std::string& crd_name, const kube::ObjectPtr& crd);

  std::int64_t count(bool good) const;  // templates loaded and broken

  awaitable<Result<kube::Reconciled>> reconcile(std::string name) override;

 private:
  struct Known {
    std::string kind;   // of the version that is loaded; empty: none ever was
    bool good = false;  // the newest version is loaded
    std::vector<policy::StatusError> errors;
  };
  void remove(const std::string& name);
  void load(const kube::ObjectPtr& object, Known& known);
  void report(const std::string& name, const kube::ObjectPtr& object, const std::vector<policy::StatusError>& errors);
  awaitable<Result<void>> apply_crd(std::string name, std::shared_ptr<const Document> crd);

  Parts parts_;
  kube::WorkQueue queue_;
  std::shared_ptr<kube::Store> templates_ = std::make_shared<kube::Store>();
  std::shared_ptr<kube::Store> crds_ = std::make_shared<kube::Store>();
  std::map<std::string, Known> known_;
};

}  // namespace portcullis::controller
