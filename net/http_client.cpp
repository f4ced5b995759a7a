// HTTP/1.1 client: the pool, one exchange, streams.
#include "net/http_client.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <deque>
#include <utility>
#include <vector>

#include "net/io.h"
#include "net/tls.h"
#include "net/transport.h"

namespace portcullis::net {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t kReadBuffer = 16 * 1024;
constexpr std::size_t kFlatRequest = 64 * 1024;

// Beast's parser, writing straight into an HttpResponse. With `eager` off a call to put() stops after each part.
class ResponseParser final : public http::basic_parser<false> {
  using Failure = boost::beast::error_code;
  using View = boost::beast::string_view;

 public:
  ResponseParser(HttpResponse& response, std::size_t max_head, std::size_t max_body, bool head_request)
      : response_(response), max_body_(max_body) {
    eager(true);
    skip(head_request);
    header_limit(static_cast<std::uint32_t>(max_head));
    body_limit(boost::none);
  }

 private:
  static std::string_view std_view(View v) noexcept { return {v.data(), v.size()}; }

  void on_request_impl(http::verb, View, View, int, Failure&) override {}
  void on_response_impl(int status, View, int, Failure&) override { response_.status = status; }
  void on_field_impl(http::field, View name, View value, Failure&) override {
    response_.headers.add(std_view(name), std_view(value));
  }
  void on_header_impl(Failure&) override {
    response_.content_type = response_.headers.find("content-type").value_or("");
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Failure& failed) override {
    if (!length) return;
    if (max_body_ != 0 && *length > max_body_) {
      failed = http::error::body_limit;
    } else if (max_body_ != 0) {
      response_.body.reserve(static_cast<std::size_t>(*length));
    }
  }
  std::size_t on_body_impl(View body, Failure& failed) override {
    if (max_body_ != 0 && response_.body.size() + body.size() > max_body_) {
      failed = http::error::body_limit;
      return 0;
    }
    response_.body += std_view(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Failure&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Failure& failed) override {
    return on_body_impl(body, failed);
  }
  void on_finish_impl(Failure&) override {}

  HttpResponse& response_;
  std::size_t max_body_;  // 0: streamed, the reader takes the body away as it comes
};

void append_request(std::string& out, const HttpRequest& request, const Origin& origin, const std::string& agent) {
  out += request.method;
  out += ' ';
  out += origin.path_prefix;
  out += request.target;
  // A request may name another host or agent than the client's.
  const std::optional<std::string_view> host = request.headers.find("host");
  const std::optional<std::string_view> own_agent = request.headers.find("user-agent");
  out += " HTTP/1.1\r\nHost: ";
  out += host ? std::string(*host) : origin.host_header();
  out += "\r\nUser-Agent: ";
  out += own_agent.value_or(agent);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    out += "\r\nContent-Length: ";
    out += std::to_string(request.body.size());
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const std::string_view name = request.headers.name(i);
    if (equal_ignoring_case(name, "host") || equal_ignoring_case(name, "user-agent")) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += request.headers.value(i);
  }
  out += "\r\n\r\n";
}

// A header field or target with a line break in it would be a request of somebody else's making.
bool has_line_break(std::string_view text) noexcept { return text.find_first_of("\r\n") != std::string_view::npos; }

Result<void> check_request(const HttpRequest& request) {
  bool bad = has_line_break(request.target) || has_line_break(request.method) || request.target.empty() ||
             request.target.find(' ') != std::string::npos;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    bad = bad || has_line_break(request.headers.name(i)) || has_line_break(request.headers.value(i));
  }
  if (bad) return make_error(Code::kInvalid, "request with a line break or space in its target or header");
  return ok();
}

bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

struct Connection {
  Connection(boost::asio::io_context& context, Tcp::socket socket) : transport(context, std::move(socket)) {}
  Transport transport;
  std::string buffer;  // bytes [from, to) are read and not yet parsed
  std::size_t from = 0;
  std::size_t to = 0;
  std::uint64_t generation = 0;
  Deadline unused_until = Deadline::never();
  bool used_before = false;
};

