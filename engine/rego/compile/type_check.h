// The type checker: infers the types of rules and variables, and refuses calls, references and unifications that can
// never work, with OPA's rego_type_error messages.
// Threads: one check at a time per environment; a finished TypeEnvironment may be read by any number of query checks.
// Ownership: an environment owns its types; it borrows nothing from modules or queries once a call has returned.
// Cost: linear in the source in practice; a comprehension is checked again when variables around it got types since.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/builtin.h"
#include "engine/rego/eval/type.h"
#include "engine/rego/syntax/ast.h"
#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::rego {

class TypeScope;

// The types of builtins and rules.
class TypeEnvironment {
 public:
  explicit TypeEnvironment(const BuiltinRegistry& builtins);
  ~TypeEnvironment();
  TypeEnvironment(const TypeEnvironment&) = delete;
  TypeEnvironment& operator=(const TypeEnvironment&) = delete;

  // Type of a reference without variables (data.foo.bar, input.x, count); null when nothing is known.
  TypePtr type_of(const Term& reference) const;

 private:
  friend class TypeChecker;
  std::unique_ptr<TypeScope> builtins_;
  std::unique_ptr<TypeScope> rules_;
};

struct TypeCheckOptions {
  // A reference as its author wrote it, for messages: generated variables back to the author's names, or to what they
  // stand for. Empty: as it is.
  std::function<Term(const Term& reference)> author_reference;
  // Ground prefixes of the full references of the rules that the reference may denote, and of all rules that depend on
  // those: what a `with` on it may change. Empty: none.
  std::function<std::vector<std::vector<Term>>(const Term& reference)> dependents;
};

// A rule, or an else branch, with the reference that leads to it (data, package, head).
struct TypedRule {
  const Rule* rule = nullptr;
  std::vector<Term> reference;
};

// Checks all rules (each else branch is a rule of its own), given so that every rule comes after those it depends on,
// and records their types. Errors are appended in the order of their places.
void check_types(TypeEnvironment& environment, std::span<const TypedRule> rules, const TypeCheckOptions& options,
                 Diagnostics& errors);

// Checks a query's body; errors are appended in the order they are found.
void check_query_types(const TypeEnvironment& environment, const Body& query, const TypeCheckOptions& options,
                       Diagnostics& errors);

// Details of an error about the number of arguments that a builtin was given: "have: (…)", "want: (…)". Of the
// arguments no more is known than what they say themselves.
std::vector<std::string> arity_details(const BuiltinDecl& builtin, std::span<const Term> arguments);

// What OPA calls the arguments and the result of a builtin in its messages ("x", "collection"; empty: no name).
struct BuiltinNames {
  std::string_view arguments;  // separated by commas
  std::string_view result;
};
BuiltinNames builtin_names(std::string_view builtin);

}  // namespace portcullis::rego
