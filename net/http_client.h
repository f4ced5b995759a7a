// HTTP/1.1 client for one origin (scheme, host, port) over plain TCP or TLS: a bounded pool of keep-alive connections,
// whole responses and streamed ones. Every await has a deadline. No redirects, no cookies, no compression.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/error.h"
#include "net/awaitable.h"
#include "net/http_message.h"

namespace boost::asio {
class io_context;
}

namespace portcullis::net {

class TlsClientContext;

// "https://host:port/prefix" taken apart. kInvalid.
struct Origin {
  bool tls = true;
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 443;
  std::string path_prefix;  // "" or "/x" without a slash at the end

  std::string host_header() const;
};
Result<Origin> parse_origin(std::string_view url);

struct HttpClientOptions {
  std::size_t max_connections = 32;  // open at once, streams not included: a watch lasts, and must not starve requests
  std::size_t max_streams = 4096;    // open at once; more get kThrottled
  std::size_t max_waiting = 1024;    // requests that wait for a connection; more get kThrottled
  std::size_t max_idle = 8;          // kept open without a request
  std::size_t max_head_bytes = 64 * 1024;
  std::size_t max_body_bytes = 256u * 1024 * 1024;  // of a whole (not streamed) response: kLimit beyond
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(90);
  std::string user_agent = "portcullis";
};

// A response whose body arrives while it is read. Closing (or destroying) it before the end closes its connection.
// Threads: the client's thread only. Lifetime: may outlive the HttpClient.
class HttpStream {
 public:
  ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  int status() const noexcept;
  const Headers& headers() const noexcept;
  // The next bytes of the body, at least one; an empty view at its regular end. The view lives until the next call.
  // kTimeout (the stream goes on: call again), kUnavailable (cut off), kCancelled (close()).
  awaitable<Result<std::string_view>> read(Deadline deadline);
  // Ends a read() that waits with kCancelled, and the connection. Idempotent.
  void close();

 private:
  friend class HttpClient;
  struct Impl;
  explicit HttpStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Threads: the thread of `context` only. Lifetime: coroutines started on it may outlive it; they keep what they need.
class HttpClient {
 public:
  // `tls` is required for an https origin, ignored otherwise.
  HttpClient(boost::asio::io_context& context, Origin origin, std::shared_ptr<const TlsClientContext> tls,
             HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends and reads the whole response. Any status is a success here. Host, Content-Length and User-Agent are added.
  // A kept connection that the server had closed meanwhile is replaced without notice.
  // Errors: kUnavailable, kTimeout, kThrottled (too many waiting), kLimit (response too large), kDenied (certificate
  // not trusted), kCancelled.
  awaitable<Result<HttpResponse>> send(HttpRequest request, Deadline deadline);
  // Sends and returns when the head has come (until `deadline`).
  awaitable<Result<std::unique_ptr<HttpStream>>> open(HttpRequest request, Deadline deadline);

  // New connections use `tls` from now on (client certificate rotated); idle ones are closed.
  void set_tls(std::shared_ptr<const TlsClientContext> tls);
  const Origin& origin() const noexcept;
  std::size_t open_connections() const noexcept;
  void close_idle();

 private:
  friend class HttpStream;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// PEM of the chain that a TLS server on host:port presents (leaf first), whoever signed it. For health checks.
awaitable<Result<std::string>> fetch_certificate_chain(std::string host, std::uint16_t port, Deadline deadline);

}  // namespace portcullis::net
