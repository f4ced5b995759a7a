// HTTP/2: the session against a client of nghttp2 in memory, and the server against one over TLS.
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "net/blocking.h"
#include "net/http2_session.h"
#include "net/http_test_support.h"
#include "net/io_thread.h"
#include "net/transport.h"

namespace portcullis::net {
namespace {

using namespace test;

// The client's side of a connection: what it asked, and what came of it.
class Http2Client {
 public:
  struct Answer {
    std::map<std::string, std::string> headers;
    std::string body;
    bool closed = false;
    std::uint32_t error = 0;
  };

  Http2Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          self(user).answers[frame->hd.stream_id].headers[text(name, name_size)] = text(value, value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void* user) {
          self(user).answers[id].body += text(data, size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
          Answer& answer = self(user).answers[id];
          answer.closed = true;
          answer.error = error;
          ++self(user).closed;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          if (frame->hd.type == NGHTTP2_GOAWAY) {
            self(user).goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
          }
          return 0;
        });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 16 * 1024 * 1024);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  std::int32_t ask(std::string method, std::string target, std::string body = {}, std::string extra = {},
                   bool complete = true) {
    const std::string scheme = "https";
    const std::string authority = "one.test";
    const std::string extra_name = "x-in";
    std::vector<nghttp2_nv> fields{field(":method", method), field(":scheme", scheme), field(":path", target),
                                   field(":authority", authority)};
    if (!extra.empty()) fields.push_back(field(extra_name, extra));
    bodies_.push_back(std::make_unique<Body>(Body{std::move(body), 0, complete}));
    nghttp2_data_provider provider{};
    provider.source.ptr = bodies_.back().get();
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t size,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      Body& from = *static_cast<Body*>(source->ptr);
      const std::size_t part = std::min(size, from.bytes.size() - from.sent);
      std::copy_n(from.bytes.begin() + static_cast<std::ptrdiff_t>(from.sent), part, to);
      from.sent += part;
      if (from.sent < from.bytes.size()) return static_cast<ssize_t>(part);
      if (from.complete) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return part == 0 && !from.complete ? static_cast<ssize_t>(NGHTTP2_ERR_DEFERRED) : static_cast<ssize_t>(part);
    };
    const bool has_body = !bodies_.back()->bytes.empty() || !complete;
    return nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), has_body ? &provider : nullptr,
                                  nullptr);
  }
  // How much of each answer's body the server may send before it hears more.
  void set_stream_window(std::uint32_t size) {
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, size};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  // Ends the body of a request that was asked with `complete` off.
  void complete(std::int32_t id) {
    bodies_[static_cast<std::size_t>(id / 2)]->complete = true;  // ids are 1, 3, 5 …
    nghttp2_session_resume_data(session_, id);
  }
  void reset(std::int32_t id) { nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL); }

  std::string output() {
    std::string out;
    const std::uint8_t* data = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
      out += text(data, static_cast<std::size_t>(n));
    }
    return out;
  }
  bool feed(std::string_view bytes) {
    return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) >= 0;
  }

  std::map<std::int32_t, Answer> answers;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways;
  std::size_t closed = 0;

 private:
  struct Body {
    std::string bytes;
    std::size_t sent;
    bool complete;
  };
  static Http2Client& self(void* user) { return *static_cast<Http2Client*>(user); }
  static std::string text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
  }
  static nghttp2_nv field(std::string_view name, std::string_view value) {
    nghttp2_nv nv{};
    nv.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    nv.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    nv.namelen = name.size();
    nv.valuelen = value.size();
    return nv;
  }
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<Body>> bodies_;
};

// Moves bytes both ways until neither has any.
bool exchange(Http2Client& client, Http2Session& server) {
  bool fine = true;
  for (int quiet = 0; quiet < 2;) {
    const std::string up = client.output();
    if (!up.empty()) fine = server.feed(up) && fine;
    std::string down;
    server.output(down, 1 << 20);
    if (!down.empty()) fine = client.feed(down) && fine;
    quiet = up.empty() && down.empty() ? quiet + 1 : 0;
  }
  return fine;
}

