// Rules: heads, bodies, else, chained bodies.
#include <algorithm>
#include <utility>

#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

bool is_wildcard(const Term& term) { return term.kind == TermKind::kVar && !term.text.empty() && term.text[0] == '$'; }

bool is_comparison_or_arithmetic(Token token) {
  switch (token) {
    case Token::kAdd:
    case Token::kSub:
    case Token::kMul:
    case Token::kQuo:
    case Token::kRem:
    case Token::kAnd:
    case Token::kOr:
    case Token::kEqual:
    case Token::kNeq:
    case Token::kGt:
    case Token::kGte:
    case Token::kLt:
    case Token::kLte: return true;
    default: return false;
  }
}

void set_head_location(Head& head, const Location& where) {
  head.location = where;
  set_location(head.reference, where);
  for (Term& argument : head.arguments) set_location(argument, where);
  if (head.key) set_location(*head.key, where);
  if (head.value) set_location(*head.value, where);
}

Term true_term(const Location& where) { return Term::boolean_of(true, where); }

// Calls `report` for what a default value must not contain; comprehensions are closures and may.
template <typename F>
void find_illegal_default(const Term& term, F&& report) {
  switch (term.kind) {
    case TermKind::kRef:
    case TermKind::kVar:
    case TermKind::kCall: report(value_name(term)); return;
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return;
    case TermKind::kTemplateExpr:
      for (const Expr& expr : term.body->exprs) {
        for (const Term& inner : expr.terms) find_illegal_default(inner, report);
      }
      return;
    default:
      for (const Term& item : term.items) find_illegal_default(item, report);
  }
}

}  // namespace

bool Parser::parse_rules(std::vector<Statement>& statements) {
  Rule rule;
  rule.location = s_.location;
  ref_ahead();
  if (s_.token == Token::kDefault) {
    scan();
    rule.is_default = true;
    ref_ahead();
  }
  if (s_.token != Token::kIdent) {
    if (rule.is_default) keyword_rule_name(true);
    return false;
  }
  std::optional<Head> head = parse_head(rule.is_default);
  if (!head) return false;
  rule.head = std::move(*head);

  if (rule.is_default) {
    if (!valid_default_value(rule)) return false;
    if (!rule.head.arguments.empty() && !valid_default_arguments(rule)) return false;
    rule.body = implicit_true_body(rule.location);
    Statement statement{StatementKind::kRule, rule.location, {}, {}, std::move(rule), {}};
    statements.push_back(std::move(statement));
    return true;
  }

  const bool has_if = s_.token == Token::kIf;
  if (!adjust_head(rule, has_if)) return false;
  bool done = false;
  if (!parse_rule_body(rule, has_if, done)) return false;
  if (!done) {
    if (s_.token == Token::kElse && !ref_ahead()) {
      const Term& reference = rule.head.reference;
      if (reference.items.size() > 1 && !is_ground(reference)) {
        error(s_.location, "else keyword cannot be used on rules with variables in head");
        return false;
      }
      if (rule.head.key) {
        error(s_.location, "else keyword cannot be used on multi-value rules");
        return false;
      }
      rule.otherwise = parse_else(rule.head);
      if (!rule.otherwise) return false;
    }
    rule.location = span(rule.location);
  }
  const std::size_t at = statements.size();
  Statement statement{StatementKind::kRule, rule.location, {}, {}, std::move(rule), {}};
  statements.push_back(std::move(statement));
  if (done || s_.token != Token::kLBrace || parse_chained_bodies(at, statements)) return true;
  statements.resize(at);
  return false;
}

// The forms kept from before `if`: p[x] if …, p[x] = y if …, p[x] { … }.
bool Parser::adjust_head(Rule& rule, bool has_if) {
  Head& head = rule.head;
  const bool two_steps = head.arguments.empty() && head.reference.items.size() == 2;
  const bool named = head.reference.items[0].kind == TermKind::kVar;
  if (has_if && !head.uses_contains && head.reference.items.size() == 2) {
    const Term& last = head.reference.items[1];
    if ((!is_ground(last) || last.kind == TermKind::kRef) && head.arguments.empty()) head.key = last;
    if (!head.value) {
      head.generated_value = true;
      head.value = true_term(head.location);
    } else if (!named) {
      return false;
    }
  }
  if (!has_if && !head.uses_contains && two_steps) {
    if (!named) return false;
    head.key = head.reference.items[1];
    if (!head.value) head.reference.items.pop_back();
  }
  head.contains = head.key && !head.value;
  return true;
}

