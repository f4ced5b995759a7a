// One coroutine accepts, one serves each connection: HTTP/1.1 here, HTTP/2 in http2_connection.
#include "net/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "net/http2_connection.h"
#include "net/http_date.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "net/request_runner.h"
#include "net/tls.h"
#include "net/transport.h"

namespace portcullis::net {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t kReadBuffer = 16 * 1024;           // a TLS record
constexpr std::size_t kFlatResponse = 64 * 1024;         // up to here head and body go out in one write
constexpr std::size_t kKeptCapacity = 1024 * 1024;       // larger buffers are not kept between requests
constexpr int kRequestsInARow = 16;                      // then the other connections of the thread get a turn
constexpr std::chrono::milliseconds kFirstRequest{500};  // while stopping: of who has just come, and was let in
constexpr std::size_t kLingerBytes = 64u * 1024 * 1024;
constexpr std::chrono::seconds kLingerTime{2};

// Beast's parser, writing straight into an HttpRequest.
class RequestParser final : public http::basic_parser<true> {
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;

 public:
  RequestParser(HttpRequest& request, std::size_t max_head, std::size_t max_body)
      : request_(request), max_body_(max_body) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(max_head));
    body_limit(boost::none);  // checked below: the head must be complete first
  }

 private:
  static std::string_view std_view(View v) noexcept { return {v.data(), v.size()}; }

  void on_request_impl(http::verb, View method, View target, int, Error&) override {
    request_.method = std_view(method);
    request_.target = std_view(target);
  }
  void on_response_impl(int, View, int, Error&) override {}
  void on_field_impl(http::field, View name, View value, Error&) override {
    request_.headers.add(std_view(name), std_view(value));
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error& failed) override {
    if (!length) return;
    if (*length > max_body_) {
      failed = http::error::body_limit;
    } else {
      request_.body.reserve(static_cast<std::size_t>(*length));
    }
  }
  std::size_t on_body_impl(View body, Error& failed) override {
    if (request_.body.size() + body.size() > max_body_) {
      failed = http::error::body_limit;
      return 0;
    }
    request_.body += std_view(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Error& failed) override {
    return on_body_impl(body, failed);
  }
  void on_finish_impl(Error&) override {}

  HttpRequest& request_;
  std::size_t max_body_;
};

void append_head(std::string& out, const HttpResponse& response, bool keep_alive) {
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  if (!response.content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
  }
  out += "\r\nDate: ";
  out += http_date();
  if (response.stream) {
    out += "\r\nTransfer-Encoding: chunked";
  } else {
    out += "\r\nContent-Length: ";
    out += std::to_string(response.body.size());
  }
  if (!keep_alive) out += "\r\nConnection: close";
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    out += "\r\n";
    out += response.headers.name(i);
    out += ": ";
    out += response.headers.value(i);
  }
  out += "\r\n\r\n";
}

struct Shard;

// What one connection's coroutine works with. Enrolled in its shard while it lives.
struct Connection {
  Connection(Shard& home, boost::asio::io_context& context, Tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::string_view pending() const { return std::string_view(buffer).substr(from, to - from); }
  void consume(std::size_t bytes) {
    from += bytes;
    if (from == to) from = to = 0;
  }
  // Free space at the end of the buffer, at least one byte while it is below `limit`.
  bool make_room(std::size_t limit) {
    if (to < buffer.size()) return true;
    if (from > 0) {
      buffer.erase(0, from);
      to -= from;
      from = 0;
      buffer.resize(std::max(kReadBuffer, buffer.size()));
      return true;
    }
    if (buffer.size() >= limit) return false;
    buffer.resize(std::min(limit, std::max(kReadBuffer, buffer.size() * 2)));
    return true;
  }

  Shard& shard;
  Transport transport;
  Peer peer;
  std::string buffer;  // bytes [from, to) are read and not yet parsed
  std::size_t from = 0;
  std::size_t to = 0;
  bool idle = false;  // between requests
  bool fresh = true;  // greeting, or no byte of the first request has come
  Http2Connection* http2 = nullptr;
  Connection* previous = nullptr;
  Connection* next = nullptr;
};

// The connections of one I/O thread.
struct Shard {
  boost::asio::io_context* context = nullptr;
  std::atomic<std::size_t> count{0};
  Connection* head = nullptr;
};

Connection::Connection(Shard& home, boost::asio::io_context& context, Tcp::socket socket)
    : shard(home), transport(context, std::move(socket)) {
  next = shard.head;
  if (next != nullptr) next->previous = this;
  shard.head = this;
}

Connection::~Connection() {
  if (previous != nullptr) previous->next = next;
  if (next != nullptr) next->previous = previous;
  if (shard.head == this) shard.head = next;
}

enum class Outcome : std::uint8_t { kRequest, kReject, kEnd };
struct ReadResult {
  Outcome outcome = Outcome::kEnd;
  Reject reject = Reject::kMalformed;
  bool keep_alive = false;
};

}  // namespace

