// How the fake API server serves: routes, discovery, lists, watches and faults.
#include "test/fakeapi/fakeapi.h"

#include <algorithm>

#include "test/fakeapi/impl.h"

namespace portcullis::test {

HttpResponse object_response(int code, const Json& object) { return HttpResponse::json(code, object.dump()); }

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '/') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(net::percent_decode(path.substr(at, end - at)));
    at = end;
  }
  return parts;
}

std::string parameter(const HttpRequest& request, std::string_view name) {
  const auto value = request.query(name);
  return value ? net::percent_decode(*value) : std::string();
}

// One open watch.
class WatchSource final : public net::BodySource {
 public:
  WatchSource(std::shared_ptr<FakeApi::Impl> api, Address at, const HttpRequest& request, std::uint64_t from);
  ~WatchSource() override;
  awaitable<Result<std::string>> next() override;

 private:
  std::optional<Result<std::string>> poll();
  bool wanted(const Stored& event) const;

  std::shared_ptr<FakeApi::Impl> api_;
  Address at_;
  std::string labels_;
  std::string fields_;
  std::uint64_t position_;
  std::uint64_t cut_, ended_, bookmarks_;
  Deadline until_;
};

std::optional<Address> FakeApi::Impl::find(std::string_view path) const {
  std::vector<std::string> parts = split_path(path);
  if (parts.size() < 3 || (parts[0] != "api" && parts[0] != "apis")) return std::nullopt;
  const bool core = parts[0] == "api";
  if (!core && parts.size() < 4) return std::nullopt;
  const std::string group = core ? "" : parts[1];
  const std::string served_version = core ? parts[1] : parts[2];
  parts.erase(parts.begin(), parts.begin() + (core ? 2 : 3));
  Address at;
  const bool below_namespace =
      parts[0] == "namespaces" && parts.size() >= 3 && parts[2] != "status" && parts[2] != "finalize";
  if (below_namespace) {
    at.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (parts.size() > 3) return std::nullopt;
  const auto found = std::find_if(resources.begin(), resources.end(), [&](const kube::ApiResource& r) {
    return r.group == group && r.version == served_version && r.plural == parts[0];
  });
  if (found == resources.end()) return std::nullopt;
  at.resource = *found;
  if (parts.size() > 1) at.name = parts[1];
  if (parts.size() > 2) at.subresource = parts[2];
  return at;
}

void FakeApi::Impl::note(const HttpRequest& request, bool watch) {
  log.emplace_back(watch ? "WATCH" : request.method, net::percent_decode(request.target));
  last_headers = request.headers;
  ++change_count;
  change.notify_all();
}

std::optional<Fault> FakeApi::Impl::strike(const HttpRequest& request, bool watch) {
  const std::string method = watch ? "WATCH" : request.method;
  const std::string target = net::percent_decode(request.target);
  for (Fault& fault : faults) {
    if (fault.times == 0 || (!fault.method.empty() && fault.method != method)) continue;
    if (target.find(fault.target) == std::string::npos) continue;
    if (fault.after > 0) {
      --fault.after;
      continue;
    }
    if (fault.times > 0) --fault.times;
    return fault;
  }
  return std::nullopt;
}

awaitable<HttpResponse> FakeApi::Impl::handle(HttpRequest request) {
  const bool watch = request.query("watch") == "true" || request.query("watch") == "1";
  std::optional<Fault> fault;
  {
    const std::lock_guard lock(mutex);
    note(request, watch);
    fault = strike(request, watch);
  }
  if (fault && fault->delay.count() > 0) {
    Result<void> slept = co_await net::sleep_until(Deadline::after(fault->delay));
    static_cast<void>(slept);
  }
  if (fault && fault->drop) {
    HttpResponse none;
    none.drop = true;
    co_return none;
  }
  if (fault && !fault->body.empty())
    co_return HttpResponse::json(fault->status == 0 ? 200 : fault->status, fault->body);
  if (fault && fault->status != 0) {
    HttpResponse refused = status_response(fault->status, fault->reason, "injected fault");
    if (fault->retry_after >= 0) refused.headers.add("Retry-After", std::to_string(fault->retry_after));
    co_return refused;
  }
  co_return answer(request);
}

HttpResponse FakeApi::Impl::answer(const HttpRequest& request) {
  const std::lock_guard lock(mutex);
  const std::string path = net::percent_decode(request.path());
  const std::vector<std::string> parts = split_path(request.path());
  if (path == "/readyz" || path == "/livez" || path == "/healthz") return HttpResponse::text(200, "ok");
  if (path == "/version") return HttpResponse::json(200, R"({"major":"1","minor":"36","gitVersion":"v1.36.3"})");
  const bool is_discovery = request.method == "GET" && !parts.empty() &&
                            ((parts[0] == "api" && parts.size() <= 2) || (parts[0] == "apis" && parts.size() <= 3));
  if (is_discovery) return discovery(request, parts);
  const std::optional<Address> at = find(request.path());
  if (!at) return HttpResponse::text(404, "404 page not found\n");
  const bool named = !at->name.empty();
  if (request.method == "GET" && !named) {
    return list_or_watch(request, *at, request.query("watch") == "true" || request.query("watch") == "1");
  }
  if (request.method == "GET") {
    const auto& all = objects[at->collection()];
    const auto found = all.find(at->ns + "/" + at->name);
    if (found == all.end()) {
      return status_response(404, "NotFound", at->resource.plural + " \"" + at->name + "\" not found");
    }
    return object_response(200, in_version(found->second, at->resource));
  }
  if (request.method == "DELETE" && named) return remove(request, *at);
  if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") return write(request, *at);
  return status_response(405, "MethodNotAllowed", "method not allowed");
}

Json FakeApi::Impl::aggregated(bool core) const {
  std::map<std::string, std::map<std::string, Json>> groups;
  for (const kube::ApiResource& r : resources) {
    if (r.group.empty() != core) continue;
    Json subs = Json::array();
    for (const std::string& sub : r.subresources) subs.push_back({{"subresource", sub}});
    groups[r.group][r.version].push_back(
        {{"resource", r.plural},
         {"responseKind", {{"group", r.group}, {"version", r.version}, {"kind", r.kind}}},
         {"scope", r.namespaced ? "Namespaced" : "Cluster"},
         {"verbs", r.verbs},
         {"subresources", subs}});
  }
  Json items = Json::array();
  for (const auto& [group, versions] : groups) {
    Json served = Json::array();
    for (const auto& [name, entries] : versions) {
      served.push_back({{"version", name}, {"resources", entries}, {"freshness", "Current"}});
    }
    items.push_back({{"metadata", {{"name", group}}}, {"versions", served}});
  }
  return {{"kind", "APIGroupDiscoveryList"}, {"apiVersion", "apidiscovery.k8s.io/v2"}, {"items", items}};
}

HttpResponse FakeApi::Impl::discovery(const HttpRequest& request, const std::vector<std::string>& parts) {
  const bool core = parts[0] == "api";
  const std::string accept(request.headers.find("accept").value_or(""));
  if (parts.size() == 1 && aggregated_discovery && accept.find("APIGroupDiscoveryList") != std::string::npos) {
    return HttpResponse::json(200, aggregated(core).dump());
  }
  if (core && parts.size() == 1) return HttpResponse::json(200, R"({"kind":"APIVersions","versions":["v1"]})");
  if (parts.size() == 1) {
    std::map<std::string, Json> groups;
    for (const kube::ApiResource& r : resources) {
      if (r.group.empty()) continue;
      Json& group = groups[r.group];
      const Json entry = {{"groupVersion", r.api_version()}, {"version", r.version}};
      if (group.is_null()) group = {{"name", r.group}, {"versions", Json::array()}, {"preferredVersion", entry}};
      if (std::find(group["versions"].begin(), group["versions"].end(), entry) == group["versions"].end()) {
        group["versions"].push_back(entry);
      }
    }
    Json all = Json::array();
    for (const auto& [name, group] : groups) all.push_back(group);
    return HttpResponse::json(200, Json({{"kind", "APIGroupList"}, {"groups", all}}).dump());
  }
  const std::string group = core ? "" : parts[1];
  const std::string& wanted = parts.back();
  Json entries = Json::array();
  for (const kube::ApiResource& r : resources) {
    if (r.group != group || r.version != wanted) continue;
    entries.push_back({{"name", r.plural}, {"kind", r.kind}, {"namespaced", r.namespaced}, {"verbs", r.verbs}});
    for (const std::string& sub : r.subresources) {
      entries.push_back(
          {{"name", r.plural + "/" + sub}, {"kind", r.kind}, {"namespaced", r.namespaced}, {"verbs", r.verbs}});
    }
  }
  if (entries.empty()) return HttpResponse::text(404, "404 page not found\n");
  const std::string group_version = group.empty() ? wanted : group + "/" + wanted;
  return HttpResponse::json(
      200, Json({{"kind", "APIResourceList"}, {"groupVersion", group_version}, {"resources", entries}}).dump());
}

HttpResponse FakeApi::Impl::list_or_watch(const HttpRequest& request, const Address& at, bool watch) {
  if (watch) {
    const std::string from = parameter(request, "resourceVersion");
    HttpResponse response;
    response.content_type = "application/json";
    response.stream =
        std::make_shared<WatchSource>(shared_from_this(), at, request, from.empty() ? version : std::stoull(from));
    return response;
  }
  const std::string labels = parameter(request, "labelSelector");
  const std::string fields = parameter(request, "fieldSelector");
  const std::string limit_text = parameter(request, "limit");
  const std::size_t limit = limit_text.empty() ? 0 : std::stoul(limit_text);
  std::string token = parameter(request, "continue");  // "<version>:<last key>"
  std::uint64_t list_version = version;
  std::string last;
  if (!token.empty()) {
    list_version = std::stoull(token);
    last = token.substr(token.find(':') + 1);
    if (list_version < forgotten) {
      return status_response(410, "Expired",
                             "The provided continue parameter is too old to display a consistent list result.");
    }
  }
  Json items = Json::array();
  std::string next;
  const auto& all = objects[at.collection()];
  for (auto it = last.empty() ? all.begin() : all.upper_bound(last); it != all.end(); ++it) {
    const Json& object = it->second;
    if (!at.ns.empty() && text_of(object.at("metadata"), "namespace") != at.ns) continue;
    if (!labels_match(labels, object) || !fields_match(fields, object)) continue;
    if (limit != 0 && items.size() == limit) {
      next = std::to_string(list_version) + ":" + last;
      break;
    }
    last = it->first;
    Json item = in_version(object, at.resource);
    const bool custom = at.resource.group.find('.') != std::string::npos && !at.resource.group.ends_with(".k8s.io");
    if (!custom) {  // as the real server does for its own types
      item.erase("apiVersion");
      item.erase("kind");
    }
    items.push_back(std::move(item));
  }
  Json metadata = {{"resourceVersion", std::to_string(list_version)}};
  if (!next.empty()) metadata["continue"] = next;
  return HttpResponse::json(200, Json({{"kind", at.resource.kind + "List"},
                                       {"apiVersion", at.resource.api_version()},
                                       {"metadata", metadata},
                                       {"items", items}})
                                     .dump());
}

WatchSource::WatchSource(std::shared_ptr<FakeApi::Impl> api, Address at, const HttpRequest& request, std::uint64_t from)
    : api_(std::move(api)),
      at_(std::move(at)),
      labels_(parameter(request, "labelSelector")),
      fields_(parameter(request, "fieldSelector")),
      position_(from),
      cut_(api_->cut),
      ended_(api_->ended),
      bookmarks_(api_->bookmarks),
      until_(Deadline::after(std::chrono::seconds(
          parameter(request, "timeoutSeconds").empty() ? 300 : std::stol(parameter(request, "timeoutSeconds"))))) {
  ++api_->watches;  // made with the mutex held
}

WatchSource::~WatchSource() {
  const std::lock_guard lock(api_->mutex);
  --api_->watches;
  ++api_->change_count;
  api_->change.notify_all();
}

bool WatchSource::wanted(const Stored& event) const {
  if (event.version <= position_ || event.collection != at_.collection()) return false;
  if (!at_.ns.empty() && text_of(event.object.at("metadata"), "namespace") != at_.ns) return false;
  return labels_match(labels_, event.object) && fields_match(fields_, event.object);
}

std::optional<Result<std::string>> WatchSource::poll() {
  const std::lock_guard lock(api_->mutex);
  if (api_->cut != cut_ || api_->down) return Result<std::string>(make_error(Code::kUnavailable, "cut"));
  if (api_->ended != ended_ || until_.passed()) return Result<std::string>(std::string());
  const bool served = std::any_of(api_->resources.begin(), api_->resources.end(), [this](const kube::ApiResource& r) {
    return r.group == at_.resource.group && r.plural == at_.resource.plural;
  });
  std::string text;
  if (position_ < api_->forgotten) {
    const Json status = {
        {"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "too old resource version"}};
    text = Json({{"type", "ERROR"}, {"object", status}}).dump() + "\n";
    ended_ = ~std::uint64_t{0};  // and that is all
    return Result<std::string>(text);
  }
  for (const Stored& event : api_->history) {
    if (!wanted(event)) continue;
    const Json object = FakeApi::Impl::in_version(event.object, at_.resource);
    text += Json({{"type", event.type}, {"object", object}}).dump() + "\n";
  }
  position_ = api_->version;
  if (bookmarks_ != api_->bookmarks) {
    bookmarks_ = api_->bookmarks;
    const Json object = {{"kind", at_.resource.kind},
                         {"apiVersion", at_.resource.api_version()},
                         {"metadata", {{"resourceVersion", std::to_string(position_)}}}};
    text += Json({{"type", "BOOKMARK"}, {"object", object}}).dump() + "\n";
  }
  if (!text.empty()) return Result<std::string>(text);
  if (!served) return Result<std::string>(std::string());
  return std::nullopt;
}

awaitable<Result<std::string>> WatchSource::next() {
  for (;;) {
    std::optional<Result<std::string>> ready = poll();
    if (ready) co_return std::move(*ready);
    const bool notified = co_await api_->signal.wait(until_);
    static_cast<void>(notified);
  }
}

// --- The public face ---

FakeApi::FakeApi() : impl_(std::make_shared<Impl>()) { start(); }

FakeApi::~FakeApi() {
  stop();
  impl_->pool.stop();
}

void FakeApi::start() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->down = false;
  }
  net::HttpServerOptions options;
  options.name = "fakeapi";
  options.host = "127.0.0.1";
  options.port = impl_->port;
  impl_->server = std::make_unique<net::HttpServer>(impl_->pool, *impl_, options);
  const Result<void> started = impl_->server->start();
  if (!started.ok()) std::abort();
  impl_->port = impl_->server->port();
}

void FakeApi::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->down = true;  // also cuts the watch that is being opened right now
    impl_->changed();
  }
  impl_->server->stop(Deadline::after(std::chrono::milliseconds(0)));
}

