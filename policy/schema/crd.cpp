#include "policy/schema/crd.h"

#include <utility>

#include "base/text.h"
#include "policy/model/go_error.h"
#include "policy/model/names.h"
#include "policy/model/object.h"
#include "policy/schema/match_schema.h"
#include "policy/schema/schema_node.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view kSchemaFailed = "schema validation failed: ";
constexpr std::string_view kSchemaPath = "spec.validation.openAPIV3Schema";

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }
Error invalid_constraint(std::string message) { return invalid("invalid Constraint: " + std::move(message)); }

// Short-hands for building JSON in an arena.
class Json {
 public:
  explicit Json(Arena& arena) : arena_(arena) {}
  Value text(std::string_view value) const { return make_string(arena_, value); }
  Value object(std::initializer_list<std::pair<std::string_view, Value>> members) const {
    std::vector<Member> out;
    for (const auto& [key, value] : members) {
      if (value.defined()) out.push_back({make_symbol_or_string(arena_, key), value});
    }
    return make_object(arena_, out);
  }
  Value array(std::initializer_list<Value> elements) const {
    return make_array(arena_, std::span<const Value>(elements.begin(), elements.size()));
  }
  Value typed(std::string_view type) const { return object({{"type", text(type)}}); }
  Value array_of(const Value& items) const { return object({{"type", text("array")}, {"items", items}}); }
  Value object_of(const Value& properties) const {
    return object({{"type", text("object")}, {"properties", properties}});
  }

 private:
  Arena& arena_;
};

Value constraint_root_schema(Arena& arena, const Value& parameters) {
  const Json json(arena);
  const Value scoped = json.array_of(json.object_of(json.object(
      {{"action", json.typed("string")},
       {"enforcementPoints", json.array_of(json.object_of(json.object({{"name", json.typed("string")}})))}})));
  const Value spec = json.object_of(json.object({
      {"match", match_schema(arena)},
      {"enforcementAction", json.object({{"type", json.text("string")}, {"default", json.text("deny")}})},
      {"scopedEnforcementActions", scoped},
      {"parameters", parameters},
  }));
  const Value name = json.object({{"type", json.text("string")}, {"maxLength", Value::integer(63)}});
  return json.object_of(json.object({
      {"metadata", json.object_of(json.object({{"name", name}}))},
      {"spec", spec},
      {"status", json.object({{"x-kubernetes-preserve-unknown-fields", Value::boolean(true)}})},
  }));
}

void add_invalid(std::vector<std::string>& out, std::string_view path, std::string_view value,
                 const std::vector<std::string>& reasons, std::string_view before = {}) {
  if (reasons.empty()) return;
  out.push_back(invalid_text(path, value, std::string(before) + text::join(reasons, ",")));
}

// The names that the API server would refuse for the generated CRD.
std::vector<std::string> check_names(const ConstraintTemplate& constraint_template) {
  constexpr std::string_view kMixedCase = "may have mixed case, but should otherwise match: ";
  std::vector<std::string> out;
  const std::string& kind = constraint_template.kind;
  const std::string plural = text::to_lower_ascii(kind);
  const std::string name = plural + "." + std::string(kConstraintsGroup);
  for (const std::string& reason : check_dns1123_subdomain(name)) {
    out.push_back(invalid_text("metadata.name", name, reason));
  }
  for (std::size_t i = 0; i < constraint_template.labels.keys().size(); ++i) {
    const std::string_view key = constraint_template.labels.keys()[i].as_string();
    for (const std::string& reason : check_label_key(key)) {
      out.push_back(invalid_text("metadata.labels", key, reason));
    }
    const std::string_view value = constraint_template.labels.values()[i].as_string();
    for (const std::string& reason : check_label_value(value)) {
      out.push_back(invalid_text("metadata.labels", value, reason));
    }
  }
  add_invalid(out, "spec.names.plural", plural, check_dns1035_label(plural));
  add_invalid(out, "spec.names.singular", plural, check_dns1035_label(plural));
  add_invalid(out, "spec.names.kind", kind, check_dns1035_label(plural), kMixedCase);
  add_invalid(out, "spec.names.listKind", kind + "List", check_dns1035_label(plural + "list"), kMixedCase);
  for (std::size_t i = 0; i < constraint_template.short_names.size(); ++i) {
    const std::string& short_name = constraint_template.short_names[i];
    add_invalid(out, "spec.names.shortNames[" + std::to_string(i) + "]", short_name, check_dns1035_label(short_name));
  }
  return out;
}

