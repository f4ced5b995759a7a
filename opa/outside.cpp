#include "opa/outside.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/text.h"
#include "engine/value/number.h"
#include "net/awaitable.h"
#include "net/http_client.h"
#include "net/io.h"
#include "net/tls.h"

namespace portcullis::opa {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxBody = std::size_t{64} << 20;
constexpr std::string_view kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

// Runs a coroutine to its end on this thread.
template <typename T>
T run(boost::asio::io_context& context, awaitable<T> coroutine) {
  auto future = boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future);
  // Not run(): timers of the library may stay behind.
  while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.run_one();
  return future.get();
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return make_error(Code::kInvalid, "open " + path + ": no such file or directory");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// PEM that a request gives as text, by a file or by an environment variable; the last of these given counts.
Result<std::string> pem_of(const Value& request, std::string_view name) {
  const std::string prefix(name);
  std::string out(request.string_or(prefix));
  if (const std::string_view file = request.string_or(prefix + "_file"); !file.empty()) {
    PC_TRY(out, read_file(std::string(file)));
  }
  if (const std::string_view variable = request.string_or(prefix + "_env_variable"); !variable.empty()) {
    const char* value = std::getenv(std::string(variable).c_str());
    out = value == nullptr ? "" : value;
  }
  return out;
}

Result<std::shared_ptr<const net::TlsClientContext>> tls_of(const Value& request) {
  net::TlsClientOptions options;
  PC_TRY(options.ca_bundle_pem, pem_of(request, "tls_ca_cert"));
  std::string& bundle = options.ca_bundle_pem;
  for (std::size_t at = bundle.find("\\n"); at != std::string::npos; at = bundle.find("\\n", at))
    bundle.replace(at, 2, "\n");
  if (!bundle.empty() && request.get("tls_use_system_certs").is_true()) {
    PC_TRY(const std::string system, read_file(std::string(kSystemCertificates)));
    bundle += "\n" + system;
  }
  PC_TRY(options.certificate_pem, pem_of(request, "tls_client_cert"));
  PC_TRY(options.private_key_pem, pem_of(request, "tls_client_key"));
  if (options.certificate_pem.empty() || options.private_key_pem.empty()) {
    options.certificate_pem.clear();
    options.private_key_pem.clear();
  }
  options.insecure_skip_verify = request.get("tls_insecure_skip_verify").is_true();
  options.server_name = request.string_or("tls_server_name");
  if (options.server_name.empty()) options.server_name = request.get("headers").string_or("Host");
  return net::TlsClientContext::create(options);
}

// One request of a chain of redirects.
struct Step {
  std::string method;
  std::string url;
  net::Headers headers;
  std::string body;
};

// "https://host:port" and "/path?query" of a URL.
struct Target {
  net::Origin origin;
  std::string path;
};

Result<Target> split(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string_view::npos ? scheme : url.find_first_of("/?", scheme + 3);
  if (scheme == std::string_view::npos || (!url.starts_with("http://") && !url.starts_with("https://"))) {
    return make_error(
        Code::kInvalid,
        "unsupported protocol scheme " + text::go_quote(scheme == std::string_view::npos ? "" : url.substr(0, scheme)));
  }
  PC_TRY(net::Origin origin, net::parse_origin(url.substr(0, path)));
  std::string rest(path == std::string_view::npos ? "/" : url.substr(path));
  if (rest.front() == '?') rest.insert(0, "/");
  return Target{std::move(origin), std::move(rest)};
}

awaitable<Result<net::HttpResponse>> attempt(boost::asio::io_context& context, Target target,
                                             std::shared_ptr<const net::TlsClientContext> tls, Step step,
                                             Deadline deadline) {
  net::HttpClientOptions options;
  options.max_body_bytes = kMaxBody;
  options.max_idle = 0;
  options.user_agent = "Open Policy Agent/1.22.2 (Portcullis)";
  net::HttpClient client(context, target.origin, std::move(tls), options);
  net::HttpRequest request;
  request.method = step.method;
  request.target = target.path;
  request.headers = std::move(step.headers);
  request.body = std::move(step.body);
  Result<net::HttpResponse> response = co_await client.send(std::move(request), deadline);
  client.close_idle();
  co_return response;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string origin_text(const net::Origin& origin) {
  return (origin.tls ? "https://" : "http://") + origin.host_header();
}

// Where a Location leads to from `url`.
std::string follow(const Target& from, std::string_view location) {
  if (location.find("://") != std::string_view::npos) return std::string(location);
  if (location.starts_with("//")) return (from.origin.tls ? "https:" : "http:") + std::string(location);
  if (location.starts_with('/')) return origin_text(from.origin) + std::string(location);
  const std::string_view path = std::string_view(from.path).substr(0, from.path.find('?'));
  return origin_text(from.origin) + std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location);
}

net::Headers copied(const net::Headers& headers, bool same_host, bool keeps_body) {
  net::Headers out;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = headers.name(i);
    const auto is = [&](std::string_view other) { return net::equal_ignoring_case(name, other); };
    if (is("host") || (!same_host && (is("authorization") || is("cookie") || is("www-authenticate")))) continue;
    if (!keeps_body && (is("content-type") || is("content-length"))) continue;
    out.add(name, headers.value(i));
  }
  return out;
}

