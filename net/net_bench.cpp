// A TLS server that answers every POST with a small review-like body on the I/O thread: what the transport alone costs.
//   net_bench [port] [threads]    prints the port and the CPU time used per request when it is told to end (Enter)
// Load it with: wrk -t1 -c8 -d5s -s bench/load/post.lua https://127.0.0.1:PORT/v1/admit (any 5 KB body will do).
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "net/certificates.h"
#include "net/http_server.h"
#include "net/io_thread.h"
#include "net/tls.h"

namespace {

using namespace portcullis;  // NOLINT(google-build-using-namespace): a program of its own

class Fixed final : public net::HttpHandler {
 public:
  bool handle_now(net::HttpRequest& request, net::HttpResponse& response) override {
    response.content_type = "application/json";
    response.body =
        R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"","allowed":true}})";
    received += request.body.size();
    return true;
  }
  awaitable<net::HttpResponse> handle(net::HttpRequest) override { co_return net::HttpResponse{}; }
  std::atomic<std::size_t> received{0};
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  net::AuthorityRequest ca;
  net::ServerCertificateRequest request;
  request.common_name = "localhost";
  request.dns_names = {"localhost"};
  request.ip_addresses = {"127.0.0.1"};
  ca.now = request.now = std::time(nullptr);
  const net::CertificatePair authority = net::make_authority(ca).value();
  const net::CertificatePair pair = net::issue_server_certificate(authority, request).value();
  net::TlsServerOptions tls;
  tls.certificate_chain_pem = pair.certificate_pem;
  tls.private_key_pem = pair.private_key_pem;
  const net::TlsServerCell cell(net::TlsServerContext::create(tls).value());
  net::IoPool pool(argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 1);
  Fixed handler;
  net::HttpServerOptions options;
  options.host = "127.0.0.1";
  options.port = argc > 1 ? static_cast<std::uint16_t>(std::atoi(argv[1])) : 0;
  net::HttpServer server(pool, handler, options, &cell);
  if (const Result<void> started = server.start(); !started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().to_string().c_str());
    return 1;
  }
  std::printf("https://127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  std::uint64_t seen = 0;
  double cpu = cpu_seconds();
  while (std::getchar() != EOF) {
    const std::uint64_t now = server.stats().requests;
    const double used = cpu_seconds();
    std::printf("requests %llu, body bytes %zu, CPU %.2f us per request\n", static_cast<unsigned long long>(now - seen),
                handler.received.load(), (used - cpu) * 1e6 / static_cast<double>(now == seen ? 1 : now - seen));
    std::fflush(stdout);
    seen = now;
    cpu = used;
  }
  server.stop(Deadline::after(std::chrono::seconds(1)));
  return 0;
}
