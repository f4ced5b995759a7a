// yaml.unmarshal, yaml.is_valid, yaml.marshal.
#include "engine/value/yaml.h"

#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

Value marshal(BuiltinContext& c, Args a) {
  return text_result(c, to_yaml(a[0], {.indent = 2, .indent_sequences = true}));
}

Value unmarshal(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  Result<Document> document = parse_yaml(*text, YamlSchema::kOpa);
  if (!document.ok()) return c.fail(document.error().message);
  const Value root = document->root();
  return root.defined() ? deep_copy(c.arena, root) : Value::null();
}

Value is_valid(BuiltinContext&, Args a) {
  return Value::boolean(a[0].is_string() && parse_yaml(a[0].as_string(), YamlSchema::kOpa).ok());
}

constexpr BuiltinDecl kTable[] = {
    {"yaml.marshal", {"any"}, "string", &marshal},
    {"yaml.unmarshal", {"string"}, "any", &unmarshal},
    {"yaml.is_valid", {"string"}, "boolean", &is_valid},
};

}  // namespace

std::span<const BuiltinDecl> yaml_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
