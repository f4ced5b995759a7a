// count, sum, product, max, min, sort, all, any.
#include <algorithm>
#include <vector>

#include "engine/rego/builtins/big_int.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/exact_float.h"
#include "engine/rego/builtins/families.h"
#include "engine/value/number.h"
#include "engine/value/sort.h"

namespace portcullis::rego::builtins {
namespace {

bool is_list(const Value& v) { return v.is_array() || v.is_set(); }

Value count(BuiltinContext& c, Args a) {
  switch (a[0].kind()) {
    case Kind::kArray:
    case Kind::kObject:
    case Kind::kSet: return Value::integer(a[0].size());
    case Kind::kString: return Value::integer(static_cast<std::int64_t>(rune_count(a[0].as_string())));
    default: return operand_type_error(c, 1, {"array", "object", "set", "string"}, a[0]);
  }
}

using Fold = Value (*)(Arena&, const Value&, const Value&);

Value fold(BuiltinContext& c, const Value& list, std::int64_t start, Fold function) {
  if (!is_list(list)) return operand_type_error(c, 1, {"set", "array"}, list);
  Value out = Value::integer(start);
  for (const Value& element : list.elements()) {
    if (!element.is_number()) return operand_element_error(c, 1, list, element, "number");
    out = function(c.arena, out, element);
    if (c.over_budget()) return {};
  }
  return out;
}

Value sum(BuiltinContext& c, Args a) { return fold(c, a[0], 0, &add); }

// OPA multiplies what is not all integers with 53 bits, unlike every other operation.
Value float_product(BuiltinContext& c, const Value& list) {
  ExactFloat out(53, "1");
  for (const Value& element : list.elements()) {
    ExactFloat factor(64, number_text(element));
    mpfr_mul(out.get(), out.get(), factor.get(), MPFR_RNDN);
  }
  if (mpfr_integer_p(out.get()) != 0 && mpfr_get_exp(out.get()) < 4096) {
    BigInt whole;
    mpfr_get_z(whole.get(), out.get(), MPFR_RNDZ);
    return whole.to_value(c.arena);
  }
  return make_number(c.arena, mpfr_get_d(out.get(), MPFR_RNDN));
}

Value product(BuiltinContext& c, Args a) {
  bool whole = true;
  for (const Value& element : a[0].elements()) whole = whole && (!element.is_number() || is_whole(element));
  const bool numbers = std::all_of(a[0].elements().begin(), a[0].elements().end(),
                                   [](const Value& element) { return element.is_number(); });
  return whole || !numbers ? fold(c, a[0], 1, &multiply) : float_product(c, a[0]);
}

// Of equal elements (1 and 1.0) the last of the array is the one that OPA returns.
Value maximum(BuiltinContext& c, Args a) {
  if (!is_list(a[0])) return operand_type_error(c, 1, {"set", "array"}, a[0]);
  const std::span<const Value> elements = a[0].elements();
  if (elements.empty()) return {};
  if (a[0].is_set()) return elements.back();
  Value best = elements.front();
  for (const Value& element : elements) {
    if (compare(best, element) <= 0) best = element;
  }
  return best;
}

Value minimum(BuiltinContext& c, Args a) {
  if (!is_list(a[0])) return operand_type_error(c, 1, {"set", "array"}, a[0]);
  const std::span<const Value> elements = a[0].elements();
  if (elements.empty()) return {};
  if (a[0].is_set()) return elements.front();
  Value best = elements.front();
  for (const Value& element : elements) {
    if (compare(best, element) >= 0) best = element;
  }
  return best;
}

Value sorted(BuiltinContext& c, Args a) {
  if (!is_list(a[0])) return operand_type_error(c, 1, {"set", "array"}, a[0]);
  Kept<Value> kept;
  std::vector<Value>& elements = *kept;
  elements.assign(a[0].elements().begin(), a[0].elements().end());
  if (a[0].is_array()) {
    sort_stable(elements.data(), elements.size(), [](const Value& x, const Value& y) { return compare(x, y) < 0; });
  }
  return make_array(c.arena, elements);
}

Value all(BuiltinContext& c, Args a) {
  if (!is_list(a[0])) return operand_type_error(c, 1, {"array", "set"}, a[0]);
  for (const Value& element : a[0].elements()) {
    if (!element.is_true()) return Value::boolean(false);
  }
  return Value::boolean(true);
}

Value any(BuiltinContext& c, Args a) {
  if (!is_list(a[0])) return operand_type_error(c, 1, {"array", "set"}, a[0]);
  for (const Value& element : a[0].elements()) {
    if (element.is_true()) return Value::boolean(true);
  }
  return Value::boolean(false);
}

constexpr BuiltinDecl kTable[] = {
    {"count", {"string|array[any]|object[any:any]|set[any]"}, "number", &count},
    {"sum", {"array[number]|set[number]"}, "number", &sum},
    {"product", {"array[number]|set[number]"}, "number", &product},
    {"max", {"array[any]|set[any]"}, "any", &maximum},
    {"min", {"array[any]|set[any]"}, "any", &minimum},
    {"sort", {"array[any]|set[any]"}, "array[any]", &sorted},
    {"all", {"array[any]|set[any]"}, "boolean", &all, kDeprecated},
    {"any", {"array[any]|set[any]"}, "boolean", &any, kDeprecated},
};

}  // namespace

std::span<const BuiltinDecl> aggregate_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
