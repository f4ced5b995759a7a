// http.send from the builtin to a server on loopback and back: what is sent, what a policy sees, and that a request of
// one evaluation is sent once.
#include "opa/outside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>

#include "engine/rego/builtins/registry.h"
#include "engine/value/json.h"
#include "net/certificates.h"
#include "net/http_server.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "net/tls.h"

namespace portcullis::opa {
namespace {

// Tells what it was asked; /moved leads to /json, /never answers when nobody waits any more.
class Handler : public net::HttpHandler {
 public:
  awaitable<net::HttpResponse> handle(net::HttpRequest request) override {
    ++requests;
    const std::string path(request.path());
    if (path == "/moved") {
      net::HttpResponse moved = net::HttpResponse::text(302, "");
      moved.headers.add("Location", "/json?again");
      co_return moved;
    }
    if (path == "/never") {
      const Deadline until = request.deadline;
      const Result<void> slept = co_await net::sleep_until(until);
      co_return net::HttpResponse::text(200, slept.ok() ? "late" : "cancelled");
    }
    if (path == "/yaml") {
      net::HttpResponse yaml = net::HttpResponse::text(200, "a: [1]");
      yaml.content_type = "application/yaml";
      co_return yaml;
    }
    net::HttpResponse response = net::HttpResponse::json(
        path == "/json" ? 200 : 404, "{\"saw\": \"" + request.method + " " + request.target + " " + request.body + " " +
                                         std::string(request.headers.find("x-a").value_or("-")) + " " +
                                         std::string(request.headers.find("host").value_or("-")).substr(0, 4) + "\"}");
    response.headers.add("X-Two", "1");
    response.headers.add("X-Two", "2");
    co_return response;
  }
  std::atomic<int> requests = 0;
};

class TestHost : public rego::Host {
 public:
  Value call_out(std::string_view builtin, Arena& arena, std::span<const Value> arguments,
                 std::string& error) override {
    return outside.call(builtin, arena, arguments, error);
  }
  Outside outside;
};

class OutsideTest : public testing::Test {
 protected:
  void start(const net::TlsServerCell* tls = nullptr) {
    net::HttpServerOptions options;
    options.host = "127.0.0.1";
    options.request_timeout = std::chrono::milliseconds(500);  // how long /never is
    server_ = std::make_unique<net::HttpServer>(pool_, handler_, options, tls);
    ASSERT_TRUE(server_->start().ok());
    base_ = (tls != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server_->port());
  }

  // The answer as JSON, or "error: …"; `request` may name the server as $.
  std::string send(std::string request, Deadline deadline = Deadline::after(std::chrono::seconds(20))) {
    for (std::size_t at = request.find('$'); at != std::string::npos; at = request.find('$', at + base_.size())) {
      request.replace(at, 1, base_);
    }
    Result<Value> parsed = parse_json_into(arena_, arena_.copy(request));
    if (!parsed.ok()) return "error: " + parsed.error().to_string();
    rego::BuiltinContext context(arena_, host_);
    context.deadline = deadline;
    last_ = rego::all_builtins().find("http.send")->decl->function(context, {&*parsed, 1});
    if (context.failed()) return (context.error_aborts ? "abort: " : "error: ") + context.error;
    return to_json(last_);
  }

