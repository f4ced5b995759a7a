#include "engine/rego/compile/names.h"

#include <algorithm>
#include <iterator>

#include "engine/rego/compile/checked.h"

namespace portcullis::rego::passes {

bool VarSet::contains(Variable v) const noexcept {
  if (items_.size() <= 8) return std::find(items_.begin(), items_.end(), v) != items_.end();
  return std::binary_search(items_.begin(), items_.end(), v);
}

void VarSet::insert(Variable v) {
  if (items_.empty() || items_.back() < v) {
    items_.push_back(v);
    return;
  }
  const auto at = std::lower_bound(items_.begin(), items_.end(), v);
  if (*at != v) items_.insert(at, v);
}

void VarSet::erase(Variable v) {
  const auto at = std::lower_bound(items_.begin(), items_.end(), v);
  if (at != items_.end() && *at == v) items_.erase(at);
}

void VarSet::insert(const VarSet& other) {
  if (other.items_.empty()) return;
  if (items_.empty()) {
    items_ = other.items_;
    return;
  }
  if (other.items_.size() <= 4) {
    for (const Variable v : other.items_) insert(v);
    return;
  }
  std::vector<Variable> merged;
  merged.reserve(items_.size() + other.items_.size());
  std::set_union(items_.begin(), items_.end(), other.items_.begin(), other.items_.end(), std::back_inserter(merged));
  items_ = std::move(merged);
}

bool VarSet::subset_of(const VarSet& other) const noexcept {
  return std::all_of(items_.begin(), items_.end(), [&](Variable v) { return other.contains(v); });
}

VarSet VarSet::intersection(const VarSet& other) const {
  VarSet result;
  for (const Variable v : items_) {
    if (other.contains(v)) result.items_.push_back(v);
  }
  return result;
}

VarSet VarSet::without(const VarSet& other) const {
  VarSet result;
  for (const Variable v : items_) {
    if (!other.contains(v)) result.items_.push_back(v);
  }
  return result;
}

Names::Names(const BuiltinRegistry& builtins, std::string_view prefix) : builtins_(builtins), prefix_(prefix) {
  entries_.emplace_back();
  data = intern("data");
  input = intern("input");
  eq = intern("eq");
  assign = intern("assign");
  equal = intern("equal");
  print = intern("print");
  internal = intern("internal");
}

void Names::adopt(const std::vector<CheckedModules::Variable>& variables) {
  // The names made by the constructor come first in every table, so numbers carry over.
  for (std::size_t i = entries_.size(); i < variables.size(); ++i) add(variables[i].name);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (!variables[i].author.empty()) entries_[i].author = intern(variables[i].author);
  }
}

Variable Names::add(std::string name) {
  const auto number = static_cast<Variable>(entries_.size());
  Entry& entry = entries_.emplace_back();
  entry.name = std::move(name);
  entry.generated = is_generated(entry.name);
  entry.wildcard = is_wildcard(entry.name);
  if (!entry.generated && !entry.wildcard) entry.builtin = builtins_.find(entry.name);
  by_text_.emplace(entry.name, number);
  return number;
}

Variable Names::intern(std::string_view name) {
  const auto found = by_text_.find(name);
  return found != by_text_.end() ? found->second : add(std::string(name));
}

Variable Names::fresh() {
  while (true) {
    std::string name = prefix_ + std::to_string(next_++) + "__";
    if (!by_text_.contains(name)) return add(std::move(name));
  }
}

Term Names::term(Variable v, const Location& where) const {
  Term result(TermKind::kVar, where);
  result.text = entries_[v].name;
  result.variable = v;
  result.generated = entries_[v].generated;
  return result;
}

std::vector<Variable> Names::sorted(const VarSet& set) const {
  std::vector<Variable> result(set.begin(), set.end());
  std::sort(result.begin(), result.end(), [this](Variable a, Variable b) { return text(a) < text(b); });
  return result;
}

std::vector<CheckedModules::Variable> Names::take() const {
  std::vector<CheckedModules::Variable> result;
  result.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    result.push_back({entry.name, entry.author != 0 ? entries_[entry.author].name : std::string()});
  }
  return result;
}

}  // namespace portcullis::rego::passes