HttpResponse HttpHandler::reject(Reject why, const HttpRequest&) {
  switch (why) {
    case Reject::kMalformed: return HttpResponse::text(400, "400 Bad Request\n");
    case Reject::kHeadTooLarge: return HttpResponse::text(431, "431 Request Header Fields Too Large\n");
    case Reject::kBodyTooLarge: return HttpResponse::text(413, "413 Request Entity Too Large\n");
    case Reject::kTimeout: return HttpResponse::text(408, "408 Request Timeout\n");
  }
  return HttpResponse::text(400, "400 Bad Request\n");
}

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(IoPool& p, HttpHandler& h, HttpServerOptions o, const TlsServerCell* t)
      : pool(p), options(std::move(o)), runner(h, options), tls(t), shards(p.size()) {
    for (std::size_t i = 0; i < shards.size(); ++i) shards[i].context = &pool.at(i).context();
  }

  static awaitable<void> accept_loop(std::shared_ptr<Impl> self);
  static awaitable<void> serve(std::shared_ptr<Impl> self, Shard& shard, Tcp::socket socket);
  awaitable<bool> greet(Connection& connection);
  awaitable<void> serve_requests(Connection& connection);
  awaitable<ReadResult> read_request(Connection& connection, HttpRequest& request);
  awaitable<bool> send(Connection& connection, const HttpResponse& response, bool keep_alive, bool head_only,
                       std::string& out);
  awaitable<bool> send_stream(Connection& connection, BodySource& source);
  static awaitable<void> linger(Connection& connection);
  ReadResult classify(const boost::beast::error_code& failed) const;
  Shard& least_loaded();
  void for_each_connection(bool idle_only);
  bool wait_for_none(Deadline until);
  void leave(Shard& shard);

  IoPool& pool;
  const HttpServerOptions options;
  RequestRunner runner;
  const TlsServerCell* const tls;
  std::vector<Shard> shards;
  std::unique_ptr<Tcp::acceptor> acceptor;  // used on shard 0's thread
  std::uint16_t port = 0;

  std::atomic<bool> draining{false};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t open = 0;    // connections; guarded by mutex
  bool accepting = false;  // guarded by mutex
  std::atomic<std::uint64_t> accepted{0}, refused{0}, handshake_failures{0};
};

awaitable<void> HttpServer::Impl::accept_loop(std::shared_ptr<Impl> self) {
  while (!self->stopping.load()) {
    Shard& shard = self->least_loaded();
    Result<Tcp::socket> accepted = co_await accept(*self->acceptor, *shard.context);
    if (self->stopping.load()) break;
    if (!accepted.ok()) {
      if (accepted.error().code == Code::kCancelled) break;
      log::warning("net", "cannot accept a connection",
                   {{"server", self->options.name}, {"error", accepted.error().to_string()}});
      Result<void> slept = co_await sleep_until(Deadline::after(std::chrono::milliseconds(50)));  // out of descriptors
      static_cast<void>(slept);
      continue;
    }
    {
      const std::lock_guard lock(self->mutex);
      if (self->open >= self->options.max_connections) {
        self->refused.fetch_add(1, std::memory_order_relaxed);
        continue;  // closes the socket
      }
      ++self->open;
    }
    self->accepted.fetch_add(1, std::memory_order_relaxed);
    shard.count.fetch_add(1, std::memory_order_relaxed);
    spawn(*shard.context, serve(self, shard, std::move(accepted).value()), self->options.name);
  }
  // Before `accepting` falls: who waited for it may want to listen on the same port at once.
  boost::system::error_code ignored;
  self->acceptor->close(ignored);
  const std::lock_guard lock(self->mutex);
  self->accepting = false;
  self->changed.notify_all();
}

