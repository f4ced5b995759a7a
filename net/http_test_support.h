// What the tests of both HTTP versions share: a handler, and certificates of two authorities.
#pragma once

#include <chrono>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/deadline.h"
#include "net/certificates.h"
#include "net/http_server.h"
#include "net/io.h"
#include "net/tls.h"

namespace portcullis::net::test {

inline Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

// Answers at once what ends in /now, the rest in a coroutine.
class EchoHandler : public HttpHandler {
 public:
  bool handle_now(HttpRequest& request, HttpResponse& response) override {
    if (request.path() != "/now") return false;
    response.content_type = "text/plain";
    response.body = request.body;
    return true;
  }
  awaitable<HttpResponse> handle(HttpRequest request) override {
    const std::string path(request.path());
    if (path == "/throw") throw std::runtime_error("boom");
    if (path == "/slow") {
      const Deadline until = request.deadline;
      Result<void> slept = co_await sleep_until(until);
      co_return HttpResponse::text(504, slept.ok() ? "late" : "cancelled");
    }
    if (path == "/peer") co_return HttpResponse::text(200, request.peer->client_common_name);
    HttpResponse response = HttpResponse::text(200, request.method + " " + request.target + " " + request.body);
    response.headers.add("X-Echo", request.headers.find("x-in").value_or("none"));
    co_return response;
  }
};

struct Identity {
  CertificatePair authority;
  CertificatePair server;
};

inline const Identity& identity(int which) {
  static const Identity made[2] = {[] {
                                     AuthorityRequest ca;
                                     ServerCertificateRequest request;
                                     request.common_name = "one.test";
                                     request.dns_names = {"one.test"};
                                     request.ip_addresses = {"127.0.0.1"};
                                     request.client_auth = true;
                                     request.now = ca.now = std::time(nullptr);
                                     Identity id;
                                     id.authority = make_authority(ca).value();
                                     id.server = issue_server_certificate(id.authority, request).value();
                                     return id;
                                   }(),
                                   [] {
                                     AuthorityRequest ca;
                                     ServerCertificateRequest request;
                                     request.common_name = "two.test";
                                     request.dns_names = {"two.test"};
                                     request.ip_addresses = {"127.0.0.1"};
                                     request.now = ca.now = std::time(nullptr);
                                     Identity id;
                                     id.authority = make_authority(ca).value();
                                     id.server = issue_server_certificate(id.authority, request).value();
                                     return id;
                                   }()};
  return made[which];
}

inline std::shared_ptr<const TlsServerContext> server_context(int which, TlsServerOptions options = {}) {
  options.certificate_chain_pem = identity(which).server.certificate_pem;
  options.private_key_pem = identity(which).server.private_key_pem;
  return TlsServerContext::create(options).value();
}

inline std::shared_ptr<const TlsClientContext> client_context(int trusted, TlsClientOptions options = {}) {
  options.ca_bundle_pem = identity(trusted).authority.certificate_pem;
  return TlsClientContext::create(options).value();
}

}  // namespace portcullis::net::test
