// OPA's total order over syntax trees, and the canonical order of set and object literals.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {
namespace {

int sign(int order) { return order < 0 ? -1 : (order > 0 ? 1 : 0); }

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// A number literal as sign, significant digits and decimal point: value = 0.DIGITS × 10^exponent.
struct Decimal {
  int sign = 0;
  std::string digits;
  long long exponent = 0;
};

Decimal decimal_of(std::string_view literal) {
  Decimal out;
  bool negative = false;
  std::size_t i = 0;
  if (i < literal.size() && (literal[i] == '-' || literal[i] == '+')) negative = literal[i++] == '-';
  bool fraction = false;
  long long exponent = 0;
  for (; i < literal.size(); ++i) {
    const char c = literal[i];
    if (c == '.') {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      if (c == '0' && out.digits.empty()) {
        if (fraction) --exponent;
        continue;
      }
      out.digits += c;
      if (!fraction) ++exponent;
    } else {
      break;
    }
  }
  if (i < literal.size() && (literal[i] == 'e' || literal[i] == 'E')) {
    exponent += std::strtoll(std::string(literal.substr(i + 1)).c_str(), nullptr, 10);
  }
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  if (out.digits.empty()) return out;
  out.sign = negative ? -1 : 1;
  out.exponent = exponent;
  return out;
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  const Decimal x = decimal_of(a);
  const Decimal y = decimal_of(b);
  if (x.sign != y.sign) return three_way(x.sign, y.sign);
  if (x.sign == 0) return 0;
  if (x.exponent != y.exponent) return x.sign * three_way(x.exponent, y.exponent);
  return x.sign * sign(x.digits.compare(y.digits));
}

int rank(TermKind kind) {
  switch (kind) {
    case TermKind::kNull: return 0;
    case TermKind::kBoolean: return 1;
    case TermKind::kNumber: return 2;
    case TermKind::kString: return 3;
    case TermKind::kTemplateString: return 4;
    case TermKind::kVar: return 5;
    case TermKind::kRef: return 6;
    case TermKind::kArray: return 7;
    case TermKind::kObject: return 8;
    case TermKind::kSet: return 9;
    case TermKind::kArrayComprehension: return 10;
    case TermKind::kObjectComprehension: return 11;
    case TermKind::kSetComprehension: return 12;
    case TermKind::kCall: return 13;
    case TermKind::kTemplateExpr: return 100;
  }
  return 1000;
}

int rank(ExprKind kind) {
  switch (kind) {
    case ExprKind::kSome: return 0;
    case ExprKind::kTerm: return 1;
    case ExprKind::kCall: return 2;
    case ExprKind::kEvery: return 3;
    case ExprKind::kNot: return 4;
    case ExprKind::kAnd: return 5;
    case ExprKind::kOr: return 6;
  }
  return -1;
}

int compare_lists(const std::vector<Term>& a, const std::vector<Term>& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a[i], b[i]); order != 0) return order;
  }
  return three_way(a.size(), b.size());
}

template <typename T>
int compare_optional(const T* a, const T* b) {
  if (a == nullptr || b == nullptr) return three_way(a != nullptr, b != nullptr);
  return compare(*a, *b);
}

template <typename T>
const T* pointer(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

int compare_members(const Term& a, const Term& b) {
  if (const int order = compare_lists(a.items, b.items); order != 0) return order;
  return compare_optional(a.body.get(), b.body.get());
}

void normalise_set(std::vector<Term>& items) {
  const auto less = [](const Term& a, const Term& b) { return compare(a, b) < 0; };
  if (!std::is_sorted(items.begin(), items.end(), less)) std::stable_sort(items.begin(), items.end(), less);
  items.erase(std::unique(items.begin(), items.end(), [](const Term& a, const Term& b) { return equal(a, b); }),
              items.end());
}

// Sorted by key. Of equal keys the first stays, with the last value given; or all stay, in the order given.
void normalise_object(std::vector<Term>& items, bool drop_duplicates) {
  std::vector<std::pair<Term, Term>> pairs;
  pairs.reserve(items.size() / 2);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    pairs.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return compare(a.first, b.first) < 0; });
  items.clear();
  for (auto& [key, value] : pairs) {
    if (drop_duplicates && items.size() >= 2 && equal(items[items.size() - 2], key)) {
      items.back() = std::move(value);
    } else {
      items.push_back(std::move(key));
      items.push_back(std::move(value));
    }
  }
}

}  // namespace

