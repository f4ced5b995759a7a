// is_*, type_name, casts, to_number.
#include <charconv>
#include <string>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/go_numbers.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

template <Kind K>
Value is_kind(BuiltinContext&, Args a) {
  return Value::boolean(a[0].kind() == K);
}

Value type_name(BuiltinContext&, Args a) { return Value::string(kind_name(a[0].kind())); }

template <Kind K>
Value cast_to(BuiltinContext& c, Args a) {
  return a[0].kind() == K ? a[0] : c.fail_operand(1, kind_name(K), a[0]);
}

Value cast_array(BuiltinContext& c, Args a) {
  if (a[0].is_array()) return a[0];
  if (!a[0].is_set()) return operand_type_error(c, 1, {"array", "set"}, a[0]);
  return make_array(c.arena, a[0].elements());
}

Value cast_set(BuiltinContext& c, Args a) {
  if (a[0].is_set()) return a[0];
  if (!a[0].is_array()) return operand_type_error(c, 1, {"array", "set"}, a[0]);
  return make_set(c.arena, a[0].elements());
}

Value number_from_text(BuiltinContext& c, const Value& argument) {
  const std::string_view text = argument.as_string();
  switch (check_go_float(text)) {
    case GoFloat::kSpecial: return c.fail_operand(1, "valid number string", argument);
    case GoFloat::kSyntax: return c.fail("strconv.ParseFloat: parsing " + go_quoted(text) + ": invalid syntax");
    case GoFloat::kRange: return c.fail("strconv.ParseFloat: parsing " + go_quoted(text) + ": value out of range");
    case GoFloat::kValid: break;
  }
  return make_number(c.arena, as_json_number(text));
}

Value to_number(BuiltinContext& c, Args a) {
  switch (a[0].kind()) {
    case Kind::kNull: return Value::integer(0);
    case Kind::kBool: return Value::integer(a[0].as_bool() ? 1 : 0);
    case Kind::kNumber: return a[0];
    case Kind::kString: return number_from_text(c, a[0]);
    default: return operand_type_error(c, 1, {"null", "boolean", "number", "string"}, a[0]);
  }
}

constexpr BuiltinDecl kTable[] = {
    {"is_array", {"any"}, "boolean", &is_kind<Kind::kArray>},
    {"is_boolean", {"any"}, "boolean", &is_kind<Kind::kBool>},
    {"is_null", {"any"}, "boolean", &is_kind<Kind::kNull>},
    {"is_number", {"any"}, "boolean", &is_kind<Kind::kNumber>},
    {"is_object", {"any"}, "boolean", &is_kind<Kind::kObject>},
    {"is_set", {"any"}, "boolean", &is_kind<Kind::kSet>},
    {"is_string", {"any"}, "boolean", &is_kind<Kind::kString>},
    {"type_name", {"any"}, "string", &type_name},
    {"cast_array", {"any"}, "array[any]", &cast_array, kDeprecated},
    {"cast_boolean", {"any"}, "boolean", &cast_to<Kind::kBool>, kDeprecated},
    {"cast_null", {"any"}, "null", &cast_to<Kind::kNull>, kDeprecated},
    {"cast_object", {"any"}, "object[any:any]", &cast_to<Kind::kObject>, kDeprecated},
    {"cast_set", {"any"}, "set[any]", &cast_set, kDeprecated},
    {"cast_string", {"any"}, "string", &cast_to<Kind::kString>, kDeprecated},
    {"to_number", {"null|boolean|number|string"}, "number", &to_number},
};

}  // namespace

std::span<const BuiltinDecl> type_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
