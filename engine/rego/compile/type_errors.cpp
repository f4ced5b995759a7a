#include "engine/rego/compile/type_errors.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "engine/rego/compile/type_unify.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kElision = "...";
constexpr std::size_t kMaxLine = 80;    // wider lines are cut down
constexpr std::size_t kMaxElided = 32;  // what is not the point of the error is spelled out up to here
constexpr int kMaxDepth = 8;

using Pair = std::pair<std::string, std::string>;
using Parts = std::vector<std::string>;

std::size_t width(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) i += text::decode_rune(text, i).size;
  return count;
}

std::string composite(std::string_view prefix, const Parts& fixed, std::string_view dynamic) {
  std::string out{prefix};
  if (!fixed.empty()) out += "<" + text::join(fixed, ", ") + ">";
  if (!dynamic.empty()) out += "[" + std::string(dynamic) + "]";
  return out;
}

std::string any_of(const Parts& parts) { return parts.empty() ? "any" : "any<" + text::join(parts, ", ") + ">"; }

std::string function_of(const Parts& arguments, const std::string& result) {
  return "(" + text::join(arguments, ", ") + ") => " + result;
}

std::string property(const std::string& key, const std::string& value) {
  return types::key_to_string(key) + ": " + value;
}

// The type with everything nested deeper than `depth` levels left out.
std::string elided(const TypePtr& type, int depth);

std::string elided_array(const Type& type, int depth) {
  Parts items;
  if (depth == 0 && !type.items.empty()) items.emplace_back(kElision);
  if (depth > 0) {
    for (const TypePtr& item : type.items) items.push_back(elided(item, depth - 1));
  }
  if (!type.dynamic) return composite("array", items, "");
  return composite("array", items, depth == 0 ? std::string(kElision) : elided(type.dynamic, depth - 1));
}

std::string elided_object(const Type& type, int depth) {
  Parts properties;
  if (depth == 0 && !type.properties.empty()) properties.emplace_back(kElision);
  if (depth > 0) {
    for (const auto& [key, value] : type.properties) properties.push_back(property(key, elided(value, depth - 1)));
  }
  if (!type.has_dynamic) return composite("object", properties, "");
  return composite("object", properties,
                   depth == 0 ? std::string(kElision)
                              : elided(type.dynamic_key, depth - 1) + ": " + elided(type.dynamic_value, depth - 1));
}

std::string elided_function(const Type& type, int depth) {
  Parts arguments;
  if (depth == 0) {
    if (!type.items.empty() || type.rest) arguments.emplace_back(kElision);
    return function_of(arguments, type.dynamic ? std::string(kElision) : to_string(type.dynamic));
  }
  for (const TypePtr& item : type.items) arguments.push_back(elided(item, depth - 1));
  if (type.rest) arguments.push_back(elided(type.rest, depth - 1) + "...");
  return function_of(arguments, elided(type.dynamic, depth - 1));
}

std::string elided(const TypePtr& type, int depth) {
  if (!type || depth < 0) return to_string(type);
  switch (type->kind) {
    case TypeKind::kSet:
      if (!type->dynamic) return to_string(type);
      return "set[" + (depth == 0 ? std::string(kElision) : elided(type->dynamic, depth - 1)) + "]";
    case TypeKind::kArray: return elided_array(*type, depth);
    case TypeKind::kObject: return elided_object(*type, depth);
    case TypeKind::kAny: {
      if (type->alternatives.empty()) return "any";
      if (depth == 0) return any_of({std::string(kElision)});
      Parts parts;
      for (const TypePtr& alternative : type->alternatives) parts.push_back(elided(alternative, depth - 1));
      return any_of(parts);
    }
    case TypeKind::kFunction: return elided_function(*type, depth);
    default: return to_string(type);
  }
}

std::string prefix_of(const NamedType& named) { return named.name.empty() ? std::string() : named.name + ": "; }

std::string brief(const TypePtr& type) {
  std::string full = to_string(type);
  return width(full) <= kMaxElided ? full : elided(type, 0);
}

