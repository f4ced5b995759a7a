// URLs of Kubernetes objects.
#include "kube/core/resource.h"

#include <algorithm>

namespace portcullis::kube {

namespace {

void append_encoded(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == ':';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

// Builds "?a=b&c=d"; empty values are left out.
class Query {
 public:
  explicit Query(std::string& out) : out_(out) {}
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out_ += first_ ? '?' : '&';
    first_ = false;
    out_ += name;
    out_ += '=';
    append_encoded(out_, value);
  }
  void add(std::string_view name, std::uint32_t value) {
    if (value != 0) add(name, std::to_string(value));
  }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace

std::string GroupVersionKind::api_version() const { return group.empty() ? version : group + "/" + version; }

std::string GroupVersionKind::to_string() const { return group + "/" + version + ", Kind=" + kind; }

GroupVersionKind parse_api_version(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return {"", std::string(api_version), std::string(kind)};
  return {std::string(api_version.substr(0, slash)), std::string(api_version.substr(slash + 1)), std::string(kind)};
}

bool ApiResource::can(std::string_view verb) const noexcept {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

bool ApiResource::has_subresource(std::string_view name) const noexcept {
  return std::find(subresources.begin(), subresources.end(), name) != subresources.end();
}

std::string group_version_path(std::string_view group, std::string_view version) {
  std::string path = group.empty() ? "/api/" : "/apis/";
  if (!group.empty()) {
    append_encoded(path, group);
    path += '/';
  }
  append_encoded(path, version);
  return path;
}

std::string collection_path(const ApiResource& resource, std::string_view ns) {
  std::string path = group_version_path(resource.group, resource.version);
  if (!ns.empty() && resource.namespaced) {
    path += "/namespaces/";
    append_encoded(path, ns);
  }
  path += '/';
  append_encoded(path, resource.plural);
  return path;
}

std::string object_path(const ApiResource& resource, std::string_view ns, std::string_view name,
                        std::string_view subresource) {
  std::string path = collection_path(resource, ns);
  path += '/';
  append_encoded(path, name);
  if (!subresource.empty()) {
    path += '/';
    append_encoded(path, subresource);
  }
  return path;
}

std::string list_target(const ApiResource& resource, std::string_view ns, const ListOptions& options) {
  std::string target = collection_path(resource, ns);
  Query query(target);
  query.add("labelSelector", options.label_selector);
  query.add("fieldSelector", options.field_selector);
  query.add("limit", options.limit);
  query.add("continue", options.continue_token);
  // The server refuses a position together with a continue token: the token has one of its own.
  if (options.continue_token.empty()) {
    query.add("resourceVersion", options.resource_version);
    if (!options.resource_version.empty()) query.add("resourceVersionMatch", options.resource_version_match);
  }
  return target;
}

std::string watch_target(const ApiResource& resource, std::string_view ns, const WatchOptions& options) {
  std::string target = collection_path(resource, ns);
  Query query(target);
  query.add("watch", "true");
  if (options.bookmarks) query.add("allowWatchBookmarks", "true");
  query.add("timeoutSeconds", options.timeout_seconds);
  query.add("resourceVersion", options.resource_version);
  query.add("labelSelector", options.label_selector);
  query.add("fieldSelector", options.field_selector);
  return target;
}

std::string write_query(const WriteOptions& options, bool apply) {
  std::string text;
  Query query(text);
  query.add("fieldManager", options.field_manager);
  if (options.dry_run) query.add("dryRun", "All");
  if (apply && options.force) query.add("force", "true");
  return text;
}

}  // namespace portcullis::kube
