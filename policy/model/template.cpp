#include "policy/model/template.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "policy/model/go_error.h"
#include "policy/model/schema_props.h"

namespace portcullis::policy {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }
Error invalid_template(std::string message) { return invalid("invalid ConstraintTemplate: " + std::move(message)); }

bool absent(const Value& value) noexcept { return !value.defined() || value.is_null(); }

// Go decodes into typed structs; a null leaves the field empty.
Result<std::string> decode_string(const Value& value, std::string_view field) {
  if (absent(value)) return std::string();
  if (!value.is_string()) return invalid(json_type_error(value, field, "string"));
  return std::string(value.as_string());
}

Result<std::vector<std::string>> decode_strings(const Value& value, std::string_view field,
                                                std::string_view element_type = "string") {
  std::vector<std::string> out;
  if (absent(value)) return out;
  if (!value.is_array()) return invalid(json_type_error(value, field, "[]" + std::string(element_type)));
  for (const Value& element : value.elements()) {
    if (!element.is_string() && !element.is_null()) return invalid(json_type_error(element, field, element_type));
    out.emplace_back(element.is_string() ? element.as_string() : std::string_view{});
  }
  return out;
}

Result<Value> decode_object(const Value& value, std::string_view field, std::string_view go_type_name) {
  if (absent(value)) return Value::undefined();
  if (!value.is_object()) return invalid(json_type_error(value, field, go_type_name));
  return value;
}

// The package that holds the Go types of this API version, as error texts name it.
std::string_view version_of(const Value& object) noexcept {
  const std::string_view version = kind_of(object).version;
  return version.empty() ? std::string_view("v1") : version;
}

Value rego_source(Arena& arena, const std::string& rego, const std::vector<std::string>& libs) {
  std::vector<Member> members = {
      {make_symbol_or_string(arena, "rego"), make_string(arena, rego)},
      {make_symbol_or_string(arena, "version"), make_string(arena, "")},
  };
  if (!libs.empty()) {
    std::vector<Value> values;
    values.reserve(libs.size());
    for (const std::string& lib : libs) values.push_back(make_string(arena, lib));
    members.push_back({make_symbol_or_string(arena, "libs"), make_array(arena, values)});
  }
  return make_object(arena, members);
}

void fold_legacy_rego(Arena& arena, TemplateTarget& target, const std::string& rego,
                      const std::vector<std::string>& libs) {
  if (rego.empty()) return;
  const Value source = rego_source(arena, rego, libs);
  for (TemplateCode& code : target.code) {
    if (code.engine == kRegoEngine) {
      code.source = source;
      return;
    }
  }
  target.code.push_back({std::string(kRegoEngine), source});
}

Result<TemplateTarget> decode_target(Arena& arena, const Value& value, std::string_view version) {
  const auto field = [](std::string_view type, std::string_view name) {
    return std::string(type) + ".spec.targets." + std::string(name);
  };
  TemplateTarget target;
  if (value.is_null()) return target;
  if (!value.is_object())
    return invalid(json_type_error(value, "ConstraintTemplateSpec.spec.targets", std::string(version) + ".Target"));
  PC_TRY(target.target, decode_string(value.get("target"), field("Target", "target")));
  PC_TRY(target.operations, decode_strings(value.get("operations"), field("Target", "operations"), "v1.OperationType"));
  const Value code = value.get("code");
  if (!absent(code) && !code.is_array()) {
    return invalid(json_type_error(code, field("Target", "code"), "[]" + std::string(version) + ".Code"));
  }
  for (const Value& entry : code.elements()) {
    TemplateCode decoded;
    if (!entry.is_object() && !entry.is_null()) {
      return invalid(json_type_error(entry, field("Target", "code"), std::string(version) + ".Code"));
    }
    PC_TRY(decoded.engine, decode_string(entry.get("engine"), field("Code", "code.engine")));
    decoded.source = entry.get("source");
    target.code.push_back(std::move(decoded));
  }
  PC_TRY(const std::string rego, decode_string(value.get("rego"), field("Target", "rego")));
  PC_TRY(const std::vector<std::string> libs, decode_strings(value.get("libs"), field("Target", "libs")));
  fold_legacy_rego(arena, target, rego, libs);
  return target;
}

Result<Value> decode_parameters_schema(Arena& arena, const Value& crd_spec, std::string_view version,
                                       bool default_legacy) {
  constexpr std::string_view kField = "spec.crd.spec.validation";
  PC_TRY(const Value validation, decode_object(crd_spec.get("validation"), "CRDSpec." + std::string(kField),
                                               std::string(version) + ".Validation"));
  const Value legacy_value = validation.get("legacySchema");
  bool legacy = default_legacy && version != "v1";
  if (!absent(legacy_value)) {
    if (!legacy_value.is_bool()) {
      return invalid(json_type_error(legacy_value, "Validation." + std::string(kField) + ".legacySchema", "bool"));
    }
    legacy = legacy_value.is_true();
  }
  Value schema = validation.get("openAPIV3Schema");
  if (absent(schema)) {
    schema = Value::undefined();
  } else {
    PC_TRY(schema, normalize_schema_props(arena, schema, std::string(kField) + ".openAPIV3Schema"));
  }
  if (!legacy) return schema;
  return add_preserve_unknown_fields(arena, schema);
}

}  // namespace