bool Parser::parse_rule_body(Rule& rule, bool has_if, bool& done) {
  if (has_if) {
    rule.head.uses_if = true;
    scan();
    const State start = s_;
    // Only braces are both a body and, maybe, a set: a set literal would be always true.
    const bool brace = s_.token == Token::kLBrace;
    if (MaybeExpr expr = parse_literal()) {
      if (!brace || expr->kind != ExprKind::kTerm || expr->terms[0].kind != TermKind::kSet) {
        expr->index = 0;
        rule.body.exprs.push_back(std::move(*expr));
        return true;
      }
    }
    if (!brace) return false;
    s_ = start;
  } else if (s_.token != Token::kLBrace) {
    if (!rule.head.uses_contains) return false;
    rule.body = implicit_true_body(rule.location);
    rule.generated_body = true;
    rule.location = rule.head.location;
    done = true;
    return true;
  }
  scan();
  MaybeBody body = parse_body(Token::kRBrace);
  if (!body) return false;
  rule.body = std::move(*body);
  scan();
  return true;
}

// `p { a } { b }`: each further body is a rule of its own with the same head.
bool Parser::parse_chained_bodies(std::size_t first, std::vector<Statement>& statements) {
  while (s_.token == Token::kLBrace) {
    if (statements[first].rule.otherwise) {
      error(s_.location, "expected else keyword");
      return false;
    }
    Location where = s_.location;
    scan();
    MaybeBody body = parse_body(Token::kRBrace);
    if (!body) return false;
    scan();
    where = span(where);
    Statement statement{StatementKind::kRule, where, {}, {}, {}, {}};
    Rule& next = statement.rule;
    next.location = where;
    next.head = statements[first].rule.head;
    next.body = std::move(*body);
    refresh_wildcards(next.head.arguments);
    set_head_location(next.head, where);
    statements.push_back(std::move(statement));
  }
  return true;
}

void Parser::refresh_wildcards(std::vector<Term>& arguments) {
  for (Term& argument : arguments) {
    if (is_wildcard(argument)) argument.text = next_wildcard();
  }
}

std::unique_ptr<Rule> Parser::parse_else(const Head& head) {
  const Depth depth(*this);
  if (!depth.ok) return nullptr;
  auto rule = std::make_unique<Rule>();
  rule->location = s_.location;
  rule->head = head;
  rule->head.generated_value = false;
  rule->head.uses_if = false;
  rule->head.uses_contains = false;
  refresh_wildcards(rule->head.arguments);
  rule->head.location = s_.location;
  scan();
  switch (s_.token) {
    case Token::kLBrace:
    case Token::kIf:
      rule->head.generated_value = true;
      rule->head.value = true_term({});
      break;
    case Token::kAssign:
    case Token::kUnify: {
      rule->head.assigned = s_.token == Token::kAssign;
      scan();
      rule->head.value = parse_term_infix();
      if (!rule->head.value) return nullptr;
      rule->head.location = span(rule->head.location);
      break;
    }
    default: illegal("expected else value term or rule body"); return nullptr;
  }
  const bool bare = s_.token != Token::kIf && s_.token != Token::kLBrace;
  if (!bare && !parse_else_body(*rule, head)) return nullptr;
  rule->location = span(rule->location);
  if (bare) {
    rule->body = implicit_true_body(rule->location);
    rule->generated_body = true;
  }
  return rule;
}

bool Parser::parse_else_body(Rule& rule, const Head& head) {
  if (s_.token == Token::kIf) {
    rule.head.uses_if = true;
    scan();
  }
  bool bare_expression = false;
  if (s_.token == Token::kLBrace) {
    scan();
    MaybeBody body = parse_body(Token::kRBrace);
    if (!body) return false;
    rule.body = std::move(*body);
    scan();
  } else if (s_.token != Token::kEof) {
    MaybeExpr expr = parse_literal();
    if (!expr) return false;
    bare_expression = true;
    rule.body.exprs.push_back(std::move(*expr));
  } else {
    illegal("rule body expected");
    return false;
  }
  if (s_.token == Token::kElse) {
    rule.otherwise = parse_else(head);
    if (!rule.otherwise) return false;
  }
  if (bare_expression) set_location(rule.body.exprs[0], span(rule.location));
  return true;
}