std::string brief(const NamedType& named) {
  std::string full = prefix_of(named) + to_string(named.type);
  return width(full) <= kMaxElided ? full : prefix_of(named) + elided(named.type, 0);
}

bool looks_equal(const TypePtr& a, const TypePtr& b) { return to_string(a) == to_string(b); }

// Both types, only as far as it takes to see how they differ.
Pair difference(const TypePtr& a, const TypePtr& b, int depth);

Pair array_difference(const TypePtr& a, const TypePtr& b, int depth) {
  if (a->items.size() != b->items.size() || !a->dynamic != !b->dynamic) return {elided(a, 1), elided(b, 1)};
  Parts left;
  Parts right;
  for (std::size_t i = 0; i < a->items.size(); ++i) {
    Pair item = difference(a->items[i], b->items[i], depth + 1);
    left.push_back(std::move(item.first));
    right.push_back(std::move(item.second));
  }
  Pair dynamic;
  if (a->dynamic) dynamic = difference(a->dynamic, b->dynamic, depth + 1);
  return {composite("array", left, dynamic.first), composite("array", right, dynamic.second)};
}

Pair dynamic_difference(const Type& a, const Type& b, int depth) {
  if (a.has_dynamic && b.has_dynamic) {
    const Pair key = difference(a.dynamic_key, b.dynamic_key, depth + 1);
    const Pair value = difference(a.dynamic_value, b.dynamic_value, depth + 1);
    return {key.first + ": " + value.first, key.second + ": " + value.second};
  }
  Pair out;
  if (a.has_dynamic) out.first = brief(a.dynamic_key) + ": " + brief(a.dynamic_value);
  if (b.has_dynamic) out.second = brief(b.dynamic_key) + ": " + brief(b.dynamic_value);
  return out;
}

Pair object_difference(const Type& a, const Type& b, int depth) {
  Parts left;
  Parts right;
  bool same = false;
  auto x = a.properties.begin();
  auto y = b.properties.begin();
  while (x != a.properties.end() || y != b.properties.end()) {
    int order = 0;
    if (x == a.properties.end()) {
      order = 1;
    } else {
      order = y == b.properties.end() ? -1 : types::compare_keys(x->first, y->first);
    }
    if (order < 0) {
      left.push_back(property(x->first, brief(x->second)));
    } else if (order > 0) {
      right.push_back(property(y->first, brief(y->second)));
    } else if (looks_equal(x->second, y->second)) {
      same = true;
    } else {
      const Pair value = difference(x->second, y->second, depth + 1);
      left.push_back(property(x->first, value.first));
      right.push_back(property(y->first, value.second));
    }
    if (order <= 0) ++x;
    if (order >= 0) ++y;
  }
  const Pair dynamic = dynamic_difference(a, b, depth);
  if (same) {
    left.emplace_back(kElision);
    right.emplace_back(kElision);
  }
  return {composite("object", left, dynamic.first), composite("object", right, dynamic.second)};
}

// What of `from` is not among `other`; what is leaves an ellipsis.
std::string any_difference(const Type& from, const Type& other) {
  Parts parts;
  for (const TypePtr& type : from.alternatives) {
    const bool shared = std::any_of(other.alternatives.begin(), other.alternatives.end(),
                                    [&](const TypePtr& candidate) { return looks_equal(type, candidate); });
    if (!shared) parts.push_back(brief(type));
  }
  const bool dropped = std::any_of(from.alternatives.begin(), from.alternatives.end(), [&](const TypePtr& type) {
    return std::any_of(other.alternatives.begin(), other.alternatives.end(),
                       [&](const TypePtr& candidate) { return looks_equal(type, candidate); });
  });
  if (dropped) parts.emplace_back(kElision);
  return any_of(parts);
}

