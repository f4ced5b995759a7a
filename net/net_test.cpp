// Messages, durations, origins and certificates: what needs no socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "base/log.h"
#include "net/certificates.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "net/log_writer.h"
#include "net/tls.h"

namespace portcullis::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Headers, FindIgnoresCase) {
  Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("X", "1");
  headers.add("x", "2");
  EXPECT_EQ(headers.find("content-TYPE"), "application/json");
  EXPECT_EQ(headers.find("X"), "1");
  EXPECT_EQ(headers.find("y"), std::nullopt);
}

TEST(HttpRequest, PathAndQuery) {
  HttpRequest request;
  request.target = "/v1/admit?timeout=3s&x&y=a=b";
  EXPECT_EQ(request.path(), "/v1/admit");
  EXPECT_EQ(request.query("timeout"), "3s");
  EXPECT_EQ(request.query("x"), "");
  EXPECT_EQ(request.query("y"), "a=b");
  EXPECT_EQ(request.query("z"), std::nullopt);
  request.target = "/healthz";
  EXPECT_EQ(request.path(), "/healthz");
  EXPECT_EQ(request.query("z"), std::nullopt);
}

TEST(PercentEncoding, RoundTrip) {
  EXPECT_EQ(percent_encode("a b/c=d,é"), "a%20b%2Fc%3Dd%2C%C3%A9");
  EXPECT_EQ(percent_decode("a%20b%2fc+d%"), "a b/c d%");
}

TEST(Origin, Parses) {
  const Result<Origin> plain = parse_origin("https://10.0.0.1:6443/");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "10.0.0.1");
  EXPECT_EQ(plain->port, 6443);
  EXPECT_EQ(plain->path_prefix, "");
  EXPECT_EQ(plain->host_header(), "10.0.0.1:6443");
  const Result<Origin> six = parse_origin("https://[::1]/k8s/clusters/c-1/");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 443);
  EXPECT_EQ(six->path_prefix, "/k8s/clusters/c-1");
  EXPECT_EQ(six->host_header(), "[::1]");
  for (const char* bad :
       {"", "10.0.0.1", "ftp://x", "https://", "https://x:0", "https://x:66000", "https://u@x", "https://x y"}) {
    EXPECT_FALSE(parse_origin(bad).ok()) << bad;
  }
}

class Certificates : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1795000000;
  static const CertificatePair& authority() {
    static const CertificatePair made = [] {
      AuthorityRequest request;
      request.now = kNow;
      return make_authority(request).value();
    }();
    return made;
  }
  static const CertificatePair& server() {
    static const CertificatePair made = [] {
      ServerCertificateRequest request;
      request.common_name = "gatekeeper-webhook-service.gatekeeper-system.svc";
      request.dns_names = {request.common_name};
      request.now = kNow;
      return issue_server_certificate(authority(), request).value();
    }();
    return made;
  }
};

TEST_F(Certificates, HaveTheContents) {
  EXPECT_THAT(authority().private_key_pem, StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
  const CertificateInfo ca = inspect_certificate(authority().certificate_pem).value();
  EXPECT_EQ(ca.common_name, "gatekeeper-ca");
  EXPECT_EQ(ca.organization, "gatekeeper");
  EXPECT_TRUE(ca.is_ca);
  EXPECT_EQ(ca.not_before, kNow - 3600);
  EXPECT_EQ(ca.not_after, kNow + 10LL * 365 * 86400);
  const CertificateInfo leaf = inspect_certificate(server().certificate_pem).value();
  EXPECT_EQ(leaf.common_name, "gatekeeper-webhook-service.gatekeeper-system.svc");
  EXPECT_THAT(leaf.dns_names, ElementsAre(leaf.common_name));
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_TRUE(leaf.server_auth);
  EXPECT_FALSE(leaf.client_auth);
  EXPECT_EQ(leaf.not_before, kNow - 3600);
  EXPECT_EQ(leaf.not_after, kNow + 365LL * 86400);
}

TEST_F(Certificates, Check) {
  const std::string name = "gatekeeper-webhook-service.gatekeeper-system.svc";
  EXPECT_TRUE(check_authority(authority(), kNow).ok());
  EXPECT_TRUE(check_server_certificate(authority().certificate_pem, server(), name, kNow).ok());
  const auto message = [&](const Result<void>& result) { return result.ok() ? "ok" : result.error().message; };
  EXPECT_THAT(message(check_server_certificate(authority().certificate_pem, server(), name, kNow + 366LL * 86400)),
              HasSubstr("server: expired"));
  EXPECT_THAT(message(check_server_certificate(authority().certificate_pem, server(), "x.svc", kNow)),
              HasSubstr("does not cover x.svc"));
  EXPECT_THAT(message(check_server_certificate(server().certificate_pem, server(), name, kNow)),
              HasSubstr("not signed by"));
  CertificatePair mixed = server();
  mixed.private_key_pem = authority().private_key_pem;
  EXPECT_THAT(message(check_server_certificate(authority().certificate_pem, mixed, name, kNow)),
              HasSubstr("does not match"));
  EXPECT_THAT(message(check_server_certificate("", server(), name, kNow)), HasSubstr("certificate"));
  EXPECT_THAT(message(check_authority(server(), kNow)), HasSubstr("not a CA"));
}

TEST_F(Certificates, RefuseNamesThatAreNone) {
  ServerCertificateRequest request;
  request.common_name = "x";
  request.dns_names = {"a,IP:1.2.3.4"};
  request.now = kNow;
  EXPECT_FALSE(issue_server_certificate(authority(), request).ok());
}

TEST_F(Certificates, ContextsRefuseBadPem) {
  TlsServerOptions options;
  options.certificate_chain_pem = "rubbish";
  EXPECT_EQ(TlsServerContext::create(options).error().code, Code::kInvalid);
  options.certificate_chain_pem = server().certificate_pem;
  options.private_key_pem = authority().private_key_pem;
  EXPECT_EQ(TlsServerContext::create(options).error().code, Code::kInvalid);
  TlsClientOptions client;
  client.ca_bundle_pem = "rubbish";
  EXPECT_EQ(TlsClientContext::create(client).error().code, Code::kInvalid);
  client.ca_bundle_pem = authority().certificate_pem;
  client.certificate_pem = server().certificate_pem;
  EXPECT_EQ(TlsClientContext::create(client).error().code, Code::kInvalid);
}

// Nobody reads standard error, and nobody is held up.
TEST(LogWriter, InTheBackgroundNobodyWaitsForWhoReads) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDERR_FILENO);
  ASSERT_GE(::dup2(ends[1], STDERR_FILENO), 0);
  write_log_in_background(std::size_t{256} << 10);
  constexpr int kLines = 20'000;  // more than the pipe and the buffer hold
  for (int i = 0; i < kLines; ++i) log::info("test", "line", {{"number", std::int64_t{i}}});
  EXPECT_FALSE(flush_log(std::chrono::milliseconds(1)));
  std::string got;
  std::thread reader([&] {
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      got.append(buffer, static_cast<std::size_t>(n));
  });
  EXPECT_TRUE(flush_log(std::chrono::seconds(20)));
  EXPECT_TRUE(flush_log(std::chrono::seconds(20)));  // and what was said about what was dropped
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_NE(got.find("\"number\":0}\n"), std::string::npos);
  EXPECT_NE(got.find("lines were dropped"), std::string::npos)
      << got.substr(got.size() - std::min<std::size_t>(got.size(), 300));
  EXPECT_EQ(got.back(), '\n');
  log::set_sink({});
}

}  // namespace
}  // namespace portcullis::net
