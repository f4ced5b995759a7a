// The compiled form of a schema; only this folder looks inside.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/value/value.h"

namespace re2 {
class RE2;
}

namespace portcullis::policy {

struct SchemaNode {
  ~SchemaNode();

  std::vector<std::string> types;  // empty: any; integer and string for x-kubernetes-int-or-string
  std::string format;
  bool nullable = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;
  bool unique_items = false;
  bool exclusive_maximum = false;
  bool exclusive_minimum = false;
  bool additional_forbidden = false;  // additionalProperties: false
  std::optional<double> maximum, minimum, multiple_of;
  std::optional<std::int64_t> max_length, min_length, max_items, min_items, max_properties, min_properties;
  std::string pattern;
  std::unique_ptr<re2::RE2> regex;
  std::vector<std::string> required;
  Value enum_values;                                                            // undefined: none
  Value default_value;                                                          // undefined: none
  std::vector<std::pair<std::string, std::unique_ptr<SchemaNode>>> properties;  // sorted by name
  std::unique_ptr<SchemaNode> items;
  std::unique_ptr<SchemaNode> additional;
  std::vector<std::unique_ptr<SchemaNode>> all_of, any_of, one_of;
  std::unique_ptr<SchemaNode> negated;

  const SchemaNode* property(std::string_view name) const noexcept;
  bool has_type(std::string_view type) const noexcept;
};

// What Schema::validate and Schema::unknown_fields do, from any node on.
std::vector<std::string> validate_node(const SchemaNode& node, const Value& value, const std::string& field_path,
                                       std::string_view prefix);
std::vector<std::string> unknown_fields_of(const SchemaNode& node, const Value& value);

// Field errors as k8s.io/apimachinery prints them.
std::string field_error(std::string_view path, std::string_view what, std::string_view detail);
std::string invalid_value(std::string_view path, const Value& value, std::string_view detail);
std::string invalid_text(std::string_view path, std::string_view value, std::string_view detail);

}  // namespace portcullis::policy