// Reads more bytes into the buffer. kEnd is reported by `ended`.
awaitable<Result<void>> fill(Connection& connection, std::size_t limit, bool& ended) {
  if (connection.to == connection.buffer.size()) {
    if (connection.from > 0) {
      connection.buffer.erase(0, connection.from);
      connection.to -= connection.from;
      connection.from = 0;
    }
    if (connection.buffer.size() >= limit) co_return make_error(Code::kLimit, "response head too large");
    connection.buffer.resize(std::min(limit, std::max(kReadBuffer, connection.buffer.size() * 2)));
  }
  for (;;) {
    std::size_t done = 0;
    const IoStatus status = connection.transport.try_read(connection.buffer.data() + connection.to,
                                                          connection.buffer.size() - connection.to, done);
    connection.to += done;
    if (status == IoStatus::kDone) co_return ok();
    if (status == IoStatus::kFailed) co_return connection.transport.error();
    if (status == IoStatus::kEnd) {
      ended = true;
      co_return ok();
    }
    Result<void> ready = co_await connection.transport.wait(status);
    if (!ready.ok()) co_return ready;
  }
}

// Feeds the parser until `until_done` (the whole message) or the head is complete, or something of a body has come.
enum class Until : std::uint8_t { kHead, kSomeBody, kDone };
bool reached(const ResponseParser& parser, const HttpResponse& response, Until until) {
  if (parser.is_done()) return true;
  if (until == Until::kHead) return parser.is_header_done();
  return until == Until::kSomeBody && !response.body.empty();
}

awaitable<Result<void>> parse_until(Connection& connection, ResponseParser& parser, HttpResponse& response,
                                    std::size_t max_head, Until until) {
  while (!reached(parser, response, until)) {
    if (connection.from < connection.to) {
      boost::beast::error_code failed;
      const boost::asio::const_buffer bytes(connection.buffer.data() + connection.from,
                                            connection.to - connection.from);
      connection.from += parser.put(bytes, failed);
      if (connection.from == connection.to) connection.from = connection.to = 0;
      if (failed == http::error::body_limit) co_return make_error(Code::kLimit, "response body too large");
      if (failed && failed != http::error::need_more) {
        co_return make_error(Code::kUnavailable, "malformed response: " + failed.message());
      }
      if (reached(parser, response, until)) break;
    }
    bool ended = false;
    Result<void> filled = co_await fill(connection, max_head + kReadBuffer, ended);
    if (!filled.ok()) co_return filled;
    if (!ended) continue;
    boost::beast::error_code failed;
    if (parser.got_some()) parser.put_eof(failed);
    if (!parser.got_some() || failed) co_return make_error(Code::kUnavailable, "connection closed by server");
    if (!parser.is_done()) co_return make_error(Code::kUnavailable, "response cut off");
  }
  co_return ok();
}

}  // namespace

