// GET /metrics for Prometheus.
#pragma once

#include "net/http_server.h"

namespace portcullis::metrics {
class Registry;
}

namespace portcullis::net {

// Threads: any. Lifetime: the registry outlives it.
class MetricsHandler final : public HttpHandler {
 public:
  explicit MetricsHandler(const metrics::Registry& registry) : registry_(registry) {}
  // The exposition under /metrics, 404 for any other path.
  bool handle_now(HttpRequest& request, HttpResponse& response) override;
  awaitable<HttpResponse> handle(HttpRequest request) override;

 private:
  const metrics::Registry& registry_;
};

}  // namespace portcullis::net
