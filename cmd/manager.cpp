// Wiring of the controller process: threads, client, policies, webhook, audit, health, and their graceful end.
#include "cmd/manager.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "audit/run.h"
#include "audit/trigger.h"
#include "base/log.h"
#include "base/text.h"
#include "cmd/controllers.h"
#include "cmd/engine_host.h"
#include "cmd/manager_metrics.h"
#include "cmd/manager_options.h"
#include "cmd/pprof.h"
#include "controller/certificate/reconcile.h"
#include "engine/rego/builtins/registry.h"
#include "kube/client/client.h"
#include "kube/client/config.h"
#include "kube/runtime/event_recorder.h"
#include "net/blocking.h"
#include "net/certificates.h"
#include "net/http_server.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "net/log_writer.h"
#include "net/run_on.h"
#include "policy/explain/explain.h"
#include "policy/match/exclusions.h"
#include "policy/model/object.h"
#include "policy/model/resources.h"
#include "webhook/admit.h"
#include "webhook/health.h"

namespace portcullis::cmd {

namespace {

constexpr std::string_view kLogger = "setup";
constexpr std::chrono::seconds kStartTimeout{30};
constexpr std::chrono::seconds kStopGrace{15};
constexpr std::chrono::seconds kStopIdle{2};  // the API server keeps HTTP/1.1 connections, and sends no request twice
constexpr std::chrono::seconds kLogFlush{1};
constexpr std::chrono::seconds kCertificatePoll{2};
constexpr std::chrono::seconds kPostponedAudit{2};
// In one line of the log.
constexpr std::size_t kConnectionBytes = std::size_t{48} << 10;  // an estimate: TLS records both ways, and its state
constexpr std::size_t kLoggedNotMatched = 100;
constexpr std::size_t kLoggedViolations = 100;
// Bounds of one constraint on one object in the cluster: far above what real policies need (thousands of instructions),
// far below what would hold up a webhook.
rego::EvalLimits cluster_limits() {
  rego::EvalLimits limits;
  limits.instructions = 50'000'000;
  limits.arena_bytes = std::size_t{256} << 20;
  return limits;
}

std::vector<std::string> comma_list(const std::string& text) {
  std::vector<std::string> list;
  for (const std::string_view part : text::split(text, ',')) {
    if (!text::trim(part).empty()) list.emplace_back(text::trim(part));
  }
  return list;
}

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
// Go's ":9090" and "127.0.0.1:9090"; "0" is off.
Result<std::optional<Address>> parse_address(const std::string& text) {
  if (text == "0" || text.empty()) return std::optional<Address>{};
  const std::size_t colon = text.rfind(':');
  char* end = nullptr;
  const unsigned long port = colon == std::string::npos ? 65536 : std::strtoul(text.c_str() + colon + 1, &end, 10);
  if (port > 65535 || end == nullptr || *end != '\0') {
    return make_error(Code::kInvalid, "bad address " + text::go_quote(text) + ": want host:port, for example :9090");
  }
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return std::optional<Address>{Address{std::move(host), static_cast<std::uint16_t>(port)}};
}

// --metrics-backend: a comma list in any case, given any number of times.
Result<void> check_metrics_backends(const std::vector<std::string>& backends) {
  for (const std::string& entry : backends) {
    for (const std::string_view name : text::split(entry, ',')) {
      const std::string lower = text::to_lower_ascii(name);
      if (lower == "prometheus" || lower == "opentelemetry" || lower == "stackdriver") continue;
      return make_error(Code::kInvalid, "exporter " + std::string(name) +
                                            " is not a valid exporter: [opentelemetry prometheus stackdriver]");
    }
  }
  return ok();
}

bool serves_prometheus(const std::vector<std::string>& backends) {
  return std::any_of(backends.begin(), backends.end(), [](const std::string& entry) {
    return text::to_lower_ascii(entry).find("prometheus") != std::string::npos;
  });
}

// Templates that have code for the CEL engine, loaded or not.
std::int64_t templates_with_cel(const kube::Store& templates) {
  std::int64_t count = 0;
  for (const kube::ObjectPtr& object : templates.list()) {
    bool cel = false;
    for (const Value& target : object->root().path({"spec", "targets"}).elements()) {
      for (const Value& code : target.get("code").elements()) {
        cel = cel || code.string_or("engine") == policy::kCelEngine;
      }
    }
    if (cel) ++count;
  }
  return count;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Manager {
 public:
  Manager(ManagerOptions options, controller::Operations operations)
      : options_(std::move(options)), operations_(operations) {}

  Result<void> start();
  void serve_until_signal();

 private:
  Result<void> connect();
  Result<policy::PodIdentity> find_pod();
  void start_controllers(policy::PodIdentity pod);
  Result<void> start_certificates();
  Result<void> start_webhook();
  Result<void> start_audit();
  Result<void> start_health();
  Result<void> start_pprof();
  void wait_for_signal(std::chrono::milliseconds at_most);
  void log_explanation(const webhook::Explained& explained) const;
  std::vector<metrics::MemoryKind> known_memory() const;
  void show_certificates(const controller::CertificateSet& set);
  awaitable<Result<kube::Object>> fetch_namespace(std::string name, Deadline deadline);
  awaitable<void> poll_certificate_files();
  std::function<bool(std::string_view ns)> excluded_from(policy::Process process);

  ManagerOptions options_;
  controller::Operations operations_;
  EngineHost host_;
  ManagerMetrics metrics_;
  std::unique_ptr<ConstraintMetrics> constraint_metrics_;  // --constraint-metrics
  rego::BuiltinRegistry builtins_ = rego::all_builtins();
  controller::ReadinessTracker readiness_;
  net::TlsServerCell tls_;
  std::atomic<bool> webhook_up_{false};

  std::unique_ptr<net::IoThread> control_ = std::make_unique<net::IoThread>("control");
  std::unique_ptr<net::IoThread> audit_thread_;
  std::unique_ptr<net::IoPool> health_pool_ = std::make_unique<net::IoPool>(1, "health");
  std::unique_ptr<net::IoPool> webhook_pool_;
  std::optional<kube::ClientConfig> config_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::Client> audit_client_;
  std::unique_ptr<controller::PolicyWorld> world_;
  std::unique_ptr<Controllers> controllers_;
  std::unique_ptr<controller::CertificateReconciler> certificates_;
  std::unique_ptr<controller::CertificateFiles> certificate_files_;
  std::unique_ptr<webhook::AdmitHandler> admit_;
  std::unique_ptr<net::HttpServer> webhook_server_;
  std::unique_ptr<kube::EventRecorder> webhook_events_;
  std::unique_ptr<kube::EventRecorder> audit_events_;
  std::unique_ptr<audit::Auditor> auditor_;
  std::unique_ptr<kube::Periodic> audit_timer_;
  std::unique_ptr<audit::Triggers> audit_triggers_;
  webhook::HealthHandler health_;
  webhook::HealthHandler metrics_page_;
  std::unique_ptr<net::HttpServer> health_server_;
  std::unique_ptr<net::HttpServer> metrics_server_;
  std::unique_ptr<PprofHandler> pprof_;
  std::unique_ptr<net::HttpServer> pprof_server_;
};

Result<void> Manager::connect() {
  metrics_.set_build(PC_VERSION);
  metrics_.show_absent_features();
  if (options_.constraint_metrics) {
    constraint_metrics_ = std::make_unique<ConstraintMetrics>(
        static_cast<std::size_t>(std::max<std::int64_t>(0, options_.constraint_metrics_limit)));
    metrics_.show_constraints(constraint_metrics_.get());
  }
  PC_TRY(config_, kube::find_config(options_.kubeconfig));
  kube::ClientOptions client_options;
  client_options.user_agent = "portcullis";
  PC_TRY(client_, kube::Client::create(control_->context(), *config_, client_options));
  for (const std::string& builtin : options_.disabled_opa_builtins) builtins_.disable(builtin);
  policy::DriverOptions driver;
  driver.builtins = &builtins_;
  driver.referential = options_.enable_referential_rules;
  world_ = std::make_unique<controller::PolicyWorld>(control_->context(), driver);
  return ok();
}

Result<policy::PodIdentity> Manager::find_pod() {
  policy::PodIdentity pod;
  pod.ns = options_.pod_namespace;
  pod.operations = operations_.names();
  pod.name = options_.debug_use_fake_pod ? "no-pod" : options_.pod_name;
  if (options_.debug_use_fake_pod) return pod;
  if (pod.name.empty()) {
    return make_error(Code::kInvalid,
                      "POD_NAME is not set: set it (and POD_NAMESPACE) from the pod's own metadata, or pass "
                      "--debug-use-fake-pod to run outside a cluster");
  }
  const Result<kube::Object> object = net::run_blocking(
      control_->context(), client_->get(policy::pods(), pod.ns, pod.name, Deadline::after(kStartTimeout)));
  if (!object.ok()) {
    return make_error(object.error().code,
                      "cannot read the own pod " + pod.ns + "/" + pod.name + ": " + object.error().to_string());
  }
  pod.uid = object->meta().uid();
  return pod;
}

void Manager::start_controllers(policy::PodIdentity pod) {
  ControllerEvents events;
  events.on_ingest = [this](bool good, std::chrono::nanoseconds time) { metrics_.template_ingested(good, time); };
  events.on_sync = [this](std::chrono::nanoseconds time) { metrics_.object_synced(seconds_now(), time); };
  events.on_synced = [this](const std::string& kind, std::int64_t active, std::int64_t error, std::size_t bytes) {
    metrics_.set_synced(kind, active, error, bytes);
  };
  events.on_watching = [this](std::size_t watched, std::size_t intended) { metrics_.set_watching(watched, intended); };
  controller::SyncOptions sync;
  sync.max_bytes = static_cast<std::size_t>(std::max<std::int64_t>(0, options_.max_inventory_bytes));
  sync.keep_excluded = options_.audit_from_cache && operations_.audit;
  controllers_ = std::make_unique<Controllers>(*client_, *world_, readiness_, std::move(pod), operations_, sync,
                                               std::move(events));
  world_->on_publish([this](const policy::Snapshot&) {
    if (constraint_metrics_ != nullptr) {
      constraint_metrics_->prune([now = world_->cell().load()](std::string_view kind, std::string_view name) {
        return now->find_constraint(kind, name) != nullptr;
      });
    }
    metrics_.set_templates(controllers_->templates().count(true), controllers_->templates().count(false),
                           templates_with_cel(*controllers_->templates().templates()));
    for (const auto& count : controllers_->constraints().counts()) {
      metrics_.set_constraints(count.action, count.active, count.number);
    }
  });
  net::post(control_->context(), [this] { controllers_->start(); });
}

awaitable<void> Manager::poll_certificate_files() {
  for (;;) {
    const Result<void> slept = co_await net::sleep_until(Deadline::after(kCertificatePoll));
    if (!slept.ok()) co_return;
    const Result<void> reloaded = certificate_files_->reload();
    if (!reloaded.ok())
      log::error("cert-rotation", "keeping the certificate that is served", {{"error", reloaded.error().to_string()}});
  }
}

void Manager::show_certificates(const controller::CertificateSet& set) {
  const auto show = [this](std::string_view name, const std::string& pem) {
    const Result<net::CertificateInfo> info = net::inspect_certificate(pem);
    if (info.ok()) metrics_.set_certificate_expiry(name, info->not_after);
  };
  show("server", set.server.certificate_pem);
  show("authority", set.authority.certificate_pem);
}

Result<void> Manager::start_certificates() {
  net::TlsServerOptions tls;
  PC_TRY(tls.min_version, net::parse_tls_version(options_.tls_min_version).with_context("--tls-min-version"));
  if (!options_.client_ca_name.empty()) {
    tls.client_common_name = options_.client_cn_name;
    const std::string path = options_.cert_dir + "/" + options_.client_ca_name;
    std::ifstream file(path, std::ios::binary);
    tls.client_ca_pem.assign(std::istreambuf_iterator<char>(file), {});
    if (tls.client_ca_pem.empty()) return make_error(Code::kNotFound, "--client-ca-name: cannot read " + path);
  }
  if (options_.disable_cert_rotation) {
    if (!operations_.webhook && !operations_.mutation_webhook) return ok();
    certificate_files_ = std::make_unique<controller::CertificateFiles>(
        options_.cert_dir, options_.client_ca_name, tls, tls_, [this](const auto& set) { show_certificates(set); });
    PC_TRY_VOID(certificate_files_->reload().with_context("--cert-dir (certificate rotation is off)"));
    net::spawn(control_->context(), poll_certificate_files(), "certificate files");
    return ok();
  }
  controller::CertificateOptions certificates;
  certificates.ns = options_.pod_namespace;
  certificates.service_name = options_.cert_service_name;
  certificates.validating_configurations = comma_list(options_.additional_validating_webhook_configs);
  certificates.validating_configurations.insert(certificates.validating_configurations.begin(),
                                                options_.validating_webhook_configuration_name);
  certificates.mutating_configurations = comma_list(options_.additional_mutating_webhook_configs);
  certificates.mutating_configurations.insert(certificates.mutating_configurations.begin(),
                                              options_.mutating_webhook_configuration_name);
  certificates.tls = tls;
  certificates.now = [] {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  certificates.served = [this](const controller::CertificateSet& set) { show_certificates(set); };
  certificates_ = std::make_unique<controller::CertificateReconciler>(*client_, tls_, std::move(certificates));
  net::post(control_->context(), [this] { certificates_->start(); });
  return ok();
}

awaitable<Result<kube::Object>> Manager::fetch_namespace(std::string name, Deadline deadline) {
  auto object_call =
      net::run_on(control_->context(), client_->get(policy::namespaces(), {}, std::move(name), deadline));
  Result<kube::Object> object = co_await std::move(object_call);
  co_return object;
}

void Manager::log_explanation(const webhook::Explained& explained) const {
  policy::DriverOptions driver;
  driver.builtins = &builtins_;
  driver.referential = options_.enable_referential_rules;
  thread_local policy::RuleProbes probes(driver);
  policy::ExplainOptions how;
  how.review.limits = explained.limits;
  how.exclusion = std::string(explained.exclusion);
  how.max_not_matched = kLoggedNotMatched;
  how.max_violations = kLoggedViolations;
  const policy::Explanation explanation =
      policy::explain(explained.snapshot, explained.review, explained.result, explained.inventory, explained.scratch,
                      explained.host, probes, how);
  std::string json = policy::explanation_json(explanation, false);
  json.pop_back();  // the line feed
  log::info(
      "webhook", "explanation",
      {{"hookType", std::string_view("validation")}, {"request_uid", explained.review.uid}, {"explanation", json}});
}

Result<void> Manager::start_webhook() {
  if (!operations_.webhook && !operations_.mutation_webhook) return ok();
  webhook::AdmitOptions admit;
  admit.own_namespace = options_.pod_namespace;
  admit.exempt_namespaces = options_.exempt_namespaces;
  admit.exempt_prefixes = options_.exempt_namespace_prefixes;
  admit.exempt_suffixes = options_.exempt_namespace_suffixes;
  admit.report.log_denies = options_.log_denies;
  admit.report.log_stats = options_.log_stats_admission;
  admit.report.events_in_involved_namespace = options_.admission_events_involved_namespace;
  admit.report.own_namespace = options_.pod_namespace;
  if (options_.emit_admission_events) {
    webhook_events_ = std::make_unique<kube::EventRecorder>(*client_);
    admit.report.events = webhook_events_.get();
    net::post(control_->context(), [this] { webhook_events_->start(); });
  }
  admit.validate_enforcement_action = !options_.disable_enforcement_action_validation;
  admit.serve_admit = operations_.webhook;
  admit.excluded = excluded_from(policy::Process::kWebhook);
  admit.trace = [this](const policy::Review& review) {
    thread_local policy::CachedTraces mine;
    return webhook::trace_of(world_->traces().refresh(mine), review);
  };
  if (options_.log_explanations) {
    admit.explain = [this](const webhook::Explained& explained) { log_explanation(explained); };
  }
  admit.limits = cluster_limits();
  admit.ready = [this] { return readiness_.satisfied() && world_->settled(); };
  webhook::AdmitObserver observer;
  observer.reviewed = [this](std::string_view status, bool dry_run, std::chrono::nanoseconds time) {
    metrics_.validation_request(status, dry_run, time);
  };
  if (constraint_metrics_ != nullptr) {
    observer.result = [this](const policy::ReviewResult& result) { constraint_metrics_->reviewed(result); };
  }
  admit_ = std::make_unique<webhook::AdmitHandler>(
      std::move(admit), world_->cell(), world_->inventory(), controllers_->namespaces(),
      [this](std::string name, Deadline deadline) { return fetch_namespace(std::move(name), deadline); }, host_,
      std::move(observer));
  const std::int64_t wanted = options_.max_serving_threads;
  const std::size_t threads =
      wanted > 0 ? static_cast<std::size_t>(wanted) : std::max(1u, std::thread::hardware_concurrency());
  webhook_pool_ = std::make_unique<net::IoPool>(std::min<std::size_t>(threads, 256), "webhook");
  net::HttpServerOptions server;
  server.name = "webhook";
  server.host = options_.host;
  server.port = static_cast<std::uint16_t>(options_.port);
  server.max_body_bytes = webhook::kMaxBody - 1;
  server.stop_idle = kStopIdle;
  webhook_server_ = std::make_unique<net::HttpServer>(*webhook_pool_, *admit_, std::move(server), &tls_);
  PC_TRY_VOID(webhook_server_->start().with_context("webhook server"));
  webhook_up_ = true;
  log::info(kLogger, "serving webhook", {{"port", static_cast<std::int64_t>(webhook_server_->port())}});
  return ok();
}

// Asked once a review on any thread: each keeps a pointer of its own to what Config says.
std::function<bool(std::string_view ns)> Manager::excluded_from(policy::Process process) {
  return [this, process](std::string_view ns) {
    thread_local policy::CachedExclusions mine;
    return world_->exclusions().refresh(mine).excluded(process, ns);
  };
}

Result<void> Manager::start_audit() {
  audit::TriggerOptions triggers;
  for (const std::string& expression : options_.audit_schedules) {
    PC_TRY(audit::Schedule schedule,
           audit::Schedule::parse(expression, options_.audit_time_zone).with_context("--audit-schedule"));
    triggers.schedules.push_back(std::move(schedule));
  }
  triggers.annotation = options_.audit_request_annotation;
  triggers.own_namespace = options_.pod_namespace;
  const bool triggered = !triggers.schedules.empty() || !triggers.annotation.empty();
  if (!operations_.audit || (options_.audit_interval <= 0 && !triggered)) return ok();
  log::info("controller", "Starting Audit Manager", {{"process", std::string_view("audit")}});
  audit_thread_ = std::make_unique<net::IoThread>("audit");
  // On Linux niceness belongs to the thread: audit takes what admission leaves.
  net::post(audit_thread_->context(),
            [] { static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10)); });
  PC_TRY(audit_client_, kube::Client::create(audit_thread_->context(), *config_, {}));
  audit::AuditOptions audit;
  audit.violations_limit = static_cast<std::size_t>(std::max<std::int64_t>(0, options_.constraint_violations_limit));
  audit.chunk_size = static_cast<std::uint32_t>(std::clamp<std::int64_t>(options_.audit_chunk_size, 0, 1 << 20));
  audit.limits = cluster_limits();
  audit.from_cache = options_.audit_from_cache;
  audit.excluded = excluded_from(policy::Process::kAudit);
  audit.withheld = &world_->withheld();
  audit.log_stats = options_.log_stats_audit;
  audit.events.in_involved_namespace = options_.audit_events_involved_namespace;
  audit.events.own_namespace = options_.pod_namespace;
  if (options_.emit_audit_events) {
    audit_events_ = std::make_unique<kube::EventRecorder>(*audit_client_);
    audit.events.recorder = audit_events_.get();
    net::post(audit_thread_->context(), [this] { audit_events_->start(); });
  }
  audit::AuditObserver observer;
  observer.started = [this](double when) { metrics_.audit_started(when); };
  observer.finished = [this](double when, std::chrono::nanoseconds duration, const audit::Report& report) {
    metrics_.audit_finished(when, duration, report.by_action());
    if (constraint_metrics_ == nullptr) return;
    for (const auto& [key, entry] : report.constraints()) {
      constraint_metrics_->audited(*entry.constraint, entry.violations.total());
    }
  };
  observer.postponed = [this] { audit_timer_->again_after(kPostponedAudit); };
  auditor_ = std::make_unique<audit::Auditor>(*audit_client_, world_->cell(), world_->inventory(), host_, audit,
                                              std::move(observer),
                                              [this] { return readiness_.satisfied() && world_->settled(); });
  constexpr std::chrono::seconds kNever = std::chrono::hours(24 * 365 * 100);
  audit_timer_ = std::make_unique<kube::Periodic>(
      audit_thread_->context(), *auditor_,
      options_.audit_interval > 0 ? std::chrono::seconds(options_.audit_interval) : kNever);
  net::spawn(audit_thread_->context(), audit_timer_->run(), "audit");
  if (triggered) {
    audit_triggers_ = std::make_unique<audit::Triggers>(*audit_client_, *audit_timer_, std::move(triggers));
    net::post(audit_thread_->context(), [this] { audit_triggers_->start(); });
  }
  return ok();
}

std::vector<metrics::MemoryKind> Manager::known_memory() const {
  const std::shared_ptr<const policy::Snapshot> snapshot = world_->cell().load();
  std::size_t programs = policy::SpecialisedProgram::total_memory();
  std::size_t policies = 0;
  snapshot->for_each_template([&](const policy::LoadedTemplate& loaded) {
    programs += loaded.compiled->memory();
    policies += loaded.constraint_template->document->memory();
  });
  snapshot->for_each_constraint(
      [&](const policy::LoadedConstraint& loaded) { policies += loaded.constraint->document.memory(); });
  std::size_t connections = 0;
  for (const net::HttpServer* server : {webhook_server_.get(), health_server_.get(), metrics_server_.get()}) {
    if (server != nullptr) connections += server->stats().open_connections;
  }
  return {{"inventory", world_->inventory().memory()},
          {"programs", programs},
          {"policies", policies},
          {"cache", controllers_->namespaces()->memory() + controllers_->templates().templates()->memory()},
          {"evaluation", admit_ == nullptr ? 0 : admit_->memory()},
          {"connections", connections * kConnectionBytes},
          {"queue", net::log_bytes()}};
}

Result<void> Manager::start_health() {
  health_.add_liveness("default", nullptr);
  health_.add_readiness(
      "tracker",
      [this]() -> std::vector<std::string> {
        if (readiness_.satisfied()) {
          if (world_->settled()) return {};
          return {"policies are being published"};
        }
        return readiness_.missing();
      },
      [this] { return readiness_.problems(); });
  if (operations_.webhook || operations_.mutation_webhook) {
    const webhook::HealthCheck tls_check = [this]() -> std::vector<std::string> {
      if (webhook_up_ && tls_.current() != nullptr) return {};
      return {"the webhook has no certificate yet"};
    };
    health_.add_readiness("tls-check", tls_check);
    if (options_.enable_tls_healthcheck) health_.add_liveness("tls-check", tls_check);
  }
  PC_TRY(const std::optional<Address> health, parse_address(options_.health_addr).with_context("--health-addr"));
  if (health) {
    net::HttpServerOptions server;
    server.name = "health";
    server.host = health->host;
    server.port = health->port;
    health_server_ = std::make_unique<net::HttpServer>(*health_pool_, health_, std::move(server));
    PC_TRY_VOID(health_server_->start().with_context("health server"));
  }
  if (!serves_prometheus(options_.metrics_backends)) return ok();
  metrics_page_.add_page("/metrics", ManagerMetrics::content_type(), [this] {
    metrics_.set_memory(metrics::memory_by_kind(metrics::process_memory(), known_memory()));
    return metrics_.text();
  });
  net::HttpServerOptions server;
  server.name = "metrics";
  server.port = static_cast<std::uint16_t>(options_.prometheus_port);
  metrics_server_ = std::make_unique<net::HttpServer>(*health_pool_, metrics_page_, std::move(server));
  return metrics_server_->start().with_context("metrics server");
}

// On the pod itself only, as Gatekeeper's: profiles tell much.
Result<void> Manager::start_pprof() {
  if (!options_.enable_pprof) return ok();
  pprof_ = std::make_unique<PprofHandler>([this] { return known_memory(); });
  net::HttpServerOptions server;
  server.name = "pprof";
  server.host = "127.0.0.1";
  server.port = static_cast<std::uint16_t>(options_.pprof_port);
  server.request_timeout = std::chrono::seconds(kMaxProfileSeconds + 10);
  pprof_server_ = std::make_unique<net::HttpServer>(*health_pool_, *pprof_, std::move(server));
  PC_TRY_VOID(pprof_server_->start().with_context("pprof server"));
  log::info(kLogger, "serving profiles", {{"port", static_cast<std::int64_t>(pprof_server_->port())}});
  return ok();
}

Result<void> Manager::start() {
  PC_TRY_VOID(connect());
  PC_TRY(policy::PodIdentity pod, find_pod());
  start_controllers(std::move(pod));
  PC_TRY_VOID(start_health());
  PC_TRY_VOID(start_pprof());
  PC_TRY_VOID(start_certificates());
  PC_TRY_VOID(start_webhook());
  return start_audit();
}

// SIGTERM and SIGINT are blocked in every thread and taken here.
void Manager::wait_for_signal(std::chrono::milliseconds at_most) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int signal = 0;
  if (at_most.count() < 0) {
    sigwait(&signals, &signal);
    return;
  }
  const timespec limit{at_most.count() / 1000, at_most.count() % 1000 * 1'000'000};
  if (sigtimedwait(&signals, nullptr, &limit) > 0) {
    log::warning(kLogger, "second signal: stopping at once");
    net::flush_log(kLogFlush);
    std::_Exit(1);
  }
}

void Manager::serve_until_signal() {
  sigset_t profiling;
  sigemptyset(&profiling);
  sigaddset(&profiling, SIGPROF);
  pthread_sigmask(SIG_BLOCK, &profiling, nullptr);  // this thread waits with a deadline that it would cut short
  wait_for_signal(std::chrono::milliseconds(-1));
  log::info(kLogger, "stopping: serving on for --shutdown-delay", {{"seconds", options_.shutdown_delay}});
  const std::chrono::milliseconds delay =
      std::chrono::seconds(std::clamp<std::int64_t>(options_.shutdown_delay, 0, 86400));
  if (webhook_server_ != nullptr) webhook_server_->drain();
  wait_for_signal(delay);
  if (webhook_server_ != nullptr) webhook_server_->stop(Deadline::after(kStopGrace));
  if (audit_thread_ != nullptr) {
    net::post(audit_thread_->context(), [this] {
      auditor_->stop();
      audit_timer_->stop();
      if (audit_triggers_ != nullptr) audit_triggers_->stop();
      if (audit_events_ != nullptr) audit_events_->stop();
    });
  }
  net::post(control_->context(), [this] {
    if (certificates_ != nullptr) certificates_->stop();
    if (webhook_events_ != nullptr) webhook_events_->stop();
    controllers_->stop();
  });
  if (health_server_ != nullptr) health_server_->stop(Deadline::after(std::chrono::seconds(1)));
  if (metrics_server_ != nullptr) metrics_server_->stop(Deadline::after(std::chrono::seconds(1)));
  if (audit_thread_ != nullptr) audit_thread_->stop();
  control_->stop();
  log::info(kLogger, "stopped");
}

Result<void> configure_log(const ManagerOptions& options) {
  log::Level level = log::Level::kInfo;
  std::string name = options.log_level;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (!log::parse_level(name, level)) level = log::Level::kInfo;  // as Gatekeeper: an unknown level means INFO
  log::set_level(level);
  log::set_level_format(options.log_level_key, text::starts_with(options.log_level_encoder, "capital"));
  if (!options.log_file.empty() && std::freopen(options.log_file.c_str(), "a", stderr) == nullptr) {
    return make_error(Code::kInvalid, "--log-file: cannot write " + options.log_file);
  }
  return ok();
}

// Flags that are taken but whose feature is not there yet: said once, so that nobody waits for it in vain.
void warn_about_missing_features(const GoFlags& flags) {
  for (const char* name : {"enable-violation-export", "enable-admission-violation-export", "enable-remote-cluster",
                           "log-mutations", "mutation-annotations", "otlp-endpoint", "metrics-addr"}) {
    if (flags.given(name))
      log::warning(kLogger, "flag is accepted but its feature is not available yet",
                   {{"flag", std::string_view(name)}});
  }
}

}  // namespace