kube::ClientConfig FakeApi::config() const {
  kube::ClientConfig config;
  config.server = "http://127.0.0.1:" + std::to_string(impl_->port);
  return config;
}

std::uint16_t FakeApi::port() const { return impl_->port; }

void FakeApi::serve(kube::ApiResource resource) {
  const std::lock_guard lock(impl_->mutex);
  if (resource.verbs.empty()) resource.verbs = builtin_kinds().front().verbs;
  impl_->resources.push_back(std::move(resource));
  impl_->changed();
}

void FakeApi::unserve(const std::string& group, const std::string& plural) {
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->resources, [&](const kube::ApiResource& r) { return r.group == group && r.plural == plural; });
  impl_->objects.erase(group + "/" + plural);
  impl_->changed();
}

void FakeApi::set_establish_crds(bool on) {
  const std::lock_guard lock(impl_->mutex);
  impl_->establish_crds = on;
}

void FakeApi::set_aggregated_discovery(bool on) {
  const std::lock_guard lock(impl_->mutex);
  impl_->aggregated_discovery = on;
}

void FakeApi::add_fault(Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  impl_->faults.push_back(std::move(fault));
}

void FakeApi::clear_faults() {
  const std::lock_guard lock(impl_->mutex);
  impl_->faults.clear();
}

