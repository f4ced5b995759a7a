// The webhook's certificate: made, kept in the Secret that Gatekeeper uses, put into the webhook configurations,
// served. Or, with rotation off, read from --cert-dir and read again when the files change. Order on a change of
// authority: the configurations first trust old and new, and only when every API server must have heard of it, the new
// certificate is served; the old authority stays trusted while other replicas may still serve with it (trust.h).
// Threads: the client's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/certificate/plan.h"
#include "controller/certificate/trust.h"
#include "kube/client/client.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"
#include "net/tls.h"

namespace portcullis::controller {

struct CertificateOptions {
  std::string ns = "gatekeeper-system";
  std::string secret_name = "gatekeeper-webhook-server-cert";
  std::string service_name = "gatekeeper-webhook-service";
  std::vector<std::string> validating_configurations;
  std::vector<std::string> mutating_configurations;
  net::TlsServerOptions tls;          // all but certificate and key
  std::function<std::int64_t()> now;  // Unix seconds
  // From when the configurations trust a new authority until it is served: they reach every API server in that time.
  std::chrono::milliseconds trust_delay{3000};
  std::function<void(const CertificateSet&)> served;  // what is served from now on; may be null
};

class CertificateReconciler final : public kube::Reconciler {
 public:
  CertificateReconciler(kube::Client& client, net::TlsServerCell& cell, CertificateOptions options);
  ~CertificateReconciler();

  void start();  // watches and a worker
  void stop();

  // A certificate is being served.
  bool serving() const noexcept { return !mine_.empty(); }
  const CertificateSet& current() const noexcept { return mine_; }

  awaitable<Result<kube::Reconciled>> reconcile(std::string key) override;

 private:
  struct Watch;
  void watch(const kube::ApiResource& resource, const std::string& ns, const std::string& name);
  static awaitable<void> run(std::shared_ptr<Watch> watch);
  awaitable<Result<void>> store_secret(kube::ObjectPtr current, const CertificateSet& set);
  awaitable<Result<void>> inject(std::int64_t now);
  Result<void> serve(const CertificateSet& set);
  std::vector<std::string> url_hosts_of_webhooks() const;
  std::chrono::milliseconds time_until_trusted(const std::string& authority_pem);

  kube::Client& client_;
  net::TlsServerCell& cell_;
  CertificateOptions options_;
  kube::WorkQueue queue_;
  std::vector<std::shared_ptr<Watch>> watches_;  // [0]: the Secret; then the configurations
  CertificateSet mine_;                          // what is served
  TrustKeeper trust_;
  std::string awaited_authority_;  // trusted by the configurations, but perhaps not yet by every API server
  std::chrono::steady_clock::time_point trusted_at_{};
};

// Rotation off: serves tls.crt and tls.key of `directory`; reload() reads them again and publishes when they changed.
class CertificateFiles {
 public:
  CertificateFiles(std::string directory, std::string client_ca_name, net::TlsServerOptions tls,
                   net::TlsServerCell& cell, std::function<void(const CertificateSet&)> served = nullptr);
  // kInvalid / kNotFound names the file; what was served before goes on being served. Files that do not belong together
  // yet (one is replaced, the other not) are kInvalid, and right at a later call.
  Result<void> reload();

 private:
  std::string directory_;
  std::string client_ca_name_;
  net::TlsServerOptions tls_;
  net::TlsServerCell& cell_;
  std::function<void(const CertificateSet&)> served_;
};

}  // namespace portcullis::controller
