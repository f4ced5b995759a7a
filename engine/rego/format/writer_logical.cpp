// Chains of `and` and `or`, and what their operands need to be read back as the same.
#include <algorithm>
#include <utility>

#include "engine/rego/format/writer.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego::format {
namespace {

bool is_logical(const Expr& expr) { return expr.kind == ExprKind::kAnd || expr.kind == ExprKind::kOr; }

bool operand_needs_parens(const Expr& expr, bool under_and, bool is_right) {
  if (!expr.with.empty()) return true;
  if (expr.kind == ExprKind::kOr) return under_and || is_right;
  if (expr.kind == ExprKind::kAnd) return under_and && is_right;
  return leads_with_brace(expr);
}

std::int64_t body_end_row(const Body& body) {
  if (body.exprs.empty()) return 0;
  const Location& where = body.exprs.back().location;
  const std::size_t last = where.text.find_last_not_of(" \t\r\n");
  return where.row + newlines(where.text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

// The place of the brace that opens an operand, found backwards from what stands in it.
Location brace_of(const Location& node, const Body& body) {
  if (body.exprs.empty()) return node;
  const std::uint32_t inside = body.exprs[0].location.offset;
  if (inside < node.offset) return node;
  const std::size_t until = std::min<std::size_t>(inside - node.offset, node.text.size());
  const std::size_t at = until == 0 ? std::string_view::npos : node.text.rfind('{', until - 1);
  if (at == std::string_view::npos) return node;
  Location brace = node;
  brace.row += static_cast<std::uint32_t>(newlines(node.text.substr(0, at)));
  brace.offset += static_cast<std::uint32_t>(at);
  brace.text = node.text.substr(at);
  return brace;
}

// The term that an infix call is written to begin with, or null.
const Term* leading_operand(const std::vector<Term>& terms, bool may_assign) {
  std::size_t arity = 0;
  if (terms.empty() || !is_infix(terms[0], arity)) return nullptr;
  if (terms.size() == arity + 1) return &terms[1];
  if (may_assign && terms.size() == arity + 2) return &terms.back();
  return nullptr;
}

}  // namespace

struct Writer::Operand {
  const Body* body = nullptr;
  bool braces = false;
  bool parens = false;
  Location brace;
};

struct Writer::Step {
  std::string_view name;
  Operand right;
  std::int64_t left_end = 0;  // the row where all to the left of the operator ends
};

bool is_infix(const Term& op, std::size_t& arity) {
  const std::string name = to_string(op);
  if (infix_of(name).empty()) return false;
  arity = name == "internal.member_3" ? 3 : 2;
  return true;
}

bool is_union(const Term& term) {
  if (term.kind != TermKind::kCall) return false;
  const Term& op = term.items[0];
  return op.kind == TermKind::kRef && op.items.size() == 1 && op.items[0].is_var("or");
}

bool is_union(const Expr& expr) {
  if (expr.kind != ExprKind::kCall || expr.terms.size() != 3) return false;
  const Term& op = expr.terms[0];
  return op.kind == TermKind::kRef && op.items.size() == 1 && op.items[0].is_var("or");
}

bool leads_with_brace(const Term& term) {
  switch (term.kind) {
    case TermKind::kSet: return !term.items.empty();
    case TermKind::kObject:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return true;
    case TermKind::kRef: return !term.items.empty() && leads_with_brace(term.items[0]);
    case TermKind::kCall: {
      const Term* first = leading_operand(term.items, false);
      return first != nullptr && leads_with_brace(*first);
    }
    default: return false;
  }
}

bool leads_with_brace(const Expr& expr) {
  if (expr.kind == ExprKind::kTerm) return leads_with_brace(expr.terms[0]);
  if (expr.kind != ExprKind::kCall) return false;
  const Term* first = leading_operand(expr.terms, true);
  return first != nullptr && leads_with_brace(*first);
}

// A union at the beginning of a body would be read as a comprehension: it gets parentheses.
void Writer::mark_leading_union(const Expr& expr) {
  if (expr.negated) return;
  if (is_logical(expr)) {
    std::vector<Step> steps;
    const Operand first = flatten(expr, steps);
    if (!first.braces && !first.parens) mark_leading_union(first.body->exprs[0]);
    return;
  }
  if (is_union(expr)) {
    paren_expr_ = &expr;
    return;
  }
  if (expr.kind != ExprKind::kCall) return;
  const Term* first = leading_operand(expr.terms, true);
  if (first != nullptr && is_union(*first)) paren_term_ = first;
}

// Chains lean to the left: (a and b) and c is one chain of three operands.
Writer::Operand Writer::flatten(const Expr& expr, std::vector<Step>& steps) const {
  const bool is_and = expr.kind == ExprKind::kAnd;
  const auto make = [&](const Body& body, bool braces, bool is_right) {
    Operand operand;
    operand.body = &body;
    operand.braces = braces || body.exprs.size() != 1;
    if (operand.braces) {
      operand.brace = brace_of(expr.location, body);
    } else {
      operand.parens = operand_needs_parens(body.exprs[0], is_and, is_right);
    }
    return operand;
  };
  Step step;
  step.name = is_and ? "and" : "or";
  step.right = make(*expr.right, expr.right_braces, true);
  const Body& left = *expr.left;
  if (!expr.left_braces && left.exprs.size() == 1 && is_logical(left.exprs[0]) &&
      !operand_needs_parens(left.exprs[0], is_and, false)) {
    step.left_end = body_end_row(left);
    Operand first = flatten(left.exprs[0], steps);
    steps.push_back(std::move(step));
    return first;
  }
  Operand first = make(left, expr.left_braces, false);
  const std::int64_t closing = first.braces ? closing_row(0, 0, '{', '}', first.brace) : 0;
  step.left_end = closing > 0 ? closing : body_end_row(left);
  steps.push_back(std::move(step));
  return first;
}

Fault Writer::logical(const Expr& expr, Comments& comments) {
  std::vector<Step> steps;
  const Operand first = flatten(expr, steps);
  Fault fault = operand(first, comments);
  if (fault && !fault.is_comment()) return fault;
  fault = {};
  bool indented = false;
  for (const Step& step : steps) {
    write(" ");
    write(step.name);
    const std::int64_t row = step.right.braces ? step.right.brace.row : step.right.body->exprs[0].location.row;
    if (row > step.left_end) {
      if (!indented) up();
      indented = true;
      end_line();
      start_line();
    } else {
      write(" ");
    }
    fault = operand(step.right, comments);
    if (fault && !fault.is_comment()) break;
    fault = {};
  }
  if (indented) down();
  return fault;
}

Fault Writer::operand(const Operand& operand, Comments& comments) {
  const std::vector<Expr>& exprs = operand.body->exprs;
  if (!operand.braces) {
    if (operand.parens) write("(");
    Fault fault = expr(exprs[0], comments);
    if (operand.parens) write(")");
    return fault;
  }
  if (exprs.empty()) {
    write("{}");
    return {};
  }
  if (is_union(exprs[0])) paren_expr_ = &exprs[0];
  write("{");
  Fault fault = comprehension_body('{', '}', *operand.body, operand.brace, operand.brace, comments);
  if (fault && !fault.is_comment()) return fault;
  write(exprs.back().location.row == operand.brace.row ? " }" : "}");
  return {};
}

}  // namespace portcullis::rego::format
