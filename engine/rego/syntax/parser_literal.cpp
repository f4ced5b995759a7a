// Bodies and the expressions in them: with, some, every, plain expressions.
#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

// 2 or 3 for a membership call with that many arguments' builtin, 0 for anything else.
int membership(const Term& term) {
  if (term.kind != TermKind::kCall) return 0;
  const std::string name = to_string(term.items[0]);
  if (name == "internal.member_2") return 2;
  if (name == "internal.member_3") return 3;
  return 0;
}

void append(Body& body, Expr expr) {
  expr.index = static_cast<std::uint32_t>(body.exprs.size());
  body.exprs.push_back(std::move(expr));
}

}  // namespace

MaybeBody Parser::parse_body(Token end) {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  return parse_query(false, end);
}

MaybeBody Parser::parse_query(bool require_semicolon, Token end) {
  if (s_.token == end) {
    error(s_.location, "found empty body");
    return std::nullopt;
  }
  Body body;
  const std::uint32_t links = s_.links;
  std::uint32_t most = links;
  for (;;) {
    s_.links = links;  // literals stand beside each other; only the longest counts for what is around the body
    MaybeExpr expr = parse_literal();
    if (!expr) return std::nullopt;
    s_.links = most = std::max(most, s_.links);
    append(body, std::move(*expr));
    if (s_.token == Token::kSemicolon) {
      scan();
      continue;
    }
    if (s_.token == end || require_semicolon) return body;
    if (!s_.skipped_newline) {
      if (!failed()) {
        hint_missing_infix();
        illegal("expected \\n or ; or " + std::string(token_name(end)));
      }
      return std::nullopt;
    }
  }
}

MaybeExpr Parser::parse_literal() {
  const Location start = s_.location;
  MaybeExpr expr = parse_literal_inner();
  if (!expr) return expr;
  expr->location = span(start);
  // A plain `not x` under future.keywords.not: the inner expression's place includes the `not`.
  if (expr->kind == ExprKind::kNot && !expr->left_braces) {
    for (Expr& inner : expr->left->exprs) inner.location = expr->location;
  }
  return expr;
}

MaybeExpr Parser::parse_literal_inner() {
  if (s_.token == Token::kLBrace && logical_on()) {
    const State start = s_;
    // What the attempt keeps must go: it has the attempt's errors in it.
    std::vector<CachedTerm> later;
    while (!cache_.empty() && cache_.back().offset >= start.location.offset) {
      later.push_back(std::move(cache_.back()));
      cache_.pop_back();
    }
    scan();
    if (MaybeBody body = parse_body(Token::kRBrace)) {
      scan();
      if (at_logical()) {
        if (ambiguous_union(*body)) {
          error_ambiguous_union(start.location, start.location.offset, *body, {});
          return std::nullopt;
        }
        return attach_with(parse_or_chain({std::move(*body), true, start.location}));
      }
    }
    s_ = start;
    while (!cache_.empty() && cache_.back().offset >= start.location.offset) cache_.pop_back();
    cache_.insert(cache_.end(), std::make_move_iterator(later.rbegin()), std::make_move_iterator(later.rend()));
  }
  if (s_.token == Token::kLParen && logical_on()) {
    Operand operand;
    const Group group = parse_group(false, {}, operand);
    if (group == Group::kFailed) return std::nullopt;
    if (group == Group::kParsed) return fold_logical(std::move(operand));
  }
  if (ref_ahead()) return parse_literal_expr(false, nullptr);

  const bool negated = is_negated();
  const Location not_location = s_.location;
  if (negated) scan();
  if (negated && not_bodies_ && s_.token == Token::kLBrace) {
    MaybeExpr expr = parse_not_body(not_location);
    if (!expr) return expr;
    Operand operand{{}, false, expr->location};
    append(operand.body, std::move(*expr));
    return fold_logical(std::move(operand));
  }
  if (s_.token == Token::kSome || s_.token == Token::kEvery) {
    const bool some = s_.token == Token::kSome;
    if (!negated) return some ? parse_some() : parse_every();
    illegal(some ? "illegal negation of 'some'" : "illegal negation of 'every'");
    return std::nullopt;
  }
  return parse_literal_expr(negated, negated ? &not_location : nullptr);
}

