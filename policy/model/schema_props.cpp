#include "policy/model/schema_props.h"

#include <algorithm>
#include <array>
#include <vector>

#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

enum class Shape : std::uint8_t {
  kString,       // dropped when ""
  kBool,         // dropped when false
  kBoolPointer,  // kept when given
  kInteger,      // int64, kept when given
  kNumber,       // float64, kept when given
  kStrings,      // dropped when empty
  kAny,          // any JSON
  kAnyList,      // dropped when empty
  kSchema,
  kSchemaList,  // dropped when empty
  kSchemaMap,   // dropped when empty
  kSchemaOrBool,
  kSchemaOrList,
  kSchemaOrStrings,  // dependencies
};

struct Keyword {
  std::string_view name;
  Shape shape;
  std::string_view go_type;
};

constexpr std::array kKeywords = {
    Keyword{"$ref", Shape::kString, "string"},
    Keyword{"$schema", Shape::kString, "v1.JSONSchemaURL"},
    Keyword{"additionalItems", Shape::kSchemaOrBool, "v1.JSONSchemaPropsOrBool"},
    Keyword{"additionalProperties", Shape::kSchemaOrBool, "v1.JSONSchemaPropsOrBool"},
    Keyword{"allOf", Shape::kSchemaList, "[]v1.JSONSchemaProps"},
    Keyword{"anyOf", Shape::kSchemaList, "[]v1.JSONSchemaProps"},
    Keyword{"default", Shape::kAny, "v1.JSON"},
    Keyword{"definitions", Shape::kSchemaMap, "v1.JSONSchemaDefinitions"},
    Keyword{"dependencies", Shape::kSchemaOrStrings, "v1.JSONSchemaDependencies"},
    Keyword{"description", Shape::kString, "string"},
    Keyword{"enum", Shape::kAnyList, "[]v1.JSON"},
    Keyword{"example", Shape::kAny, "v1.JSON"},
    Keyword{"exclusiveMaximum", Shape::kBool, "bool"},
    Keyword{"exclusiveMinimum", Shape::kBool, "bool"},
    Keyword{"externalDocs", Shape::kAny, "v1.ExternalDocumentation"},
    Keyword{"format", Shape::kString, "string"},
    Keyword{"id", Shape::kString, "string"},
    Keyword{"items", Shape::kSchemaOrList, "v1.JSONSchemaPropsOrArray"},
    Keyword{"maxItems", Shape::kInteger, "int64"},
    Keyword{"maxLength", Shape::kInteger, "int64"},
    Keyword{"maxProperties", Shape::kInteger, "int64"},
    Keyword{"maximum", Shape::kNumber, "float64"},
    Keyword{"minItems", Shape::kInteger, "int64"},
    Keyword{"minLength", Shape::kInteger, "int64"},
    Keyword{"minProperties", Shape::kInteger, "int64"},
    Keyword{"minimum", Shape::kNumber, "float64"},
    Keyword{"multipleOf", Shape::kNumber, "float64"},
    Keyword{"not", Shape::kSchema, "v1.JSONSchemaProps"},
    Keyword{"nullable", Shape::kBool, "bool"},
    Keyword{"oneOf", Shape::kSchemaList, "[]v1.JSONSchemaProps"},
    Keyword{"pattern", Shape::kString, "string"},
    Keyword{"patternProperties", Shape::kSchemaMap, "map[string]v1.JSONSchemaProps"},
    Keyword{"properties", Shape::kSchemaMap, "map[string]v1.JSONSchemaProps"},
    Keyword{"required", Shape::kStrings, "[]string"},
    Keyword{"title", Shape::kString, "string"},
    Keyword{"type", Shape::kString, "string"},
    Keyword{"uniqueItems", Shape::kBool, "bool"},
    Keyword{"x-kubernetes-embedded-resource", Shape::kBool, "bool"},
    Keyword{"x-kubernetes-int-or-string", Shape::kBool, "bool"},
    Keyword{"x-kubernetes-list-map-keys", Shape::kStrings, "[]string"},
    Keyword{"x-kubernetes-list-type", Shape::kString, "string"},
    Keyword{"x-kubernetes-map-type", Shape::kString, "string"},
    Keyword{"x-kubernetes-preserve-unknown-fields", Shape::kBoolPointer, "bool"},
    Keyword{"x-kubernetes-validations", Shape::kAnyList, "v1.ValidationRules"},
};

Error type_error(const Value& value, const std::string& path, std::string_view name, std::string_view go_type_name) {
  return make_error(Code::kInvalid,
                    json_type_error(value, "JSONSchemaProps." + path + "." + std::string(name), go_type_name));
}

Result<Value> schema_list(Arena& arena, const Value& value, const std::string& path) {
  std::vector<Value> out;
  out.reserve(value.size());
  for (const Value& element : value.elements()) {
    PC_TRY(const Value normal, normalize_schema_props(arena, element, path));
    out.push_back(normal);
  }
  return make_array(arena, out);
}

