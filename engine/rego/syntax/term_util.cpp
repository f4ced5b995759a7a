// Small questions about terms that several parts of the parser ask.
#include <utility>

#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

bool is_ground(const Expr& expr);

bool is_ground(const Body* body) {
  if (body == nullptr) return true;
  for (const Expr& expr : body->exprs) {
    if (!is_ground(expr)) return false;
  }
  return true;
}

bool all_ground(const std::vector<Term>& terms, std::size_t from) {
  for (std::size_t i = from; i < terms.size(); ++i) {
    if (!rego::is_ground(terms[i])) return false;
  }
  return true;
}

bool is_ground(const Expr& expr) {
  return all_ground(expr.terms, expr.kind == ExprKind::kCall ? 1 : 0) && is_ground(expr.left.get()) &&
         is_ground(expr.right.get());
}

void set_location(Body* body, const Location& where) {
  if (body == nullptr) return;
  for (Expr& expr : body->exprs) rego::set_location(expr, where);
}

std::uint64_t node_count(const Body& body);

std::uint64_t node_count(const Expr& expr) {
  std::uint64_t count = 1;
  for (const Term& term : expr.terms) count += rego::node_count(term);
  for (const With& with : expr.with) count += rego::node_count(with.target) + rego::node_count(with.value);
  if (expr.every_body) count += rego::node_count(expr.every_domain) + node_count(*expr.every_body);
  if (expr.left) count += node_count(*expr.left);
  if (expr.right) count += node_count(*expr.right);
  return count;
}

std::uint64_t node_count(const Body& body) {
  std::uint64_t count = 0;
  for (const Expr& expr : body.exprs) count += node_count(expr);
  return count;
}

}  // namespace

std::string_view value_name(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: return "null";
    case TermKind::kBoolean: return "boolean";
    case TermKind::kNumber: return "number";
    case TermKind::kString: return "string";
    case TermKind::kVar: return "var";
    case TermKind::kRef: return "ref";
    case TermKind::kArray: return "array";
    case TermKind::kSet: return "set";
    case TermKind::kObject: return "object";
    case TermKind::kArrayComprehension: return "arraycomprehension";
    case TermKind::kSetComprehension: return "setcomprehension";
    case TermKind::kObjectComprehension: return "objectcomprehension";
    case TermKind::kCall: return "call";
    case TermKind::kTemplateString: return "templatestring";
    case TermKind::kTemplateExpr: return "expr";
  }
  return "";
}

bool is_ground(const Term& term) {
  if (term.kind == TermKind::kVar) return false;
  return all_ground(term.items, term.kind == TermKind::kRef ? 1 : 0) && is_ground(term.body.get());
}

std::uint64_t node_count(const Term& term) {
  std::uint64_t count = 1;
  for (const Term& item : term.items) count += node_count(item);
  if (term.body) count += node_count(*term.body);
  return count;
}

void set_location(Term& term, const Location& where) {
  term.location = where;
  for (Term& item : term.items) set_location(item, where);
  set_location(term.body.get(), where);
}

void set_location(Expr& expr, const Location& where) {
  expr.location = where;
  for (Term& term : expr.terms) set_location(term, where);
  for (With& with : expr.with) {
    with.location = where;
    set_location(with.target, where);
    set_location(with.value, where);
  }
  if (expr.every_key) set_location(*expr.every_key, where);
  if (expr.every_body) {
    set_location(expr.every_value, where);
    set_location(expr.every_domain, where);
    set_location(expr.every_body.get(), where);
  }
  set_location(expr.left.get(), where);
  set_location(expr.right.get(), where);
}

Body implicit_true_body(const Location& where) {
  Body body;
  Expr& expr = body.exprs.emplace_back();
  expr.location = where;
  expr.generated = true;
  expr.terms.push_back(Term::boolean_of(true, where));
  return body;
}

}  // namespace portcullis::rego
