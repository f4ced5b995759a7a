// Names of variables as numbers, and small sets of them. The passes ask "is x in this set" far more often than they
// print x, so every kVar carries its number (Term::variable) and sets are sorted vectors.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/rego/compile/compiler.h"

namespace portcullis::rego::passes {

using Variable = std::uint32_t;  // 0: none

class VarSet {
 public:
  bool contains(Variable v) const noexcept;
  void insert(Variable v);
  void erase(Variable v);
  void insert(const VarSet& other);
  void clear() noexcept { items_.clear(); }
  bool empty() const noexcept { return items_.empty(); }
  std::size_t size() const noexcept { return items_.size(); }
  auto begin() const noexcept { return items_.begin(); }
  auto end() const noexcept { return items_.end(); }
  bool operator==(const VarSet&) const = default;

  bool subset_of(const VarSet& other) const noexcept;
  VarSet intersection(const VarSet& other) const;
  VarSet without(const VarSet& other) const;
  template <typename Predicate>
  void erase_if(Predicate&& drop) {
    std::erase_if(items_, drop);
  }

 private:
  std::vector<Variable> items_;  // sorted, unique
};

class Names {
 public:
  // `prefix`: what generated names begin with ("__local" for modules, "__localq" for queries).
  explicit Names(const BuiltinRegistry& builtins, std::string_view prefix = "__local");
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // Takes over the names of an earlier run, with their numbers.
  void adopt(const std::vector<CheckedModules::Variable>& variables);

  Variable intern(std::string_view name);
  // A new name that nothing has.
  Variable fresh();
  Term fresh_term(const Location& where) { return term(fresh(), where); }
  Term term(Variable v, const Location& where) const;

  std::string_view text(Variable v) const noexcept { return entries_[v].name; }
  // What the author wrote for a rewritten name, else the name itself.
  Variable author(Variable v) const noexcept { return entries_[v].author != 0 ? entries_[v].author : v; }
  // As messages show it: wildcards as `_`.
  std::string_view author_text(Variable v) const noexcept {
    return wildcard(author(v)) ? std::string_view("_") : text(author(v));
  }
  bool rewritten(Variable v) const noexcept { return entries_[v].author != 0; }
  void set_author(Variable generated, Variable author) { entries_[generated].author = author; }
  bool generated(Variable v) const noexcept { return entries_[v].generated; }
  bool wildcard(Variable v) const noexcept { return entries_[v].wildcard; }
  // The builtin with exactly this name (no dots), or null.
  const BuiltinRegistry::Entry* builtin(Variable v) const noexcept { return entries_[v].builtin; }
  std::size_t size() const noexcept { return entries_.size(); }
  // By text, as OPA's sorted variable sets.
  std::vector<Variable> sorted(const VarSet& set) const;

  std::vector<CheckedModules::Variable> take() const;

  // Names the passes test for.
  Variable data = 0;
  Variable input = 0;
  Variable eq = 0;
  Variable assign = 0;
  Variable equal = 0;
  Variable print = 0;
  Variable internal = 0;

 private:
  struct Entry {
    std::string name;
    Variable author = 0;
    bool generated = false;
    bool wildcard = false;
    const BuiltinRegistry::Entry* builtin = nullptr;
  };
  Variable add(std::string name);

  const BuiltinRegistry& builtins_;
  std::string prefix_;
  std::uint64_t next_ = 0;
  std::deque<Entry> entries_;
  std::unordered_map<std::string_view, Variable> by_text_;
};

}  // namespace portcullis::rego::passes