MaybeExpr Parser::parse_literal_expr(bool negated, const Location* not_location) {
  const State start = s_;
  if (negated && not_bodies_ && s_.token == Token::kLParen) {
    Operand operand;
    const Group group = parse_group(true, "not ", operand);
    if (group == Group::kFailed) return std::nullopt;
    if (group == Group::kParsed) {
      const Location where = span(*not_location);
      Operand outer{{}, false, where};
      append(outer.body, not_expr(std::move(operand.body), operand.braces, where));
      return fold_logical(std::move(outer));
    }
  }
  MaybeExpr expr = parse_expr();
  if (!expr) return expr;
  Location with_location;
  if (s_.token == Token::kWith) {
    with_location = s_.location;
    if (!parse_with(expr->with)) return std::nullopt;
  }
  hint_every(*expr, start);
  return finish_literal(std::move(*expr), negated, not_location, start, with_location);
}

// Negation, and an `and`/`or` that may follow.
MaybeExpr Parser::finish_literal(Expr expr, bool negated, const Location* not_location, const State& start,
                                 const Location& with_location) {
  if (negated && not_bodies_) {
    const Location where = not_location != nullptr ? span(*not_location) : Location();
    std::vector<With> with = std::exchange(expr.with, {});
    Body body;
    append(body, std::move(expr));
    expr = not_expr(std::move(body), false, where);
    expr.with = std::move(with);
  } else {
    expr.negated = negated;
  }
  if (!at_logical()) return expr;
  if (with_location.row != 0) {
    error_with_on_operand(with_location, token_name(s_.token));
    return std::nullopt;
  }
  if (expr.location.row == 0) expr.location = span(start.location);
  if (not_location == nullptr && !expr.location.text.empty() && expr.location.text[0] == '{') {
    if (expr.kind == ExprKind::kTerm && expr.with.empty() && expr.terms[0].kind == TermKind::kObject &&
        expr.terms[0].items.empty()) {
      error(expr.location, "found empty body");
    } else {
      error_brace_operand(expr.location, expr.location.text, token_name(s_.token));
    }
    return std::nullopt;
  }
  Operand operand{{}, false, expr.location};
  append(operand.body, std::move(expr));
  return attach_with(parse_or_chain(std::move(operand)));
}

// In v0 `every` is a plain name: if reading it as the keyword works, say how to get it.
void Parser::hint_every(const Expr& expr, const State& start) {
  const bool v0 = options_.version == RegoVersion::kV0 || options_.version == RegoVersion::kV0CompatV1;
  if (!v0 || expr.kind != ExprKind::kTerm || !expr.terms[0].is_var("every")) return;
  const State here = s_;
  s_ = start;
  const bool works = with_future_keywords([&] {
    MaybeExpr every = parse_every();
    return every && every->kind == ExprKind::kEvery;
  });
  s_ = here;
  if (works) hint("`import future.keywords.every` for `every x in xs { ... }` expressions");
}

bool Parser::parse_with(std::vector<With>& with) {
  do {
    Location where = s_.location;
    scan();
    if (s_.token != Token::kIdent) {
      illegal("expected ident");
      return false;
    }
    MaybeTerm target = parse_term();
    if (!target) return false;
    if (target->kind != TermKind::kRef && target->kind != TermKind::kVar) illegal("expected with target path");
    if (s_.token != Token::kAs) {
      illegal("expected as keyword");
      return false;
    }
    scan();
    MaybeTerm value = parse_term_infix();
    if (!value) return false;
    with.push_back({span(where), std::move(*target), std::move(*value)});
  } while (s_.token == Token::kWith);
  return true;
}

