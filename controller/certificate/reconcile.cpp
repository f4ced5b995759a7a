// Secret, webhook configurations and the served certificate, kept in step.
#include "controller/certificate/reconcile.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::controller {

namespace {

constexpr std::chrono::seconds kWriteTimeout{20};
constexpr std::chrono::hours kRecheck{12};
constexpr std::string_view kLogger = "cert-rotation";

std::string secret_body(const kube::ObjectPtr& current, const CertificateOptions& options, const CertificateSet& set) {
  Arena arena;
  const auto entry = [&](std::string_view key, const std::string& pem) {
    return Member{make_string(arena, key), make_string(arena, text::base64_encode(pem))};
  };
  const Member data[] = {entry("ca.crt", set.authority.certificate_pem), entry("ca.key", set.authority.private_key_pem),
                         entry("tls.crt", set.server.certificate_pem), entry("tls.key", set.server.private_key_pem)};
  const Value data_value = make_object(arena, data);
  if (current != nullptr) return to_json(with_member(arena, current->root(), make_string(arena, "data"), data_value));
  const Member metadata[] = {{make_string(arena, "name"), make_string(arena, options.secret_name)},
                             {make_string(arena, "namespace"), make_string(arena, options.ns)}};
  const Member secret[] = {{make_string(arena, "apiVersion"), make_string(arena, "v1")},
                           {make_string(arena, "kind"), make_string(arena, "Secret")},
                           {make_string(arena, "metadata"), make_object(arena, metadata)},
                           {make_string(arena, "data"), data_value}};
  return to_json(make_object(arena, secret));
}

}  // namespace

struct CertificateReconciler::Watch {
  kube::ApiResource resource;
  std::string ns;
  std::string name;
  std::shared_ptr<kube::Store> store = std::make_shared<kube::Store>();
  std::unique_ptr<kube::StoreWriter> writer;
  std::unique_ptr<kube::Reflector> reflector;

  kube::ObjectPtr object() const { return store->get(kube::object_key(ns, name)); }
};

CertificateReconciler::CertificateReconciler(kube::Client& client, net::TlsServerCell& cell, CertificateOptions options)
    : client_(client), cell_(cell), options_(std::move(options)), queue_(client.context(), {.name = "certificate"}) {}

CertificateReconciler::~CertificateReconciler() { stop(); }

awaitable<void> CertificateReconciler::run(std::shared_ptr<Watch> watch) { co_await watch->reflector->run(); }

void CertificateReconciler::watch(const kube::ApiResource& resource, const std::string& ns, const std::string& name) {
  auto entry = std::make_shared<Watch>();
  entry->resource = resource;
  entry->ns = ns;
  entry->name = name;
  kube::StoreListener listener;
  listener.changed = [this](const std::string&, const kube::ObjectPtr&, const kube::ObjectPtr&) { queue_.add("all"); };
  listener.synced = [this] { queue_.add("all"); };
  kube::StoreOptions keep;
  keep.drop_managed_fields = false;  // whole objects are written back
  entry->writer = std::make_unique<kube::StoreWriter>(entry->store, std::move(listener), keep);
  kube::ReflectorOptions options;
  options.watcher.ns = ns;
  options.watcher.field_selector = "metadata.name=" + name;
  options.watcher.backoff.ceiling = std::chrono::seconds(10);
  entry->reflector = std::make_unique<kube::Reflector>(client_, resource, *entry->writer, std::move(options));
  watches_.push_back(entry);
  net::spawn(client_.context(), run(entry), "watch " + name);
}

void CertificateReconciler::start() {
  watch(policy::secrets(), options_.ns, options_.secret_name);
  for (const std::string& name : options_.validating_configurations)
    watch(policy::validating_webhook_configurations(), {}, name);
  for (const std::string& name : options_.mutating_configurations)
    watch(policy::mutating_webhook_configurations(), {}, name);
  kube::ControllerOptions options;
  options.name = "certificate";
  options.on_error = [](const std::string&, const Error& error) {
    log::error(kLogger, "could not keep certificates up to date", {{"error", error.to_string()}});
  };
  net::spawn(client_.context(), kube::run_worker(queue_, *this, std::move(options)), "certificate");
}

