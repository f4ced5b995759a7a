// Terms: infix operators, literals, references, calls, collections, comprehensions, template strings.
#include <algorithm>
#include <utility>

#include "engine/rego/syntax/literal.h"
#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

// Binding strength of an infix operator, 0 for other tokens. `in` binds weaker still and is not among them.
int strength(Token token) {
  switch (token) {
    case Token::kEqual:
    case Token::kNeq:
    case Token::kLt:
    case Token::kGt:
    case Token::kLte:
    case Token::kGte: return 1;
    case Token::kOr: return 2;
    case Token::kAnd: return 3;
    case Token::kAdd:
    case Token::kSub: return 4;
    case Token::kMul:
    case Token::kQuo:
    case Token::kRem: return 5;
    default: return 0;
  }
}

bool is_set_constructor(const Term& op) { return op.items.size() == 1 && op.items[0].is_var("set"); }

Term comprehension(TermKind kind, Body body) {
  Term term(kind, {});
  term.body = std::make_unique<Body>(std::move(body));
  return term;
}

}  // namespace

const Parser::CachedTerm* Parser::find_cached(std::size_t offset) const {
  for (auto at = cache_.rbegin(); at != cache_.rend() && at->offset >= offset; ++at) {
    if (at->offset == offset) return &*at;
  }
  return nullptr;
}

void Parser::cache(const MaybeTerm& term, std::size_t offset, std::uint32_t links_before) {
  while (!cache_.empty() && cache_.back().offset >= offset) cache_.pop_back();
  if (term && !afford(node_count(*term))) return;
  cache_.push_back({offset, term, s_});
  cache_.back().after.links -= links_before;
}

bool Parser::afford(std::uint64_t nodes) {
  if (nodes >= cached_nodes_left_) {
    exhaust();
    return false;
  }
  cached_nodes_left_ -= nodes;
  return true;
}

Term Parser::operator_term(std::initializer_list<std::string_view> path) {
  const Location where = s_.location;
  std::vector<Term> items;
  for (const std::string_view step : path) {
    items.push_back(items.empty() ? Term::var(std::string(step), where) : Term::string(std::string(step), where));
  }
  scan();
  return Term::ref(std::move(items), where);
}

// `x in xs`, and with `with_key` also `k, x in xs`.
MaybeTerm Parser::parse_in(bool with_key) {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  const std::size_t offset = s_.location.offset;
  MaybeTerm left = parse_infix(1);
  while (left) {
    if (with_key && s_.token == Token::kComma) {
      if (MaybeTerm call = parse_key_value_in(*left, offset)) {
        left = std::move(call);
        if (s_.token == Token::kIn) continue;
        return left;
      }
    }
    ref_ahead();
    if (s_.token != Token::kIn) return left;
    Term op = operator_term({"internal", "member_2"});
    MaybeTerm right = parse_infix(1);
    if (!right) return left;
    if (!add_link()) return std::nullopt;
    const Location where = located(left->location, offset, s_.last_end);
    std::vector<Term> items;
    items.push_back(std::move(op));
    items.push_back(std::move(*left));
    items.push_back(std::move(*right));
    left = Term::call(std::move(items), where);
    if (s_.token != Token::kIn) return left;
  }
  return left;
}

// After `left`, at a comma. Empty, with the state as before, when it is no `left, value in domain`.
MaybeTerm Parser::parse_key_value_in(Term& left, std::size_t offset) {
  const State start = s_;
  scan();
  MaybeTerm middle = parse_infix(1, offset);
  if (middle && s_.token == Token::kIn) {
    Term op = operator_term({"internal", "member_3"});
    if (MaybeTerm right = parse_infix(1)) {
      const Location where = located(left.location, offset, s_.last_end);
      std::vector<Term> items;
      items.push_back(std::move(op));
      items.push_back(std::move(left));
      items.push_back(std::move(*middle));
      items.push_back(std::move(*right));
      return Term::call(std::move(items), where);
    }
  }
  s_ = start;
  return std::nullopt;
}

MaybeTerm Parser::parse_infix(int level) { return parse_infix(level, s_.location.offset); }

