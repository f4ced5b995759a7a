// HTTP server over plain TCP (HTTP/1.1) or TLS (HTTP/1.1 and HTTP/2, as ALPN decides). Keep-alive, pipelining and
// multiplexing; every wait has a deadline; connections, streams, head and body are bounded. Handlers are pure functions
// of the request and know nothing of sockets.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/error.h"
#include "net/awaitable.h"
#include "net/http_message.h"

namespace portcullis::net {

class IoPool;
class TlsServerCell;

// Why a request cannot be served as sent.
enum class Reject : std::uint8_t { kMalformed, kHeadTooLarge, kBodyTooLarge, kTimeout };

// Threads: the I/O thread of its connection.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece of the body; empty at its end. An Error cuts the connection, so that the client sees that the body
  // is not complete. Must return within a bounded time (an empty body is no heartbeat: end the stream instead).
  virtual awaitable<Result<std::string>> next() = 0;
};

// Threads: called on the server's I/O threads, several at once (one call at a time per HTTP/1.1
// connection; on an HTTP/2 connection handle() runs once for each stream, all on one thread).
// Lifetime: must outlive the server.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Fast path: answers at once on the I/O thread, into `response` (cleared, capacity kept), and returns true; or leaves
  // both as they are and returns false, and handle() is called. Must not block; what it computes is bounded by the
  // caller's budget, because other connections of the thread wait meanwhile. May move from `request`.
  virtual bool handle_now(HttpRequest& request, HttpResponse& response) {
    static_cast<void>(request);
    static_cast<void>(response);
    return false;
  }

  // Everything else. Runs on the connection's I/O thread; may await (each await with a deadline, request.deadline at
  // the latest). request.peer stays valid until it returns. An exception becomes a 500 with the text
  // "panic: <what> [recovered]". Every Error is the handler's to turn into a response.
  virtual awaitable<HttpResponse> handle(HttpRequest request) = 0;

  // The answer to what never becomes a full request (`request` has what was read of it: with kBodyTooLarge the whole
  // head, no body). The connection ends after it. Default: 400, 431, 413, 408 with a text of one line.
  virtual HttpResponse reject(Reject why, const HttpRequest& request);
};

struct HttpServerOptions {
  std::string name = "http";                     // for logs
  std::string host;                              // empty: all addresses
  std::uint16_t port = 0;                        // 0: any free one, see port()
  std::size_t max_connections = 4096;            // above: accepted and closed at once, counted in refused_connections()
  std::size_t max_body_bytes = 7 * 1024 * 1024;  // a body of more bytes than this is rejected
  std::size_t max_head_bytes = 64 * 1024;
  std::chrono::nanoseconds head_timeout = std::chrono::seconds(10);  // first byte of a request to the end of its head
  std::chrono::nanoseconds body_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(30);  // ceiling of HttpRequest::deadline
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes(3);  // keep-alive connections without a request
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
  // stop() leaves HTTP/1.1 connections without a request open for this long, for one that is on its way: to a client
  // that keeps connections a closed one looks like a failure when it has just begun to send.
  std::chrono::nanoseconds stop_idle = std::chrono::seconds(0);
};

struct HttpServerStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // over max_connections
  std::uint64_t handshake_failures = 0;
  std::uint64_t requests = 0;
  std::uint64_t open_connections = 0;
};

// Threads: all members from any thread that is none of the pool's. Connections are spread over the pool by count.
// Lifetime: the pool, the handler and the cell outlive the server; stop() before the pool stops.
class HttpServer {
 public:
  // `tls` null: plain HTTP. With a cell, each new connection uses what the cell holds then; while it holds nothing,
  // connections are closed at once.
  HttpServer(IoPool& pool, HttpHandler& handler, HttpServerOptions options, const TlsServerCell* tls = nullptr);
  ~HttpServer();  // stop() with no grace
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and begins to accept. kInvalid (bad address), kUnavailable (port in use, not allowed).
  Result<void> start();
  std::uint16_t port() const noexcept;  // after start()

  // Before the end, while this server is being left: goes on accepting and answering, but every connection that exists
  // ends after what it is doing (HTTP/1.1: "Connection: close" on its next answer; HTTP/2: GOAWAY), so that clients
  // which keep connections come back elsewhere in their own time. Returns at once. Idempotent.
  void drain();

  // Graceful end: stops accepting, ends idle connections, lets running requests finish until `grace`, then cuts what is
  // left. Blocks until all connections are gone. Idempotent.
  void stop(Deadline grace);

  HttpServerStats stats() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::net