void CertificateReconciler::stop() {
  queue_.shut_down();
  for (const auto& watch : watches_) watch->reflector->stop();
}

awaitable<Result<void>> CertificateReconciler::store_secret(kube::ObjectPtr current, const CertificateSet& set) {
  std::string body = secret_body(current, options_, set);
  const Deadline deadline = Deadline::after(kWriteTimeout);
  Result<kube::Object> written = Error{};
  if (current == nullptr) {
    auto written_call = client_.create(policy::secrets(), options_.ns, std::move(body), deadline);
    written = co_await std::move(written_call);
  } else {
    auto written_call = client_.update(policy::secrets(), options_.ns, options_.secret_name, std::move(body), deadline);
    written = co_await std::move(written_call);
  }
  if (written.ok()) co_return ok();
  co_return std::move(written).error();
}

awaitable<Result<void>> CertificateReconciler::inject(std::int64_t now) {
  trust_.begin_round();
  for (std::size_t i = 1; i < watches_.size(); ++i) {
    const std::shared_ptr<Watch> watch = watches_[i];
    const kube::ObjectPtr object = watch->object();
    if (object == nullptr) continue;  // installed later: its watch brings us back here
    std::string body = plan_injection(object->root(), trust_, now);
    if (body.empty()) continue;
    auto written_call =
        client_.update(watch->resource, {}, watch->name, std::move(body), Deadline::after(kWriteTimeout));
    const Result<kube::Object> written = co_await std::move(written_call);
    if (!written.ok()) co_return written.error();
    log::info(kLogger, "injected the CA bundle", {{"name", watch->name}, {"kind", watch->resource.kind}});
  }
  trust_.end_round(now);
  co_return ok();
}

Result<void> CertificateReconciler::serve(const CertificateSet& set) {
  net::TlsServerOptions tls = options_.tls;
  tls.certificate_chain_pem = set.server.certificate_pem;
  tls.private_key_pem = set.server.private_key_pem;
  PC_TRY(auto context, net::TlsServerContext::create(tls));
  cell_.publish(std::move(context));
  mine_ = set;
  if (options_.served) options_.served(mine_);
  return ok();
}

std::vector<std::string> CertificateReconciler::url_hosts_of_webhooks() const {
  std::vector<std::string> hosts;
  for (std::size_t i = 1; i < watches_.size(); ++i) {
    if (const kube::ObjectPtr object = watches_[i]->object()) {
      for (std::string& host : url_hosts(object->root())) hosts.push_back(std::move(host));
    }
  }
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  return hosts;
}

// How long a certificate of this authority must not be served yet. Asked before the configurations are written.
std::chrono::milliseconds CertificateReconciler::time_until_trusted(const std::string& authority_pem) {
  const bool change = !mine_.empty() && mine_.authority.certificate_pem != authority_pem;
  if (!mine_.empty() && !change) return {};  // it is the one that is served with
  TrustState state;
  for (std::size_t i = 1; i < watches_.size(); ++i) {
    const kube::ObjectPtr object = watches_[i]->object();
    if (object == nullptr) continue;
    const TrustState one = trust_state(object->root(), authority_pem);
    state.all_trust = state.all_trust && one.all_trust;
    state.others_trusted = state.others_trusted || one.others_trusted;
  }
  const auto now = std::chrono::steady_clock::now();
  if (awaited_authority_ != authority_pem) {
    // A process that serves nothing yet need not wait for what has been trusted since before it came, nor where nobody
    // else can be served meanwhile: the first replica of an installation.
    if (mine_.empty() && (state.all_trust || !state.others_trusted)) return {};
    awaited_authority_ = authority_pem;
    trusted_at_ = now;
  } else if (!state.all_trust) {
    trusted_at_ = now;  // somebody took it out again
  }
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - trusted_at_);
  return std::max(options_.trust_delay - passed, std::chrono::milliseconds(0));
}

