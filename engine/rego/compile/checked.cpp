#include "engine/rego/compile/checked.h"

#include <algorithm>

#include "base/arena.h"
#include "engine/value/number.h"

namespace portcullis::rego {

CheckedModules::CheckedModules() = default;
CheckedModules::CheckedModules(CheckedModules&&) noexcept = default;
CheckedModules& CheckedModules::operator=(CheckedModules&&) noexcept = default;
CheckedModules::~CheckedModules() = default;

namespace {

// A plain integer literal that fits, without the cost of exact arithmetic.
bool small_integer(std::string_view text, long long& out) noexcept {
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.empty() || digits.size() > 18) return false;
  long long value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  out = negative ? -value : value;
  return true;
}

int compare_number_texts(const std::string& a, const std::string& b) noexcept {
  long long x = 0;
  long long y = 0;
  if (small_integer(a, x) && small_integer(b, y)) return x < y ? -1 : (x > y ? 1 : 0);
  Arena arena;
  return compare_numbers(make_number(arena, a), make_number(arena, b));
}

int scalar_rank(TermKind kind) noexcept {
  switch (kind) {
    case TermKind::kNull: return 0;
    case TermKind::kBoolean: return 1;
    case TermKind::kNumber: return 2;
    default: return 3;
  }
}

}  // namespace

bool is_scalar(const Term& term) noexcept {
  return term.kind == TermKind::kNull || term.kind == TermKind::kBoolean || term.kind == TermKind::kNumber ||
         term.kind == TermKind::kString;
}

bool is_constant(const Term& term) noexcept {
  switch (term.kind) {
    case TermKind::kNull:
    case TermKind::kBoolean:
    case TermKind::kNumber:
    case TermKind::kString: return true;
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject:
      return std::all_of(term.items.begin(), term.items.end(), [](const Term& item) { return is_constant(item); });
    default: return false;
  }
}

bool is_wildcard(std::string_view name) noexcept { return name.starts_with('$'); }
bool is_generated(std::string_view name) noexcept { return name.starts_with("__local"); }

int compare_scalars(const Term& a, const Term& b) noexcept {
  const int rank_a = scalar_rank(a.kind);
  const int rank_b = scalar_rank(b.kind);
  if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
  switch (a.kind) {
    case TermKind::kNull: return 0;
    case TermKind::kBoolean: return static_cast<int>(a.boolean) - static_cast<int>(b.boolean);
    case TermKind::kNumber: return compare_number_texts(a.text, b.text);
    default: return a.text.compare(b.text);
  }
}

const RuleTreeNode* RuleTreeNode::child(const Term& wanted) const noexcept {
  if (!is_scalar(wanted)) return nullptr;
  const auto at =
      std::lower_bound(children.begin(), children.end(), wanted,
                       [](const RuleTreeNode& node, const Term& term) { return compare_scalars(node.key, term) < 0; });
  return at != children.end() && compare_scalars(at->key, wanted) == 0 ? &*at : nullptr;
}

const RuleTreeNode* RuleTreeNode::child(std::string_view name) const noexcept {
  const auto at =
      std::lower_bound(children.begin(), children.end(), name, [](const RuleTreeNode& node, std::string_view text) {
        return node.key.kind != TermKind::kString || node.key.text < text;
      });
  return at != children.end() && at->key.kind == TermKind::kString && at->key.text == name ? &*at : nullptr;
}

std::vector<Term> full_reference(const Module& module, const Rule& rule) {
  std::vector<Term> items = module.package.items;
  const std::vector<Term>& name = rule.head.reference.items;
  items.reserve(items.size() + name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    items.push_back(i == 0 ? Term::string(name[0].text, name[0].location) : name[i]);
  }
  return items;
}

std::span<const Term> steps_below(const Rule& rule) noexcept {
  const std::vector<Term>& items = rule.head.reference.items;
  std::size_t first = 1;
  while (first < items.size() && is_scalar(items[first])) ++first;
  return std::span<const Term>(items).subspan(first);
}

const RuleTreeNode* find_prefix(const RuleTreeNode& root, std::span<const Term> reference, std::size_t& used) noexcept {
  used = 0;
  if (reference.empty() || !reference[0].is_var("data")) return &root;
  const RuleTreeNode* node = &root;
  used = 1;
  while (used < reference.size()) {
    const RuleTreeNode* next = node->child(reference[used]);
    if (next == nullptr) break;
    node = next;
    ++used;
  }
  return node;
}

const RuleTreeNode* find_exact(const RuleTreeNode& root, std::span<const Term> reference) noexcept {
  std::size_t used = 0;
  const RuleTreeNode* node = find_prefix(root, reference, used);
  return used == reference.size() && used != 0 ? node : nullptr;
}

const RuleTreeNode* find_document(const RuleTreeNode& root, std::span<const Term> reference,
                                  std::size_t& used) noexcept {
  used = 0;
  if (reference.empty() || !reference[0].is_var("data")) return nullptr;
  const RuleTreeNode* node = &root;
  for (used = 1; used < reference.size(); ++used) {
    node = node->child(reference[used]);
    if (node == nullptr) return nullptr;
    if (!node->rules.empty()) {
      ++used;
      return node;
    }
  }
  return nullptr;
}

}  // namespace portcullis::rego