Result<Value> schema_map(Arena& arena, const Value& value, const std::string& path, bool strings_allowed) {
  std::vector<Member> out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.keys().size(); ++i) {
    if (strings_allowed && value.values()[i].is_array()) {
      out.push_back({value.keys()[i], value.values()[i]});
      continue;
    }
    PC_TRY(const Value normal, normalize_schema_props(arena, value.values()[i], path));
    out.push_back({value.keys()[i], normal});
  }
  return make_object(arena, out);
}

// Undefined: the keyword is left out.
Result<Value> normalize_keyword(Arena& arena, const Keyword& keyword, const Value& value, const std::string& path) {
  const auto wrong = [&] { return type_error(value, path, keyword.name, keyword.go_type); };
  const std::string below = path + "." + std::string(keyword.name);
  switch (keyword.shape) {
    case Shape::kString:
      if (!value.is_string()) return wrong();
      return value.size() == 0 ? Value::undefined() : value;
    case Shape::kBool:
      if (!value.is_bool()) return wrong();
      return value.is_false() ? Value::undefined() : value;
    case Shape::kBoolPointer:
      if (!value.is_bool()) return wrong();
      return value;
    case Shape::kInteger:
    case Shape::kNumber:
      if (!value.is_number()) return wrong();
      return value;
    case Shape::kStrings:
      if (!value.is_array()) return wrong();
      for (const Value& element : value.elements()) {
        if (!element.is_string()) return type_error(element, path, keyword.name, "string");
      }
      return value.size() == 0 ? Value::undefined() : value;
    case Shape::kAny: return value;
    case Shape::kAnyList:
      if (!value.is_array()) return wrong();
      return value.size() == 0 ? Value::undefined() : value;
    case Shape::kSchema: return normalize_schema_props(arena, value, below);
    case Shape::kSchemaList:
      if (!value.is_array()) return wrong();
      if (value.size() == 0) return Value::undefined();
      return schema_list(arena, value, below);
    case Shape::kSchemaMap:
    case Shape::kSchemaOrStrings:
      if (!value.is_object()) return wrong();
      if (value.size() == 0) return Value::undefined();
      return schema_map(arena, value, below, keyword.shape == Shape::kSchemaOrStrings);
    case Shape::kSchemaOrBool:
      if (value.is_bool()) return value;
      return normalize_schema_props(arena, value, below);
    case Shape::kSchemaOrList:
      if (value.is_array()) return schema_list(arena, value, below);
      return normalize_schema_props(arena, value, below);
  }
  return Value::undefined();
}

}  // namespace

Result<Value> normalize_schema_props(Arena& arena, const Value& schema, const std::string& path) {
  if (!schema.is_object()) {
    if (schema.is_null()) return make_object(arena, {});
    return make_error(Code::kInvalid, json_type_error(schema, "JSONSchemaProps." + path, "v1.JSONSchemaProps"));
  }
  std::vector<Member> out;
  for (const Keyword& keyword : kKeywords) {
    const Value value = schema.get(keyword.name);
    if (!value.defined() || (value.is_null() && keyword.shape != Shape::kAny)) continue;
    PC_TRY(const Value normal, normalize_keyword(arena, keyword, value, path));
    if (normal.defined()) out.push_back({make_symbol_or_string(arena, keyword.name), normal});
  }
  return make_object(arena, out);
}

Result<Value> add_preserve_unknown_fields(Arena& arena, const Value& schema) {
  constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
  const auto with = [&](const Value& object, std::string_view key, const Value& value) {
    return with_member(arena, object, make_symbol_or_string(arena, key), value);
  };
  Value out = schema.is_object() ? schema : make_object(arena, {});
  const std::string_view type = out.string_or("type");
  if (type.empty() || type == "object") out = with(out, kPreserve, Value::boolean(true));
  if (type == "array" && !out.get("items").defined()) {
    out = with(out, "items", with(make_object(arena, {}), kPreserve, Value::boolean(true)));
  }
  const Value properties = out.get("properties");
  if (properties.is_object()) {
    std::vector<Member> members;
    members.reserve(properties.size());
    for (std::size_t i = 0; i < properties.keys().size(); ++i) {
      PC_TRY(const Value changed, add_preserve_unknown_fields(arena, properties.values()[i]));
      members.push_back({properties.keys()[i], changed});
    }
    out = with(out, "properties", make_object(arena, members));
  }
  const Value items = out.get("items");
  if (items.is_array()) {
    return make_error(Code::kInvalid, "non-nil JSONSchemas encountered, multiple schemas are not supported");
  }
  if (items.is_object()) {
    PC_TRY(const Value changed, add_preserve_unknown_fields(arena, items));
    out = with(out, "items", changed);
  }
  const Value additional = out.get("additionalProperties");
  if (additional.is_object()) {
    PC_TRY(const Value changed, add_preserve_unknown_fields(arena, additional));
    out = with(out, "additionalProperties", changed);
  }
  return out;
}

}  // namespace portcullis::policy
