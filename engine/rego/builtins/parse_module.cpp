// rego.parse_module.
#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/syntax/ast_json.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"

namespace portcullis::rego::builtins {
namespace {

// A module's tree is some twenty times its text.
constexpr std::size_t kMaxModuleBytes = std::size_t{4} << 20;

Value parse(BuiltinContext& c, Args a) {
  const auto file = string_operand(c, a, 0);
  if (!file) return {};
  const auto source = string_operand(c, a, 1);
  if (!source) return {};
  if (source->size() > kMaxModuleBytes || c.over_budget()) return out_of_budget(c, "rego.parse_module");
  const auto module = parse_module(*file, *source, {});
  if (!module.ok()) {
    const auto& errors = module.error().list;
    // OPA counts errors, but for this one.
    const bool empty = errors.size() == 1 && errors.front().message == "empty module";
    return c.fail(empty ? errors.front().to_string() : module.error().to_string());
  }
  ParseLimits limits;
  limits.max_depth = 8000;  // a term of the module is a few levels of its JSON
  Result<Value> out = parse_json_into(c.arena, c.arena.copy(module_json(*module)), limits);
  return out.ok() ? *out : c.fail(out.error().to_string());
}

constexpr BuiltinDecl kTable[] = {
    {"rego.parse_module", {"string", "string"}, "object[string:any]", &parse},
};

}  // namespace

std::span<const BuiltinDecl> parse_module_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
