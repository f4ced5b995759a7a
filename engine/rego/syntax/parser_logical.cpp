// `and`, `or` and `not` with bodies (future.keywords.and/or/not, rego.v2), and what may not stand in their operands.
#include <utility>

#include "base/text.h"
#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

Body body_of(Expr expr) {
  Body body;
  expr.index = 0;
  body.exprs.push_back(std::move(expr));
  return body;
}

// The value that the leading brace of an expression opens: of an infix call, its left operand's.
const Term& brace_led(const Term& term) {
  if (term.kind == TermKind::kCall && !term.items.empty()) {
    const std::string name = to_string(term.items[0]);
    const std::size_t arity = name == "internal.member_3" ? 3 : 2;
    if (!infix_of(name).empty() && term.items.size() == arity + 1) return brace_led(term.items[1]);
  }
  return term;  // NOLINT(bugprone-return-const-ref-from-parameter): callers hold the term
}

// The first void builtin that a body of nothing but calls to such builtins calls.
const Expr* void_call(const Body& body) {
  for (const Expr& expr : body.exprs) {
    if (expr.negated || expr.kind != ExprKind::kCall || !is_void_builtin(expr.operator_name())) return nullptr;
  }
  return body.exprs.empty() ? nullptr : &body.exprs.front();
}

bool is_logical_body(const Body& body) {
  return body.exprs.size() == 1 && (body.exprs[0].kind == ExprKind::kAnd || body.exprs[0].kind == ExprKind::kOr);
}

bool is_negated_body(const Body& body) {
  return body.exprs.size() == 1 && (body.exprs[0].negated || body.exprs[0].kind == ExprKind::kNot);
}

}  // namespace

bool Parser::logical_on() const { return (keywords() & (kKeywordAnd | kKeywordOr)) != 0; }

bool Parser::is_negated() {
  if (s_.token != Token::kNot) return false;
  const Token next = peek(false);
  return next != Token::kDot && next != Token::kLBrack;
}

Expr Parser::not_expr(Body body, bool braces, const Location& where) {
  Expr expr;
  expr.kind = ExprKind::kNot;
  expr.location = where;
  expr.left = std::make_unique<Body>(std::move(body));
  expr.left_braces = braces;
  return expr;
}

MaybeExpr Parser::attach_with(MaybeExpr expr) {
  if (expr && s_.token == Token::kWith) {
    expr->with.clear();
    if (!parse_with(expr->with)) return std::nullopt;
  }
  return expr;
}

MaybeExpr Parser::fold_logical(Operand operand) {
  if (at_logical()) return attach_with(parse_or_chain(std::move(operand)));
  return attach_with(std::move(operand.body.exprs[0]));
}

MaybeExpr Parser::parse_not_body(const Location& not_location) {
  const Location brace = s_.location;
  const State start = s_;
  scan();
  const bool empty = s_.token == Token::kRBrace;
  MaybeBody body = parse_body(Token::kRBrace);
  if (!body) {
    if (empty) return std::nullopt;
    // The braces may hold a value; if not, the body's own error stands.
    const State failed_at = s_;
    s_ = start;
    if (const MaybeTerm term = parse_term_infix()) {
      error_brace_value(brace, text_between(brace.offset, s_.last_end), *term, "not ");
      return std::nullopt;
    }
    s_ = failed_at;
    return std::nullopt;
  }
  scan();
  if (ambiguous_union(*body)) {
    error_ambiguous_union(brace, brace.offset, *body, "not ");
    return std::nullopt;
  }
  return not_expr(std::move(*body), true, span(not_location));
}

Expr Parser::join_operands(ExprKind kind, Operand left, Operand right) {
  check_void_operands(left.body, right.body, kind == ExprKind::kAnd ? "and" : "or");
  Expr expr;
  expr.kind = kind;
  expr.location = span(left.location);
  expr.left = std::make_unique<Body>(std::move(left.body));
  expr.right = std::make_unique<Body>(std::move(right.body));
  expr.left_braces = left.braces;
  expr.right_braces = right.braces;
  return expr;
}