int compare(const Term& a, const Term& b) {
  if (&a == &b) return 0;
  if (a.kind != b.kind) return three_way(rank(a.kind), rank(b.kind));
  switch (a.kind) {
    case TermKind::kNull: return 0;
    case TermKind::kBoolean: return three_way(a.boolean, b.boolean);
    case TermKind::kNumber: return compare_numbers(a.text, b.text);
    case TermKind::kString:
    case TermKind::kVar: return sign(a.text.compare(b.text));
    case TermKind::kTemplateString:
      if (a.boolean != b.boolean) return three_way(a.boolean, b.boolean);
      if (a.items.size() != b.items.size()) return three_way(a.items.size(), b.items.size());
      return compare_lists(a.items, b.items);
    default: return compare_members(a, b);
  }
}

int compare(const Expr& a, const Expr& b) {
  if (&a == &b) return 0;
  if (a.kind != b.kind) return three_way(rank(a.kind), rank(b.kind));
  if (a.index != b.index) return three_way(a.index, b.index);
  if (a.negated != b.negated) return three_way(a.negated, b.negated);
  if (const int order = compare_lists(a.terms, b.terms); order != 0) return order;
  if (a.kind == ExprKind::kEvery) {
    if (const int order = compare_optional(pointer(a.every_key), pointer(b.every_key)); order != 0) return order;
    if (const int order = compare(a.every_value, b.every_value); order != 0) return order;
    if (const int order = compare(a.every_domain, b.every_domain); order != 0) return order;
    if (const int order = compare_optional(a.every_body.get(), b.every_body.get()); order != 0) return order;
  }
  if (const int order = compare_optional(a.left.get(), b.left.get()); order != 0) return order;
  if (const int order = compare_optional(a.right.get(), b.right.get()); order != 0) return order;
  const std::size_t common = std::min(a.with.size(), b.with.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a.with[i].target, b.with[i].target); order != 0) return order;
    if (const int order = compare(a.with[i].value, b.with[i].value); order != 0) return order;
  }
  return three_way(a.with.size(), b.with.size());
}

int compare(const Body& a, const Body& b) {
  const std::size_t common = std::min(a.exprs.size(), b.exprs.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a.exprs[i], b.exprs[i]); order != 0) return order;
  }
  return three_way(a.exprs.size(), b.exprs.size());
}

int compare(const Head& a, const Head& b) {
  if (a.assigned != b.assigned) return a.assigned ? -1 : 1;
  if (const int order = compare_lists(a.arguments, b.arguments); order != 0) return order;
  if (const int order = compare_lists(a.reference.items, b.reference.items); order != 0) return order;
  if (const int order = compare_optional(pointer(a.key), pointer(b.key)); order != 0) return order;
  return compare_optional(pointer(a.value), pointer(b.value));
}

void normalise(Term& set_or_object) {
  if (set_or_object.kind == TermKind::kSet) normalise_set(set_or_object.items);
  if (set_or_object.kind == TermKind::kObject) normalise_object(set_or_object.items, true);
}

void sort_members(Term& set_or_object) {
  if (set_or_object.kind == TermKind::kSet) normalise_set(set_or_object.items);
  if (set_or_object.kind == TermKind::kObject) normalise_object(set_or_object.items, false);
}

}  // namespace portcullis::rego
