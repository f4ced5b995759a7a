// Walks over the syntax tree in OPA's order, and the variables found on the way.
// Cost: linear in what is walked. Recursion is as deep as the source nests (bounded by the parser).
#pragma once

#include <type_traits>

#include "engine/rego/compile/names.h"
#include "engine/rego/syntax/ast.h"

namespace portcullis::rego::passes {

// Bodies that stand directly in an expression (every's, operands of not, and, or); those of comprehensions hang on
// terms.
template <typename ExprT, typename Visit>
void for_each_body(ExprT& expr, Visit&& visit) {
  using BodyT = std::conditional_t<std::is_const_v<ExprT>, const Body, Body>;
  if (expr.every_body) visit(static_cast<BodyT&>(*expr.every_body));
  if (expr.left) visit(static_cast<BodyT&>(*expr.left));
  if (expr.right) visit(static_cast<BodyT&>(*expr.right));
}

template <typename T>
concept TermLike = std::is_same_v<std::remove_const_t<T>, Term>;
template <typename T>
concept ExprLike = std::is_same_v<std::remove_const_t<T>, Expr>;
template <typename T>
concept BodyLike = std::is_same_v<std::remove_const_t<T>, Body>;

template <TermLike TermT>
auto& comprehension_body(TermT& term) {
  if constexpr (std::is_const_v<TermT>) {
    return static_cast<const Body&>(*term.body);
  } else {
    return *term.body;
  }
}

// visit(term) returns whether to leave out what is below it.
template <ExprLike ExprT, typename Visit>
void walk_terms(ExprT& expr, Visit&& visit);
template <BodyLike BodyT, typename Visit>
void walk_terms(BodyT& body, Visit&& visit) {
  for (auto& expr : body.exprs) walk_terms(expr, visit);
}
template <TermLike TermT, typename Visit>
void walk_terms(TermT& term, Visit&& visit) {
  if (visit(term)) return;
  for (auto& item : term.items) walk_terms(item, visit);
  if (term.body) walk_terms(comprehension_body(term), visit);
}
template <ExprLike ExprT, typename Visit>
void walk_terms(ExprT& expr, Visit&& visit) {
  for (auto& term : expr.terms) walk_terms(term, visit);
  if (expr.kind == ExprKind::kEvery) {
    if (expr.every_key) walk_terms(*expr.every_key, visit);
    walk_terms(expr.every_value, visit);
    walk_terms(expr.every_domain, visit);
  }
  for_each_body(expr, [&](auto& body) { walk_terms(body, visit); });
  for (auto& with : expr.with) {
    walk_terms(with.target, visit);
    walk_terms(with.value, visit);
  }
}
template <typename Visit>
void walk_terms(Head& head, Visit&& visit) {
  for (Term& argument : head.arguments) walk_terms(argument, visit);
  if (head.key) walk_terms(*head.key, visit);
  if (head.value) walk_terms(*head.value, visit);
}

// visit(expr) returns whether to leave out what is below it.
template <ExprLike ExprT, typename Visit>
void walk_exprs(ExprT& expr, Visit&& visit);
template <BodyLike BodyT, typename Visit>
void walk_exprs(BodyT& body, Visit&& visit) {
  for (auto& expr : body.exprs) walk_exprs(expr, visit);
}
template <TermLike TermT, typename Visit>
void walk_exprs(TermT& term, Visit&& visit) {
  for (auto& item : term.items) walk_exprs(item, visit);
  if (term.body) walk_exprs(comprehension_body(term), visit);
}
template <ExprLike ExprT, typename Visit>
void walk_exprs(ExprT& expr, Visit&& visit) {
  if (visit(expr)) return;
  for (auto& term : expr.terms) walk_exprs(term, visit);
  if (expr.kind == ExprKind::kEvery) walk_exprs(expr.every_domain, visit);
  for_each_body(expr, [&](auto& body) { walk_exprs(body, visit); });
  for (auto& with : expr.with) {
    walk_exprs(with.target, visit);
    walk_exprs(with.value, visit);
  }
}
template <typename Visit>
void walk_exprs(Head& head, Visit&& visit) {
  for (Term& argument : head.arguments) walk_exprs(argument, visit);
  if (head.key) walk_exprs(*head.key, visit);
  if (head.value) walk_exprs(*head.value, visit);
}

// Calls visit(rule) for each rule of the module and each of its else branches, in source order. visit returns whether
// to leave out the else branches.
template <typename Visit>
void walk_rules(Module& module, Visit&& visit) {
  for (Rule& rule : module.rules) {
    for (Rule* branch = &rule; branch != nullptr; branch = branch->otherwise.get()) {
      if (visit(*branch)) break;
    }
  }
}

// What collect_vars leaves out.
struct VarParams {
  bool skip_ref_head = false;   // the head of every reference
  bool skip_call_head = false;  // the operator's head of calls, the head of `with` targets
  bool skip_object_keys = false;
  bool skip_closures = false;  // comprehensions, bodies of every, operands of not, and, or; template strings
  bool skip_sets = false;
};
inline constexpr VarParams kSafetyParams{.skip_call_head = true, .skip_closures = true};
inline constexpr VarParams kOutputParamsOfReference{.skip_ref_head = true};
inline constexpr VarParams kOutputParams{.skip_ref_head = true, .skip_object_keys = true, .skip_closures = true};

void collect_vars(const Term& term, const VarParams& params, VarSet& out);
void collect_vars(const With& with, const VarParams& params, VarSet& out);
void collect_vars(const Expr& expr, const VarParams& params, VarSet& out);
void collect_vars(const Body& body, const VarParams& params, VarSet& out);

// Variables in the closures of an expression: whole comprehensions (heads too), and bodies of every.
void collect_closure_vars(const Expr& expr, VarSet& out);
bool contains_closure(const Expr& expr);
bool contains_closure(const Term& term);
// References or comprehensions anywhere in the term: it cannot stand where only values may.
bool requires_evaluation(const Term& term);
bool contains_comprehension(const Term& term);

// Is it this builtin's call, by the operator's only name?
inline bool is_operator(const Term& op, Variable name) {
  return op.kind == TermKind::kRef && op.items.size() == 1 && op.items[0].variable == name;
}
inline bool is_call_of(const Expr& expr, Variable name) {
  return expr.kind == ExprKind::kCall && is_operator(expr.terms[0], name);
}

// The expression `left = right` as the passes make it.
Expr make_equality(const Names& names, Term left, Term right, const Location& where);
// `fresh = term`, with `term` replaced by the fresh variable. Marked as generated.
Expr hoist(Names& names, Term& term);
bool is_true_body(const Body& body);
// Adds to a body; a body that is only `true` is replaced.
void append_to_body(Body& body, Expr expr);
void append_to_body(Body& body, std::vector<Expr> exprs);
void renumber(Body& body);

}  // namespace portcullis::rego::passes
