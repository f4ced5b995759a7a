// TLS contexts: what a server presents and asks for, what a client trusts and presents. Immutable once made; a server's
// is replaced at run time by publishing another one.
// Threads: contexts are immutable and shared; TlsServerCell takes any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace portcullis::net {

enum class TlsVersion : std::uint8_t { kTls10, kTls11, kTls12, kTls13 };
// "1.0" … "1.3", as --tls-min-version takes them. kInvalid for any other text.
Result<TlsVersion> parse_tls_version(std::string_view text);

struct TlsServerOptions {
  std::string certificate_chain_pem;  // leaf first
  std::string private_key_pem;
  TlsVersion min_version = TlsVersion::kTls13;
  std::string client_ca_pem;       // not empty: a client certificate of one of these authorities is required
  std::string client_common_name;  // not empty: and its common name must be this
  std::vector<std::string> alpn = {"h2", "http/1.1"};  // in order of preference
};

class TlsServerContext {
 public:
  // kInvalid: unreadable PEM, or a key that does not belong to the certificate.
  static Result<std::shared_ptr<const TlsServerContext>> create(const TlsServerOptions& options);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  ssl_ctx_st* native() const noexcept { return context_; }
  const std::string& client_common_name() const noexcept { return options_.client_common_name; }
  const std::string& certificate_chain_pem() const noexcept { return options_.certificate_chain_pem; }
  // Index of the first protocol of ours that `offer` (ALPN wire form) has: RFC 7301 selection by the server.
  bool select_alpn(std::string_view offer, std::string_view& chosen) const noexcept;

 private:
  explicit TlsServerContext(TlsServerOptions options) : options_(std::move(options)) {}
  TlsServerOptions options_;
  ssl_ctx_st* context_ = nullptr;
};

// Where a server looks up the context of each new connection. Connections that exist keep the one they began with.
class TlsServerCell {
 public:
  TlsServerCell() = default;
  explicit TlsServerCell(std::shared_ptr<const TlsServerContext> first) : current_(std::move(first)) {}
  void publish(std::shared_ptr<const TlsServerContext> next);
  std::shared_ptr<const TlsServerContext> current() const;  // null until the first publish

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsServerContext> current_;
};

struct TlsClientOptions {
  std::string ca_bundle_pem;    // empty: the system's trust store
  std::string certificate_pem;  // client certificate and key: both or none
  std::string private_key_pem;
  bool insecure_skip_verify = false;  // only when the user asked for it
  std::string server_name;            // name to verify and to send (SNI); empty: the host that is dialled
  TlsVersion min_version = TlsVersion::kTls12;
  std::vector<std::string> alpn = {"http/1.1"};
};

class TlsClientContext {
 public:
  // kInvalid: unreadable PEM, a key without its certificate or the other way round.
  static Result<std::shared_ptr<const TlsClientContext>> create(const TlsClientOptions& options);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  ssl_ctx_st* native() const noexcept { return context_; }
  const std::string& server_name() const noexcept { return server_name_; }
  bool verifies() const noexcept { return verifies_; }

 private:
  TlsClientContext() = default;
  std::string server_name_;
  bool verifies_ = true;
  ssl_ctx_st* context_ = nullptr;
};

// The text of the OpenSSL errors queued on this thread (and empties the queue); `otherwise` when there are none.
std::string take_openssl_errors(std::string_view otherwise);

}  // namespace portcullis::net