std::string Origin::host_header() const {
  std::string text = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

Result<Origin> parse_origin(std::string_view url) {
  const auto bad = [url](const char* why) {
    return make_error(Code::kInvalid, "URL \"" + std::string(url) + "\": " + why);
  };
  Origin origin;
  std::string_view rest = url;
  if (rest.substr(0, 8) == "https://") {
    rest.remove_prefix(8);
  } else if (rest.substr(0, 7) == "http://") {
    rest.remove_prefix(7);
    origin.tls = false;
    origin.port = 80;
  } else {
    return bad("must begin with https:// or http://");
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    origin.path_prefix = rest.substr(slash);
    while (!origin.path_prefix.empty() && origin.path_prefix.back() == '/') origin.path_prefix.pop_back();
    rest = rest.substr(0, slash);
  }
  if (rest.find('@') != std::string_view::npos) return bad("user names in it are not supported");
  const std::size_t bracket = rest.find(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    std::uint32_t port = 0;
    const std::string_view digits = rest.substr(colon + 1);
    if (digits.empty() || digits.size() > 5) return bad("bad port");
    for (const char c : digits) {
      if (c < '0' || c > '9') return bad("bad port");
      port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (port == 0 || port > 65535) return bad("bad port");
    origin.port = static_cast<std::uint16_t>(port);
    rest = rest.substr(0, colon);
  }
  if (!rest.empty() && rest.front() == '[' && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return bad("no host");
  if (has_line_break(url) || url.find(' ') != std::string_view::npos) return bad("white space in it");
  origin.host = rest;
  return origin;
}

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(boost::asio::io_context& c, Origin o, std::shared_ptr<const TlsClientContext> t, HttpClientOptions p)
      : context(c), origin(std::move(o)), tls(std::move(t)), options(std::move(p)), released(c) {}

  awaitable<Result<std::unique_ptr<Connection>>> acquire(Deadline deadline);
  awaitable<Result<std::unique_ptr<Connection>>> dial(Deadline deadline);
  std::unique_ptr<Connection> take_idle();
  void release(std::unique_ptr<Connection> connection, bool reusable);
  // A connection whose response goes on counts as a stream, and no longer against max_connections.
  void begin_stream() {
    --open;
    ++streams;
    released.notify_one();
  }
  void end_stream(std::unique_ptr<Connection> connection, bool reusable) {
    --streams;
    ++open;
    release(std::move(connection), reusable);
  }

  struct Exchange {
    std::unique_ptr<Connection> connection;
    std::unique_ptr<HttpResponse> response;  // behind pointers: parser and stream refer to them
    std::unique_ptr<ResponseParser> parser;
  };
  // Sends the request and reads the response up to `until`. On failure the connection is gone.
  static awaitable<Result<Exchange>> exchange(std::shared_ptr<Impl> self, HttpRequest request, Deadline deadline,
                                              Until until);
  static awaitable<Result<void>> transmit(Connection& connection, const HttpRequest& request, std::string head);

  boost::asio::io_context& context;
  const Origin origin;
  std::shared_ptr<const TlsClientContext> tls;
  const HttpClientOptions options;
  Signal released;
  std::deque<std::unique_ptr<Connection>> idle;
  std::size_t open = 0;     // idle ones included
  std::size_t streams = 0;  // not in `open`
  std::size_t waiting = 0;
  std::uint64_t generation = 0;  // of the TLS context
};

std::unique_ptr<Connection> HttpClient::Impl::take_idle() {
  while (!idle.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    if (!connection->unused_until.passed() && !connection->transport.stirred()) return connection;
    --open;
  }
  return nullptr;
}

awaitable<Result<std::unique_ptr<Connection>>> HttpClient::Impl::dial(Deadline deadline) {
  const Deadline until = deadline.sooner(Deadline::after(options.connect_timeout));
  const std::uint64_t made_in = generation;
  std::shared_ptr<const TlsClientContext> with = tls;
  Result<std::vector<Tcp::endpoint>> endpoints = co_await resolve(origin.host, origin.port, until);
  if (!endpoints.ok()) co_return std::move(endpoints).error();
  Result<Tcp::socket> socket = co_await connect(std::move(endpoints).value(), until);
  if (!socket.ok()) co_return std::move(socket).error();
  auto connection = std::make_unique<Connection>(context, std::move(socket).value());
  connection->generation = made_in;
  if (origin.tls) {
    if (!with) co_return make_error(Code::kInvalid, "https without a TLS context");
    PC_CO_TRY_VOID(connection->transport.start_tls(std::move(with), origin.host));
    connection->transport.set_deadline(until);
    Result<void> shaken = co_await connection->transport.handshake();
    if (!shaken.ok()) co_return std::move(shaken).with_context(origin.host_header()).error();
  }
  co_return std::move(connection);
}

awaitable<Result<std::unique_ptr<Connection>>> HttpClient::Impl::acquire(Deadline deadline) {
  while (open >= options.max_connections && idle.empty()) {
    if (waiting >= options.max_waiting) {
      co_return make_error(Code::kThrottled, origin.host_header() + ": too many requests wait for a connection");
    }
    ++waiting;
    const bool notified = co_await released.wait(deadline);
    --waiting;
    if (!notified) co_return make_error(Code::kTimeout, "waiting for a connection: deadline exceeded");
  }
  if (std::unique_ptr<Connection> kept = take_idle()) co_return std::move(kept);
  ++open;
  Result<std::unique_ptr<Connection>> dialled = co_await dial(deadline);
  if (!dialled.ok()) {
    --open;
    released.notify_one();
  }
  co_return dialled;
}

void HttpClient::Impl::release(std::unique_ptr<Connection> connection, bool reusable) {
  if (reusable && connection->generation == generation && idle.size() < options.max_idle &&
      open <= options.max_connections) {
    connection->used_before = true;
    connection->unused_until = Deadline::after(options.idle_timeout);
    connection->transport.set_deadline(Deadline::never());
    idle.push_back(std::move(connection));
  } else {
    --open;
  }
  released.notify_one();
}

awaitable<Result<void>> HttpClient::Impl::transmit(Connection& connection, const HttpRequest& request,
                                                   std::string head) {
  const bool flat = request.body.size() <= kFlatRequest;
  if (flat) head += request.body;
  Result<void> sent = co_await connection.transport.write_all(head);
  if (sent.ok() && !flat) sent = co_await connection.transport.write_all(request.body);
  co_return sent;
}

awaitable<Result<HttpClient::Impl::Exchange>> HttpClient::Impl::exchange(std::shared_ptr<Impl> self,
                                                                         HttpRequest request, Deadline deadline,
                                                                         Until until) {
  PC_CO_TRY_VOID(check_request(request));
  for (int attempt = 1;; ++attempt) {
    Result<std::unique_ptr<Connection>> acquired = co_await self->acquire(deadline);
    if (!acquired.ok()) co_return std::move(acquired).error();
    Exchange made{std::move(acquired).value(), std::make_unique<HttpResponse>(), nullptr};
    made.parser = std::make_unique<ResponseParser>(*made.response, self->options.max_head_bytes,
                                                   until == Until::kDone ? self->options.max_body_bytes : 0,
                                                   request.method == "HEAD");
    Connection& connection = *made.connection;
    connection.transport.set_deadline(deadline);
    std::string head;
    append_request(head, request, self->origin, self->options.user_agent);
    Result<void> result = co_await transmit(connection, request, std::move(head));
    // A server may answer before it has read everything, and close: what it said counts more than the failed write.
    const bool readable = result.ok() || result.error().code == Code::kUnavailable;
    Result<void> parsed = make_error(Code::kUnavailable, "");
    if (readable) {
      parsed = co_await parse_until(connection, *made.parser, *made.response, self->options.max_head_bytes, until);
      while (parsed.ok() && made.response->status >= 100 && made.response->status < 200) {  // 100 Continue and its like
        made.response->clear();
        made.parser = std::make_unique<ResponseParser>(*made.response, self->options.max_head_bytes,
                                                       until == Until::kDone ? self->options.max_body_bytes : 0,
                                                       request.method == "HEAD");
        parsed = co_await parse_until(connection, *made.parser, *made.response, self->options.max_head_bytes, until);
      }
      if (parsed.ok()) co_return std::move(made);
      if (result.ok()) result = std::move(parsed);
    }
    // The server closed a kept connection in the very moment we used it: once more on another one.
    const bool nothing_came = !made.parser->got_some();
    const bool retry = connection.used_before && nothing_came && result.error().code == Code::kUnavailable &&
                       is_idempotent(request.method) && attempt <= 2;
    self->release(std::move(made.connection), false);
    if (!retry) {
      co_return std::move(result)
          .with_context(request.method + " " + self->origin.host_header() + std::string(request.path()))
          .error();
    }
  }
}

HttpClient::HttpClient(boost::asio::io_context& context, Origin origin, std::shared_ptr<const TlsClientContext> tls,
                       HttpClientOptions options)
    : impl_(std::make_shared<Impl>(context, std::move(origin), std::move(tls), std::move(options))) {}

HttpClient::~HttpClient() { close_idle(); }

namespace {

bool keeps_alive(const ResponseParser& parser) { return parser.is_done() && parser.keep_alive(); }

}  // namespace

awaitable<Result<HttpResponse>> HttpClient::send(HttpRequest request, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  Result<Impl::Exchange> exchanged = co_await Impl::exchange(impl, std::move(request), deadline, Until::kDone);
  if (!exchanged.ok()) co_return std::move(exchanged).error();
  Impl::Exchange& done = *exchanged;
  impl->release(std::move(done.connection), keeps_alive(*done.parser));
  co_return std::move(*done.response);
}

struct HttpStream::Impl {
  Impl(std::shared_ptr<HttpClient::Impl> c, HttpClient::Impl::Exchange e)
      : client(std::move(c)), exchange(std::move(e)) {}
  ~Impl() { finish(false); }
  void finish(bool reusable) {
    if (exchange.connection) client->end_stream(std::move(exchange.connection), reusable);
  }
  std::shared_ptr<HttpClient::Impl> client;
  HttpClient::Impl::Exchange exchange;
  std::string piece;
  bool reading = false;
  bool closed = false;
};

awaitable<Result<std::unique_ptr<HttpStream>>> HttpClient::open(HttpRequest request, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  if (impl->streams >= impl->options.max_streams) {
    co_return make_error(Code::kThrottled, impl->origin.host_header() + ": too many streams are open");
  }
  Result<Impl::Exchange> exchanged = co_await Impl::exchange(impl, std::move(request), deadline, Until::kHead);
  if (!exchanged.ok()) co_return std::move(exchanged).error();
  impl->begin_stream();
  auto state = std::make_unique<HttpStream::Impl>(impl, std::move(exchanged).value());
  co_return std::unique_ptr<HttpStream>(new HttpStream(std::move(state)));
}

HttpStream::HttpStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpStream::~HttpStream() = default;

int HttpStream::status() const noexcept { return impl_->exchange.response->status; }
const Headers& HttpStream::headers() const noexcept { return impl_->exchange.response->headers; }

awaitable<Result<std::string_view>> HttpStream::read(Deadline deadline) {
  Impl& s = *impl_;
  s.piece.clear();
  if (s.closed) co_return make_error(Code::kCancelled, "stream closed");
  if (!s.exchange.connection) co_return std::string_view();
  HttpResponse& response = *s.exchange.response;
  Connection& connection = *s.exchange.connection;
  connection.transport.set_deadline(deadline);
  s.reading = true;
  Result<void> parsed = co_await parse_until(connection, *s.exchange.parser, response, s.client->options.max_head_bytes,
                                             Until::kSomeBody);
  s.reading = false;
  if (s.closed) {
    s.finish(false);
    co_return make_error(Code::kCancelled, "stream closed");
  }
  if (!parsed.ok()) {
    if (parsed.error().code != Code::kTimeout) s.finish(false);
    if (parsed.error().code != Code::kTimeout) s.closed = true;
    co_return std::move(parsed).error();
  }
  s.piece.swap(response.body);
  if (s.exchange.parser->is_done()) s.finish(keeps_alive(*s.exchange.parser));
  co_return std::string_view(s.piece);
}

void HttpStream::close() {
  if (impl_->closed) return;
  impl_->closed = true;
  if (impl_->reading) {
    impl_->exchange.connection->transport.cancel();  // read() lets go of the connection
  } else {
    impl_->finish(false);
  }
}

void HttpClient::set_tls(std::shared_ptr<const TlsClientContext> tls) {
  impl_->tls = std::move(tls);
  ++impl_->generation;
  close_idle();
}

const Origin& HttpClient::origin() const noexcept { return impl_->origin; }
std::size_t HttpClient::open_connections() const noexcept { return impl_->open + impl_->streams; }

void HttpClient::close_idle() {
  impl_->open -= impl_->idle.size();
  impl_->idle.clear();
}

awaitable<Result<std::string>> fetch_certificate_chain(std::string host, std::uint16_t port, Deadline deadline) {
  TlsClientOptions options;
  options.insecure_skip_verify = true;  // the chain is compared, not trusted
  PC_CO_TRY(std::shared_ptr<const TlsClientContext> tls, TlsClientContext::create(options));
  Result<std::vector<Tcp::endpoint>> endpoints = co_await resolve(host, port, deadline);
  if (!endpoints.ok()) co_return std::move(endpoints).error();
  Result<Tcp::socket> socket = co_await connect(std::move(endpoints).value(), deadline);
  if (!socket.ok()) co_return std::move(socket).error();
  boost::asio::io_context* context = co_await this_context();
  Transport transport(*context, std::move(socket).value());
  PC_CO_TRY_VOID(transport.start_tls(std::move(tls), host));
  transport.set_deadline(deadline);
  Result<void> shaken = co_await transport.handshake();
  if (!shaken.ok()) co_return std::move(shaken).error();
  co_return transport.peer_chain_pem();
}

}  // namespace portcullis::net