const TemplateCode* ConstraintTemplate::find_code(std::string_view engine) const noexcept {
  if (targets.empty()) return nullptr;
  for (const TemplateCode& code : targets.front().code) {
    if (code.engine == engine) return &code;
  }
  return nullptr;
}

bool ConstraintTemplate::matches_operation(std::string_view operation) const noexcept {
  if (targets.size() != 1 || targets.front().operations.empty()) return true;
  for (const std::string& known : targets.front().operations) {
    if (known == operation || known == "*") return true;
  }
  return false;
}

Result<TemplatePtr> decode_template(const Value& object, const TemplateDecodeOptions& options) {
  if (!object.is_object()) return invalid(json_value_error(object, "map[string]interface {}"));
  auto out = std::make_shared<ConstraintTemplate>();
  Arena arena(0, 4096);
  const Value copy = deep_copy(arena, object);
  out->object = copy;

  const std::string_view version = version_of(copy);
  PC_TRY(const Value metadata, decode_object(copy.get("metadata"), "ConstraintTemplate.metadata", "v1.ObjectMeta"));
  PC_TRY(out->name, decode_string(metadata.get("name"), "ObjectMeta.metadata.name"));
  PC_TRY(out->labels, decode_object(metadata.get("labels"), "ObjectMeta.metadata.labels", "map[string]string"));
  for (const Value& label : out->labels.values()) {
    if (!label.is_string()) return invalid(json_type_error(label, "ObjectMeta.metadata.labels", "string"));
  }

  PC_TRY(const Value spec,
         decode_object(copy.get("spec"), "ConstraintTemplate.spec", std::string(version) + ".ConstraintTemplateSpec"));
  PC_TRY(const Value crd,
         decode_object(spec.get("crd"), "ConstraintTemplateSpec.spec.crd", std::string(version) + ".CRD"));
  PC_TRY(const Value crd_spec, decode_object(crd.get("spec"), "CRD.spec.crd.spec", std::string(version) + ".CRDSpec"));
  PC_TRY(const Value names,
         decode_object(crd_spec.get("names"), "CRDSpec.spec.crd.spec.names", std::string(version) + ".Names"));
  PC_TRY(out->kind, decode_string(names.get("kind"), "Names.spec.crd.spec.names.kind"));
  PC_TRY(out->short_names, decode_strings(names.get("shortNames"), "Names.spec.crd.spec.names.shortNames"));
  PC_TRY(out->parameters_schema, decode_parameters_schema(arena, crd_spec, version, options.default_legacy_schema));

  const Value targets = spec.get("targets");
  if (!absent(targets) && !targets.is_array()) {
    return invalid(
        json_type_error(targets, "ConstraintTemplateSpec.spec.targets", "[]" + std::string(version) + ".Target"));
  }
  for (const Value& value : targets.elements()) {
    PC_TRY(TemplateTarget target, decode_target(arena, value, version));
    out->targets.push_back(std::move(target));
  }
  out->document = std::make_shared<const Document>(Document::adopt(std::move(arena), copy));
  return TemplatePtr(std::move(out));
}

Result<void> validate_template(const ConstraintTemplate& constraint_template) {
  if (constraint_template.targets.size() != 1) return invalid_template("must declare exactly one target");
  const TemplateTarget& target = constraint_template.targets.front();
  if (target.target.empty()) return invalid_template("target name must not be empty");
  const std::string& kind = constraint_template.kind;
  if (kind.empty()) {
    return invalid_template("ConstraintTemplate " + text::go_quote(constraint_template.name) +
                            " does not specify CRD Kind");
  }
  if (text::to_lower_ascii(constraint_template.name) != text::to_lower_ascii(kind)) {
    return invalid_template(
        "the ConstraintTemplate's name " + text::go_quote(constraint_template.name) +
        " is not equal to the lowercase of CRD's Kind: " + text::go_quote(text::to_lower_ascii(kind)));
  }
  if (target.target != kTargetName) {
    return invalid_template("target " + text::go_quote(target.target) + " not recognized, known targets [" +
                            std::string(kTargetName) + "]");
  }
  return ok();
}

Result<void> validate_operations(const ConstraintTemplate& constraint_template) {
  for (const TemplateTarget& target : constraint_template.targets) {
    const bool any = std::find(target.operations.begin(), target.operations.end(), "*") != target.operations.end();
    if (any && target.operations.size() > 1) {
      return invalid("if '*' is present, must not specify other operations");
    }
  }
  return ok();
}

bool same_template(const ConstraintTemplate& a, const ConstraintTemplate& b) noexcept {
  const Value a_spec = a.object.get("spec");
  const Value b_spec = b.object.get("spec");
  if (a_spec.defined() != b_spec.defined() || (a_spec.defined() && !equal(a_spec, b_spec))) return false;
  const bool a_labels = a.labels.is_object() && a.labels.size() != 0;
  const bool b_labels = b.labels.is_object() && b.labels.size() != 0;
  if (a_labels != b_labels || (a_labels && !equal(a.labels, b.labels))) return false;
  // The API version decides legacySchema's default.
  return kind_of(a.object).version == kind_of(b.object).version;
}

}  // namespace portcullis::policy
