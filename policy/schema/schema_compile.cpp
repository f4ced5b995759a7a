#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/schema/schema.h"
#include "policy/schema/schema_node.h"

namespace portcullis::policy {

SchemaNode::~SchemaNode() = default;

const SchemaNode* SchemaNode::property(std::string_view name) const noexcept {
  const auto found = std::lower_bound(properties.begin(), properties.end(), name,
                                      [](const auto& entry, std::string_view key) { return entry.first < key; });
  return found != properties.end() && found->first == name ? found->second.get() : nullptr;
}

bool SchemaNode::has_type(std::string_view type) const noexcept {
  return std::find(types.begin(), types.end(), type) != types.end();
}

std::string field_error(std::string_view path, std::string_view what, std::string_view detail) {
  std::string out(path);
  out += ": ";
  out += what;
  if (!detail.empty()) {
    out += ": ";
    out += detail;
  }
  return out;
}

std::string invalid_text(std::string_view path, std::string_view value, std::string_view detail) {
  return field_error(path, "Invalid value: " + text::go_quote(value), detail);
}

std::string invalid_value(std::string_view path, const Value& value, std::string_view detail) {
  if (value.is_string()) return invalid_text(path, value.as_string(), detail);
  JsonStyle style;
  style.escape_html = true;
  return field_error(path, "Invalid value: " + to_json(value, style), detail);
}

std::string aggregate(const std::vector<std::string>& messages) {
  std::vector<std::string> unique;
  std::set<std::string_view> seen;
  for (const std::string& message : messages) {
    if (seen.insert(message).second) unique.push_back(message);
  }
  if (unique.size() == 1) return unique.front();
  return "[" + text::join(unique, ", ") + "]";
}

namespace {

enum class Level : std::uint8_t { kRoot, kField, kItem };

// Compiles one schema tree and collects what Kubernetes' structural checks object to.
class Compiler {
 public:
  std::unique_ptr<SchemaNode> compile(const Value& schema, const std::string& path, Level level, bool structural) {
    auto node = std::make_unique<SchemaNode>();
    read_scalars(schema, *node);
    read_children(schema, path, structural, *node);
    if (structural) check(schema, path, level, *node);
    return node;
  }

  std::vector<std::string> errors;

 private:
  static std::optional<std::int64_t> integer(const Value& value) {
    if (!value.is_number()) return std::nullopt;
    if (const auto whole = to_int64(value)) return whole;
    return static_cast<std::int64_t>(to_double(value));
  }
  static std::optional<double> number(const Value& value) {
    if (!value.is_number()) return std::nullopt;
    return to_double(value);
  }

  void read_scalars(const Value& schema, SchemaNode& node) {
    const std::string_view type = schema.string_or("type");
    if (schema.get("x-kubernetes-int-or-string").is_true()) {
      node.types = {"integer", "string"};
    } else if (!type.empty()) {
      node.types = {std::string(type)};
    }
    node.format = std::string(schema.string_or("format"));
    node.nullable = schema.get("nullable").is_true();
    node.preserve_unknown = schema.get("x-kubernetes-preserve-unknown-fields").is_true();
    node.embedded_resource = schema.get("x-kubernetes-embedded-resource").is_true();
    node.unique_items = schema.get("uniqueItems").is_true();
    node.exclusive_maximum = schema.get("exclusiveMaximum").is_true();
    node.exclusive_minimum = schema.get("exclusiveMinimum").is_true();
    node.maximum = number(schema.get("maximum"));
    node.minimum = number(schema.get("minimum"));
    node.multiple_of = number(schema.get("multipleOf"));
    node.max_length = integer(schema.get("maxLength"));
    node.min_length = integer(schema.get("minLength"));
    node.max_items = integer(schema.get("maxItems"));
    node.min_items = integer(schema.get("minItems"));
    node.max_properties = integer(schema.get("maxProperties"));
    node.min_properties = integer(schema.get("minProperties"));
    node.pattern = std::string(schema.string_or("pattern"));
    if (!node.pattern.empty()) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(8 << 20);
      node.regex = std::make_unique<re2::RE2>(node.pattern, options);
    }
    for (const Value& name : schema.get("required").elements()) node.required.emplace_back(name.as_string());
    node.enum_values = schema.get("enum");
    const Value default_value = schema.get("default");
    if (!default_value.is_null()) node.default_value = default_value;
  }

  void read_children(const Value& schema, const std::string& path, bool structural, SchemaNode& node) {
    const Value properties = schema.get("properties");
    for (std::size_t i = 0; i < properties.keys().size(); ++i) {
      const std::string name(properties.keys()[i].as_string());
      node.properties.emplace_back(
          name, compile(properties.values()[i], path + ".properties[" + name + "]", Level::kField, structural));
    }
    const Value items = schema.get("items");
    if (items.is_object()) node.items = compile(items, path + ".items", Level::kItem, structural);
    if (items.is_array() && structural) {
      errors.push_back(field_error(path + ".items", "Forbidden",
                                   "items must be a schema object and not an array"));
    }
    const Value additional = schema.get("additionalProperties");
    node.additional_forbidden = additional.is_false();
    if (additional.is_object()) {
      node.additional = compile(additional, path + ".additionalProperties", Level::kField, structural);
    }
    read_logic(schema.get("allOf"), path, node.all_of);
    read_logic(schema.get("anyOf"), path, node.any_of);
    read_logic(schema.get("oneOf"), path, node.one_of);
    const Value negated = schema.get("not");
    if (negated.is_object()) node.negated = compile(negated, path, Level::kField, false);
  }

