// Names of Kubernetes types and the URLs of their objects. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::kube {

struct GroupVersionKind {
  std::string group;  // "" for the core group
  std::string version;
  std::string kind;

  std::string api_version() const;  // "apps/v1", "v1"
  std::string to_string() const;    // "apps/v1, Kind=Deployment", as Go prints it
  auto operator<=>(const GroupVersionKind&) const = default;
};

// "apps/v1" -> group and version; "v1" -> "" and "v1".
GroupVersionKind parse_api_version(std::string_view api_version, std::string_view kind);

// One resource as discovery describes it.
struct ApiResource {
  std::string group;
  std::string version;
  std::string kind;
  std::string plural;
  bool namespaced = false;
  std::vector<std::string> verbs;
  std::vector<std::string> subresources;  // "status", "scale", …

  GroupVersionKind gvk() const { return {group, version, kind}; }
  std::string api_version() const { return gvk().api_version(); }
  bool can(std::string_view verb) const noexcept;
  bool has_subresource(std::string_view name) const noexcept;
};

// "/api/v1", "/apis/apps/v1".
std::string group_version_path(std::string_view group, std::string_view version);
// "/apis/apps/v1/namespaces/ns/deployments"; all namespaces, or a cluster-scoped resource, with `ns` empty.
std::string collection_path(const ApiResource& resource, std::string_view ns);
// The same with "/name", and "/subresource" when not empty. Every part is percent-encoded.
std::string object_path(const ApiResource& resource, std::string_view ns, std::string_view name,
                        std::string_view subresource = {});

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  std::uint32_t limit = 0;  // 0: all in one response
  std::string continue_token;
  std::string resource_version;        // "" = most recent, "0" = whatever the server's cache has
  std::string resource_version_match;  // "NotOlderThan", "Exact"
};
std::string list_target(const ApiResource& resource, std::string_view ns, const ListOptions& options);

struct WatchOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::uint32_t timeout_seconds = 290;  // the server ends the watch after it
  bool bookmarks = true;
};
std::string watch_target(const ApiResource& resource, std::string_view ns, const WatchOptions& options);

struct WriteOptions {
  bool dry_run = false;
  std::string field_manager = "portcullis";
  bool force = false;  // server-side apply: take over fields of other managers
};
// The query for create, update and patch: "?fieldManager=…" or "".
std::string write_query(const WriteOptions& options, bool apply);

}  // namespace portcullis::kube