void HttpServer::Impl::leave(Shard& shard) {
  shard.count.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex);
  --open;
  changed.notify_all();
}

awaitable<void> HttpServer::Impl::serve(std::shared_ptr<Impl> self, Shard& shard, Tcp::socket socket) {
  struct Leave {
    Impl& impl;
    Shard& shard;
    ~Leave() { impl.leave(shard); }
  };
  const Leave leave{*self, shard};
  Connection connection(shard, *shard.context, std::move(socket));
  const bool greeted = co_await self->greet(connection);
  if (!greeted) co_return;
  if (connection.transport.alpn() != "h2") {
    co_await self->serve_requests(connection);
    co_return;
  }
  Http2Connection http2(*shard.context, connection.transport, connection.peer, self->runner);
  connection.http2 = &http2;
  if (self->stopping.load()) http2.drain();
  co_await http2.run();
  connection.http2 = nullptr;
}

// TLS handshake and who is there. ALPN decides the protocol.
awaitable<bool> HttpServer::Impl::greet(Connection& connection) {
  if (tls != nullptr) {
    std::shared_ptr<const TlsServerContext> context = tls->current();
    if (!context || !connection.transport.start_tls(std::move(context)).ok()) co_return false;
    connection.transport.set_deadline(Deadline::after(options.handshake_timeout));
    Result<void> shaken = co_await connection.transport.handshake();
    if (!shaken.ok()) {
      handshake_failures.fetch_add(1, std::memory_order_relaxed);
      log::debug("net", "TLS handshake failed", {{"server", options.name}, {"error", shaken.error().to_string()}});
      co_return false;
    }
    connection.peer.tls = true;
    connection.peer.client_common_name = connection.transport.peer_common_name();
  }
  connection.peer.address = connection.transport.peer_address();
  co_return true;
}

awaitable<void> HttpServer::Impl::serve_requests(Connection& connection) {
  HttpRequest request;
  HttpResponse response;
  std::string out;
  for (int in_a_row = 1;; ++in_a_row) {
    request.clear();
    response.clear();
    const ReadResult read = co_await read_request(connection, request);
    if (read.outcome == Outcome::kEnd) co_return;
    request.peer = &connection.peer;
    runner.begin(request);
    const bool head_only = request.method == "HEAD";
    connection.transport.set_deadline(Deadline::never());
    if (read.outcome != Outcome::kRequest) {
      response = runner.reject(read.reject, request);
    } else if (!runner.run_now(request, response)) {
      auto run_call = runner.run(std::move(request));
      response = co_await std::move(run_call);
      request = HttpRequest();
    }
    const bool keep_alive =
        read.outcome == Outcome::kRequest && read.keep_alive && !response.close && !draining.load() && !stopping.load();
    if (response.drop) co_return;
    connection.transport.set_deadline(Deadline::after(options.write_timeout));
    const bool sent = co_await send(connection, response, keep_alive, head_only, out);
    if (sent && read.outcome == Outcome::kReject) co_await linger(connection);
    if (!sent || !keep_alive) co_return;
    if (request.body.capacity() > kKeptCapacity) request.body = std::string();
    if (out.capacity() > kKeptCapacity) out = std::string();
    connection.idle = true;
    if (in_a_row % kRequestsInARow == 0) co_await yield();
  }
}

ReadResult HttpServer::Impl::classify(const boost::beast::error_code& failed) const {
  if (failed == http::error::body_limit) return {Outcome::kReject, Reject::kBodyTooLarge, false};
  if (failed == http::error::header_limit) return {Outcome::kReject, Reject::kHeadTooLarge, false};
  return {Outcome::kReject, Reject::kMalformed, false};
}

