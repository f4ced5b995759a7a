// REST client: requests, credentials, throttling, discovery cache.
#include "kube/client/client.h"

#include <fstream>
#include <map>
#include <sstream>

#include "base/text.h"
#include "net/http_client.h"
#include "net/io.h"
#include "net/tls.h"

namespace portcullis::kube {

namespace {

constexpr std::chrono::seconds kTokenAge{60};
constexpr std::chrono::seconds kDefaultRetryAfter{1};
constexpr std::size_t kMaxWatchLine = 64u << 20;
constexpr std::size_t kMaxStatusBody = 1u << 20;

std::string_view content_type(PatchType type) noexcept {
  switch (type) {
    case PatchType::kMerge: return "application/merge-patch+json";
    case PatchType::kJson: return "application/json-patch+json";
    case PatchType::kApply: return "application/apply-patch+yaml";
  }
  return "application/json";
}

std::chrono::seconds retry_after(const net::Headers& headers) {
  const auto text = headers.find("retry-after");
  if (!text || text->empty() || text->size() > 4) return kDefaultRetryAfter;
  int seconds = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9') return kDefaultRetryAfter;
    seconds = seconds * 10 + (c - '0');
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

struct Client::Impl {
  Impl(boost::asio::io_context& c, ClientConfig f, ClientOptions o)
      : context(c), config(std::move(f)), options(std::move(o)) {}

  static awaitable<Result<net::HttpResponse>> call(std::shared_ptr<Impl> self, net::HttpRequest request,
                                                   Deadline deadline);
  static awaitable<Result<Object>> object_call(std::shared_ptr<Impl> self, net::HttpRequest request, Deadline deadline);
  static awaitable<Result<Discovery>> discover_aggregated(std::shared_ptr<Impl> self, Deadline deadline);
  static awaitable<Result<Discovery>> discover_plain(std::shared_ptr<Impl> self, Deadline deadline);
  static awaitable<Result<std::vector<ApiResource>>> discover_version(std::shared_ptr<Impl> self, std::string group,
                                                                      std::string version, Deadline deadline);
  void authorize(net::Headers& headers);
  const std::string& current_token();
  // After a 401: reads the token file now. False when that brings nothing new.
  bool renew_token();

  boost::asio::io_context& context;
  ClientConfig config;
  ClientOptions options;
  std::unique_ptr<net::HttpClient> http;
  std::string token;
  Deadline token_fresh_until = Deadline::after(std::chrono::seconds(-1));
  std::map<GroupVersionKind, ApiResource> known;
};

const std::string& Client::Impl::current_token() {
  if (config.token_file.empty() || !token_fresh_until.passed()) return token;
  token_fresh_until = Deadline::after(kTokenAge);
  std::ifstream in(config.token_file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  // A file that cannot be read just now (it is being replaced) leaves the token that worked so far.
  if (in && !text.view().empty()) token = text::trim(text.view());
  return token;
}

bool Client::Impl::renew_token() {
  const std::string refused = token;
  token_fresh_until = Deadline::after(std::chrono::seconds(-1));
  return current_token() != refused;
}

void Client::Impl::authorize(net::Headers& headers) {
  if (const std::string& bearer = current_token(); !bearer.empty()) {
    headers.add("Authorization", "Bearer " + bearer);
  } else if (!config.username.empty()) {
    headers.add("Authorization", "Basic " + text::base64_encode(config.username + ":" + config.password));
  }
}

Result<std::unique_ptr<Client>> Client::create(boost::asio::io_context& context, ClientConfig config,
                                               ClientOptions options) {
  PC_TRY(net::Origin origin, net::parse_origin(config.server));
  std::shared_ptr<const net::TlsClientContext> tls;
  if (origin.tls) {
    net::TlsClientOptions wanted;
    wanted.ca_bundle_pem = config.ca_pem;
    wanted.certificate_pem = config.client_certificate_pem;
    wanted.private_key_pem = config.client_key_pem;
    wanted.insecure_skip_verify = config.insecure_skip_verify;
    wanted.server_name = config.tls_server_name;
    PC_TRY(tls, net::TlsClientContext::create(wanted).with_context("Kubernetes client"));
  }
  auto impl = std::make_shared<Impl>(context, std::move(config), std::move(options));
  impl->token = impl->config.token;
  net::HttpClientOptions http;
  http.max_connections = impl->options.max_connections;
  http.max_body_bytes = impl->options.max_body_bytes;
  http.user_agent = impl->options.user_agent;
  impl->http = std::make_unique<net::HttpClient>(context, std::move(origin), std::move(tls), http);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

// A response with a status below 400, or the Error it stands for.
awaitable<Result<net::HttpResponse>> Client::Impl::call(std::shared_ptr<Impl> self, net::HttpRequest request,
                                                        Deadline deadline) {
  if (!request.headers.find("accept")) request.headers.add("Accept", "application/json");
  const std::string what = request.method + " " + std::string(request.path());
  for (std::uint32_t attempt = 0;; ++attempt) {
    net::HttpRequest copy = request;
    self->authorize(copy.headers);
    Result<net::HttpResponse> got = co_await self->http->send(std::move(copy), deadline);
    if (!got.ok()) co_return std::move(got).error();
    if (got->status < 400) co_return std::move(got);
    if (got->status == 401 && attempt == 0 && self->renew_token()) continue;
    const Deadline again = Deadline::after(retry_after(got->headers));
    const bool throttled = got->status == 429 && attempt < self->options.throttle_retries;
    if (!throttled || again.when() >= deadline.when()) {
      Error error = status_error(got->status, got->body);
      error.context.push_back(what);
      co_return error;
    }
    Result<void> slept = co_await net::sleep_until(again);
    if (!slept.ok()) co_return std::move(slept).error();
  }
}

awaitable<Result<Object>> Client::Impl::object_call(std::shared_ptr<Impl> self, net::HttpRequest request,
                                                    Deadline deadline) {
  const std::string what = request.method + " " + std::string(request.path());
  Result<net::HttpResponse> got = co_await call(std::move(self), std::move(request), deadline);
  if (!got.ok()) co_return std::move(got).error();
  co_return Object::parse(got->body).with_context(what);
}

namespace {

net::HttpRequest make_request(std::string method, std::string target, std::string body = {},
                              std::string_view type = "application/json") {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers.add("Content-Type", type);
  request.body = std::move(body);
  return request;
}

}  // namespace

awaitable<Result<Object>> Client::get(ApiResource resource, std::string ns, std::string name, Deadline deadline) {
  return Impl::object_call(impl_, make_request("GET", object_path(resource, ns, name)), deadline);
}

awaitable<Result<ListPage>> Client::list(ApiResource resource, std::string ns, ListOptions options, Deadline deadline) {
  return list_at(list_target(resource, ns, options), deadline);
}

awaitable<Result<ListPage>> Client::list_at(std::string target, Deadline deadline) {
  net::HttpRequest request = make_request("GET", std::move(target));
  const std::string what = "GET " + std::string(request.path());
  const std::shared_ptr<Impl> impl = impl_;
  Result<net::HttpResponse> got = co_await Impl::call(impl, std::move(request), deadline);
  if (!got.ok()) co_return std::move(got).error();
  co_return ListPage::parse(std::move(got->body)).with_context(what);
}

awaitable<Result<Object>> Client::create(ApiResource resource, std::string ns, std::string body, Deadline deadline,
                                         WriteOptions options) {
  return Impl::object_call(
      impl_, make_request("POST", collection_path(resource, ns) + write_query(options, false), std::move(body)),
      deadline);
}

awaitable<Result<Object>> Client::update(ApiResource resource, std::string ns, std::string name, std::string body,
                                         Deadline deadline, WriteOptions options, std::string subresource) {
  std::string target = object_path(resource, ns, name, subresource) + write_query(options, false);
  return Impl::object_call(impl_, make_request("PUT", std::move(target), std::move(body)), deadline);
}

awaitable<Result<Object>> Client::update_status(ApiResource resource, std::string ns, std::string name,
                                                std::string body, Deadline deadline, WriteOptions options) {
  return update(std::move(resource), std::move(ns), std::move(name), std::move(body), deadline, std::move(options),
                "status");
}

awaitable<Result<Object>> Client::patch(ApiResource resource, std::string ns, std::string name, PatchType type,
                                        std::string body, Deadline deadline, WriteOptions options,
                                        std::string subresource) {
  std::string target = object_path(resource, ns, name, subresource) + write_query(options, type == PatchType::kApply);
  return Impl::object_call(impl_, make_request("PATCH", std::move(target), std::move(body), content_type(type)),
                           deadline);
}

awaitable<Result<void>> Client::remove(ApiResource resource, std::string ns, std::string name, Deadline deadline,
                                       std::string uid, std::string resource_version) {
  std::string body;
  if (!uid.empty() || !resource_version.empty()) {
    body = R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{)";
    if (!uid.empty()) {
      body += "\"uid\":";
      text::append_json_string(body, uid);
    }
    if (!resource_version.empty()) {
      body += uid.empty() ? "\"resourceVersion\":" : ",\"resourceVersion\":";
      text::append_json_string(body, resource_version);
    }
    body += "}}";
  }
  const std::shared_ptr<Impl> impl = impl_;
  net::HttpRequest request = make_request("DELETE", object_path(resource, ns, name), std::move(body));
  Result<net::HttpResponse> got = co_await Impl::call(impl, std::move(request), deadline);
  if (!got.ok()) co_return std::move(got).error();
  co_return ok();
}

awaitable<Result<std::string>> Client::get_text(std::string path, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  net::HttpRequest request = make_request("GET", std::move(path));
  Result<net::HttpResponse> got = co_await Impl::call(impl, std::move(request), deadline);
  if (!got.ok()) co_return std::move(got).error();
  co_return std::move(got->body);
}

// --- Watch ---

struct WatchStream::Impl {
  std::unique_ptr<net::HttpStream> stream;
  std::string pending;       // bytes read and not yet handed out
  std::size_t from = 0;      // where the unread part of `pending` begins
  std::size_t searched = 0;  // no line break before it
  bool closed = false;
};

WatchStream::WatchStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WatchStream::~WatchStream() = default;

awaitable<Result<Object>> WatchStream::next(Deadline deadline) {
  Impl& s = *impl_;
  for (;;) {
    const std::size_t end = s.pending.find('\n', s.searched);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(s.pending).substr(s.from, end - s.from);
      s.from = s.searched = end + 1;
      if (text::trim(line).empty()) continue;
      co_return Object::parse(line).with_context("watch event");
    }
    s.pending.erase(0, s.from);
    s.from = 0;
    s.searched = s.pending.size();
    if (s.pending.size() > kMaxWatchLine) co_return make_error(Code::kLimit, "watch event too large");
    Result<std::string_view> piece = co_await s.stream->read(deadline);
    if (!piece.ok()) co_return std::move(piece).error();
    if (piece->empty()) {
      if (!text::trim(s.pending).empty()) co_return make_error(Code::kUnavailable, "watch cut off inside an event");
      co_return Object();
    }
    s.pending += *piece;
  }
}

void WatchStream::close() { impl_->stream->close(); }

awaitable<Result<std::unique_ptr<WatchStream>>> Client::watch(ApiResource resource, std::string ns,
                                                              WatchOptions options, Deadline deadline) {
  return watch_at(watch_target(resource, ns, options), deadline);
}

awaitable<Result<std::unique_ptr<WatchStream>>> Client::watch_at(std::string target, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  net::HttpRequest request = make_request("GET", std::move(target));
  request.headers.add("Accept", "application/json");
  impl->authorize(request.headers);
  const std::string what = "watch " + std::string(request.path());
  Result<std::unique_ptr<net::HttpStream>> opened = co_await impl->http->open(std::move(request), deadline);
  if (!opened.ok()) co_return std::move(opened).error();
  if ((*opened)->status() >= 400) {
    std::string body;
    while (body.size() < kMaxStatusBody) {
      Result<std::string_view> piece = co_await (*opened)->read(deadline);
      if (!piece.ok() || piece->empty()) break;
      body += *piece;
    }
    if ((*opened)->status() == 401) static_cast<void>(impl->renew_token());  // for the next attempt
    Error error = status_error((*opened)->status(), body);
    error.context.push_back(what);
    co_return error;
  }
  auto state = std::make_unique<WatchStream::Impl>();
  state->stream = std::move(*opened);
  co_return std::unique_ptr<WatchStream>(new WatchStream(std::move(state)));
}

// --- Discovery ---

awaitable<Result<Discovery>> Client::Impl::discover_aggregated(std::shared_ptr<Impl> self, Deadline deadline) {
  Discovery all;
  for (const char* root : {"/api", "/apis"}) {
    net::HttpRequest request = make_request("GET", root);
    request.headers.add("Accept", kAggregatedDiscoveryAccept);
    Result<net::HttpResponse> got = co_await call(self, std::move(request), deadline);
    if (!got.ok()) co_return std::move(got).error();
    PC_CO_TRY(const Object object, Object::parse(got->body));
    PC_CO_TRY(Discovery part, parse_aggregated_discovery(object.root()));
    all.resources.insert(all.resources.end(), std::make_move_iterator(part.resources.begin()),
                         std::make_move_iterator(part.resources.end()));
    all.failed.insert(all.failed.end(), part.failed.begin(), part.failed.end());
  }
  co_return all;
}

awaitable<Result<std::vector<ApiResource>>> Client::Impl::discover_version(std::shared_ptr<Impl> self,
                                                                           std::string group, std::string version,
                                                                           Deadline deadline) {
  net::HttpRequest request = make_request("GET", group_version_path(group, version));
  Result<net::HttpResponse> got = co_await call(std::move(self), std::move(request), deadline);
  if (!got.ok()) co_return std::move(got).error();
  PC_CO_TRY(const Object object, Object::parse(got->body));
  co_return parse_resource_list(object.root());
}

awaitable<Result<Discovery>> Client::Impl::discover_plain(std::shared_ptr<Impl> self, Deadline deadline) {
  std::vector<GroupVersionKind> versions;
  for (const char* root : {"/api", "/apis"}) {
    net::HttpRequest request = make_request("GET", root);
    Result<net::HttpResponse> got = co_await call(self, std::move(request), deadline);
    if (!got.ok()) co_return std::move(got).error();
    PC_CO_TRY(const Object object, Object::parse(got->body));
    PC_CO_TRY(const std::vector<GroupVersionKind> part, parse_group_list(object.root()));
    versions.insert(versions.end(), part.begin(), part.end());
  }
  Discovery all;
  for (const GroupVersionKind& of : versions) {
    std::string group = of.group;
    std::string version = of.version;
    Result<std::vector<ApiResource>> part =
        co_await discover_version(self, std::move(group), std::move(version), deadline);
    if (!part.ok()) {  // one aggregated API that is down must not hide the others
      if (part.error().code == Code::kTimeout || part.error().code == Code::kCancelled)
        co_return std::move(part).error();
      all.failed.push_back(of);
      continue;
    }
    all.resources.insert(all.resources.end(), part->begin(), part->end());
  }
  co_return all;
}

awaitable<Result<Discovery>> Client::discover(Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  Result<Discovery> found = co_await Impl::discover_aggregated(impl, deadline);
  // kInvalid: the server answered in the plain form.
  if (!found.ok() && (found.error().code == Code::kInvalid || found.error().code == Code::kUnsupported)) {
    found = co_await Impl::discover_plain(impl, deadline);
  }
  if (found.ok()) {
    impl->known.clear();
    for (const ApiResource& resource : found->resources) impl->known.emplace(resource.gvk(), resource);
  }
  co_return found;
}

awaitable<Result<std::vector<ApiResource>>> Client::discover_group_version(std::string group, std::string version,
                                                                           Deadline deadline) {
  return Impl::discover_version(impl_, std::move(group), std::move(version), deadline);
}

awaitable<Result<ApiResource>> Client::resource_of(GroupVersionKind gvk, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  const auto cached = impl->known.find(gvk);
  if (cached != impl->known.end()) co_return cached->second;
  std::string group = gvk.group;
  std::string version = gvk.version;
  Result<std::vector<ApiResource>> found =
      co_await Impl::discover_version(impl, std::move(group), std::move(version), deadline);
  if (!found.ok() && found.error().code != Code::kNotFound) co_return std::move(found).error();
  if (found.ok()) {
    for (const ApiResource& resource : *found) impl->known.insert_or_assign(resource.gvk(), resource);
  }
  const auto now = impl->known.find(gvk);
  if (now != impl->known.end()) co_return now->second;
  co_return make_error(Code::kNotFound,
                       "no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
}

void Client::forget_discovery() { impl_->known.clear(); }

const ClientConfig& Client::config() const noexcept { return impl_->config; }
boost::asio::io_context& Client::context() noexcept { return impl_->context; }

}  // namespace portcullis::kube
