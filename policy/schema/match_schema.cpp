#include "policy/schema/match_schema.h"

#include <string_view>

#include "base/error.h"
#include "engine/value/document.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view kMatchSchema = R"json({
  "description": "Which objects are in scope; all fields must agree. Without a match, every object is.",
  "type": "object",
  "properties": {
    "source": {
      "description": "Original: objects as they were sent. Generated: objects expected from expansion. All (default): both.",
      "type": "string",
      "enum": ["All", "Generated", "Original"]
    },
    "kinds": {
      "description": "Kinds in scope; one entry that agrees is enough.",
      "type": "array",
      "items": {
        "description": "Groups and kinds; an empty list or \"*\" stands for all.",
        "type": "object",
        "properties": {
          "apiGroups": {"description": "API groups; \"\" is the core group.", "type": "array", "items": {"type": "string"}},
          "kinds": {"type": "array", "items": {"type": "string"}}
        }
      }
    },
    "scope": {"description": "Cluster, Namespaced, or * (default) for both.", "type": "string"},
    "namespaces": {
      "description": "Namespaces in scope. A leading or trailing \"*\" is a wildcard.",
      "type": "array",
      "items": {"type": "string", "pattern": "^\\*?[-:a-z0-9]*\\*?$"}
    },
    "excludedNamespaces": {
      "description": "Namespaces out of scope. A leading or trailing \"*\" is a wildcard.",
      "type": "array",
      "items": {"type": "string", "pattern": "^\\*?[-:a-z0-9]*\\*?$"}
    },
    "labelSelector": {"description": "Selects by the object's labels."},
    "namespaceSelector": {"description": "Selects by the labels of the object's Namespace, or a Namespace by its own."},
    "name": {
      "description": "The object's name. A leading or trailing \"*\" is a wildcard.",
      "type": "string",
      "pattern": "^\\*?[-:a-z0-9]*\\*?$"
    }
  }
})json";

constexpr std::string_view kSelectorSchema = R"json({
  "type": "object",
  "x-kubernetes-map-type": "atomic",
  "properties": {
    "matchLabels": {
      "description": "Labels that must have exactly these values.",
      "type": "object",
      "additionalProperties": {"type": "string"}
    },
    "matchExpressions": {
      "description": "Requirements that must all hold.",
      "type": "array",
      "x-kubernetes-list-type": "atomic",
      "items": {
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
          "key": {"description": "The label's key.", "type": "string"},
          "operator": {"description": "In, NotIn, Exists or DoesNotExist.", "type": "string"},
          "values": {
            "description": "Needed for In and NotIn, not allowed for the others.",
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {"type": "string"}
          }
        }
      }
    }
  }
})json";

Value parse(Arena& arena, std::string_view text) {
  Result<Value> value = parse_json_into(arena, text);
  PC_DCHECK(value.ok());
  return value.ok() ? *value : Value::undefined();
}

}  // namespace

Value match_schema(Arena& arena) {
  const Value schema = parse(arena, kMatchSchema);
  const Value selector = parse(arena, kSelectorSchema);
  Value properties = schema.get("properties");
  for (const std::string_view name : {"labelSelector", "namespaceSelector"}) {
    const Value key = make_symbol_or_string(arena, name);
    const Value described = with_member(arena, selector, make_symbol_or_string(arena, "description"),
                                        properties.get(name).get("description"));
    properties = with_member(arena, properties, key, described);
  }
  return with_member(arena, schema, make_symbol_or_string(arena, "properties"), properties);
}

}  // namespace portcullis::policy
