#include "engine/rego/graphql/parser.h"

#include "engine/rego/graphql/parser_impl.h"

namespace portcullis::graphql {

const Token& Parser::peek() {
  if (failed()) return previous_;
  if (!peeked_) {
    ahead_ = lexer_.next(ahead_error_);
    peeked_ = true;
    if (!budget_.spend()) fail(ahead_, "the document is too large");
    if (ahead_.kind == TokenKind::kComment) read_comments();
  }
  return failed() ? previous_ : ahead_;
}

// Comments ahead become comment_, and the token after them the one ahead.
void Parser::read_comments() {
  Comment lines;
  while (!failed() && ahead_.kind == TokenKind::kComment) {
    lines.push(arena_, ahead_.value);
    previous_ = ahead_;
    ahead_ = lexer_.next(ahead_error_);
    if (!budget_.spend()) fail(ahead_, "the document is too large");
  }
  comment_ = lines;
}

Token Parser::next() {
  if (failed()) return previous_;
  peek();
  peeked_ = false;
  comment_ = {};
  previous_ = ahead_;
  if (ahead_.kind == TokenKind::kInvalid && error_.empty()) error_ = ahead_error_;
  return previous_;
}

bool Parser::skip(TokenKind kind) {
  if (failed() || !at(kind)) return false;
  next();
  return true;
}

void Parser::fail(const Token& token, std::string_view message) {
  if (!failed()) error_ = located(token.position, message);
}

Comment Parser::expect(TokenKind kind) {
  const Token token = peek();
  const Comment comment = comment_;
  if (token.kind == kind) {
    next();
  } else {
    fail(token, "Expected " + std::string(token_name(kind)) + ", found " + std::string(token_name(token.kind)));
  }
  return comment;
}

Comment Parser::expect_keyword(std::string_view word) {
  const Token token = peek();
  const Comment comment = comment_;
  if (token.kind == TokenKind::kName && token.value == word) {
    next();
  } else {
    fail(token, "Expected \"" + std::string(word) + "\", found " + describe(token));
  }
  return comment;
}

std::string_view Parser::parse_name() {
  const Token token = peek();
  expect(TokenKind::kName);
  return token.value;
}

TypeRef* Parser::parse_type() {
  const Nested nested(*this);
  auto* type = make_node<TypeRef>(arena_);
  if (failed()) return type;
  if (skip(TokenKind::kBracketLeft)) {
    type->position = peek().position;
    type->element = parse_type();
    expect(TokenKind::kBracketRight);
  } else {
    type->position = peek().position;
    type->named = parse_name();
  }
  type->non_null = skip(TokenKind::kBang);
  return type;
}

namespace {
ValueKind kind_of_name(std::string_view name) {
  if (name == "true" || name == "false") return ValueKind::kBoolean;
  return name == "null" ? ValueKind::kNull : ValueKind::kEnum;
}
}  // namespace

InputValue* Parser::parse_value(bool constant) {
  const Nested nested(*this);
  const Token token = peek();
  auto* value = make_node<InputValue>(arena_);
  value->position = token.position;
  if (failed()) return value;
  switch (token.kind) {
    case TokenKind::kBracketLeft:
      value->kind = ValueKind::kList;
      value->comment = comment_;
      between(TokenKind::kBracketLeft, TokenKind::kBracketRight, true, [&] {
        auto* child = make_node<ChildValue>(arena_);
        child->value = parse_value(constant);
        value->children.push(arena_, child);
      });
      return value;
    case TokenKind::kBraceLeft:
      value->kind = ValueKind::kObject;
      value->comment = comment_;
      between(TokenKind::kBraceLeft, TokenKind::kBraceRight, true, [&] {
        auto* child = make_node<ChildValue>(arena_);
        child->position = peek().position;
        child->comment = comment_;
        child->name = parse_name();
        expect(TokenKind::kColon);
        child->value = parse_value(constant);
        value->children.push(arena_, child);
      });
      return value;
    case TokenKind::kDollar:
      if (constant) {
        unexpected();
        return value;
      }
      next();
      value->raw = parse_name();
      return value;
    case TokenKind::kInt: value->kind = ValueKind::kInt; break;
    case TokenKind::kFloat: value->kind = ValueKind::kFloat; break;
    case TokenKind::kString: value->kind = ValueKind::kString; break;
    case TokenKind::kBlockString: value->kind = ValueKind::kBlock; break;
    case TokenKind::kName: value->kind = kind_of_name(token.value); break;
    default: unexpected(); return value;
  }
  next();
  value->raw = token.value;
  return value;
}

List<Argument*> Parser::parse_arguments(bool constant) {
  List<Argument*> out;
  between(TokenKind::kParenLeft, TokenKind::kParenRight, false, [&] {
    auto* argument = make_node<Argument>(arena_);
    argument->position = peek().position;
    argument->comment = comment_;
    argument->name = parse_name();
    expect(TokenKind::kColon);
    argument->value = parse_value(constant);
    out.push(arena_, argument);
  });
  return out;
}

List<Directive*> Parser::parse_directives(bool constant) {
  List<Directive*> out;
  while (at(TokenKind::kAt) && !failed()) {
    next();
    auto* directive = make_node<Directive>(arena_);
    directive->position = peek().position;
    directive->name = parse_name();
    directive->arguments = parse_arguments(constant);
    out.push(arena_, directive);
  }
  return out;
}

namespace {

class QueryParser : public Parser {
 public:
  using Parser::Parser;
  QueryDocument* parse();

