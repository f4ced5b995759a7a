// Discovery documents.
#include "kube/core/discovery.h"

#include <algorithm>

namespace portcullis::kube {

const std::string_view kAggregatedDiscoveryAccept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

namespace {

std::vector<std::string> strings(const Value& array) {
  std::vector<std::string> out;
  out.reserve(array.size());
  for (const Value& element : array.elements()) {
    if (element.is_string()) out.emplace_back(element.as_string());
  }
  return out;
}

ApiResource aggregated_resource(std::string_view group, std::string_view version, const Value& entry) {
  ApiResource resource;
  resource.group = group;
  resource.version = version;
  resource.plural = entry.string_or("resource");
  resource.kind = entry.get("responseKind").string_or("kind");
  resource.namespaced = entry.string_or("scope") == "Namespaced";
  resource.verbs = strings(entry.get("verbs"));
  for (const Value& sub : entry.get("subresources").elements()) {
    resource.subresources.emplace_back(sub.string_or("subresource"));
  }
  return resource;
}

}  // namespace

Result<Discovery> parse_aggregated_discovery(const Value& root) {
  if (root.string_or("kind") != "APIGroupDiscoveryList") {
    return make_error(Code::kInvalid, "discovery: not an APIGroupDiscoveryList");
  }
  Discovery discovery;
  for (const Value& group : root.get("items").elements()) {
    const std::string_view name = group.get("metadata").string_or("name");
    for (const Value& version : group.get("versions").elements()) {
      const std::string_view version_name = version.string_or("version");
      // "Stale": the aggregated API server did not answer, what is listed may be old or empty.
      if (version.string_or("freshness") == "Stale") {
        discovery.failed.push_back({std::string(name), std::string(version_name), ""});
      }
      for (const Value& entry : version.get("resources").elements()) {
        ApiResource resource = aggregated_resource(name, version_name, entry);
        if (!resource.kind.empty() && !resource.plural.empty()) discovery.resources.push_back(std::move(resource));
      }
    }
  }
  return discovery;
}

Result<std::vector<GroupVersionKind>> parse_group_list(const Value& root) {
  std::vector<GroupVersionKind> out;
  const std::string_view kind = root.string_or("kind");
  if (kind == "APIVersions") {
    for (std::string& version : strings(root.get("versions"))) out.push_back({"", std::move(version), ""});
    return out;
  }
  if (kind != "APIGroupList") return make_error(Code::kInvalid, "discovery: not an APIGroupList");
  for (const Value& group : root.get("groups").elements()) {
    const std::string_view preferred = group.get("preferredVersion").string_or("version");
    const std::string name(group.string_or("name"));
    if (!preferred.empty()) out.push_back({name, std::string(preferred), ""});
    for (const Value& version : group.get("versions").elements()) {
      const std::string_view text = version.string_or("version");
      if (!text.empty() && text != preferred) out.push_back({name, std::string(text), ""});
    }
  }
  return out;
}

Result<std::vector<ApiResource>> parse_resource_list(const Value& root) {
  if (root.string_or("kind") != "APIResourceList") {
    return make_error(Code::kInvalid, "discovery: not an APIResourceList");
  }
  const GroupVersionKind of = parse_api_version(root.string_or("groupVersion"), "");
  std::vector<ApiResource> out;
  for (const Value& entry : root.get("resources").elements()) {
    const std::string_view name = entry.string_or("name");
    if (name.find('/') != std::string_view::npos || name.empty()) continue;
    ApiResource resource;
    resource.group = of.group;
    resource.version = of.version;
    resource.kind = entry.string_or("kind");
    resource.plural = name;
    resource.namespaced = entry.get("namespaced").is_true();
    resource.verbs = strings(entry.get("verbs"));
    out.push_back(std::move(resource));
  }
  for (const Value& entry : root.get("resources").elements()) {  // "pods/status" may come before or after "pods"
    const std::string_view name = entry.string_or("name");
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) continue;
    const auto owner =
        std::find_if(out.begin(), out.end(), [&](const ApiResource& r) { return r.plural == name.substr(0, slash); });
    if (owner != out.end()) owner->subresources.emplace_back(name.substr(slash + 1));
  }
  return out;
}

const ApiResource* find_resource(const std::vector<ApiResource>& resources, const GroupVersionKind& gvk) noexcept {
  const auto found = std::find_if(resources.begin(), resources.end(), [&gvk](const ApiResource& r) {
    return r.kind == gvk.kind && r.group == gvk.group && r.version == gvk.version;
  });
  return found == resources.end() ? nullptr : &*found;
}

std::vector<ApiResource> preferred_listable(const std::vector<ApiResource>& resources) {
  std::vector<ApiResource> out;
  for (const ApiResource& resource : resources) {
    if (!resource.can("list")) continue;
    const bool known = std::any_of(out.begin(), out.end(), [&resource](const ApiResource& r) {
      return r.group == resource.group && r.kind == resource.kind;
    });
    if (!known) out.push_back(resource);
  }
  return out;
}

}  // namespace portcullis::kube
