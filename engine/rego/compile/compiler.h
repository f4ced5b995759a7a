// Modules in, checked modules out, programs out. The passes are OPA's compiler stages, in OPA's order, so that the same
// source gives the same errors; each has a file of its own in this folder.
//
//   parse → check (resolve, rewrite, order, check)  → CheckedModules → plan → Program
//                                                    ↘ check_query    → plan_query → Program
//
// Threads: any, on different inputs. Cost: linear in the source but for ordering (at worst quadratic in the longest
// body).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/builtin.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/eval/type.h"
#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

struct CheckOptions {
  const BuiltinRegistry* builtins = nullptr;  // required
  bool strict = false;                        // opa check --strict
  bool keep_print = false;                    // false: print calls are erased
  std::uint32_t max_errors = 10;              // 0: all
  // Whether `path` (below data, without "data.") holds base data: a rule under it is rego_type/conflict error as OPA's
  // path conflict check. Empty: nothing does.
  std::function<bool(std::span<const std::string_view> path)> has_base_data;
  // Calls to these builtins are errors (capabilities / opa eval --unsafe …): names.
  std::vector<std::string> unsafe_builtins;
};

// One node of the rule tree: data.<path>. Children by key in order.
struct RuleTreeNode;
class TypeEnvironment;

// The result of all passes. What `plan` may rely on (checked by well_formed() in debug builds and fuzzing):
//  1. Every reference is rooted at `data`, `input` or a local; imports and package-relative names are gone.
//  2. Locals have unique names within a rule (`__local7__`, the author's names in `variables`); a variable that is not
//     declared is local to its body. Wildcards are `$n`.
//  3. := and `some` are gone (= on fresh locals); `x in xs` is internal.member_2/3 as a call where it tests, and stays
//     as `some … in` rewritten to a reference where it iterates; == is `equal`, = is `eq`.
//  4. Nested calls are flattened: an argument is never a kCall; each call is an expression of its own whose last term
//  is
//     the output variable. Comprehension and reference heads that are no variables are hoisted to locals likewise.
//     Terms inside comprehensions, rule heads and `with` values are variables or ground where OPA makes them so.
//  5. Bodies (also of comprehensions, every, else) are ordered: whatever an expression needs bound is bound before it.
//  6. No recursion, no conflicting rules, no unsafe variables, call arguments type-checked.
//  7. print calls are gone, or are internal.print([{x | x = arg}, …]).
struct CheckedModules {
  // A variable's name in the checked modules, and the author's name where it was rewritten (else empty).
  struct Variable {
    std::string name;
    std::string author;
  };

  std::vector<Module> modules;
  std::shared_ptr<const RuleTreeNode> tree;
  const BuiltinRegistry* builtins = nullptr;
  std::vector<Variable> variables;               // by Term::variable; 0 is no variable
  std::shared_ptr<const TypeEnvironment> types;  // of rules and builtins (type_check.h)

  CheckedModules();
  CheckedModules(CheckedModules&&) noexcept;
  CheckedModules& operator=(CheckedModules&&) noexcept;
  ~CheckedModules();
};

// Errors: OPA's codes and messages, several at once, each with its place.
Parsed<CheckedModules> check(std::vector<Module> modules, const CheckOptions& options);

// A query checked against modules: rewritten and ordered like a body. `result_variables` are the names that the
// result's bindings show (author's variables, without wildcards and generated ones); `expression_texts` the source of
// each.
struct QueryContext {
  std::string package;  // "data.foo" or empty
  std::vector<Import> imports;
};
struct CheckedQuery {
  std::shared_ptr<const std::string> source;
  Body body;
  std::vector<CheckedModules::Variable> variables;  // by Term::variable: the modules' own, then the query's
  std::vector<std::pair<std::string, std::string>> result_variables;  // name after rewriting, name shown
  struct Expression {
    std::string text;
    Location location;
    // Index into body of the expression whose value is shown, after rewriting and ordering.
    std::uint32_t index;
  };
  std::vector<Expression> expressions;  // as written, in source order
  // Several expressions, or one that may iterate: a solution in which one of them is false is none.
  bool tests_values = true;
};
Parsed<CheckedQuery> check_query(const CheckedModules& modules, Body query, std::shared_ptr<const std::string> source,
                                 const QueryContext& context, const CheckOptions& options);

struct PlanOptions {
  std::vector<std::string> entry_points;  // "data.foo.violation"; may name a whole document: "data.foo", "data"
  // Parts of the input that are known now: the program is specialised on them (a constraint's parameters).
  struct Known {
    std::vector<std::string> path;  // below input: {"parameters"}
    Value value;
  };
  std::vector<Known> known_input;
  bool optimise = true;
  // Members of the input that change from evaluation to evaluation of one review; known_input may tell them. Documents
  // and functions that depend on no such member can share their values (EvalOptions::share).
  std::vector<std::string> varying_input = {};
  // Collections of base data that evaluations bring an index for (EvalOptions::index): objects lie `steps` keys below
  // data.<path>. Loops over them that end in an equality ask the index.
  struct Indexed {
    std::vector<std::string> path;
    std::uint32_t steps = 0;
  };
  std::vector<Indexed> indexed = {};
};
// Errors: an entry point that names nothing is no error (its value is base data or undefined).
Parsed<Program> plan(const CheckedModules& modules, const PlanOptions& options);
Parsed<Program> plan_query(const CheckedModules& modules, const CheckedQuery& query, const PlanOptions& options);

}  // namespace portcullis::rego
