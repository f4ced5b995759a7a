// The joints between watches, queues and reconcilers.
#include "cmd/controllers.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/io.h"
#include "policy/model/resources.h"
#include "policy/model/sync.h"

namespace portcullis::cmd {

namespace {
constexpr std::string_view kNamespaceGroup = "Namespace";
}  // namespace

struct Controllers::Watch {
  std::shared_ptr<kube::Store> store;
  std::unique_ptr<kube::StoreWriter> writer;
  std::unique_ptr<kube::Reflector> reflector;
  bool said_absent = false;
};

Controllers::Controllers(kube::Client& client, controller::PolicyWorld& world, controller::ReadinessTracker& readiness,
                         policy::PodIdentity pod, controller::Operations operations, controller::SyncOptions sync,
                         ControllerEvents events)
    : client_(client),
      world_(world),
      readiness_(readiness),
      pod_(std::move(pod)),
      operations_(operations),
      events_(std::move(events)) {
  status_writer_ = std::make_unique<controller::PodStatusWriter>(client_, pod_.ns, pod_.name);
  make_policies();
  make_sync(sync);
  if (operations_.status) make_aggregator();
}

void Controllers::make_policies() {
  controller::ConstraintKinds::Events kind_events;
  kind_events.changed = [this](const std::string& kind, const std::string& name) {
    constraint_reconciler_->changed(kind, name);
    if (aggregator_ != nullptr) aggregator_->parent_changed({controller::StatusOf::kConstraint, kind, name});
  };
  kind_events.synced = [this](const std::string& kind, const std::vector<std::string>& names) {
    readiness_.set_members(kind, names);
    report_watching();
  };
  kind_events.absent = [this](const std::string& kind) {
    // Only a kind whose CRD does not exist has no constraints for sure.
    const auto crds = template_reconciler_->crds();
    const std::string crd = policy::constraints_of(kind).plural + ".constraints.gatekeeper.sh";
    if (crds->synced() && crds->get(crd) == nullptr) readiness_.drop_group(kind);
    report_watching();
  };
  kind_events.dropped = [this] { report_watching(); };
  kinds_ = std::make_unique<controller::ConstraintKinds>(client_, std::move(kind_events));
  constraint_reconciler_ = std::make_unique<controller::ConstraintReconciler>(
      client_, controller::ConstraintReconciler::Parts{world_, readiness_, *kinds_, *status_writer_, pod_});
  template_reconciler_ = std::make_unique<controller::TemplateReconciler>(controller::TemplateReconciler::Parts{
      client_, world_, readiness_, *kinds_, *constraint_reconciler_, *status_writer_, pod_, operations_,
      [this](bool good, std::chrono::nanoseconds time) {
        if (events_.on_ingest) events_.on_ingest(good, time);
        report_watching();
      }});
}

void Controllers::make_sync(const controller::SyncOptions& options) {
  if (operations_.loads_policies()) {
    controller::SyncController::Events events;
    events.kinds_changed = [this] {
      config_reconciler_->recheck();
      sync_set_reconciler_->recheck();
    };
    events.counted = [this](const std::string& kind, std::int64_t active, std::int64_t error) {
      const std::size_t bytes = world_.inventory().memory() + world_.withheld().memory();
      if (events_.on_synced) events_.on_synced(kind, active, error, bytes);
    };
    events.taken_in = events_.on_sync;
    events.watching = [this](std::size_t, std::size_t) { report_watching(); };
    sync_ = std::make_unique<controller::SyncController>(client_, world_.inventory(), world_.withheld(), readiness_,
                                                         options, std::move(events));
    sync_set_reconciler_ = std::make_unique<controller::SyncSetReconciler>(client_, readiness_, *sync_);
  }
  config_reconciler_ = std::make_unique<controller::ConfigReconciler>(
      controller::ConfigReconciler::Parts{client_, world_, readiness_, *status_writer_, pod_, sync_.get()});
}

void Controllers::make_aggregator() {
  const auto find = [this](const controller::ParentKey& key) -> kube::ObjectPtr {
    switch (key.of) {
      case controller::StatusOf::kTemplate: return template_reconciler_->templates()->get(key.name);
      case controller::StatusOf::kConstraint: return kinds_->get(key.kind, key.name);
      case controller::StatusOf::kConfig:  // a Config of another name is ignored, its status too
        return key.name == policy::kConfigName ? config_reconciler_->config() : nullptr;
    }
    return nullptr;
  };
  aggregator_ = std::make_unique<controller::StatusAggregator>(client_, pod_.ns, find, status_writer_->stores());
}

void Controllers::report_watching() const {
  if (!events_.on_watching) return;
  const std::size_t synced = sync_ == nullptr ? 0 : sync_->watched();
  const std::size_t wanted = sync_ == nullptr ? 0 : sync_->intended();
  events_.on_watching(kinds_->served() + synced, kinds_->kinds().size() + wanted);
}

Controllers::~Controllers() { *alive_ = false; }

awaitable<void> Controllers::run(std::shared_ptr<Watch> watch) { co_await watch->reflector->run(); }

void Controllers::watch(const kube::ApiResource& resource, std::shared_ptr<kube::Store> store,
                        kube::StoreListener listener, kube::ReflectorOptions options, const std::string& absent_hint,
                        std::string_view optional_group) {
  auto entry = std::make_shared<Watch>();
  entry->store = std::move(store);
  entry->writer = std::make_unique<kube::StoreWriter>(entry->store, std::move(listener));
  options.watcher.backoff.ceiling = std::chrono::seconds(10);
  options.absent_retry = std::chrono::milliseconds(2000);
  const std::weak_ptr<Watch> weak = entry;
  options.on_error = [this, weak, plural = resource.plural, absent_hint,
                      group = std::string(optional_group)](const Error& error) {
    const auto alive = weak.lock();
    const bool absent = alive != nullptr && alive->reflector->absent();
    if (absent && !group.empty()) {  // nothing to wait for; said once, and looked for again
      readiness_.drop_group(group);
      if (!std::exchange(alive->said_absent, true)) {
        readiness_.note(group, "the cluster does not serve this kind");
        log::warning("controller", "the cluster does not serve " + plural, {{"error", error.to_string()}});
      }
      return;
    }
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
    if (aggregator_ != nullptr) aggregator_->parent_changed({controller::StatusOf::kTemplate, {}, key});
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
  for (const controller::StatusKind& kind : controller::status_kinds()) {
    watch(kind.resource(), status_writer_->stores()[static_cast<std::size_t>(kind.of)], listener(), options);
  }
}

void Controllers::watch_config() {
  kube::StoreListener configs;
  configs.changed = [this](const std::string& key, const kube::ObjectPtr&, const kube::ObjectPtr&) {
    config_reconciler_->changed(key);
    const kube::KeyParts parts = kube::split_key(key);
    if (aggregator_ != nullptr) aggregator_->parent_changed({controller::StatusOf::kConfig, {}, parts.name});
  };
  configs.synced = [this] { config_reconciler_->listed(); };
  kube::ReflectorOptions own_namespace;
  own_namespace.watcher.ns = pod_.ns;
  watch(policy::configs(), config_reconciler_->configs(), std::move(configs), own_namespace, {},
        controller::kConfigGroup);
  if (sync_set_reconciler_ == nullptr) return;
  kube::StoreListener sync_sets;
  sync_sets.changed = [this](const std::string& key, const kube::ObjectPtr&, const kube::ObjectPtr&) {
    sync_set_reconciler_->changed(key);
  };
  sync_sets.synced = [this] { sync_set_reconciler_->listed(); };
  watch(policy::sync_sets(), sync_set_reconciler_->sync_sets(), std::move(sync_sets), {}, {},
        controller::kSyncSetGroup);
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
  readiness_.expect_group(controller::kConfigGroup);
  if (sync_set_reconciler_ != nullptr) readiness_.expect_group(controller::kSyncSetGroup);
  if (operations_.loads_policies()) start_policies();
  watch_config();
  watch_statuses();
  report_watching();  // from the start, as Gatekeeper
  worker(config_reconciler_->queue(), *config_reconciler_, "config_controller");
  if (sync_set_reconciler_ != nullptr) {
    worker(sync_set_reconciler_->queue(), *sync_set_reconciler_, "syncset_controller");
  }
  // Writes wait for the API server; several side by side keep a start with many policies short.
  for (int i = 0; i < 4; ++i) worker(status_writer_->queue(), *status_writer_, "pod_status_controller");
  if (aggregator_ != nullptr) {
    for (int i = 0; i < 4; ++i) worker(aggregator_->queue(), *aggregator_, "status_controller");
  }
  net::spawn(client_.context(), sweep_when_ready(this, alive_), "sweep statuses");
}

void Controllers::start_policies() {
  readiness_.expect_group(controller::kTemplateGroup);
  if (operations_.webhook) {
    readiness_.expect_group(kNamespaceGroup);
    kube::StoreListener listener;
    listener.synced = [this] { readiness_.set_members(kNamespaceGroup, {}); };
    watch(policy::namespaces(), namespaces_, std::move(listener), {});
  }
  watch_templates();
  worker(template_reconciler_->queue(), *template_reconciler_, "constraint_template_controller");
  worker(constraint_reconciler_->queue(), *constraint_reconciler_, "constraint_controller");
}

awaitable<void> Controllers::sweep_when_ready(Controllers* self, std::shared_ptr<bool> alive) {
  while (*alive && !self->readiness_.satisfied()) {
    const Result<void> slept = co_await net::sleep_until(Deadline::after(std::chrono::seconds(1)));
    if (!slept.ok() || !*alive) co_return;
    if (self->config_reconciler_->readiness_stats()) {
      log::info("readiness", "unsatisfied expectations", {{"missing", text::join(self->readiness_.missing(), ", ")}});
    }
  }
  if (*alive) self->status_writer_->sweep();
}

void Controllers::stop() {
  kinds_->stop();
  if (sync_ != nullptr) sync_->stop();
  for (const auto& watch : watches_) watch->reflector->stop();
  template_reconciler_->queue().shut_down();
  constraint_reconciler_->queue().shut_down();
  config_reconciler_->queue().shut_down();
  if (sync_set_reconciler_ != nullptr) sync_set_reconciler_->queue().shut_down();
  status_writer_->queue().shut_down();
  if (aggregator_ != nullptr) aggregator_->queue().shut_down();
}

}  // namespace portcullis::cmd
