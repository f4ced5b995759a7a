// Walks over syntax trees, with everything in them: bodies of comprehensions, `every`, operands of `and`, `or`, `not`.
#pragma once

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego::format {

// What a walk calls: term(Term&), expr(Expr&) before what is inside of them. Const trees give const nodes.
template <typename TermNode, typename Visitor>
void walk_term(TermNode& term, Visitor& visit);

template <typename BodyNode, typename Visitor>
void walk_body(BodyNode& body, Visitor& visit) {
  for (auto& expr : body.exprs) {
    visit.expr(expr);
    if (expr.every_key) walk_term(*expr.every_key, visit);
    if (expr.every_body) {
      walk_term(expr.every_value, visit);
      walk_term(expr.every_domain, visit);
      walk_body(*expr.every_body, visit);
    }
    for (auto& term : expr.terms) walk_term(term, visit);
    if (expr.left) walk_body(*expr.left, visit);
    if (expr.right) walk_body(*expr.right, visit);
    for (auto& with : expr.with) {
      visit.with(with);
      walk_term(with.target, visit);
      walk_term(with.value, visit);
    }
  }
}

template <typename TermNode, typename Visitor>
void walk_term(TermNode& term, Visitor& visit) {
  visit.term(term);
  for (auto& item : term.items) walk_term(item, visit);
  if (term.body) walk_body(*term.body, visit);
}

// Whether `test` holds for a term in the tree.
template <typename Node, typename Test>
bool any_term(const Node& node, Test test) {
  struct Visitor {
    Test test;
    bool found = false;
    void term(const Term& term) { found = found || test(term); }
    void expr(const Expr&) {}
    void with(const With&) {}
  } visitor{test};
  if constexpr (std::is_same_v<Node, Body>) {
    walk_body(node, visitor);
  } else {
    walk_term(node, visitor);
  }
  return visitor.found;
}

// The term was not written where its location says.
bool has_no_place(const Term& term);

}  // namespace portcullis::rego::format
