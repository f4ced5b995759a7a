// + - * / % and abs, round, ceil, floor. Set difference shares the minus sign.
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

bool two_numbers(BuiltinContext& c, Args a) { return number_operand(c, a, 0) && number_operand(c, a, 1); }

// int64 without overflow never leaves the fast path.
Value plus(BuiltinContext& c, Args a) {
  std::int64_t sum = 0;
  if (a[0].is_integer() && a[1].is_integer() && !__builtin_add_overflow(a[0].as_integer(), a[1].as_integer(), &sum)) {
    return Value::integer(sum);
  }
  return two_numbers(c, a) ? add(c.arena, a[0], a[1]) : Value::undefined();
}

Value set_difference(BuiltinContext& c, const Value& from, const Value& without) {
  ValueList kept;
  for (const Value& element : from.elements()) {
    if (!without.get(element).defined()) kept.push_back(element);
  }
  return kept.size() == from.size() ? from : make_set(c.arena, kept.view());
}

Value minus(BuiltinContext& c, Args a) {
  if (a[0].is_number() && a[1].is_number()) return subtract(c.arena, a[0], a[1]);
  if (a[0].is_set() && a[1].is_set()) return set_difference(c, a[0], a[1]);
  if (!a[0].is_number() && !a[0].is_set()) return operand_type_error(c, 1, {"number", "set"}, a[0]);
  return c.fail_operand(2, a[1].is_number() ? "set" : "number", a[1]);
}

Value times(BuiltinContext& c, Args a) {
  std::int64_t product = 0;
  if (a[0].is_integer() && a[1].is_integer() &&
      !__builtin_mul_overflow(a[0].as_integer(), a[1].as_integer(), &product)) {
    return Value::integer(product);
  }
  return two_numbers(c, a) ? multiply(c.arena, a[0], a[1]) : Value::undefined();
}

Value divided(BuiltinContext& c, Args a) {
  if (!two_numbers(c, a)) return {};
  const std::optional<Value> out = divide(c.arena, a[0], a[1]);
  return out ? *out : c.fail("divide by zero");
}

Value modulo(BuiltinContext& c, Args a) {
  if (!two_numbers(c, a)) return {};
  if (!is_whole(a[0]) || !is_whole(a[1])) return c.fail("modulo on floating-point number");
  const std::optional<Value> out = remainder(c.arena, a[0], a[1]);
  return out ? *out : c.fail("modulo by zero");
}

using Unary = Value (*)(Arena&, const Value&);
template <Unary Function>
Value unary(BuiltinContext& c, Args a) {
  return number_operand(c, a, 0) ? Function(c.arena, a[0]) : Value::undefined();
}

Value old_set_difference(BuiltinContext& c, Args a) {
  if (!set_operand(c, a, 0) || !set_operand(c, a, 1)) return {};
  return set_difference(c, a[0], a[1]);
}

constexpr BuiltinDecl kTable[] = {
    {"plus", {"number", "number"}, "number", &plus, kPure, "+"},
    {"minus", {"number|set[any]", "number|set[any]"}, "number|set[any]", &minus, kPure, "-"},
    {"mul", {"number", "number"}, "number", &times, kPure, "*"},
    {"div", {"number", "number"}, "number", &divided, kPure, "/"},
    {"rem", {"number", "number"}, "number", &modulo, kPure, "%"},
    {"abs", {"number"}, "number", &unary<&absolute>},
    {"round", {"number"}, "number", &unary<&round_half_away>},
    {"ceil", {"number"}, "number", &unary<&ceiling>},
    {"floor", {"number"}, "number", &unary<&floor>},
    {"set_diff", {"set[any]", "set[any]"}, "set[any]", &old_set_difference, kDeprecated},
};

}  // namespace

std::span<const BuiltinDecl> arithmetic_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