// Operators of `level` and stronger, all left-associative. Once an operand is missing only weaker operators may follow.
MaybeTerm Parser::parse_infix(int level, std::size_t offset) {
  MaybeTerm left = parse_term();
  int allowed = 5;
  while (left) {
    const int at = strength(s_.token);
    if (at < level || at > allowed || at == 0) return left;
    Term op = operator_term({token_name(s_.token)});
    MaybeTerm right = at == 5 ? parse_term() : parse_infix(at + 1);
    if (!right) {
      allowed = at - 1;
      continue;
    }
    if (!add_link()) return std::nullopt;
    const Location where = located(left->location, offset, s_.last_end);
    std::vector<Term> items;
    items.reserve(3);
    items.push_back(std::move(op));
    items.push_back(std::move(*left));
    items.push_back(std::move(*right));
    left = Term::call(std::move(items), where);
    allowed = at;
  }
  return left;
}

MaybeTerm Parser::parse_term() {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  const std::size_t start = s_.location.offset;
  if (exhausted_) return std::nullopt;
  if (const CachedTerm* cached = find_cached(start)) {
    if (cached->term && !afford(node_count(*cached->term))) return std::nullopt;
    const std::uint32_t links = s_.links;
    s_ = cached->after;
    s_.links += links;  // the cached state has only the term's own
    return cached->term;
  }
  call_ahead();
  const std::uint32_t links = s_.links;
  Location minus;
  MaybeTerm term = parse_term_finish(parse_term_start(minus));
  if (minus.row != 0 && term) {
    std::vector<Term> items;
    items.push_back(Term::ref({Term::var("minus", {})}, {}));
    items.push_back(Term::number("0", minus));
    items.push_back(std::move(*term));
    term = Term::call(std::move(items), located(minus, minus.offset, s_.last_end));
  }
  cache(term, start, links);
  return term;
}

// The term without what may follow it. `minus` is set when a unary minus on a reference was read.
MaybeTerm Parser::parse_term_start(Location& minus) {
  switch (s_.token) {
    case Token::kNull: return Term::null(s_.location);
    case Token::kTrue: return Term::boolean_of(true, s_.location);
    case Token::kFalse: return Term::boolean_of(false, s_.location);
    case Token::kSub: {
      const State start = s_;
      scan();
      if (s_.token == Token::kIdent || s_.token == Token::kContains) {
        minus = start.location;
        return parse_var();
      }
      s_ = start;
      return parse_number();
    }
    case Token::kDot:
    case Token::kNumber: return parse_number();
    case Token::kString: return parse_string();
    case Token::kTemplatePart:
    case Token::kTemplateEnd: return parse_template(false);
    case Token::kRawTemplatePart:
    case Token::kRawTemplateEnd: return parse_template(true);
    case Token::kIdent:
    case Token::kContains: return parse_var();
    case Token::kLBrack: return parse_array();
    case Token::kLBrace: return parse_set_or_object();
    case Token::kLParen: return parse_parenthesised();
    default: illegal(); return std::nullopt;
  }
}

MaybeTerm Parser::parse_parenthesised() {
  const std::size_t offset = s_.location.offset;
  scan();
  MaybeTerm term = parse_term_infix();
  if (!term) return term;
  if (s_.token != Token::kRParen) {
    error(s_.location, "non-terminated expression");
    return std::nullopt;
  }
  term->location.text = text_between(offset, s_.token_end);
  term->parenthesised = true;
  return term;
}

MaybeTerm Parser::parse_term_finish(MaybeTerm head) {
  if (!head) return head;
  const std::size_t offset = s_.location.offset;
  scan_white();
  switch (s_.token) {
    case Token::kLParen:
    case Token::kDot:
    case Token::kLBrack: return parse_ref(std::move(*head), offset);
    case Token::kWhitespace: scan(); break;
    default: break;
  }
  if (head->is_var("data") || head->is_var("input")) {
    const Location where = head->location;
    return Term::ref({std::move(*head)}, where);
  }
  return head;
}

MaybeTerm Parser::parse_number() {
  const Location where = s_.location;
  std::string literal;
  if (s_.token == Token::kSub) {
    literal = "-";
    scan();
    if (s_.token != Token::kNumber && s_.token != Token::kDot) {
      illegal("expected number");
      return std::nullopt;
    }
  }
  const bool dot = s_.token == Token::kDot;
  if (dot) {
    literal += '.';
    scan();
    if (s_.token != Token::kNumber) {
      illegal("expected number");
      return std::nullopt;
    }
  }
  const std::string_view digits = s_.text;
  if (!dot && digits.size() > 1 && digits[0] == '0') {
    const bool decimal = digits[1] == '.';
    const bool scientific = digits.size() > 2 && (digits[1] == 'e' || digits[1] == 'E');
    if (!decimal && !scientific) {
      illegal("expected number without leading zero");
      return std::nullopt;
    }
  }
  literal += digits;
  switch (check_number(literal)) {
    case NumberCheck::kTooBig: error(s_.location, "number too big"); return std::nullopt;
    case NumberCheck::kInvalid: illegal("invalid float"); return std::nullopt;
    case NumberCheck::kOk: break;
  }
  return Term::number(std::move(literal), where);
}

