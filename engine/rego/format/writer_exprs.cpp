// Bodies and expressions: calls, some, every, not, with.
#include <utility>

#include "engine/rego/format/walk.h"
#include "engine/rego/format/writer.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego::format {
namespace {

// The row where the expression's own terms end, `with` modifiers aside.
std::int64_t terms_end_row(const Expr& expr) {
  std::string_view text = expr.location.text;
  if (!expr.with.empty() && expr.with[0].location.offset > expr.location.offset) {
    text = text.substr(0, expr.with[0].location.offset - expr.location.offset);
  }
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return expr.location.row + newlines(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

bool is_logical(const Expr& expr) { return expr.kind == ExprKind::kAnd || expr.kind == ExprKind::kOr; }

// Whether the only expression after `not` needs parentheses to be read back as the same.
bool needs_parens_after_not(const Expr& expr) {
  return !expr.with.empty() || is_logical(expr) || expr.kind == ExprKind::kNot || leads_with_brace(expr);
}

}  // namespace

Fault Writer::body(const Body& body, Comments& comments) {
  if (Fault fault = insert_comments(comments, body.exprs[0].location)) return fault;
  for (std::size_t i = 0; i < body.exprs.size(); ++i) {
    const Expr& one = body.exprs[i];
    if (i > 0 && one.location.row > end_row(body.exprs[i - 1].location) + 1) blank_line();
    start_line();
    record(expr(one, comments));
    end_line();
  }
  return {};
}

Fault Writer::expr(const Expr& expr, Comments& comments) {
  const bool parens = paren_expr_ == &expr;
  if (parens) paren_expr_ = nullptr;
  if (Fault fault = insert_comments(comments, expr.location)) return fault;
  if (!inline_) start_line();
  const bool negated_group = expr.negated && is_logical(expr);
  if (expr.negated) write(negated_group ? "not (" : "not ");
  if (parens) write("(");
  if (Fault fault = expr_terms(expr, comments)) return fault;
  if (parens) write(")");
  if (negated_group) write(")");
  return expr.with.empty() ? Fault{} : with_modifiers(expr, comments);
}

Fault Writer::expr_terms(const Expr& expr, Comments& comments) {
  Fault fault;
  switch (expr.kind) {
    case ExprKind::kTerm: return term(expr.terms[0], comments);
    case ExprKind::kCall: return function_call(expr.terms, comments);
    case ExprKind::kSome: fault = some(expr, comments); break;
    case ExprKind::kEvery: fault = every(expr, comments); break;
    case ExprKind::kNot: fault = negation(expr, comments); break;
    case ExprKind::kAnd:
    case ExprKind::kOr: fault = logical(expr, comments); break;
  }
  return fault ? drop(comments, std::move(fault)) : Fault{};
}

// A `with` on the line where the terms end stays there; the others keep their own lines, indented.
Fault Writer::with_modifiers(const Expr& expr, Comments& comments) {
  std::int64_t row = terms_end_row(expr);
  std::size_t next = 0;
  if (expr.with[0].location.row == row) {
    if (Fault fault = with(expr.with[0], comments, false)) return fault;
    next = 1;
  }
  bool indented = false;
  Fault fault;
  for (; next < expr.with.size() && !fault; ++next) {
    const bool own_line = expr.with[next].location.row > row;
    if (own_line) {
      if (!indented) up();
      indented = true;
      end_line();
      start_line();
      row = expr.with[next].location.row;
    }
    fault = with(expr.with[next], comments, own_line);
  }
  if (indented) down();
  return fault;
}

Fault Writer::with(const With& with, Comments& comments, bool indented) {
  if (Fault fault = insert_comments(comments, with.location)) return drop(comments, std::move(fault));
  write(indented ? "with " : " with ");
  if (Fault fault = term(with.target, comments)) return drop(comments, std::move(fault));
  write(" as ");
  Fault fault = term(with.value, comments);
  if (fault && !fault.is_comment()) return fault;
  return {};  // a comment in the way: the value stands there as it was
}

Fault Writer::some(const Expr& expr, Comments& comments) {
  if (Fault fault = insert_comments(comments, expr.location)) return drop(comments, std::move(fault));
  write("some ");
  if (expr.terms[0].kind == TermKind::kCall) {
    const std::vector<Term>& call = expr.terms[0].items;
    std::size_t arity = 0;
    is_infix(call[0], arity);
    if (Fault fault = membership(false, std::span(call).subspan(1), arity, expr.location, comments)) {
      return drop(comments, std::move(fault));
    }
    return {};
  }
  std::int64_t row = expr.location.row;
  for (std::size_t i = 0; i < expr.terms.size(); ++i) {
    const Term& name = expr.terms[i];
    if (name.location.row > row) {
      end_line();
      start_line();
      write("\t");
      row = name.location.row;
    } else if (i > 0) {
      write(" ");
    }
    if (Fault fault = term(name, comments)) return drop(comments, std::move(fault));
    if (i + 1 < expr.terms.size()) write(",");
  }
  return {};
}

Fault Writer::every(const Expr& expr, Comments& comments) {
  if (Fault fault = insert_comments(comments, expr.location)) return drop(comments, std::move(fault));
  write("every ");
  if (expr.every_key) {
    if (Fault fault = term(*expr.every_key, comments)) return drop(comments, std::move(fault));
    write(", ");
  }
  if (Fault fault = term(expr.every_value, comments)) return drop(comments, std::move(fault));
  write(" in ");
  if (Fault fault = term(expr.every_domain, comments)) return drop(comments, std::move(fault));
  write(" {");
  Fault fault = comprehension_body('{', '}', *expr.every_body, expr.location, expr.location, comments);
  if (fault && !fault.is_comment()) return drop(comments, std::move(fault));
  const std::vector<Expr>& body = expr.every_body->exprs;
  write(body.size() == 1 && body[0].location.row == expr.location.row ? " }" : "}");
  return {};
}

Fault Writer::negation(const Expr& expr, Comments& comments) {
  if (Fault fault = insert_comments(comments, expr.location)) return drop(comments, std::move(fault));
  write("not ");
  const std::vector<Expr>& body = expr.left->exprs;
  if (expr.left_braces || body.size() > 1) {
    if (is_union(body[0])) paren_expr_ = &body[0];
    write("{");
    Fault fault = comprehension_body('{', '}', *expr.left, expr.location, expr.location, comments);
    if (fault && !fault.is_comment()) return drop(comments, std::move(fault));
    write(body.back().location.row == expr.location.row ? " }" : "}");
    return {};
  }
  const bool parens = needs_parens_after_not(body[0]);
  if (parens) write("(");
  Fault fault = this->expr(body[0], comments);
  if (fault && !fault.is_comment()) return drop(comments, std::move(fault));
  if (parens) write(")");
  return {};
}

// Infix operators stand between their operands, also where the result goes to a variable: z = x + y.
Fault Writer::function_call(const std::vector<Term>& terms, Comments& comments) {
  std::size_t arity = 0;
  if (!is_infix(terms[0], arity)) return plain_call(terms, comments);
  const std::span<const Term> operands = std::span(terms).subspan(1);
  const std::string name = to_string(terms[0]);
  if (infix_of(name) == "in") return membership(false, operands, arity, terms[0].location, comments);
  if (operands.size() != arity && operands.size() != arity + 1) {
    arity_error(operands, name, terms[0].location);
    return plain_call(terms, comments);
  }
  if (operands.size() == arity + 1) {
    if (Fault fault = term(operands[2], comments)) return drop(comments, std::move(fault));
    write(" = ");
    if (Fault fault = term(operands[0], comments)) return drop(comments, std::move(fault));
    write(" " + std::string(infix_of(name)) + " ");
    if (Fault fault = term(operands[1], comments)) return drop(comments, std::move(fault));
    return {};
  }
  if (Fault fault = term(operands[0], comments)) return drop(comments, std::move(fault));
  write(" " + std::string(infix_of(name)) + " ");
  return term(operands[1], comments);
}

}  // namespace portcullis::rego::format
