// Where types live while checking: a chain of scopes, each a tree of values to types. The outermost holds the builtins,
// the next the rules, then one per rule, `with` and comprehension.
// Threads: one at a time. Ownership: a scope owns its tree; it borrows the scopes around it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/rego/eval/type.h"
#include "engine/rego/syntax/ast.h"
#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::rego {

class TypeScope;

// Keys are AST values: variables of a body at its top, then strings, or whatever constants references have as steps.
struct TypeNode {
  Term key;
  TypePtr type;  // null: no leaf
  std::unordered_map<std::string, std::unique_ptr<TypeNode>> children;

  const TypeNode* child(const Term& key) const;
  TypeNode& make_child(const Term& key);
  void put(std::span<const Term> path, TypePtr type);
  // As put, but merges with what is there: with objects along the path, and of objects with leaves below.
  void insert(std::span<const Term> path, const TypePtr& type, TypeScope& scope);
};

// What checking a comprehension's body found: errors, or else the comprehension's type.
struct ClosureTypes {
  std::uint64_t stamp = 0;
  std::vector<Diagnostic> errors;
  TypePtr type;
};

class ClosureChecker {
 public:
  virtual ~ClosureChecker() = default;
  virtual ClosureTypes check_closure(TypeScope& scope, const Term& comprehension) = 0;
};

class TypeScope {
 public:
  explicit TypeScope(TypeScope* next, ClosureChecker* closures = nullptr)
      : tree_(&own_), variables_(this), next_(next), closures_(closures) {}
  TypeScope(const TypeScope&) = delete;
  TypeScope& operator=(const TypeScope&) = delete;

  // A scope for one expression with `with`: the types it infers for variables go to the scope around it. `shared`, when
  // given, is used instead of a tree of its own and outlives the scope.
  static std::unique_ptr<TypeScope> for_with(TypeScope& around, TypeNode* shared);

  TypePtr type_of(const Term& term);
  TypePtr type_of_reference(std::span<const Term> reference);
  TypePtr type_of_variable(const std::string& name);
  TypePtr extent(const TypeNode& node) const;

  void put_variable(const Term& variable, TypePtr type);
  TypeNode& tree() { return *tree_; }
  TypeScope* next() { return next_; }
  const ClosureTypes& closure(const Term& comprehension);

 private:
  TypePtr object_type(const Term& object);
  TypePtr reference_below(const TypeNode& node, std::span<const Term> reference, std::span<const Term> tail);
  TypePtr reference_outside(std::span<const Term> reference);
  std::uint64_t stamp() const;

  TypeNode own_;
  TypeNode* tree_;
  TypeScope* variables_;  // whose own tree takes inferred variables
  TypeScope* next_;
  ClosureChecker* closures_;
  std::uint64_t changes_ = 0;
  std::unordered_map<const Term*, ClosureTypes> closure_types_;
};

// Arrays, objects, sets of constants and scalars.
bool is_constant_term(const Term& term);
// A constant as JSON text (sets as arrays), as type.h wants keys; empty optional for anything else.
std::optional<std::string> constant_json(const Term& term);
TypePtr select_constant(const TypePtr& type, const Term& key);
// Type of what `steps` select from `type`; a union of the possible ones where steps are no constants.
TypePtr select_reference(TypePtr type, std::span<const Term> steps);
// An object, array or set that can hold nothing.
bool is_empty_collection(const TypePtr& type);
// Number of leading steps (the head included) before the first that is no constant; size when there is none.
std::size_t constant_prefix(std::span<const Term> reference);

}  // namespace portcullis::rego