  void read_logic(const Value& list, const std::string& path, std::vector<std::unique_ptr<SchemaNode>>& out) {
    for (const Value& schema : list.elements()) out.push_back(compile(schema, path, Level::kField, false));
  }

  void check(const Value& schema, const std::string& path, Level level, const SchemaNode& node) {
    if (node.has_type("array") && schema.string_or("type") == "array" && !node.items &&
        !schema.get("items").is_array()) {
      errors.push_back(field_error(path + ".items", "Required value", "must be specified"));
    }
    if (level == Level::kRoot && schema.get("additionalProperties").defined()) {
      errors.push_back(field_error(path + ".additionalProperties", "Forbidden", "must not be used at the root"));
    }
    check_type(schema, path, level, node);
    check_forbidden(schema, path);
    if (!node.pattern.empty() && !node.regex->ok()) {
      errors.push_back(invalid_text(path + ".pattern", node.pattern,
                                    "must be a valid regular expression, but isn't: " + node.regex->error()));
    }
    if (!node.properties.empty() && node.additional != nullptr) {
      errors.push_back(field_error(path + ".additionalProperties", "Forbidden",
                                   "additionalProperties and properties are mutual exclusive"));
    }
    if (node.default_value.defined()) check_default(path, node);
  }

  void check_type(const Value& schema, const std::string& path, Level level, const SchemaNode& node) {
    const std::string_view type = schema.string_or("type");
    static constexpr std::string_view kKnown[] = {"", "array", "boolean", "integer", "number", "object", "string"};
    if (std::find(std::begin(kKnown), std::end(kKnown), type) == std::end(kKnown)) {
      errors.push_back(field_error(path + ".type", "Unsupported value: " + text::go_quote(type),
                                   R"(supported values: "array", "boolean", "integer", "number", "object", "string")"));
    }
    if (node.embedded_resource && type != "object") {
      constexpr std::string_view kDetail = "must be object if x-kubernetes-embedded-resource is true";
      errors.push_back(type.empty() ? field_error(path + ".type", "Required value", kDetail)
                                    : invalid_text(path + ".type", type, kDetail));
      return;
    }
    if (type.empty() && !schema.get("x-kubernetes-int-or-string").is_true() && !node.preserve_unknown) {
      static constexpr std::string_view kWhere[] = {"must not be empty at the root",
                                                    "must not be empty for specified object fields",
                                                    "must not be empty for specified array items"};
      errors.push_back(field_error(path + ".type", "Required value", kWhere[static_cast<std::size_t>(level)]));
    }
    if (level == Level::kRoot && !type.empty() && type != "object") {
      errors.push_back(invalid_text(path + ".type", type, "must be object at the root"));
    }
    if (node.preserve_unknown && !type.empty() && type != "object") {
      errors.push_back(invalid_text(path + ".type", type,
                                    "must be object if x-kubernetes-preserve-unknown-fields is true"));
    }
  }

  void check_forbidden(const Value& schema, const std::string& path) {
    for (const std::string_view keyword : {"definitions", "dependencies", "patternProperties"}) {
      if (schema.get(keyword).defined()) {
        errors.push_back(
            field_error(path + "." + std::string(keyword), "Forbidden", std::string(keyword) + " is not supported"));
      }
    }
    for (const std::string_view keyword : {"$ref", "$schema", "id"}) {
      if (schema.get(keyword).defined()) {
        errors.push_back(
            field_error(path + "." + std::string(keyword), "Forbidden", std::string(keyword) + " is not supported"));
      }
    }
    if (schema.get("uniqueItems").is_true()) {
      errors.push_back(field_error(path + ".uniqueItems", "Forbidden",
                                   "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
    }
    if (schema.get("additionalProperties").is_false()) {
      errors.push_back(field_error(path + ".additionalProperties", "Forbidden",
                                   "additionalProperties cannot be set to false"));
    }
  }

  void check_default(const std::string& path, const SchemaNode& node);
};

}  // namespace

std::vector<std::string> validate_node(const SchemaNode& node, const Value& value, const std::string& field_path,
                                       std::string_view prefix);

namespace {
void Compiler::check_default(const std::string& path, const SchemaNode& node) {
  for (std::string& message : validate_node(node, node.default_value, "", path + ".default")) {
    errors.push_back(std::move(message));
  }
}
}  // namespace

Schema::Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(const Value& root, std::string_view path) {
  Schema out;
  auto document = std::make_shared<const Document>(Document::copy_of(root));
  Compiler compiler;
  out.root_ = compiler.compile(document->root(), std::string(path), Level::kRoot, true);
  out.document_ = std::move(document);
  if (!compiler.errors.empty()) {
    std::sort(compiler.errors.begin(), compiler.errors.end());
    return make_error(Code::kInvalid, aggregate(compiler.errors));
  }
  return out;
}

}  // namespace portcullis::policy
