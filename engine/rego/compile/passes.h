// The passes of check() and check_query(), one file each, and what they share. They work on the syntax tree in place,
// in the order of check.cpp; each says what it needs to have run before. Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/rego/compile/checked.h"
#include "engine/rego/compile/names.h"
#include "engine/rego/compile/walk.h"

namespace portcullis::rego {
class TypeEnvironment;
}

namespace portcullis::rego::passes {

class RuleGraph;

inline constexpr std::string_view kCompileError = "rego_compile_error";
inline constexpr std::string_view kTypeError = "rego_type_error";
inline constexpr std::string_view kUnsafeVarError = "rego_unsafe_var_error";
inline constexpr std::string_view kRecursionError = "rego_recursion_error";

// Errors as OPA collects them: up to a limit, then one last "error limit reached"; sorted by place in the end.
class Errors {
 public:
  explicit Errors(std::uint32_t limit) : limit_(limit) {}

  // Both say whether to go on with the pass. After an error that is not recoverable no further pass runs.
  bool add(std::string_view code, const Location& where, std::string message, std::vector<std::string> details = {}) {
    return record(false, code, where, std::move(message), std::move(details));
  }
  bool add_recoverable(std::string_view code, const Location& where, std::string message,
                       std::vector<std::string> details = {}) {
    return record(true, code, where, std::move(message), std::move(details));
  }
  bool add_all(Errors&& other, bool recoverable);

  bool empty() const noexcept { return list_.empty(); }
  std::size_t size() const noexcept { return list_.size(); }
  bool stopped() const noexcept { return stopped_; }
  bool limit_reached() const noexcept { return limit_reached_; }
  // Sorted: modules' errors. In order of recording: a query's.
  Diagnostics take(bool sort);

 private:
  bool record(bool recoverable, std::string_view code, const Location& where, std::string message,
              std::vector<std::string> details);

  std::uint32_t limit_;  // 0: none
  bool stopped_ = false;
  bool limit_reached_ = false;
  std::vector<Diagnostic> list_;
};

// What all passes see.
struct Context {
  Context(const CheckOptions& check_options, std::string_view prefix)
      : options(check_options),
        builtins(*check_options.builtins),
        names(builtins, prefix),
        errors(check_options.max_errors) {}

  const CheckOptions& options;
  const BuiltinRegistry& builtins;
  Names names;
  Errors errors;
  std::vector<Module*> modules;           // in order of their files' names
  const RuleTreeNode* tree = nullptr;     // from set_rule_tree on
  std::vector<const Rule*> sorted_rules;  // dependencies first; from check_recursion on

  // Types and other v1 rules apply: strict mode, or a module of that version.
  bool strict_for(const Module& module) const noexcept { return options.strict || module.version != RegoVersion::kV0; }
  // The builtin that an operator names, or null.
  const BuiltinRegistry::Entry* builtin(const Term& op) const;
  // Arguments that an operator's function takes; -1 when there is no such function.
  int arity(const Term& op) const;
};

int arity_of(const BuiltinDecl& decl) noexcept;
// A term's name for messages ("array", "ref", …), as OPA's ValueName.
std::string_view term_kind_name(TermKind kind) noexcept;
// The reference as the author would write it: rewritten variables under their own names.
std::string author_string(const Names& names, Term term);
std::string author_string(const Names& names, std::vector<Term> reference);
Term as_reference(std::vector<Term> items);

// --- Passes over all modules ---
void prepare(Context& context);             // numbers variables, brings heads and root documents into one form
void resolve_references(Context& context);  // also finds unused imports (strict)
void rewrite_head_references(Context& context);
void check_keyword_overrides(Context& context);
void check_imports(Context& context);
void remove_imports(Context& context);
std::shared_ptr<RuleTreeNode> build_rule_tree(Context& context);
void rewrite_local_variables(Context& context);
void rewrite_template_strings(Context& context);
void check_void_calls(Context& context);
void rewrite_print_calls(Context& context);
void rewrite_expression_terms(Context& context);
void rewrite_metadata_calls(Context& context);
void rewrite_comprehension_terms(Context& context);
void rewrite_references_in_heads(Context& context);
void rewrite_with_values(Context& context);
void check_rule_conflicts(Context& context);
void check_undefined_functions(Context& context);
void check_head_safety(Context& context);
void check_body_safety(Context& context);
void rewrite_dynamic_terms(Context& context);  // with rewriting == to =
std::shared_ptr<const TypeEnvironment> check_types(Context& context, const RuleGraph& graph);
void check_unsafe_builtins(Context& context);
void check_deprecated_builtins(Context& context);

// --- The same over one body (queries, and what the above are made of) ---
void prepare_body(Context& context, Body& body);
void resolve_in_query(Context& context, Body& body, const CheckedModules& modules, const QueryContext& query);
void check_keyword_overrides(Context& context, Body& body);
void rewrite_local_variables(Context& context, Body& body);
void rewrite_template_strings(Context& context, Body& body);
void check_void_calls(Context& context, Body& body);
void rewrite_print_calls(Context& context, Body& body);
void rewrite_expression_terms(Context& context, Body& body);
void rewrite_comprehension_terms(Context& context, Body& body);
bool rewrite_with_values(Context& context, Body& body);
void check_undefined_functions(Context& context, Body& body);
void check_safety(Context& context, Body& body);
void rewrite_dynamic_terms(Context& context, Body& body);
void check_types(Context& context, const TypeEnvironment& environment, const Body& body);
void check_unsafe_builtins(Context& context, Body& body);
void check_deprecated_builtins(Context& context, Body& body);

// Variables that the body binds, given what is bound already.
VarSet output_vars(Context& context, const Body& body, const VarSet& safe);
VarSet output_vars(Context& context, const Body& body, std::size_t count, const VarSet& safe);
VarSet output_vars(Context& context, const Expr& expr, const VarSet& safe);
VarSet output_vars_of_equality(const Expr& expr, const VarSet& safe);
bool is_reference_safe(const Term& reference, const VarSet& safe);
// Variables that become bound when `a` and `b` are unified.
VarSet unify_vars(const VarSet& safe, const Term& a, const Term& b);
// data and input.
VarSet reserved_vars(const Names& names);

}  // namespace portcullis::rego::passes
