// object.*
#include <algorithm>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

// Both key lists are sorted, so the union is one merge; where both hold an object, it goes down.
Value merge(Arena& arena, const Value& a, const Value& b) {
  if (a.size() == 0) return b;
  if (b.size() == 0) return a;
  Kept<Member> kept;
  std::vector<Member>& out = *kept;
  out.reserve(a.size() + b.size());
  std::uint32_t i = 0;
  std::uint32_t j = 0;
  while (i < a.size() || j < b.size()) {
    const int order = i == a.size() ? 1 : j == b.size() ? -1 : compare(a.keys()[i], b.keys()[j]);
    if (order < 0) {
      out.push_back({a.keys()[i], a.values()[i]});
    } else if (order > 0) {
      out.push_back({b.keys()[j], b.values()[j]});
    } else {
      const Value& left = a.values()[i];
      const Value& right = b.values()[j];
      out.push_back({a.keys()[i], left.is_object() && right.is_object() ? merge(arena, left, right) : right});
    }
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  return make_object(arena, out);
}

Value union_two(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0) || !object_operand(c, a, 1)) return {};
  return merge(c.arena, a[0], a[1]);
}

Value union_n(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0)) return {};
  for (const Value& element : a[0].elements()) {
    if (!element.is_object()) return operand_element_error(c, 1, a[0], element, "object");
  }
  Value out = make_object(c.arena, {});
  for (const Value& element : a[0].elements()) {
    out = merge(c.arena, out, element);
    if (c.over_budget()) return {};
  }
  return out;
}

// The keys an array, set or object of keys names, as a set; undefined: the error is recorded.
Value key_set(BuiltinContext& c, const Value& keys) {
  if (keys.is_set()) return keys;
  if (keys.is_array()) return make_set(c.arena, keys.elements());
  if (keys.is_object()) return make_set(c.arena, keys.keys());
  return operand_type_error(c, 2, {"object", "set", "array"}, keys);
}

template <bool Keep>
Value select(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  const Value keys = key_set(c, a[1]);
  if (!keys.defined()) return {};
  Kept<Member> kept;
  std::vector<Member>& out = *kept;
  for (std::uint32_t i = 0; i < a[0].size(); ++i) {
    const Value& key = a[0].keys()[i];
    if (keys.get(key).defined() == Keep) out.push_back({key, a[0].values()[i]});
  }
  return make_object(c.arena, out);
}

Value get(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  if (!a[1].is_array()) {
    const Value found = a[0].get(a[1]);
    return found.defined() ? found : a[2];
  }
  Value at = a[0];
  for (const Value& step : a[1].elements()) {
    at = at.get(step);
    if (!at.defined()) return a[2];
  }
  return at;
}

Value keys(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  return make_set(c.arena, a[0].keys());
}

bool array_contains(std::span<const Value> super, std::span<const Value> sub) {
  return std::search(super.begin(), super.end(), sub.begin(), sub.end(),
                     [](const Value& x, const Value& y) { return equal(x, y); }) != super.end() ||
         sub.empty();
}

bool subset_of(const Value& super, const Value& sub);

bool object_contains(const Value& super, const Value& sub) {
  for (std::uint32_t i = 0; i < sub.size(); ++i) {
    const Value& want = sub.values()[i];
    const Value have = super.get(sub.keys()[i]);
    if (!have.defined()) return false;
    if (!equal(have, want) && !subset_of(have, want)) return false;
  }
  return true;
}

bool subset_of(const Value& super, const Value& sub) {
  if (super.kind() != sub.kind()) return false;
  switch (super.kind()) {
    case Kind::kObject: return object_contains(super, sub);
    case Kind::kSet:
      return std::all_of(sub.elements().begin(), sub.elements().end(),
                         [&](const Value& element) { return super.get(element).defined(); });
    case Kind::kArray: return array_contains(super.elements(), sub.elements());
    default: return false;
  }
}

// Every element of the set occurs somewhere in the array. As OPA does it, duplicates in the array count.
bool array_covers_set(const Value& array, const Value& set) {
  std::int64_t unmatched = set.size();
  for (const Value& element : array.elements()) {
    if (set.get(element).defined()) --unmatched;
    if (unmatched == 0) return true;
  }
  return false;
}

Value subset(BuiltinContext& c, Args a) {
  const bool same = a[0].kind() == a[1].kind() && (a[0].is_object() || a[0].is_set() || a[0].is_array());
  if (same) return Value::boolean(subset_of(a[0], a[1]));
  if (a[0].is_array() && a[1].is_set()) return Value::boolean(array_covers_set(a[0], a[1]));
  c.fail("both arguments object.subset must be of the same type or array and set");
  c.error_is_type = true;
  return {};
}

constexpr BuiltinDecl kTable[] = {
    {"object.union", {"object[any:any]", "object[any:any]"}, "object[any:any]", &union_two},
    {"object.union_n", {"array[object[any:any]]"}, "object[any:any]", &union_n},
    {"object.remove", {"object[any:any]", "array[any]|object[any:any]|set[any]"}, "object[any:any]", &select<false>},
    {"object.filter", {"object[any:any]", "array[any]|object[any:any]|set[any]"}, "object[any:any]", &select<true>},
    {"object.get", {"object[any:any]", "any", "any"}, "any", &get},
    {"object.keys", {"object[any:any]"}, "set[any]", &keys},
    {"object.subset",
     {"array[any]|object[any:any]|set[any]", "array[any]|object[any:any]|set[any]"},
     "boolean",
     &subset},
};

}  // namespace

std::span<const BuiltinDecl> object_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
