// The joints between watches, queues and reconcilers.
#include "cmd/controllers.h"

#include <chrono>

#include "base/log.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::cmd {

namespace {
constexpr std::string_view kNamespaceGroup = "Namespace";
}  // namespace

struct Controllers::Watch {
  std::shared_ptr<kube::Store> store;
  std::unique_ptr<kube::StoreWriter> writer;
  std::unique_ptr<kube::Reflector> reflector;
};

Controllers::Controllers(kube::Client& client, controller::PolicyWorld& world, controller::ReadinessTracker& readiness,
                         policy::PodIdentity pod, controller::Operations operations, ControllerEvents events)
    : client_(client), world_(world), readiness_(readiness), pod_(std::move(pod)), operations_(operations) {
  status_writer_ = std::make_unique<controller::PodStatusWriter>(client_, pod_.ns, pod_.name);
  controller::ConstraintKinds::Events kind_events;
  kind_events.changed = [this](const std::string& kind, const std::string& name) {
    constraint_reconciler_->changed(kind, name);
    if (aggregator_ != nullptr) aggregator_->constraint_changed(kind, name);
  };
  kind_events.synced = [this](const std::string& kind, const std::vector<std::string>& names) {
    readiness_.set_members(kind, names);
  };
  kind_events.absent = [this](const std::string& kind) {
    // Only a kind whose CRD does not exist has no constraints for sure.
    const auto crds = template_reconciler_->crds();
    const std::string crd = policy::constraints_of(kind).plural + ".constraints.gatekeeper.sh";
    if (crds->synced() && crds->get(crd) == nullptr) readiness_.drop_group(kind);
  };
  kinds_ = std::make_unique<controller::ConstraintKinds>(client_, std::move(kind_events));
  constraint_reconciler_ = std::make_unique<controller::ConstraintReconciler>(
      client_, controller::ConstraintReconciler::Parts{world_, readiness_, *kinds_, *status_writer_, pod_});
  template_reconciler_ = std::make_unique<controller::TemplateReconciler>(
      controller::TemplateReconciler::Parts{client_, world_, readiness_, *kinds_, *constraint_reconciler_,
                                            *status_writer_, pod_, operations_, std::move(events.on_ingest)});
  if (operations_.status) {
    controller::StatusAggregator::Parents parents;
    parents.constraint_template = [this](const std::string& name) {
      return template_reconciler_->templates()->get(name);
    };
    parents.constraint = [this](const std::string& kind, const std::string& name) { return kinds_->get(kind, name); };
    aggregator_ = std::make_unique<controller::StatusAggregator>(
        client_, std::move(parents), status_writer_->templates(), status_writer_->constraints());
  }
}

Controllers::~Controllers() { *alive_ = false; }

awaitable<void> Controllers::run(std::shared_ptr<Watch> watch) { co_await watch->reflector->run(); }

void Controllers::watch(const kube::ApiResource& resource, std::shared_ptr<kube::Store> store,
                        kube::StoreListener listener, kube::ReflectorOptions options, const std::string& absent_hint) {
  auto entry = std::make_shared<Watch>();
  entry->store = std::move(store);
  entry->writer = std::make_unique<kube::StoreWriter>(entry->store, std::move(listener));
  options.watcher.backoff.ceiling = std::chrono::seconds(10);
  options.absent_retry = std::chrono::milliseconds(2000);
  const std::weak_ptr<Watch> weak = entry;
  options.on_error = [weak, plural = resource.plural, absent_hint](const Error& error) {
    const auto alive = weak.lock();
    const bool absent = alive != nullptr && alive->reflector->absent();
    log::error("controller",
               "watching " + plural + " failed" + (absent && !absent_hint.empty() ? ": " + absent_hint : ""),
               {{"error", error.to_string()}});
  };
  entry->reflector = std::make_unique<kube::Reflector>(client_, resource, *entry->writer, std::move(options));
  watches_.push_back(entry);
  net::spawn(client_.context(), run(entry), "watch " + resource.plural);
}