MaybeExpr Parser::parse_or_chain(Operand left) {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  if (s_.token == Token::kLogicalAnd) {
    MaybeExpr chain = parse_and_chain(std::move(left));
    if (!chain) return chain;
    const Location where = chain->location;
    left = {body_of(std::move(*chain)), false, where};
  }
  while (s_.token == Token::kLogicalOr) {
    scan();
    std::optional<Operand> right = parse_operand("or");
    if (!right || !add_link()) return std::nullopt;
    if (s_.token == Token::kLogicalAnd) {
      const Location where = right->location;
      MaybeExpr chain = parse_and_chain(std::move(*right));
      if (!chain) return chain;
      right = Operand{body_of(std::move(*chain)), false, where};
    }
    Expr expr = join_operands(ExprKind::kOr, std::move(left), std::move(*right));
    const Location where = expr.location;
    left = {body_of(std::move(expr)), false, where};
  }
  return std::move(left.body.exprs[0]);
}

MaybeExpr Parser::parse_and_chain(Operand left) {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  while (s_.token == Token::kLogicalAnd) {
    scan();
    std::optional<Operand> right = parse_operand("and");
    if (!right || !add_link()) return std::nullopt;
    Expr expr = join_operands(ExprKind::kAnd, std::move(left), std::move(*right));
    const Location where = expr.location;
    left = {body_of(std::move(expr)), false, where};
  }
  return std::move(left.body.exprs[0]);
}

// `op` is the operator the operand belongs to; empty when the caller only tries.
std::optional<Parser::Operand> Parser::parse_operand(std::string_view op) {
  if (s_.token == Token::kLBrace) return parse_braced_operand(op);
  const bool negated = is_negated();
  const Location not_location = s_.location;
  if (negated) scan();
  if (negated && not_bodies_ && s_.token == Token::kLBrace) {
    MaybeExpr expr = parse_not_body(not_location);
    if (!expr) return std::nullopt;
    const Location where = expr->location;
    return Operand{body_of(std::move(*expr)), false, where};
  }
  if (s_.token == Token::kLParen && logical_on() && (!negated || not_bodies_)) {
    Operand operand;
    const Group group = parse_group(true, negated ? "not " : "", operand);
    if (group == Group::kFailed) return std::nullopt;
    if (group == Group::kParsed) {
      if (!negated) return operand;
      const Location where = span(not_location);
      return Operand{body_of(not_expr(std::move(operand.body), operand.braces, where)), false, where};
    }
  }
  return parse_plain_operand(negated, not_location);
}

std::optional<Parser::Operand> Parser::parse_plain_operand(bool negated, const Location& not_location) {
  const Location start = s_.location;
  MaybeExpr expr = parse_expr();
  if (!expr) return std::nullopt;
  expr->location = span(start);
  if (negated && not_bodies_) {
    expr = not_expr(body_of(std::move(*expr)), false, span(not_location));
  } else if (negated) {
    expr->negated = true;
  }
  const Location where = expr->location;
  return Operand{body_of(std::move(*expr)), false, where};
}

std::optional<Parser::Operand> Parser::parse_braced_operand(std::string_view op) {
  const Location brace = s_.location;
  const State start = s_;
  scan();
  const bool empty = s_.token == Token::kRBrace;
  MaybeBody body = parse_body(Token::kRBrace);
  if (!body) {
    if (empty || op.empty()) return std::nullopt;
    const State failed_at = s_;
    s_ = start;
    if (parse_term_infix()) {
      error_brace_operand(brace, text_between(brace.offset, s_.last_end), op);
      return std::nullopt;
    }
    s_ = failed_at;
    return std::nullopt;
  }
  scan();
  // Reported, but the body is handed back: a group that backs up takes the error back too.
  if (ambiguous_union(*body)) error_ambiguous_union(brace, brace.offset, *body, {});
  return Operand{std::move(*body), true, brace};
}

// `(a or b)`, `(not a)`, `({ a } and b)`. Parentheses that hold a plain value are no group.
Parser::Group Parser::parse_group(bool operand_context, std::string_view prefix, Operand& result) {
  const Depth depth(*this);
  if (!depth.ok) return Group::kFailed;
  const State start = s_;
  scan();
  if (s_.token == Token::kRParen) {
    if (operand_context) {
      error(start.location, "empty parenthesized group");
      return Group::kFailed;
    }
    s_ = start;
    return Group::kNone;
  }
  std::optional<Operand> left = parse_operand({});
  if (!left) {
    s_ = start;
    return Group::kNone;
  }
  return finish_group(operand_context, prefix, start, std::move(*left), result);
}

Parser::Group Parser::close_group(Operand operand, const Location& open, Operand& result) {
  if (s_.token != Token::kRParen) {
    error(s_.location, "expected ) to close parenthesized group");
    return Group::kFailed;
  }
  scan();
  result = {std::move(operand.body), false, span(open)};
  return Group::kParsed;
}

