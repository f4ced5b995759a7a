// Discovery documents -> resources. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"
#include "kube/core/resource.h"

namespace portcullis::kube {

// The Accept header that asks for aggregated discovery, with the plain form as the fallback.
extern const std::string_view kAggregatedDiscoveryAccept;

struct Discovery {
  std::vector<ApiResource> resources;  // every served version; versions of a group in the server's order
  std::vector<GroupVersionKind>
      failed;  // group versions the server could not describe (kind ""): an aggregated API is down
};

// An APIGroupDiscoveryList (aggregated form). kInvalid when `root` is none.
Result<Discovery> parse_aggregated_discovery(const Value& root);
// APIVersions (of /api) or APIGroupList (of /apis): the group versions, kind "".
Result<std::vector<GroupVersionKind>> parse_group_list(const Value& root);
// An APIResourceList (of /api/v1 or /apis/group/version).
Result<std::vector<ApiResource>> parse_resource_list(const Value& root);

// The resource of a kind, or null.
const ApiResource* find_resource(const std::vector<ApiResource>& resources, const GroupVersionKind& gvk) noexcept;
// One version per group and kind: the server's preferred one (the first that can be listed).
std::vector<ApiResource> preferred_listable(const std::vector<ApiResource>& resources);

}  // namespace portcullis::kube