 private:
  Operation* parse_operation();
  FragmentDefinition* parse_fragment_definition();
  List<VariableDefinition*> parse_variables();
  List<Selection*> parse_selections();
  Selection* parse_selection();
  Selection* parse_field();
  Selection* parse_fragment();
  std::string_view parse_fragment_name();
};

QueryDocument* QueryParser::parse() {
  auto* document = make_node<QueryDocument>(arena_);
  while (!at(TokenKind::kEnd) && !failed()) {
    const Token token = peek();
    const std::string_view word = token.kind == TokenKind::kName ? token.value : std::string_view();
    if (token.kind == TokenKind::kBraceLeft || word == "query" || word == "mutation" || word == "subscription") {
      document->operations.push(arena_, parse_operation());
    } else if (word == "fragment") {
      document->fragments.push(arena_, parse_fragment_definition());
    } else {
      unexpected();
    }
  }
  return document;
}

Operation* QueryParser::parse_operation() {
  auto* out = make_node<Operation>(arena_);
  out->position = peek().position;
  out->operation = "query";
  if (at(TokenKind::kBraceLeft)) {
    out->selections = parse_selections();
    return out;
  }
  out->comment = comment_;
  out->operation = next().value;
  if (at(TokenKind::kName)) out->name = next().value;
  out->variables = parse_variables();
  out->directives = parse_directives(false);
  out->selections = parse_selections();
  return out;
}

List<VariableDefinition*> QueryParser::parse_variables() {
  List<VariableDefinition*> out;
  between(TokenKind::kParenLeft, TokenKind::kParenRight, false, [&] {
    auto* variable = make_node<VariableDefinition>(arena_);
    variable->position = peek().position;
    variable->comment = comment_;
    expect(TokenKind::kDollar);
    variable->name = parse_name();
    expect(TokenKind::kColon);
    variable->type = parse_type();
    if (skip(TokenKind::kEquals)) variable->default_value = parse_value(true);
    variable->directives = parse_directives(false);
    out.push(arena_, variable);
  });
  return out;
}

List<Selection*> QueryParser::parse_selections() {
  const Nested nested(*this);
  List<Selection*> out;
  if (!at(TokenKind::kBraceLeft)) {
    fail(peek(), "Expected {, found " + std::string(token_name(peek().kind)));
    return out;
  }
  between(TokenKind::kBraceLeft, TokenKind::kBraceRight, false, [&] { out.push(arena_, parse_selection()); });
  return out;
}

Selection* QueryParser::parse_selection() { return at(TokenKind::kSpread) ? parse_fragment() : parse_field(); }

Selection* QueryParser::parse_field() {
  auto* field = make_node<Selection>(arena_);
  field->position = peek().position;
  field->comment = comment_;
  field->alias = parse_name();
  field->name = skip(TokenKind::kColon) ? parse_name() : field->alias;
  field->arguments = parse_arguments(false);
  field->directives = parse_directives(false);
  if (at(TokenKind::kBraceLeft)) field->selections = parse_selections();
  return field;
}

Selection* QueryParser::parse_fragment() {
  auto* out = make_node<Selection>(arena_);
  out->comment = expect(TokenKind::kSpread);
  out->position = peek().position;
  if (at(TokenKind::kName) && peek().value != "on") {
    out->kind = SelectionKind::kSpread;
    out->name = parse_fragment_name();
    out->directives = parse_directives(false);
    return out;
  }
  out->kind = SelectionKind::kInline;
  if (peek().value == "on") {
    next();
    out->type_condition = parse_name();
  }
  out->directives = parse_directives(false);
  out->selections = parse_selections();
  return out;
}

std::string_view QueryParser::parse_fragment_name() {
  if (peek().value == "on") {
    unexpected();
    return {};
  }
  return parse_name();
}

FragmentDefinition* QueryParser::parse_fragment_definition() {
  auto* out = make_node<FragmentDefinition>(arena_);
  out->position = peek().position;
  out->comment = comment_;
  expect_keyword("fragment");
  out->name = parse_fragment_name();
  out->variables = parse_variables();
  expect_keyword("on");
  out->type_condition = parse_name();
  out->directives = parse_directives(false);
  out->selections = parse_selections();
  return out;
}

}  // namespace

QueryDocument* parse_query(Budget& budget, std::string_view text, std::string& error) {
  QueryParser parser(budget, text, false);
  QueryDocument* document = parser.parse();
  error = parser.error();
  return error.empty() ? document : nullptr;
}

}  // namespace portcullis::graphql