Parser::Group Parser::finish_group(bool operand_context, std::string_view prefix, const State& start, Operand left,
                                   Operand& result) {
  const Location& open = start.location;
  if (at_logical()) {
    MaybeExpr expr = attach_with(parse_or_chain(std::move(left)));
    if (!expr) return Group::kFailed;
    return close_group({body_of(std::move(*expr)), false, {}}, open, result);
  }
  if (s_.token == Token::kWith && !left.braces && left.body.exprs.size() == 1) {
    const Location with_location = s_.location;
    MaybeExpr expr = attach_with(std::move(left.body.exprs[0]));
    if (!expr) return Group::kFailed;
    if (at_logical()) {
      error_with_on_operand(with_location, token_name(s_.token));
      return Group::kFailed;
    }
    const Group closed = close_group({body_of(std::move(*expr)), false, {}}, open, result);
    if (closed == Group::kFailed || operand_context || at_logical()) return closed;
    s_ = start;
    return Group::kNone;
  }
  if (left.braces) {
    const std::string_view braces = text_between(left.location.offset, s_.last_end);
    s_ = start;
    scan();
    const bool value = parse_term().has_value();
    s_ = start;
    if (value) return Group::kNone;
    hint("drop the parens to keep the body: `" + std::string(prefix) + std::string(braces) + "`");
    error(open, "`(...)` in an operand position cannot contain a body");
    return Group::kFailed;
  }
  if (is_logical_body(left.body) || is_negated_body(left.body)) return close_group(std::move(left), open, result);
  s_ = start;
  return Group::kNone;
}

// `{ x | y }` as an operand reads as a comprehension too.
bool Parser::ambiguous_union(const Body& body) const {
  if (body.exprs.empty()) return false;
  const Expr& first = body.exprs[0];
  if (first.kind != ExprKind::kCall || first.operator_name() != "or" || first.terms[0].location.text != "|") {
    return false;
  }
  const std::string_view text = text::trim(first.location.text);
  return first.location.row == 0 || text.empty() || text[0] != '(';
}

void Parser::error_ambiguous_union(const Location& where, std::size_t brace, const Body& body,
                                   std::string_view prefix) {
  const std::string braces{text_between(brace, s_.last_end)};
  std::string joined = braces;
  const Location& inner = body.exprs[0].location;
  if (inner.row != 0 && inner.offset > brace && inner.offset - brace + inner.text.size() <= braces.size()) {
    const std::size_t from = inner.offset - brace;
    joined = braces.substr(0, from) + "(" + std::string(inner.text) + ")" + braces.substr(from + inner.text.size());
  }
  const std::string p{prefix};
  hint("write `" + p + "(" + braces + ")` for the comprehension, or `" + p + joined + "` for the set union");
  error(where,
        "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension");
}

void Parser::error_brace_value(const Location& where, std::string_view operand, const Term& term,
                               std::string_view prefix) {
  const std::string p{prefix};
  const std::string text{operand};
  hint("write `" + p + "(" + text + ")` to negate the value, or `" + p + "{" + text + "}` for a body holding it");
  error(where,
        "`{...}` in an operand position must contain expression(s), got: " + std::string(value_name(brace_led(term))));
}

void Parser::error_brace_operand(const Location& where, std::string_view operand, std::string_view op) {
  hint("wrap the operand to keep the value: `(" + std::string(operand) + ") " + std::string(op) + " ...`");
  error(where, "operand of `" + std::string(op) + "` cannot begin with `{` unless the braces hold a body");
}

void Parser::error_with_on_operand(const Location& where, std::string_view op) {
  hint("Wrap the operand in `(...)` or `{...}` to scope, or move `with` after the `" + std::string(op) +
       "` expression to apply it to the whole expression");
  error(where, "`with` modifier is not allowed on operand of `" + std::string(op) + "`");
}

void Parser::check_void_operands(const Body& left, const Body& right, std::string_view op) {
  for (const Body* body : {&left, &right}) {
    const Expr* call = void_call(*body);
    if (call == nullptr) continue;
    const std::string name = call->operator_name();
    hint("`" + name +
         "` produces no value and always succeeds, so the operand can never fail; move it out of the operand, or add "
         "an expression that can fail");
    error(call->location, "operand of `" + std::string(op) + "` cannot consist only of calls to `" + name + "`");
  }
}

}  // namespace portcullis::rego