std::optional<Head> Parser::parse_head(bool is_default) {
  const Location start = s_.location;
  MaybeTerm term = parse_head_finish(parse_var());
  if (!term) {
    illegal("expected rule head name");
    return std::nullopt;
  }
  const bool call = term->kind == TermKind::kCall;
  std::optional<Head> head = head_from(std::move(*term), start);
  if (!head) return std::nullopt;
  const std::string name = to_string(head->reference);
  if (s_.token == Token::kContains) {
    if (call) {
      illegal("the contains keyword can only be used with multi-value rule definitions (e.g., " + name +
              " contains <VALUE> { ... })");
    }
    scan();
    head->key = parse_term_infix();
    if (!head->key) illegal("expected rule key term (e.g., " + name + " contains <VALUE> { ... })");
    head->contains = true;
    head->uses_contains = true;
  } else {
    parse_head_value(*head, name, is_default);
    if (!head->value && (head->reference.items.size() != 2 || !head->arguments.empty())) {
      head->generated_value = true;
      head->value = true_term({});  // OPA's has no place either: the head's is set only afterwards
    }
  }
  head->location = span(start);
  return head;
}

std::optional<Head> Parser::head_from(Term term, const Location& start) {
  Head head;
  head.location = start;
  switch (term.kind) {
    case TermKind::kVar: {
      const Location where = term.location;
      head.reference = Term::ref({std::move(term)}, where);
      return head;
    }
    case TermKind::kRef: head.reference = std::move(term); return head;
    case TermKind::kCall: {
      Term& op = term.items[0];
      if (op.kind == TermKind::kRef && op.items[0].kind != TermKind::kVar) {
        illegal("rule head ref " + to_string(op) + " invalid");
        return std::nullopt;
      }
      head.reference = op.kind == TermKind::kVar ? Term::ref({op}, op.location) : op;
      head.arguments.assign(std::make_move_iterator(term.items.begin() + 1), std::make_move_iterator(term.items.end()));
      return head;
    }
    default: return std::nullopt;
  }
}

void Parser::parse_head_value(Head& head, const std::string& name, bool is_default) {
  if (s_.token == Token::kUnify) {
    scan();
    head.value = parse_term_infix();
    if (!head.value) illegal("expected rule value term (e.g., " + name + "[<nil>] = <VALUE> { ... })");
  } else if (s_.token == Token::kAssign) {
    scan();
    head.assigned = true;
    head.value = parse_term_infix();
    if (head.value) return;
    if (!head.arguments.empty()) {
      illegal("expected function value term (e.g., " + name + "(...) := <VALUE> { ... })");
    } else if (is_default) {
      illegal("expected default rule value term (e.g., default " + name + " := <VALUE>)");
    } else {
      illegal("expected rule value term (e.g., " + name + " := <VALUE> { ... })");
    }
  }
}

MaybeTerm Parser::parse_head_finish(MaybeTerm head) {
  const std::size_t offset = s_.location.offset;
  scan_white();
  if (is_comparison_or_arithmetic(s_.token)) illegal();
  if (s_.token == Token::kWhitespace) scan();
  if (s_.token == Token::kLParen || s_.token == Token::kDot || s_.token == Token::kLBrack) {
    return parse_ref(std::move(*head), offset);
  }
  if (head->is_var("data") || head->is_var("input")) {
    const Location where = head->location;
    return Term::ref({std::move(*head)}, where);
  }
  return head;
}

bool Parser::valid_default_value(const Rule& rule) {
  if (!rule.head.value) {
    error(rule.location, "illegal default rule (must have a value)");
    return false;
  }
  bool valid = true;
  find_illegal_default(*rule.head.value, [&](std::string_view what) {
    error(rule.location, "illegal default rule (value cannot contain " + std::string(what) + ")");
    valid = false;
  });
  return valid;
}

bool Parser::valid_default_arguments(const Rule& rule) {
  bool valid = true;
  std::vector<std::string_view> seen;
  for (const Term& argument : rule.head.arguments) {
    if (argument.kind != TermKind::kVar) {
      error(rule.location, "illegal default rule (arguments cannot contain " + std::string(value_name(argument)) + ")");
      valid = false;
    } else if (std::find(seen.begin(), seen.end(), argument.text) != seen.end()) {
      error(rule.location, "illegal default rule (arguments cannot be repeated " +
                               (is_wildcard(argument) ? std::string("_") : argument.text) + ")");
      valid = false;
    } else {
      seen.push_back(argument.text);
    }
  }
  return valid;
}

}  // namespace portcullis::rego
