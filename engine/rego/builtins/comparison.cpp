// ==, !=, <, <=, >, >=, membership.
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

Value equals(BuiltinContext&, Args a) { return Value::boolean(equal(a[0], a[1])); }
Value not_equals(BuiltinContext&, Args a) { return Value::boolean(!equal(a[0], a[1])); }
Value less(BuiltinContext&, Args a) { return Value::boolean(compare(a[0], a[1]) < 0); }
Value less_equal(BuiltinContext&, Args a) { return Value::boolean(compare(a[0], a[1]) <= 0); }
Value greater(BuiltinContext&, Args a) { return Value::boolean(compare(a[0], a[1]) > 0); }
Value greater_equal(BuiltinContext&, Args a) { return Value::boolean(compare(a[0], a[1]) >= 0); }

Value member(BuiltinContext&, Args a) {
  const Value& needle = a[0];
  const Value& hay = a[1];
  if (hay.is_set()) return Value::boolean(hay.get(needle).defined());
  for (const Value& element : hay.is_object() ? hay.values() : hay.elements()) {
    if (equal(needle, element)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Value member_with_key(BuiltinContext&, Args a) {
  const Value found = a[2].get(a[0]);
  return Value::boolean(found.defined() && equal(found, a[1]));
}

constexpr BuiltinDecl kTable[] = {
    {"assign", {"any", "any"}, "boolean", nullptr, kCompilerOnly, ":="},
    {"eq", {"any", "any"}, "boolean", &equals, kPure, "="},
    {"equal", {"any", "any"}, "boolean", &equals, kPure, "=="},
    {"neq", {"any", "any"}, "boolean", &not_equals, kPure, "!="},
    {"lt", {"any", "any"}, "boolean", &less, kPure, "<"},
    {"lte", {"any", "any"}, "boolean", &less_equal, kPure, "<="},
    {"gt", {"any", "any"}, "boolean", &greater, kPure, ">"},
    {"gte", {"any", "any"}, "boolean", &greater_equal, kPure, ">="},
    {"internal.member_2", {"any", "any"}, "boolean", &member, kPure, "in"},
    {"internal.member_3", {"any", "any", "any"}, "boolean", &member_with_key, kPure, "in"},
};

}  // namespace

std::span<const BuiltinDecl> comparison_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
