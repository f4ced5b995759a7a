#include "policy/schema/schema_check.h"

#include <re2/re2.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "policy/schema/schema_node.h"

namespace portcullis::policy {
namespace {

using Messages = std::vector<std::string>;

constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";
constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kListType = "x-kubernetes-list-type";
constexpr std::string_view kMapType = "x-kubernetes-map-type";
constexpr std::string_view kListMapKeys = "x-kubernetes-list-map-keys";

std::string child(const std::string& path, std::string_view name) { return path + "." + std::string(name); }
std::string key(const std::string& path, std::string_view name) {
  return path + ".properties[" + std::string(name) + "]";
}
std::string index(const std::string& path, std::string_view name, std::size_t i) {
  return path + "." + std::string(name) + "[" + std::to_string(i) + "]";
}
std::string forbidden(const std::string& path, std::string_view detail) {
  return field_error(path, "Forbidden", detail);
}
std::string required(const std::string& path, std::string_view detail) {
  return field_error(path, "Required value", detail);
}
std::string unsupported(const std::string& path, std::string_view value, std::string_view supported) {
  return field_error(path, "Unsupported value: " + text::go_quote(value),
                     "supported values: " + std::string(supported));
}

template <typename F>
void for_each_property(const Value& schema, F&& f) {
  const Value properties = schema.get("properties");
  for (std::size_t i = 0; i < properties.keys().size(); ++i)
    f(properties.keys()[i].as_string(), properties.values()[i]);
}

// --- OpenAPI v3 as custom resources may use it --------------------------------------------------------------------

void check_keywords(const Value& schema, const std::string& path, Messages& out) {
  const std::string_view type = schema.string_or("type");
  static constexpr std::string_view kTypes[] = {"array", "boolean", "integer", "number", "object", "string"};
  if (!type.empty() && std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
    out.push_back(
        unsupported(child(path, "type"), type, R"("array", "boolean", "integer", "number", "object", "string")"));
  }
  for (const std::string_view name :
       {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
    if (schema.get(name).defined())
      out.push_back(forbidden(child(path, name), std::string(name) + " is not supported"));
  }
  if (type == "null") {
    out.push_back(forbidden(child(path, "type"), "type cannot be set to null, use nullable as an alternative"));
  }
  if (schema.get("items").is_array()) {
    out.push_back(forbidden(child(path, "items"), "items must be a schema object and not an array"));
  }
  if (schema.get("uniqueItems").is_true()) {
    out.push_back(forbidden(child(path, "uniqueItems"),
                            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
  }
  const Value additional = schema.get("additionalProperties");
  if (additional.defined() && !additional.is_true() && schema.get("properties").size() != 0) {
    out.push_back(
        forbidden(child(path, "additionalProperties"), "additionalProperties and properties are mutual exclusive"));
  }
}

void check_typed_extension(const Value& schema, const std::string& path, std::string_view name, std::string_view type,
                           Messages& out) {
  const std::string_view own = schema.string_or("type");
  if (!schema.get(name).defined() || own == type) return;
  const std::string detail = "must be " + std::string(type) + " if " + std::string(name) + " is specified";
  out.push_back(own.empty() ? required(child(path, "type"), detail) : invalid_text(child(path, "type"), own, detail));
}

void check_map_list(const Value& schema, const std::string& path, Messages& out) {
  const std::string_view list_type = schema.string_or(kListType);
  const Value keys = schema.get(kListMapKeys);
  if (keys.size() > 0 && list_type != "map") {
    constexpr std::string_view kDetail = "must be map if x-kubernetes-list-map-keys is non-empty";
    out.push_back(list_type.empty() ? required(child(path, kListType), kDetail)
                                    : invalid_text(child(path, kListType), list_type, kDetail));
  }
  if (list_type != "map") return;
  if (keys.size() == 0) {
    out.push_back(required(child(path, kListMapKeys), "must not be empty if x-kubernetes-list-type is map"));
  }
  const Value items = schema.get("items");
  if (!items.defined()) {
    out.push_back(required(child(path, "items"), "must have a schema if x-kubernetes-list-type is map"));
    return;
  }
  if (items.string_or("type") != "object") {
    out.push_back(invalid_text(child(path, "items.type"), items.string_or("type"),
                               "must be object if parent array's x-kubernetes-list-type is map"));
    return;
  }
  for (const Value& name : keys.elements()) {
    if (!items.get("properties").get(name).defined()) {
      out.push_back(invalid_value(child(path, kListMapKeys), keys, "entries must all be names of item properties"));
    }
  }
}

void check_extensions(const Value& schema, const std::string& path, Messages& out) {
  if (schema.get(kPreserve).is_false()) {
    out.push_back(invalid_value(child(path, kPreserve), Value::boolean(false), "must be true or undefined"));
  }
  check_typed_extension(schema, path, kMapType, "object", out);
  const std::string_view map_type = schema.string_or(kMapType);
  if (!map_type.empty() && map_type != "atomic" && map_type != "granular") {
    out.push_back(unsupported(child(path, kMapType), map_type, R"("atomic", "granular")"));
  }
  check_typed_extension(schema, path, kListType, "array", out);
  const std::string_view list_type = schema.string_or(kListType);
  if (!list_type.empty() && list_type != "atomic" && list_type != "set" && list_type != "map") {
    out.push_back(unsupported(child(path, kListType), list_type, R"("atomic", "set", "map")"));
  }
  check_map_list(schema, path, out);
}

void check_openapi(const Value& schema, const std::string& path, Messages& out) {
  if (!schema.is_object()) return;
  check_keywords(schema, path, out);
  check_openapi(schema.get("additionalProperties"), child(path, "additionalProperties"), out);
  for_each_property(
      schema, [&](std::string_view name, const Value& property) { check_openapi(property, key(path, name), out); });
  check_openapi(schema.get("not"), child(path, "not"), out);
  for (const std::string_view name : {"allOf", "oneOf", "anyOf"}) {
    const auto elements = schema.get(name).elements();
    for (std::size_t i = 0; i < elements.size(); ++i) check_openapi(elements[i], index(path, name, i), out);
  }
  check_openapi(schema.get("items"), child(path, "items"), out);
  check_extensions(schema, path, out);
}

// --- Structural schemas -------------------------------------------------------------------------------------------

enum class Level : std::uint8_t { kRoot, kField, kItem };

void check_nested(const Value& schema, const std::string& path, bool skip_any_of, Messages& out);

// Whether anyOf is exactly [{type: integer}, {type: string}].
bool is_int_or_string_pattern(const Value& any_of) {
  if (any_of.size() != 2) return false;
  const auto is_type = [](const Value& schema, std::string_view type) {
    return schema.size() == 1 && schema.string_or("type") == type;
  };
  return is_type(any_of.elements()[0], "integer") && is_type(any_of.elements()[1], "string");
}

void check_value_validation(const Value& schema, const std::string& path, bool skip_any_of, bool skip_first_all_of,
                            Messages& out) {
  const auto each = [&](std::string_view name, auto&& skip) {
    const auto elements = schema.get(name).elements();
    for (std::size_t i = 0; i < elements.size(); ++i) check_nested(elements[i], index(path, name, i), skip(i), out);
  };
  const auto never = [](std::size_t) { return false; };
  if (!skip_any_of) each("anyOf", never);
  each("allOf", [&](std::size_t i) { return skip_first_all_of && i == 0; });
  each("oneOf", never);
  check_nested(schema.get("not"), child(path, "not"), false, out);
  const std::string_view pattern = schema.string_or("pattern");
  if (pattern.empty()) return;
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 regex(pattern, options);
  if (!regex.ok()) {
    out.push_back(
        invalid_text(child(path, "pattern"), pattern,
                     "must be a valid regular expression, but isn't: error parsing regexp: " + regex.error()));
  }
}

// What a schema below anyOf, allOf, oneOf or not must leave to the schema around it.
void check_nested(const Value& schema, const std::string& path, bool skip_any_of, Messages& out) {
  if (!schema.is_object()) return;
  check_value_validation(schema, path, skip_any_of, false, out);
  check_nested(schema.get("items"), child(path, "items"), false, out);
  for_each_property(schema, [&](std::string_view name, const Value& property) {
    check_nested(property, key(path, name), false, out);
  });
  constexpr std::string_view kEmpty = "must be empty to be structural";
  constexpr std::string_view kUndefined = "must be undefined to be structural";
  constexpr std::string_view kFalse = "must be false to be structural";
  struct Rule {
    std::string_view name;
    std::string_view detail;
  };
  const Rule rules[] = {{"type", kEmpty},
                        {"additionalProperties", kUndefined},
                        {"default", kUndefined},
                        {"title", kEmpty},
                        {"description", kEmpty},
                        {"nullable", kFalse},
                        {kPreserve, kFalse},
                        {kEmbedded, kFalse},
                        {kIntOrString, kFalse},
                        {kListMapKeys, kEmpty},
                        {kListType, kUndefined},
                        {kMapType, kUndefined},
                        {"x-kubernetes-validations", kEmpty}};
  for (const Rule& rule : rules) {
    const Value value = schema.get(rule.name);
    if (value.defined() && !value.is_false()) out.push_back(forbidden(child(path, rule.name), rule.detail));
  }
  if (schema.get("properties").get("metadata").defined()) {
    out.push_back(forbidden(key(path, "metadata"), "must not be specified in a nested context"));
  }
}

void check_type(const Value& schema, const std::string& path, Level level, Messages& out) {
  const std::string_view type = schema.string_or("type");
  if (schema.get(kEmbedded).is_true() && type != "object") {
    constexpr std::string_view kDetail = "must be object if x-kubernetes-embedded-resource is true";
    out.push_back(type.empty() ? required(child(path, "type"), kDetail)
                               : invalid_text(child(path, "type"), type, kDetail));
  } else if (type.empty() && !schema.get(kIntOrString).is_true() && !schema.get(kPreserve).is_true()) {
    static constexpr std::string_view kDetails[] = {"must not be empty at the root",
                                                    "must not be empty for specified object fields",
                                                    "must not be empty for specified array items"};
    out.push_back(required(child(path, "type"), kDetails[static_cast<std::size_t>(level)]));
  }
  if (level == Level::kRoot && !type.empty() && type != "object") {
    out.push_back(invalid_text(child(path, "type"), type, "must be object at the root"));
  }
}

void check_embedded(const Value& schema, const std::string& path, Messages& out) {
  if (!schema.get(kEmbedded).is_true()) return;
  if (schema.get("additionalProperties").defined()) {
    out.push_back(
        forbidden(child(path, "additionalProperties"), "must not be used if x-kubernetes-embedded-resource is set"));
  }
  for (const std::string_view name : {"kind", "apiVersion"}) {
    const Value property = schema.get("properties").get(name);
    if (property.defined() && property.string_or("type") != "string") {
      out.push_back(invalid_text(child(key(path, name), "type"), property.string_or("type"), "must be string"));
    }
  }
  if (!schema.get(kPreserve).is_true() && schema.get("properties").size() == 0) {
    out.push_back(required(child(path, "properties"),
                           "must not be empty if x-kubernetes-embedded-resource is true without "
                           "x-kubernetes-preserve-unknown-fields"));
  }
}

void check_structural(const Value& schema, const std::string& path, Level level, Messages& out) {
  if (!schema.is_object()) return;
  if (schema.string_or("type") == "array" && !schema.get("items").defined()) {
    out.push_back(required(child(path, "items"), "must be specified"));
  }
  check_structural(schema.get("items"), child(path, "items"), Level::kItem, out);
  for_each_property(schema, [&](std::string_view name, const Value& property) {
    check_structural(property, key(path, name), Level::kField, out);
  });
  const Value additional = schema.get("additionalProperties");
  if (additional.defined() && level == Level::kRoot) {
    out.push_back(forbidden(child(path, "additionalProperties"), "must not be used at the root"));
  }
  check_structural(additional, child(path, "additionalProperties"), Level::kField, out);
  if (schema.get(kIntOrString).is_true()) {
    for (const std::string_view name : {kPreserve, kEmbedded}) {
      if (!schema.get(name).is_true()) continue;
      out.push_back(invalid_value(child(path, name), Value::boolean(true),
                                  "must be false if x-kubernetes-int-or-string is true"));
    }
  }
  const auto all_of = schema.get("allOf").elements();
  check_value_validation(schema, path, is_int_or_string_pattern(schema.get("anyOf")),
                         !all_of.empty() && is_int_or_string_pattern(all_of.front().get("anyOf")), out);
  check_type(schema, path, level, out);
  check_embedded(schema, path, out);
}

// Whatever a nested schema speaks of must also be there structurally.
void check_complete(const Value& nested, const Value& structural, const std::string& path,
                    const std::string& nested_path, Messages& out);

void check_complete_logic(const Value& schema, const Value& structural, const std::string& path,
                          const std::string& nested_path, Messages& out) {
  check_complete(schema.get("not"), structural, path, child(nested_path, "not"), out);
  for (const std::string_view name : {"allOf", "anyOf", "oneOf"}) {
    const auto elements = schema.get(name).elements();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      check_complete(elements[i], structural, path, index(nested_path, name, i), out);
    }
  }
}

void check_complete(const Value& nested, const Value& structural, const std::string& path,
                    const std::string& nested_path, Messages& out) {
  if (!nested.is_object()) return;
  if (!structural.is_object()) {
    out.push_back(required(path, "because it is defined in " + nested_path));
    return;
  }
  check_complete_logic(nested, structural, path, nested_path, out);
  check_complete(nested.get("items"), structural.get("items"), child(path, "items"), child(nested_path, "items"), out);
  for_each_property(nested, [&](std::string_view name, const Value& property) {
    check_complete(property, structural.get("properties").get(name), key(path, name), key(nested_path, name), out);
  });
}

void check_completeness(const Value& schema, const std::string& path, Messages& out) {
  if (!schema.is_object()) return;
  check_complete_logic(schema, schema, path, path, out);
}

}  // namespace

std::vector<std::string> check_schema(const Value& schema, const std::string& path) {
  Messages out;
  check_openapi(schema, path, out);
  Messages structural;
  check_structural(schema, path, Level::kRoot, structural);
  check_completeness(schema, path, structural);
  std::sort(structural.begin(), structural.end());
  out.insert(out.end(), structural.begin(), structural.end());
  return out;
}

}  // namespace portcullis::policy
