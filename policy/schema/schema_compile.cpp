#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/schema/schema.h"
#include "policy/schema/schema_check.h"
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

// Makes nodes of one schema tree that passed the checks.
class Compiler {
 public:
  static std::unique_ptr<SchemaNode> compile(const Value& schema) {
    auto node = std::make_unique<SchemaNode>();
    read_scalars(schema, *node);
    read_children(schema, *node);
    return node;
  }

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

  static void read_scalars(const Value& schema, SchemaNode& node) {
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

  static void read_children(const Value& schema, SchemaNode& node) {
    const Value properties = schema.get("properties");
    for (std::size_t i = 0; i < properties.keys().size(); ++i) {
      node.properties.emplace_back(std::string(properties.keys()[i].as_string()), compile(properties.values()[i]));
    }
    const Value items = schema.get("items");
    if (items.is_object()) node.items = compile(items);
    const Value additional = schema.get("additionalProperties");
    node.additional_forbidden = additional.is_false();
    if (additional.is_object()) node.additional = compile(additional);
    read_logic(schema.get("allOf"), node.all_of);
    read_logic(schema.get("anyOf"), node.any_of);
    read_logic(schema.get("oneOf"), node.one_of);
    const Value negated = schema.get("not");
    if (negated.is_object()) node.negated = compile(negated);
  }

  static void read_logic(const Value& list, std::vector<std::unique_ptr<SchemaNode>>& out) {
    for (const Value& schema : list.elements()) out.push_back(compile(schema));
  }
};

// Defaults must be valid by their own schema and have no unknown fields.
void check_defaults(const SchemaNode& node, const std::string& path, std::vector<std::string>& out) {
  if (node.default_value.defined()) {
    const std::string below = path + ".default";
    if (!unknown_fields_of(node, node.default_value).empty()) {
      out.push_back(invalid_value(below, node.default_value, "must not have unknown fields"));
    }
    for (std::string& message : validate_node(node, node.default_value, "", below)) out.push_back(std::move(message));
  }
  for (const auto& [name, child] : node.properties) check_defaults(*child, path + ".properties[" + name + "]", out);
  if (node.items) check_defaults(*node.items, path + ".items", out);
  if (node.additional) check_defaults(*node.additional, path + ".additionalProperties", out);
}

}  // namespace

Schema::Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(const Value& root, std::string_view path) {
  Result<Schema, std::vector<std::string>> out = compile_listed(root, path);
  if (!out.ok()) return make_error(Code::kInvalid, aggregate(out.error()));
  return std::move(*out);
}

Result<Schema, std::vector<std::string>> Schema::compile_listed(const Value& root, std::string_view path) {
  Schema out;
  auto document = std::make_shared<const Document>(Document::copy_of(root));
  std::vector<std::string> errors = check_schema(document->root(), std::string(path));
  if (errors.empty()) {
    out.root_ = Compiler::compile(document->root());
    check_defaults(*out.root_, std::string(path), errors);
  }
  if (!errors.empty()) return errors;
  out.document_ = std::move(document);
  return out;
}

}  // namespace portcullis::policy
