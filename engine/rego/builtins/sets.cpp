// & | union intersection.
#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

bool before(const Value& a, const Value& b) { return compare(a, b) < 0; }

// Both are sorted, so one linear merge does it. Of equal elements the left one's spelling stays.
ValueList intersect(std::span<const Value> a, std::span<const Value> b) {
  ValueList out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out), before);
  return out;
}

Value set_and(BuiltinContext& c, Args a) {
  if (!set_operand(c, a, 0) || !set_operand(c, a, 1)) return {};
  return make_set(c.arena, intersect(a[0].elements(), a[1].elements()).view());
}

Value set_or(BuiltinContext& c, Args a) {
  if (!set_operand(c, a, 0) || !set_operand(c, a, 1)) return {};
  if (a[0].size() == 0) return a[1];
  if (a[1].size() == 0) return a[0];
  ValueList out;
  std::set_union(a[0].elements().begin(), a[0].elements().end(), a[1].elements().begin(), a[1].elements().end(),
                 std::back_inserter(out), before);
  return make_set(c.arena, out.view());
}

bool sets_in_set(BuiltinContext& c, Args a) {
  if (!set_operand(c, a, 0)) return false;
  for (const Value& element : a[0].elements()) {
    if (!element.is_set()) {
      c.fail_operand(1, "set", element);
      return false;
    }
  }
  return true;
}

Value intersection(BuiltinContext& c, Args a) {
  if (!sets_in_set(c, a)) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  bool first = true;
  for (const Value& element : a[0].elements()) {
    if (first) {
      out.assign(element.elements().begin(), element.elements().end());
    } else {
      const ValueList both = intersect(out, element.elements());
      out.assign(both.view().begin(), both.view().end());
    }
    first = false;
  }
  return make_set(c.arena, out);
}

Value union_of(BuiltinContext& c, Args a) {
  if (!sets_in_set(c, a)) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  for (const Value& element : a[0].elements()) {
    out.insert(out.end(), element.elements().begin(), element.elements().end());
  }
  return make_set(c.arena, out);
}

constexpr BuiltinDecl kTable[] = {
    {"and", {"set[any]", "set[any]"}, "set[any]", &set_and, kPure, "&"},
    {"or", {"set[any]", "set[any]"}, "set[any]", &set_or, kPure, "|"},
    {"intersection", {"set[set[any]]"}, "set[any]", &intersection},
    {"union", {"set[set[any]]"}, "set[any]", &union_of},
};

}  // namespace

std::span<const BuiltinDecl> set_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
