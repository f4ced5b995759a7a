// The rules about values: of the right type, and variables where they fit.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "engine/rego/graphql/rules.h"

namespace portcullis::graphql {
namespace {

bool is_any(std::string_view name, Texts names) { return std::find(names.begin(), names.end(), name) != names.end(); }

// Whether an integer literal is out of range; what is no integer is not.
template <typename Int>
bool overflows(std::string_view text) {
  Int value{};
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc::result_out_of_range;
}

// Whether a literal, or one inside a list or object, is a number that int64 or float64 can't hold.
bool unrepresentable(const InputValue& value) {
  switch (value.kind) {
    case ValueKind::kInt: {
      std::int64_t number{};
      const auto [end, status] = std::from_chars(value.raw.data(), value.raw.data() + value.raw.size(), number);
      return status != std::errc{} || end != value.raw.data() + value.raw.size();
    }
    case ValueKind::kFloat: {
      const std::string text(value.raw);
      char* end = nullptr;
      const double number = std::strtod(text.c_str(), &end);
      return std::isinf(number) || end != text.c_str() + text.size() || text.empty();
    }
    case ValueKind::kBoolean: return value.raw != "true" && value.raw != "false";
    case ValueKind::kList:
    case ValueKind::kObject:
      return std::any_of(value.children.begin(), value.children.end(),
                         [](const ChildValue* child) { return unrepresentable(*child->value); });
    default: return false;
  }
}

bool has_directive(const List<Directive*>& directives, std::string_view name) {
  return directives.find(name) != nullptr;
}

}  // namespace

void Rules::on_value(const InputValue& node) {
  undefined_variable(node);
  if (node.kind == ValueKind::kObject) {
    std::unordered_set<std::string_view> seen;
    for (const ChildValue* child : node.children) {
      if (!seen.insert(child->name).second) {
        add(child->position, {"There can be only one input field named \"", child->name, "\"."});
      }
    }
  }
  value_type(node);
  variable_position(node);
}

void Rules::undefined_variable(const InputValue& node) {
  if (operation == nullptr || node.kind != ValueKind::kVariable || node.variable != nullptr) return;
  const std::string where = operation->name.empty() ? "." : join({" by operation \"", operation->name, "\"."});
  add(node.position, {"Variable \"$", node.raw, "\" is not defined", where});
}

void Rules::value_type(const InputValue& node) {
  if (node.definition == nullptr || node.expected == nullptr) return;
  const Definition& type = *node.definition;
  if (node.kind == ValueKind::kNull && node.expected->non_null) {
    add(node.position, {"Expected value of type \"", to_string(*node.expected), "\", found ", to_string(node), "."});
  }
  // Scalars of the schema's own may be anything.
  if (type.kind == kScalar && !is_any(type.name, {"Int", "Float", "String", "Boolean", "ID"})) return;
  if (unrepresentable(node)) unexpected_type(node);
  switch (node.kind) {
    case ValueKind::kNull:
    case ValueKind::kVariable: return;
    case ValueKind::kList:
      if (node.expected->element == nullptr) unexpected_type(node);
      return;
    case ValueKind::kInt:
      if (!is_any(type.name, {"Int", "Float", "ID"})) unexpected_type(node);
      return;
    case ValueKind::kFloat:
      if (type.name != "Float") unexpected_type(node);
      return;
    case ValueKind::kBoolean:
      if (type.name != "Boolean") unexpected_type(node);
      return;
    case ValueKind::kString:
    case ValueKind::kBlock:
      if (type.kind != kEnum) {
        if (!is_any(type.name, {"String", "ID"})) unexpected_type(node);
        return;
      }
      [[fallthrough]];
    case ValueKind::kEnum: return enum_text(node);
    case ValueKind::kObject: return object_value(node);
  }
}

// A name or a string where an enum may be wanted.
void Rules::enum_text(const InputValue& node) {
  const Definition& type = *node.definition;
  std::vector<std::string_view> names;
  for (const EnumValueDefinition* value : type.enum_values) names.push_back(value->name);
  if (!budget_.spend(names.size())) return;
  constexpr std::string_view kPrefix = "Did you mean the enum value";
  if (node.kind != ValueKind::kEnum) {
    add(node.position, {"Enum \"", to_string(*node.expected), "\" cannot represent non-enum value: ", to_string(node),
                        ".", suggestion(kPrefix, node.raw, names, true)});
  } else if (type.kind != kEnum) {
    unexpected_type(node);
  } else if (type.enum_values.find(node.raw) == nullptr) {
    add(node.position, {"Value \"", to_string(node), "\" does not exist in \"", to_string(*node.expected), "\" enum.",
                        suggestion(kPrefix, node.raw, names, true)});
  }
}

void Rules::object_value(const InputValue& node) {
  const Definition& type = *node.definition;
  if (!budget_.spend(std::uint64_t{1} + node.children.size() * type.fields.size() / 8)) return;
  for (const FieldDefinition* field : type.fields) {
    if (!field->type->non_null || field->default_value != nullptr) continue;
    const ChildValue* child = node.children.find(field->name);
    if (child != nullptr && child->value != nullptr) continue;
    add(node.position, {"Field \"", type.name, ".", field->name, "\" of required type \"", to_string(*field->type),
                        "\" was not provided."});
  }
  for (const Directive* directive : type.directives) {
    if (directive->name != "oneOf") continue;
    if (node.children.size() != 1) {
      add(node.position, {"OneOf Input Object \"", type.name, "\" must specify exactly one key."});
    } else if (node.children[0]->value->kind == ValueKind::kNull && !type.fields.empty()) {
      add(node.children[0]->value->position,
          {"Field \"", type.name, ".", type.fields[0]->name, "\" must be non-null."});
    }
  }
  std::vector<std::string_view> names;
  for (const FieldDefinition* field : type.fields) names.push_back(field->name);
  for (const ChildValue* child : node.children) {
    if (type.fields.find(child->name) != nullptr) continue;
    add(child->position, {"Field \"", child->name, "\" is not defined by type \"", type.name, "\".",
                          suggestion("Did you mean", child->name, names, true)});
  }
}

std::string Rules::type_message(const InputValue& node) {
  const std::string type = to_string(*node.expected);
  const std::string value = to_string(node);
  const std::string_view plain = type.ends_with('!') ? std::string_view(type).substr(0, type.size() - 1) : type;
  if (plain == "Int") {
    if (overflows<std::int32_t>(node.raw)) {
      return "Int cannot represent non 32-bit signed integer value: " + value;
    }
    return "Int cannot represent non-integer value: " + value;
  }
  if (plain == "String" || type == "[String]") return "String cannot represent a non string value: " + value;
  if (plain == "Boolean") return "Boolean cannot represent a non boolean value: " + value;
  if (plain == "Float") return "Float cannot represent non numeric value: " + value;
  if (plain == "ID") return "ID cannot represent a non-string and non-integer value: " + value;
  if (node.definition->kind == kEnum) {
    return join({"Enum \"", type, "\" cannot represent non-enum value: ", value, "."});
  }
  return join({"Expected value of type \"", type, "\", found ", value, "."});
}

void Rules::variable_position(const InputValue& node) {
  if (node.kind == ValueKind::kVariable && node.expected != nullptr && node.variable != nullptr &&
      operation != nullptr) {
    TypeRef wanted = *node.expected;
    const InputValue* fallback = node.variable->default_value;
    if ((fallback != nullptr && fallback->kind != ValueKind::kNull) || node.expected_has_default) {
      wanted.non_null = false;
    }
    if (!compatible(*node.variable->type, wanted)) {
      add(node.position, {"Variable \"$", node.raw, "\" of type \"", to_string(*node.variable->type),
                          "\" used in position expecting type \"", to_string(*node.expected), "\"."});
    }
  }
  if (node.kind != ValueKind::kObject || node.definition == nullptr ||
      !has_directive(node.definition->directives, "oneOf")) {
    return;
  }
  for (const ChildValue* child : node.children) {
    const InputValue& value = *child->value;
    if (value.kind != ValueKind::kVariable || value.variable == nullptr || value.variable->type->non_null) continue;
    add(value.variable->position,
        {"Variable \"$", value.raw, "\" is of type \"", to_string(*value.variable->type),
         "\" but must be non-nullable to be used for OneOf Input Object \"", node.definition->name, "\"."});
  }
}

}  // namespace portcullis::graphql