Result<Schema> compile_schema(const ConstraintTemplate& constraint_template) {
  std::vector<std::string> errors = check_names(constraint_template);
  Arena arena;
  const Value root = constraint_root_schema(arena, constraint_template.parameters_schema);
  Result<Schema, std::vector<std::string>> schema = Schema::compile_listed(root, kSchemaPath);
  if (!schema.ok()) errors.insert(errors.end(), schema.error().begin(), schema.error().end());
  if (!errors.empty()) return invalid("invalid ConstraintTemplate: " + aggregate(errors));
  return std::move(*schema);
}

Value crd_version(const Json& json, std::string_view name, bool storage, const Value& schema) {
  const Value columns = json.array({
      json.object({{"name", json.text("enforcement-action")},
                   {"description", json.text("Type of enforcement action")},
                   {"jsonPath", json.text(".spec.enforcementAction")},
                   {"type", json.text("string")}}),
      json.object({{"name", json.text("total-violations")},
                   {"description", json.text("Total number of violations")},
                   {"jsonPath", json.text(".status.totalViolations")},
                   {"type", json.text("integer")}}),
  });
  return json.object({
      {"name", json.text(name)},
      {"served", Value::boolean(true)},
      {"storage", Value::boolean(storage)},
      {"schema", json.object({{"openAPIV3Schema", schema}})},
      {"subresources", json.object({{"status", json.object({})}})},
      {"additionalPrinterColumns", columns},
  });
}

Value crd_names(Arena& arena, const Json& json, const ConstraintTemplate& constraint_template) {
  const std::string plural = text::to_lower_ascii(constraint_template.kind);
  std::vector<Value> short_names;
  for (const std::string& name : constraint_template.short_names) short_names.push_back(json.text(name));
  return json.object({
      {"kind", json.text(constraint_template.kind)},
      {"listKind", json.text(constraint_template.kind + "List")},
      {"plural", json.text(plural)},
      {"singular", json.text(plural)},
      {"shortNames", short_names.empty() ? Value::undefined() : make_array(arena, short_names)},
      {"categories", json.array({json.text("constraint"), json.text("constraints")})},
  });
}

Value crd_metadata(Arena& arena, const Json& json, const ConstraintTemplate& constraint_template,
                   std::string_view template_uid) {
  Value labels = constraint_template.labels.is_object() ? constraint_template.labels : json.object({});
  labels = with_member(arena, labels, json.text("gatekeeper.sh/constraint"), json.text("yes"));
  Value owners;
  if (!template_uid.empty()) {
    owners = json.array({json.object({
        {"apiVersion", json.text("templates.gatekeeper.sh/v1beta1")},
        {"kind", json.text("ConstraintTemplate")},
        {"name", json.text(constraint_template.name)},
        {"uid", json.text(template_uid)},
        {"controller", Value::boolean(true)},
        {"blockOwnerDeletion", Value::boolean(true)},
    })});
  }
  return json.object({
      {"name", json.text(text::to_lower_ascii(constraint_template.kind) + "." + std::string(kConstraintsGroup))},
      {"labels", labels},
      {"ownerReferences", owners},
  });
}

Result<void> validate_selector_field(const Value& object, std::string_view name) {
  // The walk of spec.match.<name>, with the words of whoever reads a map that is none.
  constexpr std::string_view kExpected = "map[string]interface{}";
  Value value = object;
  std::string path;
  for (const std::string_view field : {std::string_view("spec"), std::string_view("match"), name}) {
    path += '.';
    path += field;
    if (value.is_null()) return ok();
    if (!value.is_object()) return invalid(accessor_error(path, value, kExpected));
    value = value.get(field);
    if (!value.defined()) return ok();
  }
  if (!value.is_object()) return invalid(accessor_error(path, value, kExpected));
  return ok();
}

