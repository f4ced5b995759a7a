// /healthz and /readyz as controller-runtime serves them: "ok", or the list of checks, which one failed, and (verbose)
// what is still missing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/http_server.h"

namespace portcullis::webhook {

// Empty: the check passes. Otherwise one line each: what is missing.
using HealthCheck = std::function<std::vector<std::string>()>;

struct Check {
  HealthCheck missing;  // null: always passes
  HealthCheck notes;    // null: none
};
using Checks = std::map<std::string, Check>;

// Threads: the checks are called on the server's threads, any at once.
class HealthHandler final : public net::HttpHandler {
 public:
  // Before the server starts. /healthz always has the check "default".
  void add_liveness(std::string name, HealthCheck check) {
    liveness_.emplace(std::move(name), Check{std::move(check), nullptr});
  }
  // `notes`: troubles that do not fail the check; only shown to who asks for ?verbose.
  void add_readiness(std::string name, HealthCheck check, HealthCheck notes = nullptr) {
    readiness_.emplace(std::move(name), Check{std::move(check), std::move(notes)});
  }
  // Further text responses by path, e.g. /metrics on a server of its own.
  void add_page(std::string path, std::string content_type, std::function<std::string()> page);

  bool handle_now(net::HttpRequest& request, net::HttpResponse& response) override;
  awaitable<net::HttpResponse> handle(net::HttpRequest request) override;

 private:
  struct Page {
    std::string content_type;
    std::function<std::string()> make;
  };
  Checks liveness_;
  Checks readiness_;
  std::map<std::string, Page, std::less<>> pages_;
};

}  // namespace portcullis::webhook