// Sends, and follows redirects where that is wanted. An error's message is for the policy.
Result<net::HttpResponse> exchange(const Value& request, Step step,
                                   const std::shared_ptr<const net::TlsClientContext>& tls, Deadline deadline) {
  for (int hops = 0;; ++hops) {
    PC_TRY(Target target, split(step.url));
    boost::asio::io_context context;
    Result<net::HttpResponse> response = run(context, attempt(context, target, tls, step, deadline));
    if (!response.ok() || !request.get("redirects").is_true() || !is_redirect(response->status)) return response;
    const auto location = response->headers.find("location");
    if (!location) return response;
    if (hops == kMaxRedirects) return make_error(Code::kUnavailable, "stopped after 10 redirects");
    const bool keeps_body = response->status == 307 || response->status == 308;
    step.url = follow(target, *location);
    PC_TRY(const Target next, split(step.url));
    step.headers = copied(step.headers, next.origin.host == target.origin.host, keeps_body);
    if (keeps_body) continue;
    if (step.method != "GET" && step.method != "HEAD") step.method = "GET";
    step.body.clear();
  }
}

Value answer_of(Arena& arena, const net::HttpResponse& response) {
  std::map<std::string, std::vector<Value>> headers;
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    headers[text::to_lower_ascii(response.headers.name(i))].push_back(make_string(arena, response.headers.value(i)));
  }
  std::vector<Member> names;
  for (const auto& [name, values] : headers) names.push_back({make_string(arena, name), make_array(arena, values)});
  const std::string status = std::to_string(response.status) + " " + std::string(net::reason_phrase(response.status));
  const Member members[] = {{Value::string("status"), make_string(arena, status)},
                            {Value::string("status_code"), Value::integer(response.status)},
                            {Value::string("headers"), make_object(arena, names)},
                            {Value::string("raw_body"), make_string(arena, response.body)}};
  return make_object(arena, members);
}

// Go tells of a time-out in one way in the object of an answer and in another where it raises.
Value network_error(Arena& arena, const Error& failed, const std::string& operation, const std::string& url) {
  const bool late = failed.code == Code::kTimeout;
  const std::string what =
      late ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)" : failed.message;
  std::vector<Member> members = {
      {Value::string("network_error"), make_string(arena, operation + " " + text::go_quote(url) + ": " + what)}};
  if (late)
    members.push_back({Value::string("raised"), make_string(arena, operation + " " + url + ": request timed out")});
  return make_object(arena, members);
}

Step step_of(const Value& request) {
  Step out;
  out.method = request.string_or("method");
  out.url = request.string_or("url");
  out.body = request.string_or("body");
  const Value headers = request.get("headers");
  for (std::uint32_t i = 0; i < headers.keys().size(); ++i) {
    out.headers.add(headers.keys()[i].as_string(), headers.values()[i].as_string());
  }
  return out;
}

std::chrono::nanoseconds nanoseconds_at(const Value& request, std::string_view key, std::int64_t otherwise) {
  const Value value = request.get(key);
  return std::chrono::nanoseconds(value.is_integer() ? value.as_integer() : otherwise);
}

awaitable<bool> wait(Deadline until) {
  const Result<void> slept = co_await net::sleep_until(until);
  co_return slept.ok();
}

// Gets a method's name as Go's errors print it: Get "http://…".
std::string operation(std::string_view method) {
  std::string out = text::to_lower_ascii(method);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

}  // namespace

Value Outside::http_send(Arena& arena, const Value& request, std::string& error) {
  const std::string key(request.string_or("key"));
  if (const auto kept = answers_.find(key); kept != answers_.end()) return deep_copy(arena, kept->second.root());
  const auto tls = tls_of(request);
  if (!tls.ok()) {
    const bool authority = request.get("tls_ca_cert").defined() && tls.error().message.find("key") == std::string::npos;
    error = authority ? "could not append certificates" : tls.error().message;
    return {};
  }
  const Deadline all = request.get("deadline_ns").defined() ? Deadline::after(nanoseconds_at(request, "deadline_ns", 0))
                                                            : Deadline::never();
  const auto timeout = nanoseconds_at(request, "timeout_ns", 0);
  const std::int64_t retries = request.get("retries").is_integer() ? request.get("retries").as_integer() : 0;
  const Step step = step_of(request);
  Value answer;
  for (std::int64_t i = 0;; ++i) {
    const Deadline one = timeout.count() > 0 ? Deadline::after(timeout).sooner(all) : all;
    const Result<net::HttpResponse> response = exchange(request, step, *tls, one);
    if (response.ok()) {
      answer = answer_of(arena, *response);
      break;
    }
    const Error& failed = response.error();
    answer = network_error(arena, failed, operation(step.method), step.url);
    if (i == retries || all.passed() || failed.code == Code::kInvalid) break;
    // 100 ms, doubled each time, up to a minute.
    const auto pause = std::min<std::chrono::nanoseconds>(
        std::chrono::milliseconds(100) * (1 << std::min<std::int64_t>(i, 10)), std::chrono::minutes(1));
    boost::asio::io_context context;
    run(context, wait(Deadline::after(pause).sooner(all)));
  }
  if (answers_.size() < kMaxKept) answers_.emplace(key, Document::copy_of(answer));
  return answer;
}

namespace {

Value lookup(Arena& arena, const std::string& name, std::string& error) {
  boost::asio::io_context context;
  const auto found = run(context, net::resolve(name, 0, Deadline::after(std::chrono::seconds(5))));
  if (!found.ok()) {
    error = "lookup " + name + ": " + found.error().message;
    return {};
  }
  std::vector<Value> out;
  for (const net::Tcp::endpoint& endpoint : *found) {
    out.push_back(make_string(arena, endpoint.address().to_string()));
  }
  return make_set(arena, out);
}

}  // namespace

Value Outside::call(std::string_view builtin, Arena& arena, std::span<const Value> arguments, std::string& error) {
  if (builtin == "http.send") return http_send(arena, arguments[0], error);
  if (builtin == "net.lookup_ip_addr") return lookup(arena, std::string(arguments[0].as_string()), error);
  error = std::string(builtin) + " is not enabled here";
  return {};
}

}  // namespace portcullis::opa