int run_manager(const std::vector<std::string>& arguments) {
  ManagerOptions options;
  GoFlags flags("manager");
  declare_manager_flags(flags, options);
  const Result<GoFlags::Parsed> parsed = flags.parse(arguments);
  if (!parsed.ok() || parsed->help) {
    if (!parsed.ok()) std::fprintf(stderr, "%s\n", parsed.error().message.c_str());
    std::fputs(flags.usage().c_str(), stderr);
    return parsed.ok() ? 0 : 2;
  }
  const Result<controller::Operations> operations = controller::parse_operations(options.operations);
  if (!operations.ok()) {
    std::fprintf(stderr, "invalid value for flag -operation: %s\n", operations.error().message.c_str());
    return 2;
  }
  if (const Result<void> backends = check_metrics_backends(options.metrics_backends); !backends.ok()) {
    std::fprintf(stderr, "invalid value for flag -metrics-backend: %s\n", backends.error().message.c_str());
    return 2;
  }
  if (const char* pod = std::getenv("POD_NAME")) options.pod_name = pod;
  if (const char* ns = std::getenv("POD_NAMESPACE"); ns != nullptr && *ns != '\0') options.pod_namespace = ns;
  if (const Result<void> log = configure_log(options); !log.ok()) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return 1;
  }
  warn_about_missing_features(flags);
  if (!serves_prometheus(options.metrics_backends)) {
    log::warning(kLogger, "no metrics are served: of the metrics backends only prometheus is available yet");
  }
  if (!options.operations.empty() &&
      (operations->mutation_webhook || operations->mutation_controller || operations->mutation_status)) {
    log::warning(kLogger, "mutation operations are accepted but mutation is not available yet");
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  net::write_log_in_background();

  // Lives until the process ends: coroutines that still wait somewhere refer to its parts.
  static Manager* manager = new Manager(std::move(options), *operations);
  const Result<void> started = manager->start();
  if (!started.ok()) {
    log::error(kLogger, "cannot start: " + started.error().to_string());
    net::flush_log(kLogFlush);
    std::_Exit(1);
  }
  manager->serve_until_signal();
  net::flush_log(kLogFlush);
  std::_Exit(0);
}

}  // namespace portcullis::cmd
