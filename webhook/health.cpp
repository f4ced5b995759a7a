// The texts of the health endpoints.
#include "webhook/health.h"

#include "base/text.h"

namespace portcullis::webhook {

namespace {

void plain(net::HttpResponse& response, int status, std::string body) {
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
}

std::vector<std::string> ask(const HealthCheck& check) { return check ? check() : std::vector<std::string>{}; }

void all_checks(const Checks& checks, bool verbose, net::HttpResponse& response) {
  std::string lines;
  bool failed = false;
  for (const auto& [name, check] : checks) {
    const std::vector<std::string> missing = ask(check.missing);
    failed = failed || !missing.empty();
    lines += missing.empty() ? "[+]" + name + " ok\n" : "[-]" + name + " failed: reason withheld\n";
    if (!verbose) continue;
    for (const std::string& line : missing) lines += "    " + line + "\n";
    for (const std::string& line : ask(check.notes)) lines += "    note: " + line + "\n";
  }
  if (failed) {
    plain(response, 500, lines + "healthz check failed\n");
  } else {
    plain(response, 200, verbose ? lines + "healthz check passed\n" : "ok");
  }
}

bool serve_checks(std::string_view root, const Checks& checks, net::HttpRequest& request, net::HttpResponse& response) {
  std::string_view path = request.path();
  if (!text::starts_with(path, root)) return false;
  path.remove_prefix(root.size());
  if (path.empty() || path == "/") {
    all_checks(checks, request.query("verbose").has_value(), response);
    return true;
  }
  if (path.front() != '/') return false;
  const auto found = checks.find(std::string(path.substr(1)));
  if (found == checks.end()) return false;
  const std::vector<std::string> missing = ask(found->second.missing);
  if (missing.empty()) {
    plain(response, 200, "ok");
    return true;
  }
  std::string body = "internal server error: expectations not satisfied\n";
  if (request.query("verbose")) {
    for (const std::string& line : missing) body += "    " + line + "\n";
  }
  plain(response, 500, std::move(body));
  return true;
}

}  // namespace

void HealthHandler::add_page(std::string path, std::string content_type, std::function<std::string()> page) {
  pages_.insert_or_assign(std::move(path), Page{std::move(content_type), std::move(page)});
}

bool HealthHandler::handle_now(net::HttpRequest& request, net::HttpResponse& response) {
  const auto page = pages_.find(request.path());
  if (page != pages_.end()) {
    response.status = 200;
    response.content_type = page->second.content_type;
    response.body = page->second.make();
    return true;
  }
  Checks liveness = liveness_;
  liveness.emplace("default", Check{});
  if (!liveness_.empty() || !readiness_.empty()) {
    if (serve_checks("/healthz", liveness, request, response)) return true;
    if (serve_checks("/readyz", readiness_, request, response)) return true;
  }
  plain(response, 404, "404 page not found\n");
  return true;
}

awaitable<net::HttpResponse> HealthHandler::handle(net::HttpRequest request) {
  net::HttpResponse response;
  handle_now(request, response);
  co_return response;
}

}  // namespace portcullis::webhook