MaybeTerm Parser::parse_string() {
  const std::string_view literal = s_.text;
  if (literal.size() < 2) return std::nullopt;
  const std::string_view inner = literal.substr(1, literal.size() - 2);
  if (literal[0] != '"' || inner.find('\\') == std::string_view::npos) {
    return Term::string(std::string(inner), s_.location);
  }
  std::string value;
  if (!decode_string(inner, value)) {
    error(s_.location, "illegal string literal: " + std::string(literal));
    return std::nullopt;
  }
  return Term::string(std::move(value), s_.location);
}

bool Parser::template_part(std::string& out) {
  const bool raw = s_.token == Token::kRawTemplatePart || s_.token == Token::kRawTemplateEnd;
  if (!raw && s_.token != Token::kTemplatePart && s_.token != Token::kTemplateEnd) {
    error(s_.location, "expected template-string part");
    return false;
  }
  const std::string_view inner = s_.text.size() < 2 ? std::string_view() : s_.text.substr(1, s_.text.size() - 2);
  if (raw || inner.find('\\') == std::string_view::npos) {
    out = inner;
    return true;
  }
  if (decode_string(inner, out)) return true;
  error(s_.location, "illegal template-string part: " + std::string(s_.text));
  return false;
}

MaybeTerm Parser::parse_template(bool raw) {
  const Location where = s_.location;
  const bool known = options_.version == RegoVersion::kV1 || options_.version == RegoVersion::kV2;
  if (!known || !options_.template_strings) {
    error(where, "template strings are not supported by current capabilities");
    return std::nullopt;
  }
  Term result(TermKind::kTemplateString, where);
  result.boolean = raw;
  for (;;) {
    std::string text;
    if (!template_part(text)) return std::nullopt;
    if (!text.empty()) result.items.push_back(Term::string(std::move(text), s_.location));
    if (s_.token == Token::kTemplateEnd || s_.token == Token::kRawTemplateEnd) break;
    MaybeTerm part = parse_interpolation();
    if (!part) return std::nullopt;
    result.items.push_back(std::move(*part));
    if (s_.token != Token::kRBrace) {
      error(s_.location, "expected } to end template string expression");
      return std::nullopt;
    }
    scan_next(false, raw ? Lexer::Mode::kRawTemplate : Lexer::Mode::kTemplate);
  }
  result.location = located(where, where.offset, s_.token_end);
  return result;
}

// A scalar that stands alone in the braces is a part by itself; anything else stays an expression.
MaybeTerm Parser::parse_interpolation() {
  const std::int32_t comments_before = s_.comments;
  scan();
  const bool comment = s_.comments != comments_before;
  MaybeExpr expr = parse_literal();
  if (!expr) {
    error(s_.location, "invalid template-string expression");
    return std::nullopt;
  }
  if (!check_interpolation(*expr)) return std::nullopt;
  if (expr->kind == ExprKind::kTerm && !comment) {
    switch (expr->terms[0].kind) {
      case TermKind::kString:
      case TermKind::kNumber:
      case TermKind::kBoolean:
      case TermKind::kNull: return std::move(expr->terms[0]);
      default: break;
    }
  }
  Term part(TermKind::kTemplateExpr, expr->location);
  part.body = std::make_unique<Body>();
  part.body->exprs.push_back(std::move(*expr));
  return part;
}

bool Parser::check_interpolation(const Expr& expr) {
  std::string_view what;
  if (expr.negated) {
    what = "negation ('not')";
  } else if (expr.kind == ExprKind::kCall && expr.operator_name() == "eq") {
    what = "unification ('=')";
  } else if (expr.kind == ExprKind::kCall && expr.operator_name() == "assign") {
    what = "assignment (':=')";
  } else if (expr.kind == ExprKind::kEvery) {
    what = "'every'";
  } else if (expr.kind == ExprKind::kSome) {
    what = "'some'";
  } else {
    return true;
  }
  error(expr.location, "unexpected " + std::string(what) + " in template-string expression");
  return false;
}

