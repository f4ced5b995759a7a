// HTTP server and client against each other and against hand-written bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <ctime>
#include <stdexcept>
#include <string>
#include <thread>

#include "net/blocking.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/http_test_support.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "net/tls.h"

namespace portcullis::net {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

// Sends bytes as they are and returns all that comes back until the server closes.
awaitable<Result<std::string>> raw(std::uint16_t port, std::string bytes) {
  std::vector<Tcp::endpoint> endpoints(1, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  Result<Tcp::socket> connected = co_await connect(std::move(endpoints), soon());
  if (!connected.ok()) co_return std::move(connected).error();
  Tcp::socket socket = std::move(connected).value();
  std::size_t sent = 0;
  std::string received;
  for (;;) {
    char buffer[4096];
    while (sent < bytes.size()) {
      const ssize_t n =
          ::send(socket.native_handle(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    const ssize_t n = ::recv(socket.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) co_return received;
    if (n > 0) {
      received.append(buffer, static_cast<std::size_t>(n));
      continue;
    }
    Result<void> ready = co_await wait_ready(socket, sent < bytes.size() ? WaitFor::kWrite : WaitFor::kRead);
    if (!ready.ok()) co_return std::move(ready).error();
  }
}

class HttpTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}, const TlsServerCell* tls = nullptr) {
    options.host = "127.0.0.1";
    server = std::make_unique<HttpServer>(pool, handler, options, tls);
    const Result<void> started = server->start();
    ASSERT_TRUE(started.ok()) << started.error().to_string();
  }
  HttpClient& client(std::shared_ptr<const TlsClientContext> tls = nullptr, HttpClientOptions options = {}) {
    Origin origin;
    origin.tls = tls != nullptr;
    origin.host = "127.0.0.1";
    origin.port = server->port();
    made = std::make_unique<HttpClient>(io.context(), origin, std::move(tls), options);
    return *made;
  }
  Result<HttpResponse> call(HttpClient& with, std::string method, std::string target, std::string body = {}) {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.headers.add("X-In", "42");
    return run_blocking(io.context(), with.send(std::move(request), soon()));
  }
  static awaitable<bool> drop(std::vector<std::unique_ptr<HttpStream>>* streams) {  // on the client's thread
    streams->clear();
    co_return true;
  }
  std::string send_raw(std::string bytes) {
    Result<std::string> got = run_blocking(io.context(), raw(server->port(), std::move(bytes)));
    return got.ok() ? std::move(got).value() : "FAILED " + got.error().to_string();
  }
  void TearDown() override {
    if (server) server->stop(soon());
    io.stop();
  }

  EchoHandler handler;
  IoPool pool{2};
  IoThread io{"client"};
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HttpClient> made;
};

TEST_F(HttpTest, AnswersOnBothPathsAndKeepsTheConnection) {
  start();
  HttpClient& c = client();
  for (int i = 0; i < 40; ++i) {
    const Result<HttpResponse> now = call(c, "POST", "/now", std::string(5000, 'x'));
    ASSERT_TRUE(now.ok()) << now.error().to_string();
    EXPECT_EQ(now->body, std::string(5000, 'x'));
    const Result<HttpResponse> later = call(c, "GET", "/other?a=b");
    ASSERT_TRUE(later.ok());
    EXPECT_EQ(later->body, "GET /other?a=b ");
    EXPECT_EQ(later->headers.find("x-echo"), "42");
  }
  EXPECT_EQ(server->stats().accepted, 1u);
  EXPECT_EQ(server->stats().requests, 80u);
}

TEST_F(HttpTest, LargeBodiesBothWays) {
  start();
  const std::string body(3 * 1024 * 1024, 'y');
  const Result<HttpResponse> got = call(client(), "PUT", "/now", body);
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->body.size(), body.size());
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  const std::string got = send_raw(
      "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo");
  EXPECT_LT(got.find("one"), got.find("two"));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
}

TEST_F(HttpTest, ChunkedBody) {
  start();
  const std::string got = send_raw(
      "POST /now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("\r\n\r\nabcdefg"));
}

TEST_F(HttpTest, ExpectContinue) {
  start();
  const std::string got = send_raw(
      "POST /now HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("200 OK"));
}

TEST_F(HttpTest, RejectsWhatIsNoRequest) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  options.max_head_bytes = 4096;
  start(options);
  EXPECT_THAT(send_raw("rubbish\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(send_raw("POST /now HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(send_raw("GET / HTTP/1.1\r\nX: " + std::string(100000, 'h') + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(send_raw("POST /now HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      send_raw("POST /now HTTP/1.1\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')),
      StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, SlowSendersAreCutOff) {
  HttpServerOptions options;
  options.head_timeout = std::chrono::milliseconds(30);
  options.body_timeout = std::chrono::milliseconds(30);
  options.idle_timeout = std::chrono::milliseconds(60);
  start(options);
  EXPECT_THAT(send_raw("GET / HT"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(send_raw("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(send_raw(""), "");  // idle
}

TEST_F(HttpTest, HandlerExceptionBecomes500) {
  start();
  const Result<HttpResponse> got = call(client(), "GET", "/throw");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->status, 500);
  EXPECT_EQ(got->body, "panic: boom [recovered]\n");
}

TEST_F(HttpTest, DeadlineComesFromTheQuery) {
  start();
  const Result<HttpResponse> got = call(client(), "GET", "/slow?timeout=20ms");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->body, "late");
}

TEST_F(HttpTest, ClientDeadline) {
  start();
  HttpRequest request;
  request.target = "/slow?timeout=400ms";
  HttpClient& c = client();
  const Result<HttpResponse> got =
      run_blocking(io.context(), c.send(std::move(request), Deadline::after(std::chrono::milliseconds(30))));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Code::kTimeout) << got.error().to_string();
  server->stop(Deadline::after(std::chrono::seconds(0)));
}

TEST_F(HttpTest, TooManyConnectionsAreRefused) {
  HttpServerOptions options;
  options.max_connections = 1;
  start(options);
  HttpClient& first = client();
  ASSERT_TRUE(call(first, "GET", "/").ok());
  EXPECT_EQ(send_raw("GET / HTTP/1.1\r\n\r\n").find("200"), std::string::npos);
  EXPECT_GE(server->stats().refused, 1u);
  ASSERT_TRUE(call(first, "GET", "/").ok());
}

TEST_F(HttpTest, StaleKeptConnectionIsReplaced) {
  // Between the two servers somebody else on the machine may be given the port: then once more, with another.
  std::string why;
  for (int attempt = 0; attempt < 5; ++attempt) {
    start();
    HttpClient& c = client();
    ASSERT_TRUE(call(c, "GET", "/").ok());
    HttpServerOptions options;
    options.host = "127.0.0.1";
    options.port = server->port();
    server->stop(soon());
    server = std::make_unique<HttpServer>(pool, handler, options, nullptr);
    if (const Result<void> again = server->start(); !again.ok()) {
      why += again.error().to_string() + "; ";
      continue;
    }
    const Result<HttpResponse> got = call(c, "GET", "/");
    EXPECT_TRUE(got.ok()) << got.error().to_string();
    return;
  }
  FAIL() << "no port could be had twice: " << why;
}

TEST_F(HttpTest, StoppedServerHasLeftItsPort) {
  for (int round = 0; round < 50; ++round) {
    start();
    ASSERT_TRUE(call(client(), "GET", "/").ok());
    HttpServerOptions options;
    options.host = "127.0.0.1";
    options.port = server->port();
    server->stop(soon());
    HttpServer next(pool, handler, options, nullptr);
    const Result<void> again = next.start();
    ASSERT_TRUE(again.ok()) << "round " << round << ": " << again.error().to_string();
  }
}

TEST_F(HttpTest, DrainingAnswersAndEndsConnections) {
  start();
  const std::string kept =
      send_raw("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_LT(kept.find("200 OK"), kept.rfind("200 OK")) << kept;  // both
  server->drain();
  // New connections are still served, and told to come back elsewhere: the second request is not read.
  const std::string ended =
      send_raw("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(ended.find("Connection: close"), std::string::npos) << ended;
  EXPECT_NE(ended.find("200 OK"), std::string::npos) << ended;
  EXPECT_EQ(ended.find("200 OK"), ended.rfind("200 OK")) << ended;
}

// To a client that keeps connections a closed one looks like a failure when it has just begun to send.
TEST_F(HttpTest, StopAnswersWhatComesOnAKeptConnection) {
  HttpServerOptions options;
  options.stop_idle = std::chrono::seconds(10);
  start(options);
  HttpClient& c = client();
  ASSERT_TRUE(call(c, "GET", "/").ok());
  std::thread stopping([this] { server->stop(soon()); });
  for (int i = 0; i < 1000 && send_raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("200 OK") !=
                                  std::string::npos;
       ++i) {
  }  // until the port is closed
  const Result<HttpResponse> got = call(c, "GET", "/");
  EXPECT_TRUE(got.ok()) << got.error().to_string();
  stopping.join();  // soon, for nothing is left
  EXPECT_EQ(server->stats().open_connections, 0u);
}

TEST_F(HttpTest, NobodyThere) {
  start();
  HttpClient& c = client();
  server->stop(soon());
  const Result<HttpResponse> got = call(c, "GET", "/");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Code::kUnavailable);
}

TEST_F(HttpTest, RequestsBeyondTheConnectionLimitWait) {
  start();
  HttpClientOptions options;
  options.max_connections = 1;
  options.max_waiting = 1;
  HttpClient& c = client(nullptr, options);
  HttpRequest slow;
  slow.target = "/slow?timeout=100ms";
  auto first = boost::asio::co_spawn(io.context(), c.send(slow, soon()), boost::asio::use_future);
  auto second = boost::asio::co_spawn(io.context(), c.send(slow, soon()), boost::asio::use_future);
  auto third = boost::asio::co_spawn(io.context(), c.send(slow, soon()), boost::asio::use_future);
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_EQ(third.get().error().code, Code::kThrottled);
  EXPECT_EQ(server->stats().accepted, 1u);
}

TEST_F(HttpTest, StreamsDoNotStarveRequests) {
  start();
  HttpClientOptions options;
  options.max_connections = 1;
  options.max_streams = 3;
  HttpClient& c = client(nullptr, options);
  const auto open = [&] {
    HttpRequest request;
    request.target = "/";
    return run_blocking(io.context(), c.open(std::move(request), soon()));
  };
  std::vector<std::unique_ptr<HttpStream>> streams;
  for (int i = 0; i < 3; ++i) {
    Result<std::unique_ptr<HttpStream>> opened = open();
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    streams.push_back(std::move(opened).value());
    const Result<HttpResponse> got = call(c, "GET", "/");
    ASSERT_TRUE(got.ok()) << got.error().to_string();
  }
  EXPECT_EQ(c.open_connections(), 4u);
  EXPECT_EQ(open().error().code, Code::kThrottled);
  run_blocking(io.context(), drop(&streams));
  EXPECT_EQ(c.open_connections(), 1u);
  Result<std::unique_ptr<HttpStream>> again = open();
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  streams.push_back(std::move(again).value());
  run_blocking(io.context(), drop(&streams));
}

// --- TLS ---

TEST_F(HttpTest, TlsKeepAlive) {
  const TlsServerCell cell(server_context(0));
  start({}, &cell);
  HttpClient& c = client(client_context(0));
  for (int i = 0; i < 20; ++i) {
    const Result<HttpResponse> got = call(c, "POST", "/now", std::string(100000, 'z'));
    ASSERT_TRUE(got.ok()) << got.error().to_string();
    EXPECT_EQ(got->body.size(), 100000u);
  }
  EXPECT_EQ(server->stats().accepted, 1u);
}

TEST_F(HttpTest, TlsRefusesAnUnknownAuthority) {
  const TlsServerCell cell(server_context(0));
  start({}, &cell);
  const Result<HttpResponse> got = call(client(client_context(1)), "GET", "/");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Code::kDenied) << got.error().to_string();
  TlsClientOptions careless;
  careless.insecure_skip_verify = true;
  const Result<HttpResponse> anyway = call(client(client_context(1, careless)), "GET", "/");
  EXPECT_TRUE(anyway.ok()) << anyway.error().to_string();
}

TEST_F(HttpTest, TlsChecksTheName) {
  const TlsServerCell cell(server_context(0));
  start({}, &cell);
  TlsClientOptions options;
  options.server_name = "other.test";
  EXPECT_EQ(call(client(client_context(0, options)), "GET", "/").error().code, Code::kDenied);
  options.server_name = "one.test";
  EXPECT_TRUE(call(client(client_context(0, options)), "GET", "/").ok());
}

TEST_F(HttpTest, TlsContextIsSwappedWithoutDroppingConnections) {
  TlsServerCell cell(server_context(0));
  start({}, &cell);
  HttpClient& old_client = client(client_context(0));
  ASSERT_TRUE(call(old_client, "GET", "/").ok());
  const std::unique_ptr<HttpClient> kept = std::move(made);
  cell.publish(server_context(1));
  EXPECT_TRUE(call(*kept, "GET", "/").ok());
  EXPECT_EQ(server->stats().accepted, 1u);
  EXPECT_TRUE(call(client(client_context(1)), "GET", "/").ok());
  const Result<std::string> chain =
      run_blocking(io.context(), fetch_certificate_chain("127.0.0.1", server->port(), soon()));
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(*chain, identity(1).server.certificate_pem);
}

TEST_F(HttpTest, TlsClientCertificateAndItsName) {
  TlsServerOptions options;
  options.client_ca_pem = identity(0).authority.certificate_pem;
  options.client_common_name = "one.test";
  TlsServerCell cell(server_context(0, options));
  start({}, &cell);
  EXPECT_FALSE(call(client(client_context(0)), "GET", "/peer").ok());
  TlsClientOptions with;
  with.certificate_pem = identity(0).server.certificate_pem;
  with.private_key_pem = identity(0).server.private_key_pem;
  const Result<HttpResponse> got = call(client(client_context(0, with)), "GET", "/peer");
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->body, "one.test");
  options.client_common_name = "somebody.else";
  cell.publish(server_context(0, options));
  EXPECT_FALSE(call(client(client_context(0, with)), "GET", "/peer").ok());
}

TEST_F(HttpTest, PlainTextOnATlsPortIsHarmless) {
  const TlsServerCell cell(server_context(0));
  start({}, &cell);
  EXPECT_EQ(send_raw("GET / HTTP/1.1\r\n\r\n").find("HTTP/1.1"), std::string::npos);
  EXPECT_TRUE(call(client(client_context(0)), "GET", "/").ok());
}

TEST(Alpn, ServerSelects) {
  const auto context = server_context(0);
  std::string_view chosen;
  EXPECT_TRUE(context->select_alpn(std::string("\x08http/1.1\x02h2"), chosen));
  EXPECT_EQ(chosen, "h2");
  EXPECT_TRUE(context->select_alpn(std::string("\x08http/1.1"), chosen));
  EXPECT_EQ(chosen, "http/1.1");
  EXPECT_FALSE(context->select_alpn(std::string("\x02h3"), chosen));
  EXPECT_FALSE(context->select_alpn(std::string("\xffh2"), chosen));
}

}  // namespace
}  // namespace portcullis::net
