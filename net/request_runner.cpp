// One request through its handler.
#include "net/request_runner.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "base/go_duration.h"
#include "base/log.h"

namespace portcullis::net {

void RequestRunner::begin(HttpRequest& request) noexcept {
  requests_.fetch_add(1, std::memory_order_relaxed);
  auto limit = options_.request_timeout;
  if (const auto asked = request.query("timeout")) {
    const auto parsed = parse_go_duration(*asked);
    if (parsed && *parsed > std::chrono::nanoseconds(0)) limit = std::min(limit, *parsed);
  }
  request.deadline = Deadline::after(limit);
}

HttpResponse RequestRunner::failure(const char* what) const {
  log::error("net", "handler ended by an exception", {{"server", options_.name}, {"error", std::string_view(what)}});
  return HttpResponse::text(500, std::string("panic: ") + what + " [recovered]\n");
}

bool RequestRunner::run_now(HttpRequest& request, HttpResponse& response) {
  try {
    return handler_.handle_now(request, response);
  } catch (const std::exception& thrown) {
    response = failure(thrown.what());
  } catch (...) {
    response = failure("unknown exception");
  }
  return true;
}

awaitable<HttpResponse> RequestRunner::run(HttpRequest request) {
  std::string what;
  try {
    auto call = handler_.handle(std::move(request));
    HttpResponse response = co_await std::move(call);
    co_return response;
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {
    what = "unknown exception";
  }
  co_return failure(what.c_str());
}

}  // namespace portcullis::net