MaybeTerm Parser::parse_call(Term op, std::size_t offset) {
  const Location where = op.location;
  scan();
  Term call(TermKind::kCall, where);
  if (s_.token == Token::kRParen) {
    if (is_set_constructor(op)) {
      call.kind = TermKind::kSet;
    } else {
      call.items.push_back(std::move(op));
    }
  } else {
    call.items.push_back(std::move(op));
    if (!parse_term_list(Token::kRParen, call.items)) return std::nullopt;
  }
  const std::size_t end = s_.token_end;
  scan_white();
  call.location = located(where, offset, end);
  return call;
}

MaybeTerm Parser::parse_ref(Term head, std::size_t offset) {
  const Depth depth(*this);
  if (!depth.ok) return std::nullopt;
  const Location where = head.location;
  switch (head.kind) {
    case TermKind::kVar:
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
    case TermKind::kArrayComprehension:
    case TermKind::kObjectComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kCall: break;
    default: error(where, "illegal ref (head cannot be " + std::string(value_name(head)) + ")");
  }
  std::vector<Term> ref;
  ref.push_back(std::move(head));
  std::size_t end = 0;
  MaybeTerm term = parse_ref_steps(std::move(ref), where, offset, end);
  if (term) term->location = located(where, offset, end);
  return term;
}

MaybeTerm Parser::parse_ref_steps(std::vector<Term> ref, const Location& where, std::size_t offset, std::size_t& end) {
  for (;;) {
    switch (s_.token) {
      case Token::kDot:
        scan_white();
        if (s_.token != Token::kIdent && !is_ref_keyword(s_.token)) {
          illegal("expected identifier");
          return std::nullopt;
        }
        ref.push_back(Term::string(std::string(s_.text), s_.location));
        scan_white();
        break;
      case Token::kLParen: {
        Term op = Term::ref(std::move(ref), located(where, offset, s_.location.offset));
        MaybeTerm term = parse_call(std::move(op), offset);
        if (term && s_.token == Token::kWhitespace) {
          scan();
        } else if (term && (s_.token == Token::kDot || s_.token == Token::kLBrack)) {
          term = parse_ref(std::move(*term), offset);
        }
        end = s_.last_end;
        return term;
      }
      case Token::kLBrack: {
        scan();
        MaybeTerm step = parse_term_infix();
        if (!step) return std::nullopt;
        if (s_.token != Token::kRBrack) {
          illegal("expected [");  // OPA's wording
          return std::nullopt;
        }
        ref.push_back(std::move(*step));
        scan_white();
        break;
      }
      default:
        end = s_.last_end;
        if (s_.token == Token::kWhitespace) scan();
        return Term::ref(std::move(ref), where);
    }
  }
}

MaybeTerm Parser::parse_array() {
  const Location where = s_.location;
  MaybeTerm term = parse_array_items();
  if (term) term->location = located(where, where.offset, s_.token_end);
  return term;
}

// A comprehension takes precedence over an array whose first item is a union: [a | b].
MaybeTerm Parser::parse_array_items() {
  Term array(TermKind::kArray, {});
  scan();
  if (s_.token == Token::kRBrack) return array;
  const bool comma = s_.token == Token::kComma;
  if (comma) scan();
  const State start = s_;
  MaybeTerm head = parse_term();
  if (!head) return std::nullopt;
  switch (s_.token) {
    case Token::kRBrack: array.items.push_back(std::move(*head)); return array;
    case Token::kComma:
      scan();
      array.items.push_back(std::move(*head));
      if (!parse_term_list(Token::kRBrack, array.items)) return std::nullopt;
      return array;
    case Token::kOr:
      if (comma) break;
      scan();
      if (MaybeBody body = parse_body(Token::kRBrack)) {
        Term result = comprehension(TermKind::kArrayComprehension, std::move(*body));
        result.items.push_back(std::move(*head));
        return result;
      }
      if (s_.token != Token::kComma) return std::nullopt;
      break;
    default: break;
  }
  s_ = start;
  if (!parse_term_list(Token::kRBrack, array.items)) return std::nullopt;
  return array;
}

MaybeTerm Parser::parse_set_or_object() {
  const Location where = s_.location;
  MaybeTerm term = parse_braced();
  if (!term) return term;
  term->location = located(where, where.offset, s_.token_end);
  if (options_.keep_duplicate_keys) {
    sort_members(*term);
  } else {
    normalise(*term);
  }
  return term;
}

