// What the HTTP/1.1 and the HTTP/2 server do alike with a request: its deadline, its handler, its exceptions.
// Threads: as HttpHandler. Internal to net/.
#pragma once

#include <atomic>
#include <cstdint>

#include "net/http_server.h"

namespace portcullis::net {

class RequestRunner {
 public:
  RequestRunner(HttpHandler& handler, const HttpServerOptions& options) : handler_(handler), options_(options) {}

  // Counts the request, and sets its deadline from ?timeout= and the server's own limit.
  void begin(HttpRequest& request) noexcept;
  // HttpHandler::handle_now() and handle(). An exception becomes a response, and true.
  bool run_now(HttpRequest& request, HttpResponse& response);
  awaitable<HttpResponse> run(HttpRequest request);
  HttpResponse reject(Reject why, const HttpRequest& request) { return handler_.reject(why, request); }

  const HttpServerOptions& options() const noexcept { return options_; }
  std::uint64_t requests() const noexcept { return requests_.load(std::memory_order_relaxed); }

 private:
  HttpResponse failure(const char* what) const;

  HttpHandler& handler_;
  const HttpServerOptions& options_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace portcullis::net