void Controllers::watch_templates() {
  kube::StoreListener templates;
  templates.changed = [this](const std::string& key, const kube::ObjectPtr&, const kube::ObjectPtr&) {
    template_reconciler_->changed(key);
    if (aggregator_ != nullptr) aggregator_->template_changed(key);
  };
  templates.synced = [this] {
    readiness_.set_members(controller::kTemplateGroup, template_reconciler_->templates()->keys());
  };
  watch(policy::constraint_templates(), template_reconciler_->templates(), std::move(templates), {},
        "install the CustomResourceDefinitions first: kubectl apply -f crds/");

  kube::StoreListener crds;
  crds.changed = [this](const std::string& key, const kube::ObjectPtr&, const kube::ObjectPtr& after) {
    template_reconciler_->crd_changed(key, after);
  };
  kube::ReflectorOptions only_constraints;
  only_constraints.watcher.label_selector = "gatekeeper.sh/constraint=yes";
  watch(policy::custom_resource_definitions(), template_reconciler_->crds(), std::move(crds),
        std::move(only_constraints));
}

void Controllers::watch_statuses() {
  const auto listener = [this] {
    kube::StoreListener l;
    l.changed = [this](const std::string&, const kube::ObjectPtr& before, const kube::ObjectPtr& after) {
      status_writer_->recheck(after != nullptr ? after : before);
      if (aggregator_ != nullptr) aggregator_->status_changed(before, after);
    };
    return l;
  };
  kube::ReflectorOptions options;
  options.watcher.ns = pod_.ns;
  if (!operations_.status) options.watcher.label_selector = "internal.gatekeeper.sh/pod=" + pod_.name;
  watch(policy::constraint_template_pod_statuses(), status_writer_->templates(), listener(), options);
  watch(policy::constraint_pod_statuses(), status_writer_->constraints(), listener(), options);
}

void Controllers::worker(kube::WorkQueue& queue, kube::Reconciler& reconciler, const char* name) {
  kube::ControllerOptions options;
  options.name = name;
  options.on_error = [name](const std::string& key, const Error& error) {
    log::error("controller", "reconciling failed",
               {{"controller", std::string_view(name)}, {"key", key}, {"error", error.to_string()}});
  };
  net::spawn(client_.context(), kube::run_worker(queue, reconciler, std::move(options)), name);
}

void Controllers::start() {
  readiness_.expect_group(controller::kTemplateGroup);
  if (operations_.webhook) {
    readiness_.expect_group(kNamespaceGroup);
    kube::StoreListener listener;
    listener.synced = [this] { readiness_.set_members(kNamespaceGroup, {}); };
    watch(policy::namespaces(), namespaces_, std::move(listener), {});
  }
  watch_templates();
  watch_statuses();
  worker(template_reconciler_->queue(), *template_reconciler_, "constraint_template_controller");
  worker(constraint_reconciler_->queue(), *constraint_reconciler_, "constraint_controller");
  // Writes wait for the API server; several side by side keep a start with many policies short.
  for (int i = 0; i < 4; ++i) worker(status_writer_->queue(), *status_writer_, "pod_status_controller");
  if (aggregator_ != nullptr) {
    for (int i = 0; i < 4; ++i) worker(aggregator_->queue(), *aggregator_, "status_controller");
  }
  net::spawn(client_.context(), sweep_when_ready(this, alive_), "sweep statuses");
}

awaitable<void> Controllers::sweep_when_ready(Controllers* self, std::shared_ptr<bool> alive) {
  while (*alive && !self->readiness_.satisfied()) {
    const Result<void> slept = co_await net::sleep_until(Deadline::after(std::chrono::seconds(1)));
    if (!slept.ok()) co_return;
  }
  if (*alive) self->status_writer_->sweep();
}

void Controllers::stop() {
  kinds_->stop();
  for (const auto& watch : watches_) watch->reflector->stop();
  template_reconciler_->queue().shut_down();
  constraint_reconciler_->queue().shut_down();
  status_writer_->queue().shut_down();
  if (aggregator_ != nullptr) aggregator_->queue().shut_down();
}

}  // namespace portcullis::cmd