awaitable<Result<kube::Reconciled>> CertificateReconciler::reconcile(std::string key) {
  static_cast<void>(key);
  for (const auto& watch : watches_) {
    if (!watch->store->synced()) co_return kube::Reconciled{std::chrono::milliseconds(50)};
  }
  CertificateNames names;
  names.service_name = options_.service_name + "." + options_.ns + ".svc";
  names.hosts = url_hosts_of_webhooks();

  const kube::ObjectPtr secret = watches_[0]->object();
  const CertificateSet stored = secret == nullptr ? CertificateSet{} : read_certificate_secret(secret->root());
  const std::int64_t now = options_.now();
  const CertificatePlan plan = plan_certificates(stored, mine_, names, now);
  Result<CertificateSet> wanted = make_certificates(plan, stored, mine_, names, now);
  if (!wanted.ok()) co_return std::move(wanted).error();
  const CertificateSet set = std::move(wanted).value();
  if (plan.what != CertificatePlan::Do::kUse) {
    log::info(
        kLogger,
        plan.what == CertificatePlan::Do::kRestore ? "restoring the certificate secret" : "writing new certificates",
        {{"reason", plan.reason}});
    auto saved_call = store_secret(secret, set);
    const Result<void> saved = co_await std::move(saved_call);
    if (!saved.ok()) {
      // Another replica was quicker: its certificates arrive by the watch, and are taken over.
      if (saved.error().code == Code::kConflict) co_return kube::Reconciled{std::chrono::milliseconds(200)};
      co_return saved.error();
    }
  }
  trust_.use(set.authority.certificate_pem, now);
  const std::chrono::milliseconds wait = time_until_trusted(set.authority.certificate_pem);
  auto injected_call = inject(now);
  const Result<void> injected = co_await std::move(injected_call);
  if (!injected.ok()) {
    if (mine_.empty()) static_cast<void>(serve(set));  // better to serve than not; the injection is retried
    co_return injected.error();
  }
  if (wait.count() > 0) co_return kube::Reconciled{wait};  // serving what was served before
  if (!(mine_ == set)) {
    const Result<void> served = serve(set);
    if (!served.ok()) co_return served.error();
  }
  awaited_authority_.clear();
  const bool old_ones_left = trust_.has_old();
  if (old_ones_left) co_return kube::Reconciled{std::chrono::seconds(kKeepOldTrust)};
  co_return kube::Reconciled{std::chrono::duration_cast<std::chrono::milliseconds>(kRecheck)};
}

CertificateFiles::CertificateFiles(std::string directory, std::string client_ca_name, net::TlsServerOptions tls,
                                   net::TlsServerCell& cell, std::function<void(const CertificateSet&)> served)
    : directory_(std::move(directory)),
      client_ca_name_(std::move(client_ca_name)),
      tls_(std::move(tls)),
      cell_(cell),
      served_(std::move(served)) {}

namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return make_error(Code::kNotFound, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

Result<void> CertificateFiles::reload() {
  net::TlsServerOptions next = tls_;
  PC_TRY(next.certificate_chain_pem, read_file(directory_ + "/tls.crt"));
  PC_TRY(next.private_key_pem, read_file(directory_ + "/tls.key"));
  if (!client_ca_name_.empty()) {
    PC_TRY(next.client_ca_pem, read_file(directory_ + "/" + client_ca_name_));
  }
  if (next.certificate_chain_pem == tls_.certificate_chain_pem && next.private_key_pem == tls_.private_key_pem &&
      next.client_ca_pem == tls_.client_ca_pem) {
    return ok();
  }
  PC_TRY(auto context, net::TlsServerContext::create(next).with_context(directory_));
  cell_.publish(std::move(context));
  tls_ = std::move(next);
  if (served_) served_({{}, {tls_.certificate_chain_pem, {}}});
  return ok();
}

}  // namespace portcullis::controller