void Parser::hint_missing_infix() {
  if (s_.hints >= 0) return;
  std::string keyword = "in";
  if (s_.token == Token::kIdent) {
    keyword = s_.text;
    if (keyword != "in" && keyword != "and" && keyword != "or") return;
  } else if (s_.token == Token::kComma) {
    const State here = s_;
    scan();
    const bool works = with_future_keywords([&] {
      const MaybeTerm term = parse_term_infix();
      return term && membership(*term) != 0;
    });
    s_ = here;
    if (!works) return;
  } else {
    return;
  }
  const std::string example = keyword == "in" ? "x in xs" : "x " + keyword + " y";
  hint("`import future.keywords." + keyword + "` for `" + example + "` expressions");
}

MaybeExpr Parser::parse_some() {
  Expr expr;
  expr.kind = ExprKind::kSome;
  expr.location = s_.location;
  const State start = s_;
  scan();
  MaybeTerm term = parse_term_infix();
  if (term && term->kind == TermKind::kCall) {
    const int arguments = membership(*term);
    if (arguments == 0) {
      illegal("expected `x in xs` or `x, y in xs` expression");
      return std::nullopt;
    }
    if (term->items.size() != static_cast<std::size_t>(arguments) + 1) {
      illegal("illegal domain");
      return std::nullopt;
    }
    expr.terms.push_back(std::move(*term));
    if (s_.token == Token::kWith && !parse_with(expr.with)) return std::nullopt;
    return expr;
  }
  s_ = start;
  if (hint_some_in()) hint("`import future.keywords.in` for `some x in xs` expressions");
  do {
    scan();
    if (s_.token != Token::kIdent) {
      illegal("expected var");
      return std::nullopt;
    }
    expr.terms.push_back(parse_var());
    scan();
  } while (s_.token == Token::kComma);
  return expr;
}

bool Parser::hint_some_in() {
  if (options_.version != RegoVersion::kV0 && options_.version != RegoVersion::kV0CompatV1) return false;
  const State start = s_;
  scan();
  const bool works = with_future_keywords([&] {
    const MaybeTerm term = parse_term_infix();
    return term && membership(*term) != 0;
  });
  s_ = start;
  return works;
}

MaybeExpr Parser::parse_every() {
  Expr expr;
  expr.kind = ExprKind::kEvery;
  expr.location = s_.location;
  scan();
  MaybeTerm term = parse_term_infix();
  if (!term) return std::nullopt;
  const int arguments = membership(*term);
  if (arguments == 0) {
    illegal("expected `x[, y] in xs { ... }` expression");
    return std::nullopt;
  }
  if (term->items.size() != static_cast<std::size_t>(arguments) + 1) {
    illegal("illegal domain");
    return std::nullopt;
  }
  std::size_t next = 1;
  if (arguments == 3) expr.every_key = std::move(term->items[next++]);
  expr.every_value = std::move(term->items[next++]);
  expr.every_domain = std::move(term->items[next]);
  if (expr.every_key && expr.every_key->kind != TermKind::kVar) {
    illegal("expected key to be a variable");
    return std::nullopt;
  }
  if (expr.every_value.kind != TermKind::kVar) {
    illegal("expected value to be a variable");
    return std::nullopt;
  }
  if (s_.token != Token::kLBrace) {
    illegal("missing body");
    return std::nullopt;
  }
  scan();
  MaybeBody body = parse_body(Token::kRBrace);
  if (!body) return std::nullopt;
  scan();
  expr.every_body = std::make_unique<Body>(std::move(*body));
  if (s_.token == Token::kWith && !parse_with(expr.with)) return std::nullopt;
  return expr;
}

MaybeExpr Parser::parse_expr() {
  MaybeTerm left = parse_term_infix();
  if (!left) return std::nullopt;
  Expr expr;
  if (s_.token == Token::kAssign || s_.token == Token::kUnify) {
    expr.kind = ExprKind::kCall;
    expr.terms.push_back(operator_term({token_name(s_.token)}));
    MaybeTerm right = parse_term_infix();
    if (!right) return std::nullopt;
    expr.terms.push_back(std::move(*left));
    expr.terms.push_back(std::move(*right));
  } else if (left->kind == TermKind::kCall) {
    expr.kind = ExprKind::kCall;
    expr.terms = std::move(left->items);
  } else {
    expr.terms.push_back(std::move(*left));
  }
  return expr;
}

}  // namespace portcullis::rego