  Arena arena_;
  TestHost host_;
  Value last_;
  std::string base_;
  Handler handler_;
  net::IoPool pool_{1, "server"};
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(OutsideTest, SendsAndShowsTheAnswer) {
  start();
  send(R"({"method": "post", "url": "$/json", "body": 7, "headers": {"x-a": "b", "host": "name"}})");
  EXPECT_EQ(last_.string_or("status"), "200 OK");
  EXPECT_EQ(to_json(last_.get("body")), R"({"saw":"POST /json 7 b name"})");
  EXPECT_EQ(to_json(last_.path({"headers", "x-two"})), R"(["1","2"])");
  send(R"({"method": "get", "url": "$/yaml"})");
  EXPECT_EQ(to_json(last_.get("body")), R"({"a":[1]})");
  send(R"({"method": "GET", "url": "$/nothing"})");
  EXPECT_EQ(last_.string_or("status"), "404 Not Found");
}

TEST_F(OutsideTest, FollowsRedirectsWhenAsked) {
  start();
  send(R"({"method": "get", "url": "$/moved"})");
  EXPECT_EQ(to_json(last_.get("status_code")), "302");
  send(R"({"method": "get", "url": "$/moved", "enable_redirect": true})");
  EXPECT_EQ(last_.get("body").string_or("saw").substr(0, 16), "GET /json?again ");
}

TEST_F(OutsideTest, OneRequestOfAnEvaluationIsSentOnce) {
  start();
  const std::string request = R"({"method": "get", "url": "$/json", "headers": {"x-a": "1", "t": "1"}})";
  EXPECT_EQ(send(request), send(request));
  EXPECT_EQ(handler_.requests, 1);
  const std::string ignoring =
      R"({"method": "get", "url": "$/json", "cache_ignored_headers": ["t"], "headers": {"x-a": "1", "t": ")";
  send(ignoring + R"(1"}})");
  send(ignoring + R"(2"}})");
  EXPECT_EQ(handler_.requests, 2);
}

TEST_F(OutsideTest, TimeoutsHold) {
  start();
  EXPECT_EQ(send(R"({"method": "get", "url": "$/never", "timeout": "50ms"})"),
            "error: Get " + base_ + "/never: request timed out");
  send(R"({"method": "get", "url": "$/never", "timeout": 50000000, "raise_error": false})");
  EXPECT_EQ(last_.path({"error"}).string_or("code"), "eval_http_send_network_error");
  // The evaluation's own deadline ends it whatever the request says, retries included.
  EXPECT_EQ(send(R"({"method": "get", "url": "$/never", "timeout": "60s", "max_retry_attempts": 1000000})",
                 Deadline::after(std::chrono::milliseconds(100))),
            "abort: http.send: timed out (context deadline exceeded)");
}

TEST_F(OutsideTest, RefusesWhatIsNoRequest) {
  start();
  EXPECT_EQ(send(R"({"method": "get", "url": "ftp://x"})"),
            R"(error: Get "ftp://x": unsupported protocol scheme "ftp")");
  EXPECT_EQ(send(R"({"method": "get", "url": "$/json", "headers": {"x": "a\r\nb: c"}})").substr(0, 6), "error:");
  EXPECT_EQ(handler_.requests, 0);
  rego::Host closed;
  rego::BuiltinContext context(arena_, closed);
  const Value request = *parse_json_into(arena_, R"({"method": "get", "url": "http://127.0.0.1:1"})");
  EXPECT_FALSE(rego::all_builtins().find("http.send")->decl->function(context, {&request, 1}).defined());
  EXPECT_EQ(context.error, "http.send is not enabled here");
}

TEST_F(OutsideTest, Tls) {
  const std::int64_t now = std::time(nullptr);
  net::AuthorityRequest authority_request;
  authority_request.now = now;
  const auto authority = net::make_authority(authority_request);
  ASSERT_TRUE(authority.ok());
  net::ServerCertificateRequest certificate;
  certificate.common_name = "server";
  certificate.dns_names = {"server.example.com"};
  certificate.now = now;
  const auto pair = net::issue_server_certificate(*authority, certificate);
  ASSERT_TRUE(pair.ok());
  net::TlsServerOptions options;
  options.certificate_chain_pem = pair->certificate_pem;
  options.private_key_pem = pair->private_key_pem;
  const auto context = net::TlsServerContext::create(options);
  ASSERT_TRUE(context.ok());
  const net::TlsServerCell cell(*context);
  start(&cell);
  EXPECT_EQ(send(R"({"method": "get", "url": "$/json"})").substr(0, 6), "error:");
  send(R"({"method": "get", "url": "$/json", "tls_insecure_skip_verify": true})");
  EXPECT_EQ(last_.string_or("status"), "200 OK");
  const std::string trusted =
      R"({"method": "get", "url": "$/json", "tls_ca_cert": )" + to_json(Value::string(authority->certificate_pem));
  EXPECT_EQ(send(trusted + "}").substr(0, 6), "error:") << "another name";
  send(trusted + R"(, "tls_server_name": "server.example.com"})");
  EXPECT_EQ(last_.string_or("status"), "200 OK");
}

}  // namespace
}  // namespace portcullis::opa