MaybeTerm Parser::parse_braced() {
  scan();
  if (s_.token == Token::kRBrace) return Term(TermKind::kObject, {});
  const bool comma = s_.token == Token::kComma;
  if (comma) scan();
  const State start = s_;
  MaybeTerm head = parse_term();
  if (!head) return std::nullopt;
  switch (s_.token) {
    case Token::kOr:
      if (!comma) return parse_set(start, std::move(*head), true);
      break;
    case Token::kRBrace:
    case Token::kComma: return parse_set(start, std::move(*head), !comma);
    case Token::kColon: return parse_object(std::move(*head), !comma);
    default: break;
  }
  s_ = start;
  head = parse_term_in_list();
  if (!head) return std::nullopt;
  switch (s_.token) {
    case Token::kRBrace:
    case Token::kComma: return parse_set(start, std::move(*head), false);
    case Token::kColon: return parse_object(std::move(*head), !comma);
    default: illegal("non-terminated set"); return std::nullopt;
  }
}

MaybeTerm Parser::parse_set(const State& start, Term head, bool may_comprehend) {
  Term set(TermKind::kSet, {});
  switch (s_.token) {
    case Token::kRBrace: set.items.push_back(std::move(head)); return set;
    case Token::kComma:
      scan();
      set.items.push_back(std::move(head));
      if (!parse_term_list(Token::kRBrace, set.items)) return std::nullopt;
      return set;
    case Token::kOr:
      if (may_comprehend) {
        scan();
        if (MaybeBody body = parse_body(Token::kRBrace)) {
          Term result = comprehension(TermKind::kSetComprehension, std::move(*body));
          result.items.push_back(std::move(head));
          return result;
        }
        if (s_.token != Token::kComma) return std::nullopt;
      }
      s_ = start;
      if (!parse_term_list(Token::kRBrace, set.items)) return std::nullopt;
      return set;
    default: return std::nullopt;
  }
}

MaybeTerm Parser::parse_object(Term key, bool may_comprehend) {
  scan();
  const State start = s_;
  MaybeTerm value = parse_term();
  if (!value) return std::nullopt;
  if (may_comprehend && (s_.token == Token::kRBrace || s_.token == Token::kComma)) {
    return parse_object_finish(std::move(key), std::move(*value), true);
  }
  if (may_comprehend && s_.token == Token::kOr) {
    if (MaybeTerm term = parse_object_finish(key, std::move(*value), true)) return term;
  }
  s_ = start;
  value = parse_term_in_list();
  if (!value) return std::nullopt;
  if (s_.token == Token::kRBrace || s_.token == Token::kComma) {
    return parse_object_finish(std::move(key), std::move(*value), false);
  }
  illegal("non-terminated object");
  return std::nullopt;
}

MaybeTerm Parser::parse_object_finish(Term key, Term value, bool may_comprehend) {
  Term object(TermKind::kObject, {});
  switch (s_.token) {
    case Token::kOr:
      if (!may_comprehend) {
        illegal("non-terminated object");
        return std::nullopt;
      }
      scan();
      if (MaybeBody body = parse_body(Token::kRBrace)) {
        object = comprehension(TermKind::kObjectComprehension, std::move(*body));
        break;
      }
      return std::nullopt;
    case Token::kRBrace: break;
    case Token::kComma:
      scan();
      object.items.push_back(std::move(key));
      object.items.push_back(std::move(value));
      if (!parse_pair_list(Token::kRBrace, object.items)) return std::nullopt;
      return object;
    default: return std::nullopt;
  }
  object.items.push_back(std::move(key));
  object.items.push_back(std::move(value));
  return object;
}

bool Parser::parse_term_list(Token end, std::vector<Term>& items) {
  while (s_.token != end) {
    MaybeTerm term = parse_term_in_list();
    if (!term) return false;
    items.push_back(std::move(*term));
    if (s_.token == end) return true;
    if (s_.token != Token::kComma) {
      illegal("expected \",\" or \"" + std::string(token_name(end)) + "\"");
      return false;
    }
    scan();
  }
  return true;
}

bool Parser::parse_pair_list(Token end, std::vector<Term>& items) {
  while (s_.token != end) {
    MaybeTerm key = parse_term_in_list();
    if (!key) return false;
    if (s_.token != Token::kColon) {
      illegal("expected \":\"");
      return false;
    }
    scan();
    MaybeTerm value = parse_term_in_list();
    if (!value) return false;
    items.push_back(std::move(*key));
    items.push_back(std::move(*value));
    if (s_.token == end) return true;
    if (s_.token != Token::kComma) {
      illegal("expected \",\" or \"" + std::string(token_name(end)) + "\"");
      return false;
    }
    scan();
  }
  return true;
}

Term Parser::parse_var() { return Term::var(s_.text == "_" ? next_wildcard() : std::string(s_.text), s_.location); }

}  // namespace portcullis::rego