Pair function_difference(const Type& a, const Type& b, int depth) {
  Parts left;
  Parts right;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    Pair item = difference(a.items[i], b.items[i], depth + 1);
    left.push_back(std::move(item.first));
    right.push_back(std::move(item.second));
  }
  if (a.rest && b.rest) {
    const Pair rest = difference(a.rest, b.rest, depth + 1);
    left.push_back(rest.first + "...");
    right.push_back(rest.second + "...");
  } else if (a.rest) {
    left.push_back(brief(a.rest) + "...");
  } else if (b.rest) {
    right.push_back(brief(b.rest) + "...");
  }
  const Pair result = difference(a.dynamic, b.dynamic, depth + 1);
  return {function_of(left, result.first), function_of(right, result.second)};
}

Pair difference(const TypePtr& a, const TypePtr& b, int depth) {
  if (depth >= kMaxDepth || !a || !b || a->kind != b->kind || looks_equal(a, b)) return {brief(a), brief(b)};
  switch (a->kind) {
    case TypeKind::kSet: {
      if (!a->dynamic || !b->dynamic) break;
      const Pair of = difference(a->dynamic, b->dynamic, depth + 1);
      return {"set[" + of.first + "]", "set[" + of.second + "]"};
    }
    case TypeKind::kArray: return array_difference(a, b, depth);
    case TypeKind::kObject: return object_difference(*a, *b, depth);
    case TypeKind::kAny: return {any_difference(*a, *b), any_difference(*b, *a)};
    case TypeKind::kFunction:
      if (a->items.size() == b->items.size()) return function_difference(*a, *b, depth);
      break;
    default: break;
  }
  return {brief(a), brief(b)};
}

std::string plural_kind(const TypePtr& a, const TypePtr& b) {
  if (!a || !b || a->kind != b->kind) return {};
  switch (a->kind) {
    case TypeKind::kObject: return "objects";
    case TypeKind::kArray: return "arrays";
    case TypeKind::kSet: return "sets";
    default: return {};
  }
}

std::string in_parentheses(const Parts& parts) { return "(" + text::join(parts, ", ") + ")"; }

}  // namespace

std::vector<std::string> argument_details(const std::vector<TypePtr>& have, const std::vector<NamedType>& want,
                                          const TypePtr& rest) {
  Parts have_parts;
  Parts want_parts;
  for (const TypePtr& type : have) have_parts.push_back(to_string(type));
  for (const NamedType& named : want) want_parts.push_back(prefix_of(named) + to_string(named.type));
  if (rest) want_parts.push_back(to_string(rest) + "...");
  std::vector<std::string> lines = {"have: " + in_parentheses(have_parts), "want: " + in_parentheses(want_parts)};
  if (width(lines[0]) <= kMaxLine && width(lines[1]) <= kMaxLine) return lines;

  have_parts.clear();
  want_parts.clear();
  for (const TypePtr& type : have) have_parts.push_back(brief(type));
  for (const NamedType& named : want) want_parts.push_back(brief(named));
  for (std::size_t i = 0; i < std::min(have.size(), want.size()); ++i) {
    // An argument that would do is not what the error is about.
    if (unifies(have[i], want[i].type)) continue;
    Pair pair = difference(have[i], want[i].type, 0);
    have_parts[i] = std::move(pair.first);
    want_parts[i] = prefix_of(want[i]) + pair.second;
  }
  if (rest) want_parts.push_back(brief(rest) + "...");
  return {"have: " + in_parentheses(have_parts), "want: " + in_parentheses(want_parts)};
}

std::vector<std::string> match_details(const TypePtr& left, const TypePtr& right) {
  std::vector<std::string> lines = {"left  : " + to_string(left), "right : " + to_string(right)};
  if (width(lines[0]) > kMaxLine || width(lines[1]) > kMaxLine) {
    const Pair pair = difference(left, right, 0);
    lines = {"left  : " + pair.first, "right : " + pair.second};
  }
  if (const std::string kind = plural_kind(left, right); !kind.empty()) {
    lines.push_back("hint  : both sides are " + kind +
                    " but their types differ, so they can never be equal (see "
                    "https://www.openpolicyagent.org/docs/errors/rego-type-error/match-error)");
  }
  return lines;
}

}  // namespace portcullis::rego
