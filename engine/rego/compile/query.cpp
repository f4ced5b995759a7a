// A query goes through the same passes as a rule's body, with `==` left as it is (its value may be shown) and without
// the passes that are about rules.
#include <algorithm>

#include "engine/rego/compile/passes.h"
#include "engine/rego/compile/type_check.h"
#include "engine/rego/compile/walk.h"

namespace portcullis::rego {

namespace {

using passes::Context;
using passes::Variable;
using passes::VarSet;

Diagnostics failure(Context& context, const CheckOptions& options) {
  Diagnostics result = context.errors.take(false);
  if (options.max_errors != 0 && result.list.size() > options.max_errors) {
    result.list.resize(options.max_errors);
    result.add(std::string(passes::kCompileError), Location{}, "error limit reached");
  }
  return result;
}

using Pass = void (*)(Context&, Body&);

bool run(Context& context, Body& body, std::initializer_list<Pass> list) {
  for (const Pass pass : list) {
    pass(context, body);
    if (!context.errors.empty()) return false;
  }
  return true;
}

void with_values_pass(Context& context, Body& body) { passes::rewrite_with_values(context, body); }

// Whether it may have several solutions: a step that is a variable, or `walk` (comprehensions aside).
bool iterates(const Body& body) {
  bool found = false;
  passes::walk_terms(body, [&](const Term& term) {
    if (term.is_comprehension()) return true;
    if (term.kind == TermKind::kRef && !term.items.empty()) {
      found = found || (term.items.size() == 1 && term.items[0].is_var("walk"));
      for (std::size_t i = 1; i < term.items.size(); ++i) found = found || term.items[i].kind == TermKind::kVar;
    }
    return found;
  });
  return found;
}

// The author's variables that a solution binds.
void set_result_variables(const Context& context, CheckedQuery& query) {
  VarSet vars;
  for (const Expr& expr : query.body.exprs) passes::collect_vars(expr, passes::kSafetyParams, vars);
  for (const Variable v : vars) {
    const Variable author = context.names.author(v);
    if (v == context.names.data || v == context.names.input) continue;
    if (context.names.generated(author) || context.names.wildcard(author)) continue;
    query.result_variables.emplace_back(context.names.text(v), context.names.text(author));
  }
}

void set_expressions(CheckedQuery& query) {
  for (std::uint32_t i = 0; i < query.body.exprs.size(); ++i) {
    const Expr& expr = query.body.exprs[i];
    if (expr.generated) continue;
    query.expressions.push_back({std::string(expr.location.text), expr.location, i});
  }
}

}  // namespace

Parsed<CheckedQuery> check_query(const CheckedModules& modules, Body query, std::shared_ptr<const std::string> source,
                                 const QueryContext& query_context, const CheckOptions& options) {
  Context context(options, "__localq");
  context.errors = passes::Errors(0);
  context.names.adopt(modules.variables);
  const RuleTreeNode no_rules;
  context.tree = modules.tree ? modules.tree.get() : &no_rules;
  if (query.exprs.empty()) {
    context.errors.add(passes::kCompileError, Location{}, "empty query cannot be compiled");
    return failure(context, options);
  }
  CheckedQuery result;
  result.source = std::move(source);
  result.body = std::move(query);
  Body& body = result.body;
  passes::prepare_body(context, body);
  if (options.strict) passes::check_keyword_overrides(context, body);
  if (!context.errors.empty()) return failure(context, options);
  passes::resolve_in_query(context, body, modules, query_context);
  result.tests_values = body.exprs.size() > 1 || iterates(body);
  if (!run(
          context, body,
          {passes::rewrite_local_variables, passes::rewrite_template_strings, passes::check_void_calls,
           passes::rewrite_print_calls, passes::rewrite_expression_terms, passes::rewrite_comprehension_terms,
           with_values_pass, passes::check_undefined_functions, passes::check_safety, passes::rewrite_dynamic_terms})) {
    return failure(context, options);
  }
  if (modules.types) {
    passes::check_types(context, *modules.types, body);
  } else {
    passes::check_types(context, TypeEnvironment(context.builtins), body);
  }
  if (!context.errors.empty() || !run(context, body, {passes::check_unsafe_builtins})) return failure(context, options);
  if (options.strict && !run(context, body, {passes::check_deprecated_builtins})) return failure(context, options);
  set_result_variables(context, result);
  set_expressions(result);
  result.variables = context.names.take();
  return result;
}

}  // namespace portcullis::rego
