// The webhook's certificate: made, kept in the Secret that Gatekeeper uses, put into the webhook configurations,
// served. Or, with rotation off, read from --cert-dir and read again when the files change. Order on a change of
// authority: the configurations first trust old and new, then the new certificate is served. Threads: the client's
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/certificate/plan.h"
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
  awaitable<Result<bool>> inject(std::string bundle);
  Result<void> serve(const CertificateSet& set);

  kube::Client& client_;
  net::TlsServerCell& cell_;
  CertificateOptions options_;
  kube::WorkQueue queue_;
  std::vector<std::shared_ptr<Watch>> watches_;  // [0]: the Secret; then the configurations
  CertificateSet mine_;                          // what is served
  std::string previous_authority_;               // still trusted by the configurations for a while after a change
  std::int64_t authority_changed_ = 0;
};

// Rotation off: serves tls.crt and tls.key of `directory`; reload() reads them again and publishes when they changed.
class CertificateFiles {
 public:
  CertificateFiles(std::string directory, std::string client_ca_name, net::TlsServerOptions tls,
                   net::TlsServerCell& cell);
  // kInvalid / kNotFound names the file; what was served before goes on being served.
  Result<void> reload();

 private:
  std::string directory_;
  std::string client_ca_name_;
  net::TlsServerOptions tls_;
  net::TlsServerCell& cell_;
};

}  // namespace portcullis::controller
