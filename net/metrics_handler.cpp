// GET /metrics for Prometheus.
#include "net/metrics_handler.h"

#include "base/metrics/metrics.h"

namespace portcullis::net {

bool MetricsHandler::handle_now(HttpRequest& request, HttpResponse& response) {
  if (request.path() == "/metrics") {
    response.content_type = metrics::kContentType;
    response.body = registry_.expose();
  } else {
    response = HttpResponse::text(404, "404 page not found\n");
  }
  return true;
}

awaitable<HttpResponse> MetricsHandler::handle(HttpRequest request) {
  HttpResponse response;
  handle_now(request, response);
  co_return response;
}

}  // namespace portcullis::net