TEST(Http2Session, StreamsBesideEachOther) {
  Http2Client client;
  Http2Session server({});
  const std::int32_t first = client.ask("POST", "/a?timeout=1s", std::string(300000, 'b'), "42");
  const std::int32_t second = client.ask("GET", "/b");
  ASSERT_TRUE(exchange(client, server));
  Http2Stream* one = server.next();
  Http2Stream* two = server.next();
  ASSERT_TRUE(one != nullptr && two != nullptr);
  EXPECT_EQ(server.next(), nullptr);
  if (one->id != first) std::swap(one, two);
  EXPECT_EQ(one->request.method, "POST");
  EXPECT_EQ(one->request.target, "/a?timeout=1s");
  EXPECT_EQ(one->request.body.size(), 300000u);
  EXPECT_EQ(one->request.headers.find("x-in"), "42");
  EXPECT_EQ(one->request.headers.find("host"), "one.test");
  EXPECT_EQ(server.open(), 2u);
  EXPECT_EQ(server.receiving(), 0u);
  two->response = HttpResponse::text(404, "no");
  two->response.headers.add("X-Echo", "y");
  server.respond(*two);
  one->response = HttpResponse::json(200, std::string(200000, 'r'));
  server.respond(*one);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(client.answers[first].headers[":status"], "200");
  EXPECT_EQ(client.answers[first].headers["content-length"], "200000");
  EXPECT_EQ(client.answers[first].body, std::string(200000, 'r'));
  EXPECT_EQ(client.answers[second].headers[":status"], "404");
  EXPECT_EQ(client.answers[second].headers["x-echo"], "y");
  EXPECT_EQ(client.answers[second].body, "no");
  EXPECT_EQ(server.open(), 0u);
}