awaitable<ReadResult> HttpServer::Impl::read_request(Connection& connection, HttpRequest& request) {
  Transport& transport = connection.transport;
  RequestParser parser(request, options.max_head_bytes, options.max_body_bytes);
  bool begun = false;
  bool head_done = false;
  std::chrono::nanoseconds patience = options.idle_timeout;
  if (stopping.load()) patience = connection.fresh ? std::chrono::nanoseconds(kFirstRequest) : options.stop_idle;
  transport.set_deadline(Deadline::after(patience));
  bool last_look = false;
  for (;;) {
    const std::string_view pending = connection.pending();
    if (!pending.empty()) {
      if (!begun) transport.set_deadline(Deadline::after(options.head_timeout));
      begun = true;
      connection.idle = connection.fresh = false;
      boost::beast::error_code failed;
      const std::size_t used = parser.put(boost::asio::const_buffer(pending.data(), pending.size()), failed);
      connection.consume(used);
      if (failed && failed != http::error::need_more) co_return classify(failed);
      if (parser.is_done()) co_return ReadResult{Outcome::kRequest, Reject::kMalformed, parser.keep_alive()};
      if (parser.is_header_done() && !head_done) {
        head_done = true;
        transport.set_deadline(Deadline::after(options.body_timeout));
        const auto expect = request.headers.find("expect");
        if (expect && equal_ignoring_case(*expect, "100-continue")) {
          Result<void> sent = co_await transport.write_all("HTTP/1.1 100 Continue\r\n\r\n");
          if (!sent.ok()) co_return ReadResult{};
        }
      }
    }
    if (!connection.make_room(options.max_head_bytes + kReadBuffer)) {
      co_return ReadResult{Outcome::kReject, Reject::kHeadTooLarge, false};
    }
    std::size_t done = 0;
    const IoStatus status =
        transport.try_read(connection.buffer.data() + connection.to, connection.buffer.size() - connection.to, done);
    connection.to += done;
    if (status == IoStatus::kDone) continue;
    if (status == IoStatus::kEnd || status == IoStatus::kFailed) co_return ReadResult{};
    Result<void> ready = co_await transport.wait(status);
    if (ready.ok()) continue;
    if (ready.error().code == Code::kTimeout && !begun && !last_look) {  // what came in this very moment is answered
      last_look = true;
      continue;
    }
    if (ready.error().code == Code::kTimeout && begun) co_return ReadResult{Outcome::kReject, Reject::kTimeout, false};
    co_return ReadResult{};
  }
}

awaitable<bool> HttpServer::Impl::send(Connection& connection, const HttpResponse& response, bool keep_alive,
                                       bool head_only, std::string& out) {
  out.clear();
  append_head(out, response, keep_alive);
  const bool flat = head_only || response.body.size() <= kFlatResponse;
  if (flat && !head_only) out += response.body;
  Result<void> sent = co_await connection.transport.write_all(out);
  if (sent.ok() && !flat) sent = co_await connection.transport.write_all(response.body);
  if (!sent.ok() || !response.stream || head_only) co_return sent.ok();
  const bool complete = co_await send_stream(connection, *response.stream);
  co_return complete;
}

awaitable<bool> HttpServer::Impl::send_stream(Connection& connection, BodySource& source) {
  std::string chunk;
  for (;;) {
    connection.transport.set_deadline(Deadline::never());
    const Result<std::string> piece = co_await source.next();
    if (!piece.ok()) co_return false;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", piece->size());
    chunk = size;
    chunk += *piece;
    chunk += "\r\n";
    connection.transport.set_deadline(Deadline::after(options.write_timeout));
    Result<void> sent = co_await connection.transport.write_all(chunk);
    if (!sent.ok()) co_return false;
    if (piece->empty()) co_return true;
  }
}

// A client that is still sending would lose the answer to a reset if the socket were closed under it.
awaitable<void> HttpServer::Impl::linger(Connection& connection) {
  Transport& transport = connection.transport;
  transport.shutdown_write();
  transport.set_deadline(Deadline::after(kLingerTime));
  connection.buffer.resize(std::max(connection.buffer.size(), kReadBuffer));
  for (std::size_t total = 0; total < kLingerBytes;) {
    std::size_t done = 0;
    const IoStatus status = transport.try_read(connection.buffer.data(), connection.buffer.size(), done);
    total += done;
    if (status == IoStatus::kDone) continue;
    if (status == IoStatus::kEnd || status == IoStatus::kFailed) co_return;
    Result<void> ready = co_await transport.wait(status);
    if (!ready.ok()) co_return;
  }
}