void FakeApi::forget_history() {
  const std::lock_guard lock(impl_->mutex);
  impl_->forgotten = ++impl_->version;
  impl_->history.clear();
  impl_->changed();
}

void FakeApi::cut_watches() {
  const std::lock_guard lock(impl_->mutex);
  ++impl_->cut;
  impl_->changed();
}

void FakeApi::end_watches() {
  const std::lock_guard lock(impl_->mutex);
  ++impl_->ended;
  impl_->changed();
}

void FakeApi::send_bookmarks() {
  const std::lock_guard lock(impl_->mutex);
  ++impl_->bookmarks;
  impl_->changed();
}

std::size_t FakeApi::count(const std::string& method, const std::string& target) const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<std::size_t>(std::count_if(impl_->log.begin(), impl_->log.end(), [&](const auto& entry) {
    return (method.empty() || entry.first == method) && entry.second.find(target) != std::string::npos;
  }));
}

std::size_t FakeApi::open_watches() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->watches;
}

std::optional<std::string> FakeApi::last_header(const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->last_headers.find(name);
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

std::uint64_t FakeApi::changes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->change_count;
}

std::uint64_t FakeApi::wait_for_change(std::uint64_t since, std::chrono::milliseconds at_most) const {
  std::unique_lock lock(impl_->mutex);
  impl_->change.wait_for(lock, at_most, [&] { return impl_->change_count != since; });
  return impl_->change_count;
}

}  // namespace portcullis::test