TEST(Http2Session, TooMuchIsRejected) {
  Http2Client client;
  Http2Limits limits;
  limits.max_body_bytes = 1000;
  limits.max_head_bytes = 2000;
  Http2Session server(limits);
  const std::int32_t body = client.ask("POST", "/", std::string(200000, 'b'));
  const std::int32_t head = client.ask("GET", "/", {}, std::string(3000, 'h'));
  ASSERT_TRUE(exchange(client, server));
  std::map<std::int32_t, Reject> seen;
  while (Http2Stream* stream = server.next()) {
    ASSERT_TRUE(stream->reject);
    seen[stream->id] = *stream->reject;
    stream->response = HttpResponse::text(413, "too much");
    server.respond(*stream);
  }
  EXPECT_EQ(seen[body], Reject::kBodyTooLarge);
  EXPECT_EQ(seen[head], Reject::kHeadTooLarge);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(client.answers[body].body, "too much");
  EXPECT_TRUE(client.answers[body].closed);
  EXPECT_EQ(client.answers[body].error, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_EQ(server.open(), 0u);
}

TEST(Http2Session, AllBodiesTogetherAreBounded) {
  Http2Client client;
  Http2Limits limits;
  limits.max_buffered_bytes = 10000;
  Http2Session server(limits);
  const std::int32_t first = client.ask("POST", "/", std::string(8000, 'a'), {}, false);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(server.receiving(), 1u);
  const std::int32_t second = client.ask("POST", "/", std::string(8000, 'b'));
  ASSERT_TRUE(exchange(client, server));
  EXPECT_TRUE(client.answers[second].closed);
  EXPECT_EQ(client.answers[second].error, static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  EXPECT_FALSE(client.answers[first].closed);
  client.reset(first);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(server.open(), 0u);
  EXPECT_EQ(server.receiving(), 0u);
  const std::int32_t third = client.ask("POST", "/", std::string(8000, 'c'));
  ASSERT_TRUE(exchange(client, server));
  Http2Stream* stream = server.next();
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->id, third);
}

TEST(Http2Session, ResetWhileItIsHandled) {
  Http2Client client;
  Http2Session server({});
  const std::int32_t id = client.ask("GET", "/");
  ASSERT_TRUE(exchange(client, server));
  Http2Stream* stream = server.next();
  ASSERT_NE(stream, nullptr);
  client.reset(id);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(server.open(), 1u);  // the handler still has it
  stream->response = HttpResponse::text(200, "late");
  server.respond(*stream);
  EXPECT_EQ(server.open(), 0u);
  EXPECT_TRUE(exchange(client, server));
}

TEST(Http2Session, ResetsWithoutEndAreNotServed) {
  Http2Client client;
  Http2Limits limits;
  limits.max_streams = 10;
  limits.spare_resets = 50;
  Http2Session server(limits);
  std::vector<Http2Stream*> handled;
  for (int i = 0; i < 60 && client.goaways.empty(); ++i) {
    const std::int32_t id = client.ask("GET", "/");
    ASSERT_TRUE(exchange(client, server));
    while (Http2Stream* stream = server.next()) handled.push_back(stream);
    client.reset(id);
    exchange(client, server);
  }
  EXPECT_LE(handled.size(), 10u);
  ASSERT_EQ(client.goaways.size(), 1u);
  EXPECT_EQ(client.goaways[0].second, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_FALSE(server.alive());
  for (Http2Stream* stream : handled) server.respond(*stream);
  EXPECT_EQ(server.open(), 0u);
}

TEST(Http2Session, StreamedBody) {
  Http2Client client;
  Http2Session server({});
  const std::int32_t id = client.ask("GET", "/");
  ASSERT_TRUE(exchange(client, server));
  Http2Stream* stream = server.next();
  ASSERT_NE(stream, nullptr);
  stream->more = true;
  server.respond(*stream);
  for (const char* piece : {"one ", "two ", "three"}) {
    stream->response.body += piece;
    ASSERT_TRUE(server.resume(*stream));
    ASSERT_TRUE(exchange(client, server));
    EXPECT_EQ(Http2Session::unsent(*stream), 0u);
  }
  EXPECT_FALSE(client.answers[id].closed);
  server.end_stream(*stream);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(client.answers[id].body, "one two three");
  EXPECT_TRUE(client.answers[id].closed);
  EXPECT_EQ(server.open(), 0u);
}

TEST(Http2Session, EndsInTwoSteps) {
  Http2Client client;
  Http2Session server({});
  const std::int32_t running = client.ask("GET", "/running");
  ASSERT_TRUE(exchange(client, server));
  Http2Stream* first = server.next();
  server.announce_end();
  ASSERT_TRUE(exchange(client, server));
  server.refuse_new();
  ASSERT_TRUE(exchange(client, server));
  ASSERT_EQ(client.goaways.size(), 2u);
  EXPECT_EQ(client.goaways[0].first, 2147483647);
  EXPECT_EQ(client.goaways[1].first, running);
  EXPECT_TRUE(server.alive());
  first->response = HttpResponse::text(200, "done");
  server.respond(*first);
  ASSERT_TRUE(exchange(client, server));
  EXPECT_EQ(client.answers[running].body, "done");
  EXPECT_FALSE(server.alive());
}

TEST(Http2Session, NotHttp2) {
  Http2Session server({});
  EXPECT_FALSE(server.feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(server.alive());
}

// ---- over TLS ----

awaitable<Result<std::unique_ptr<Transport>>> dial(std::uint16_t port, std::shared_ptr<const TlsClientContext> tls) {
  std::vector<Tcp::endpoint> endpoints(1, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  auto connect_call = connect(std::move(endpoints), soon());
  Result<Tcp::socket> socket = co_await std::move(connect_call);
  if (!socket.ok()) co_return std::move(socket).error();
  boost::asio::io_context* context = co_await this_context();
  auto transport = std::make_unique<Transport>(*context, std::move(socket).value());
  PC_CO_TRY_VOID(transport->start_tls(std::move(tls), "127.0.0.1"));
  transport->set_deadline(soon());
  Result<void> shaken = co_await transport->handshake();
  if (!shaken.ok()) co_return std::move(shaken).error();
  co_return std::move(transport);
}

// Sends what the client has, and reads until `closed` streams are closed, or the server ends the connection.
awaitable<Result<void>> pump(Transport* transport, Http2Client* client, std::size_t closed) {
  char buffer[16384];
  while (client->closed < closed) {
    const std::string out = client->output();
    Result<void> sent = co_await transport->write_all(out);
    if (!sent.ok()) co_return sent;
    std::size_t done = 0;
    const IoStatus status = transport->try_read(buffer, sizeof buffer, done);
    if (status == IoStatus::kEnd) co_return make_error(Code::kUnavailable, "ended");
    if (status == IoStatus::kFailed) co_return transport->error();
    if (status == IoStatus::kDone) {
      if (!client->feed({buffer, done})) co_return make_error(Code::kInvalid, "bad frames");
      continue;
    }
    Result<void> ready = co_await transport->wait(status);
    if (!ready.ok()) co_return ready;
  }
  co_return ok();
}

class Http2ServerTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(HttpServerOptions options) {
    options.host = "127.0.0.1";
    server = std::make_unique<HttpServer>(pool, handler, options, &cell);
    ASSERT_TRUE(server->start().ok());
    dial_server();
  }
  void dial_server() {
    TlsClientOptions with;
    with.alpn = {"h2"};
    Result<std::unique_ptr<Transport>> dialled =
        run_blocking(io.context(), dial(server->port(), client_context(0, with)));
    ASSERT_TRUE(dialled.ok()) << dialled.error().to_string();
    transport = std::move(dialled).value();
    ASSERT_EQ(transport->alpn(), "h2");
  }
  void TearDown() override {
    close();
    server->stop(soon());
    io.stop();
  }
  Result<void> run(std::size_t closed) { return run_blocking(io.context(), pump(transport.get(), &client, closed)); }
  void close() {
    if (!transport) return;
    const Result<void> closed = run_blocking(io.context(), closing(&transport));
    EXPECT_TRUE(closed.ok());
  }
  static awaitable<Result<void>> closing(std::unique_ptr<Transport>* transport) {
    transport->reset();
    co_return ok();
  }

  EchoHandler handler;
  IoPool pool{2};
  IoThread io{"client"};
  const TlsServerCell cell{server_context(0)};
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Transport> transport;
  Http2Client client;
};

TEST_F(Http2ServerTest, ManyRequestsOnOneConnection) {
  std::vector<std::int32_t> asked;
  for (int i = 0; i < 100; ++i) asked.push_back(client.ask("POST", i % 2 == 0 ? "/now" : "/x", "body", "v"));
  const std::int32_t slow = client.ask("GET", "/slow?timeout=50ms");
  const std::int32_t thrown = client.ask("GET", "/throw");
  const Result<void> done = run(102);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Http2Client::Answer& answer = client.answers[asked[i]];
    EXPECT_EQ(answer.headers.at(":status"), "200");
    EXPECT_EQ(answer.body, i % 2 == 0 ? "body" : "POST /x body");
  }
  EXPECT_EQ(client.answers[slow].body, "late");
  EXPECT_EQ(client.answers[thrown].headers[":status"], "500");
  EXPECT_EQ(client.answers[thrown].body, "panic: boom [recovered]\n");
  EXPECT_EQ(server->stats().requests, 102u);
  EXPECT_EQ(server->stats().accepted, 1u);
}

TEST_F(Http2ServerTest, LargeBodiesBothWays) {
  const std::int32_t id = client.ask("POST", "/now", std::string(3'000'000, 'q'));
  const Result<void> done = run(1);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(client.answers[id].body.size(), 3'000'000u);
}

TEST_F(Http2ServerTest, StopAnswersWhatRuns) {
  const std::int32_t slow = client.ask("GET", "/slow?timeout=400ms");
  const std::int32_t quick = client.ask("GET", "/quick");
  ASSERT_TRUE(run(1).ok());
  EXPECT_TRUE(client.answers[quick].closed);
  std::thread stopping([this] { server->stop(soon()); });
  const Result<void> done = run(2);
  EXPECT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(client.answers[slow].body, "late");
  const Result<void> ended = run(3);  // the server says goodbye
  EXPECT_FALSE(ended.ok());
  EXPECT_FALSE(client.goaways.empty());
  close();
  stopping.join();
  EXPECT_EQ(server->stats().open_connections, 0u);
}

// Before the end: what runs is answered, the client hears that it is to go, and the server goes on.
TEST_F(Http2ServerTest, DrainSendsClientsElsewhere) {
  const std::int32_t slow = client.ask("GET", "/slow?timeout=400ms");
  const std::int32_t quick = client.ask("GET", "/quick");
  ASSERT_TRUE(run(1).ok());
  EXPECT_TRUE(client.answers[quick].closed);
  server->drain();
  const Result<void> done = run(2);
  EXPECT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(client.answers[slow].body, "late");
  EXPECT_FALSE(run(3).ok());  // the server says goodbye
  EXPECT_FALSE(client.goaways.empty());
  close();
  dial_server();
  Http2Client next;
  next.ask("GET", "/quick");
  EXPECT_TRUE(run_blocking(io.context(), pump(transport.get(), &next, 1)).ok());
}

// Who was let in a moment before the end, and has not asked yet, is answered.
TEST_F(Http2ServerTest, StopAnswersWhoHasJustCome) {
  std::thread stopping([this] { server->stop(soon()); });
  client.ask("GET", "/quick");
  EXPECT_TRUE(run(1).ok());
  close();
  stopping.join();
}

TEST_F(Http2ServerTest, ClientLeavesWhileItIsServed) {
  client.ask("GET", "/slow?timeout=100ms");
  client.ask("GET", "/quick");
  ASSERT_TRUE(run(1).ok());
  close();
  server->stop(soon());
  EXPECT_EQ(server->stats().open_connections, 0u);
}

// With deadlines short enough to see them pass.
class Http2DeadlineTest : public Http2ServerTest {
 protected:
  void SetUp() override {
    HttpServerOptions options;
    options.idle_timeout = std::chrono::milliseconds(800);
    options.body_timeout = std::chrono::milliseconds(800);
    options.write_timeout = std::chrono::milliseconds(800);
    start(options);
  }
  static bool passed(std::chrono::steady_clock::time_point since, std::chrono::milliseconds span) {
    return std::chrono::steady_clock::now() - since > span;
  }
};

TEST_F(Http2DeadlineTest, BusyConnectionIsNotIdle) {
  const auto began = std::chrono::steady_clock::now();
  std::size_t asked = 0;
  while (!passed(began, std::chrono::milliseconds(1800))) {
    client.ask("POST", "/now", "x");
    const Result<void> done = run(++asked);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
  }
  EXPECT_TRUE(client.goaways.empty());
  EXPECT_EQ(server->stats().accepted, 1u);
}

TEST_F(Http2DeadlineTest, IdleConnectionIsToldBeforeItEnds) {
  client.ask("GET", "/now");
  ASSERT_TRUE(run(1).ok());
  const Result<void> ended = run(2);
  EXPECT_FALSE(ended.ok());
  ASSERT_FALSE(client.goaways.empty())
      << ended.error().to_string();  // nghttp2's client stops listening after the first
  EXPECT_EQ(client.goaways[0].second, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
}

TEST_F(Http2DeadlineTest, StalledRequestHarmsNoOther) {
  const std::int32_t stalled = client.ask("POST", "/now", "half", {}, false);
  const std::int32_t slow = client.ask("GET", "/slow?timeout=1200ms");
  const Result<void> done = run(2);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(client.answers[stalled].headers[":status"], "408");
  EXPECT_EQ(client.answers[slow].body, "late");
}

TEST_F(Http2DeadlineTest, AnswerThatIsNotTakenEndsTheConnection) {
  client.set_stream_window(0);
  client.ask("GET", "/x");
  const Result<void> ended = run(1);
  EXPECT_FALSE(ended.ok());
  EXPECT_NE(ended.error().code, Code::kTimeout);  // the server's end, not the test's patience
}

TEST_F(Http2DeadlineTest, RequestsThatOverlapHaveEachTheirTime) {
  const auto began = std::chrono::steady_clock::now();
  std::int32_t open = client.ask("POST", "/now", "a", {}, false);
  std::size_t asked = 0;
  while (!passed(began, std::chrono::milliseconds(1800))) {
    const auto from = std::chrono::steady_clock::now();
    const std::int32_t next = client.ask("POST", "/now", "b", {}, false);
    while (!passed(from, std::chrono::milliseconds(50))) {
      client.ask("GET", "/now");
      const Result<void> done = run(++asked);
      ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    client.complete(open);
    const Result<void> done = run(++asked);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
    EXPECT_EQ(client.answers[open].headers[":status"], "200");
    open = next;
  }
}

}  // namespace
}  // namespace portcullis::net