Error selector_type_error(const Value& value, std::string_view field, std::string_view type) {
  return invalid("Could not convert JSON to LabelSelector: " + json_type_error(value, field, type));
}

Result<void> check_selector_types(const Value& selector) {
  const Value labels = selector.get("matchLabels");
  if (labels.defined() && !labels.is_null() && !labels.is_object()) {
    return selector_type_error(labels, "LabelSelector.matchLabels", "map[string]string");
  }
  for (const Value& value : labels.values()) {
    if (!value.is_string() && !value.is_null()) {
      return selector_type_error(value, "LabelSelector.matchLabels", "string");
    }
  }
  const Value expressions = selector.get("matchExpressions");
  if (expressions.defined() && !expressions.is_null() && !expressions.is_array()) {
    return selector_type_error(expressions, "LabelSelector.matchExpressions", "[]v1.LabelSelectorRequirement");
  }
  for (const Value& expression : expressions.elements()) {
    if (!expression.is_object() && !expression.is_null()) {
      return selector_type_error(expression, "LabelSelector.matchExpressions", "v1.LabelSelectorRequirement");
    }
    for (const auto& [name, type] :
         {std::pair<std::string_view, std::string_view>{"key", "string"}, {"operator", "v1.LabelSelectorOperator"}}) {
      const Value value = expression.get(name);
      if (value.defined() && !value.is_null() && !value.is_string()) {
        return selector_type_error(value, "LabelSelectorRequirement.matchExpressions." + std::string(name), type);
      }
    }
    const Value values = expression.get("values");
    if (values.defined() && !values.is_null() && !values.is_array()) {
      return selector_type_error(values, "LabelSelectorRequirement.matchExpressions.values", "[]string");
    }
    for (const Value& value : values.elements()) {
      if (!value.is_string() && !value.is_null()) {
        return selector_type_error(value, "LabelSelectorRequirement.matchExpressions.values", "string");
      }
    }
  }
  return ok();
}