Shard& HttpServer::Impl::least_loaded() {
  Shard* best = &shards.front();
  for (Shard& shard : shards) {
    if (shard.count.load(std::memory_order_relaxed) < best->count.load(std::memory_order_relaxed)) best = &shard;
  }
  return *best;
}

void HttpServer::Impl::for_each_connection(bool idle_only) {
  for (Shard& shard : shards) {
    post(*shard.context, [self = shared_from_this(), &shard, idle_only] {
      for (Connection* c = shard.head; c != nullptr; c = c->next) {
        if (idle_only && c->http2 != nullptr) {
          c->http2->drain();
        } else if (!idle_only) {
          c->transport.cancel();
        } else if (c->idle || c->fresh) {
          c->transport.set_deadline(
              Deadline::after(c->fresh ? std::chrono::nanoseconds(kFirstRequest) : self->options.stop_idle));
        }
      }
    });
  }
}

bool HttpServer::Impl::wait_for_none(Deadline until) {
  std::unique_lock lock(mutex);
  const auto none = [this] { return open == 0 && !accepting; };
  if (until.is_never()) {
    changed.wait(lock, none);
    return true;
  }
  return changed.wait_until(lock, until.when(), none);
}

HttpServer::HttpServer(IoPool& pool, HttpHandler& handler, HttpServerOptions options, const TlsServerCell* tls)
    : impl_(std::make_shared<Impl>(pool, handler, std::move(options), tls)) {}

HttpServer::~HttpServer() { stop(Deadline::after(std::chrono::seconds(0))); }

Result<void> HttpServer::start() {
  PC_TRY(Tcp::acceptor acceptor, listen_on(*impl_->shards.front().context, impl_->options.host, impl_->options.port));
  boost::system::error_code failed;
  const Tcp::endpoint bound = acceptor.local_endpoint(failed);
  if (failed) return to_error(failed, "listen");
  impl_->port = bound.port();
  impl_->acceptor = std::make_unique<Tcp::acceptor>(std::move(acceptor));
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->accepting = true;
  }
  spawn(*impl_->shards.front().context, Impl::accept_loop(impl_), impl_->options.name + " accept");
  return ok();
}

std::uint16_t HttpServer::port() const noexcept { return impl_->port; }

void HttpServer::drain() {
  if (impl_->draining.exchange(true)) return;
  for (Shard& shard : impl_->shards) {
    post(*shard.context, [self = impl_, &shard] {
      for (Connection* c = shard.head; c != nullptr; c = c->next) {
        if (c->http2 != nullptr) c->http2->drain();
      }
    });
  }
}

void HttpServer::stop(Deadline grace) {
  impl_->stopping.store(true);
  if (impl_->acceptor) {
    post(*impl_->shards.front().context, [impl = impl_] {
      boost::system::error_code ignored;
      impl->acceptor->close(ignored);
    });
  }
  impl_->for_each_connection(true);
  if (impl_->wait_for_none(grace)) return;
  impl_->for_each_connection(false);
  // What still runs is a handler; its awaits have deadlines.
  if (!impl_->wait_for_none(Deadline::after(impl_->options.request_timeout + std::chrono::seconds(5)))) {
    log::error("net", "handlers did not end", {{"server", impl_->options.name}});
  }
}

HttpServerStats HttpServer::stats() const noexcept {
  HttpServerStats stats;
  stats.accepted = impl_->accepted.load(std::memory_order_relaxed);
  stats.refused = impl_->refused.load(std::memory_order_relaxed);
  stats.handshake_failures = impl_->handshake_failures.load(std::memory_order_relaxed);
  stats.requests = impl_->runner.requests();
  const std::lock_guard lock(impl_->mutex);
  stats.open_connections = impl_->open;
  return stats;
}

}  // namespace portcullis::net
