// What Kubernetes objects to in the schema of a custom resource.
#pragma once

#include <string>
#include <vector>

#include "engine/value/value.h"

namespace portcullis::policy {

// Field errors below `path`: first what OpenAPI v3 in custom resources may not say, then what keeps the schema from
// being structural, sorted. `schema` is normalized (policy/model/schema_props.h).
std::vector<std::string> check_schema(const Value& schema, const std::string& path);

}  // namespace portcullis::policy