void check_expression(const Value& expression, const std::string& path, std::vector<std::string>& out) {
  const std::string_view op = expression.string_or("operator");
  const std::size_t count = expression.get("values").size();
  if (op == "In" || op == "NotIn") {
    if (count == 0) {
      out.push_back(
          field_error(path + ".values", "Required value", "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (count > 0) {
      out.push_back(field_error(path + ".values", "Forbidden",
                                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else {
    out.push_back(invalid_text(path + ".operator", op, "not a valid selector operator"));
  }
  const std::string_view key = expression.string_or("key");
  for (const std::string& reason : check_label_key(key)) out.push_back(invalid_text(path + ".key", key, reason));
  for (std::size_t i = 0; i < count; ++i) {
    const Value& value = expression.get("values").elements()[i];
    const std::string_view text = value.is_string() ? value.as_string() : std::string_view{};
    for (const std::string& reason : check_label_value(text)) {
      out.push_back(invalid_text(path + ".values[" + std::to_string(i) + "]", text, reason));
    }
  }
}

Result<void> validate_selector(const Value& object, std::string_view name) {
  PC_TRY_VOID(validate_selector_field(object, name));
  const Value selector = object.get("spec").get("match").get(name);
  if (!selector.defined()) return ok();
  PC_TRY_VOID(check_selector_types(selector));
  // Both selectors are reported under this path.
  const std::string path = "spec.labelSelector";
  std::vector<std::string> errors;
  const Value labels = selector.get("matchLabels");
  for (std::size_t i = 0; i < labels.keys().size(); ++i) {
    const std::string_view key = labels.keys()[i].as_string();
    for (const std::string& reason : check_label_key(key)) {
      errors.push_back(invalid_text(path + ".matchLabels", key, reason));
    }
    const Value& value = labels.values()[i];
    const std::string_view text = value.is_string() ? value.as_string() : std::string_view{};
    for (const std::string& reason : check_label_value(text)) {
      errors.push_back(invalid_text(path + ".matchLabels", text, reason));
    }
  }
  const Value expressions = selector.get("matchExpressions");
  for (std::size_t i = 0; i < expressions.elements().size(); ++i) {
    check_expression(expressions.elements()[i], path + ".matchExpressions[" + std::to_string(i) + "]", errors);
  }
  if (errors.empty()) return ok();
  return invalid(aggregate(errors));
}

Result<void> validate_identity(const Value& object, const ConstraintSchema& schema) {
  const std::string name(name_of(object));
  const std::vector<std::string> reasons = check_dns1123_subdomain(name);
  if (!reasons.empty()) return invalid_constraint("invalid name: " + text::go_quote(text::join(reasons, "\n")));
  const ObjectKind kind = kind_of(object);
  // The words have name and kind the wrong way round; scripts match them.
  if (kind.kind != schema.kind) {
    return invalid_constraint("wrong kind " + text::go_quote(name) + " for constraint " + text::go_quote(kind.kind) +
                              "; want " + text::go_quote(schema.kind));
  }
  if (kind.group != kConstraintsGroup) {
    return invalid_constraint("unsupported group " + text::go_quote(kind.group) + " for constraint " +
                              text::go_quote(name) + "; allowed group: " + text::go_quote(kConstraintsGroup));
  }
  if (kind.version != "v1beta1" && kind.version != "v1alpha1") {
    return invalid_constraint("unsupported version " + text::go_quote(kind.version) + " for Constraint " +
                              text::go_quote(name) + "; supported versions: map[v1alpha1:true v1beta1:true]");
  }
  return ok();
}

}  // namespace

Result<Document> make_constraint_crd(const ConstraintTemplate& constraint_template, std::string_view template_uid) {
  PC_TRY(const Schema checked, compile_schema(constraint_template));
  static_cast<void>(checked);
  Arena arena(0, 16384);
  const Json json(arena);
  const Value schema = deep_copy(arena, constraint_root_schema(arena, constraint_template.parameters_schema));
  const Value crd = json.object({
      {"apiVersion", json.text("apiextensions.k8s.io/v1")},
      {"kind", json.text("CustomResourceDefinition")},
      {"metadata", deep_copy(arena, crd_metadata(arena, json, constraint_template, template_uid))},
      {"spec", json.object({
                   {"group", json.text(kConstraintsGroup)},
                   {"names", crd_names(arena, json, constraint_template)},
                   {"scope", json.text("Cluster")},
                   {"conversion", json.object({{"strategy", json.text("None")}})},
                   {"versions", json.array({crd_version(json, "v1beta1", true, schema),
                                            crd_version(json, "v1alpha1", false, schema)})},
               })},
  });
  return Document::adopt(std::move(arena), crd);
}

Result<std::shared_ptr<const ConstraintSchema>> make_constraint_schema(const ConstraintTemplate& constraint_template) {
  PC_TRY(Schema schema, compile_schema(constraint_template));
  auto out = std::make_shared<ConstraintSchema>();
  out->kind = constraint_template.kind;
  out->schema = std::move(schema);
  return std::shared_ptr<const ConstraintSchema>(std::move(out));
}

bool is_schema_error(const Error& error) noexcept { return text::starts_with(error.message, kSchemaFailed); }

Result<void> validate_constraint(const Value& object, const ConstraintSchema& schema) {
  for (const std::string_view name : {"labelSelector", "namespaceSelector"}) {
    Result<void> selector = validate_selector(object, name);
    if (!selector.ok()) return invalid_constraint(selector.error().message);
  }
  PC_TRY_VOID(validate_identity(object, schema));
  const std::vector<std::string> errors = schema.schema.validate(object, "[]");
  if (!errors.empty()) return invalid(std::string(kSchemaFailed) + aggregate(errors));
  const std::vector<std::string> unknown = schema.schema.unknown_fields(object);
  if (!unknown.empty()) return invalid_constraint("unknown fields: [" + text::join(unknown, " ") + "]");
  return ok();
}

Value default_constraint(Arena& arena, const Value& object, const ConstraintSchema& schema) {
  return schema.schema.with_defaults(arena, object);
}

}  // namespace portcullis::policy
