#include <algorithm>
#include <array>

#include "engine/rego/graphql/parser.h"
#include "engine/rego/graphql/parser_impl.h"

namespace portcullis::graphql {
namespace {

constexpr std::array<std::string_view, 19> kLocations = {"QUERY",
                                                         "MUTATION",
                                                         "SUBSCRIPTION",
                                                         "FIELD",
                                                         "FRAGMENT_DEFINITION",
                                                         "FRAGMENT_SPREAD",
                                                         "INLINE_FRAGMENT",
                                                         "VARIABLE_DEFINITION",
                                                         "SCHEMA",
                                                         "SCALAR",
                                                         "OBJECT",
                                                         "FIELD_DEFINITION",
                                                         "ARGUMENT_DEFINITION",
                                                         "INTERFACE",
                                                         "UNION",
                                                         "ENUM",
                                                         "ENUM_VALUE",
                                                         "INPUT_OBJECT",
                                                         "INPUT_FIELD_DEFINITION"};

struct Keyword {
  std::string_view word;
  std::string_view kind;
};
constexpr Keyword kTypes[] = {{"scalar", kScalar}, {"type", kObject}, {"interface", kInterface},
                              {"union", kUnion},   {"enum", kEnum},   {"input", kInputObject}};

std::string_view kind_of(std::string_view word) {
  for (const Keyword& keyword : kTypes) {
    if (keyword.word == word) return keyword.kind;
  }
  return {};
}

struct Description {
  std::string_view text;
  Comment comment;
};

class SchemaParser : public Parser {
 public:
  SchemaParser(Budget& budget, std::string_view text, bool built_in)
      : Parser(budget, text, built_in), built_in_(built_in) {}
  SchemaDocument* parse();

 private:
  Description parse_description();
  void parse_extension(SchemaDocument& document);
  SchemaDefinition* parse_schema_definition(const Description& description);
  SchemaDefinition* parse_schema_extension(const Comment& comment);
  List<OperationType*> parse_operation_types(Comment& end);
  Definition* parse_definition(std::string_view word, std::string_view kind, const Description& description);
  Definition* parse_type_extension(std::string_view word, std::string_view kind, const Comment& comment);
  // What stands after a type's name. Extensions of interfaces and inputs differ a little.
  void parse_body(Definition& definition, bool extension);
  List<std::string_view> parse_interfaces();
  List<FieldDefinition*> parse_fields(bool input, Comment& end);
  void parse_members(Definition& definition);
  List<EnumValueDefinition*> parse_enum_values(Comment& end);
  List<ArgumentDefinition*> parse_argument_definitions();
  DirectiveDefinition* parse_directive_definition(const Description& description);
  std::string_view parse_location();

  // What fields, arguments and enum values begin with: a description and a name.
  template <typename Node>
  void parse_head(Node& node) {
    const Description description = parse_description();
    if (!description.text.empty()) {
      node.before = description.comment;
      node.description = description.text;
    }
    peek();
    node.after = comment_;
    node.position = peek().position;
    node.name = parse_name();
  }

  bool built_in_;
};

SchemaDocument* SchemaParser::parse() {
  auto* document = make_node<SchemaDocument>(arena_);
  while (!at(TokenKind::kEnd) && !failed()) {
    Description description;
    if (at(TokenKind::kBlockString) || at(TokenKind::kString)) description = parse_description();
    if (!at(TokenKind::kName)) {
      unexpected();
      break;
    }
    const std::string_view word = peek().value;
    if (const std::string_view kind = kind_of(word); !kind.empty()) {
      document->definitions.push(arena_, parse_definition(word, kind, description));
    } else if (word == "schema") {
      document->schemas.push(arena_, parse_schema_definition(description));
    } else if (word == "directive") {
      document->directives.push(arena_, parse_directive_definition(description));
    } else if (word == "extend") {
      if (!description.text.empty()) unexpected(previous_);
      parse_extension(*document);
    } else {
      unexpected();
    }
  }
  document->comment = comment_;
  return document;
}

Description SchemaParser::parse_description() {
  if (!at(TokenKind::kBlockString) && !at(TokenKind::kString)) return {};
  Description out;
  out.comment = comment_;
  out.text = next().value;
  return out;
}

List<OperationType*> SchemaParser::parse_operation_types(Comment& end) {
  List<OperationType*> out;
  end = between(TokenKind::kBraceLeft, TokenKind::kBraceRight, false, [&] {
    auto* type = make_node<OperationType>(arena_);
    type->position = peek().position;
    type->comment = comment_;
    const Token token = next();
    type->operation = token.value;
    if (token.value != "query" && token.value != "mutation" && token.value != "subscription") unexpected(token);
    expect(TokenKind::kColon);
    type->type = parse_name();
    out.push(arena_, type);
  });
  return out;
}

SchemaDefinition* SchemaParser::parse_schema_definition(const Description& description) {
  auto* out = make_node<SchemaDefinition>(arena_);
  out->after = expect_keyword("schema");
  out->position = peek().position;
  out->before = description.comment;
  out->description = description.text;
  out->directives = parse_directives(true);
  out->operation_types = parse_operation_types(out->end);
  return out;
}

SchemaDefinition* SchemaParser::parse_schema_extension(const Comment& comment) {
  auto* out = make_node<SchemaDefinition>(arena_);
  expect_keyword("schema");
  out->position = peek().position;
  out->after = comment;
  out->directives = parse_directives(true);
  out->operation_types = parse_operation_types(out->end);
  if (out->directives.empty() && out->operation_types.empty()) unexpected();
  return out;
}

Definition* SchemaParser::parse_definition(std::string_view word, std::string_view kind,
                                           const Description& description) {
  auto* out = make_node<Definition>(arena_);
  out->after = expect_keyword(word);
  out->position = peek().position;
  out->before = description.comment;
  out->description = description.text;
  out->kind = kind;
  out->built_in = built_in_;
  out->name = parse_name();
  parse_body(*out, false);
  return out;
}

Definition* SchemaParser::parse_type_extension(std::string_view word, std::string_view kind, const Comment& comment) {
  auto* out = make_node<Definition>(arena_);
  expect_keyword(word);
  out->position = peek().position;
  out->after = comment;
  out->kind = kind;
  out->built_in = built_in_;
  out->name = parse_name();
  parse_body(*out, true);
  const bool adds_interfaces = kind == kObject && !out->interfaces.empty();
  if (!adds_interfaces && out->directives.empty() && out->fields.empty() && out->types.empty() &&
      out->enum_values.empty()) {
    unexpected();
  }
  return out;
}

void SchemaParser::parse_body(Definition& out, bool extension) {
  if (out.kind == kObject || (out.kind == kInterface && !extension)) out.interfaces = parse_interfaces();
  out.directives = parse_directives(!(extension && out.kind == kInputObject));
  if (out.kind == kObject || out.kind == kInterface) out.fields = parse_fields(false, out.end);
  if (out.kind == kInputObject) out.fields = parse_fields(true, out.end);
  if (out.kind == kUnion) parse_members(out);
  if (out.kind == kEnum) out.enum_values = parse_enum_values(out.end);
}

List<std::string_view> SchemaParser::parse_interfaces() {
  List<std::string_view> out;
  if (peek().value != "implements") return out;
  next();
  skip(TokenKind::kAmpersand);
  do {
    out.push(arena_, parse_name());
  } while (skip(TokenKind::kAmpersand) && !failed());
  return out;
}

void SchemaParser::parse_members(Definition& out) {
  if (!skip(TokenKind::kEquals)) return;
  skip(TokenKind::kPipe);
  do {
    out.type_positions.push(arena_, peek().position);
    out.types.push(arena_, parse_name());
  } while (skip(TokenKind::kPipe) && !failed());
}

List<FieldDefinition*> SchemaParser::parse_fields(bool input, Comment& end) {
  List<FieldDefinition*> out;
  end = between(TokenKind::kBraceLeft, TokenKind::kBraceRight, false, [&] {
    auto* field = make_node<FieldDefinition>(arena_);
    parse_head(*field);
    if (!input) field->arguments = parse_argument_definitions();
    expect(TokenKind::kColon);
    field->type = parse_type();
    if (input && skip(TokenKind::kEquals)) field->default_value = parse_value(true);
    field->directives = parse_directives(true);
    out.push(arena_, field);
  });
  return out;
}

List<ArgumentDefinition*> SchemaParser::parse_argument_definitions() {
  List<ArgumentDefinition*> out;
  between(TokenKind::kParenLeft, TokenKind::kParenRight, false, [&] {
    auto* argument = make_node<ArgumentDefinition>(arena_);
    parse_head(*argument);
    expect(TokenKind::kColon);
    argument->type = parse_type();
    if (skip(TokenKind::kEquals)) argument->default_value = parse_value(true);
    argument->directives = parse_directives(true);
    out.push(arena_, argument);
  });
  return out;
}

List<EnumValueDefinition*> SchemaParser::parse_enum_values(Comment& end) {
  List<EnumValueDefinition*> out;
  end = between(TokenKind::kBraceLeft, TokenKind::kBraceRight, false, [&] {
    auto* value = make_node<EnumValueDefinition>(arena_);
    parse_head(*value);
    value->directives = parse_directives(true);
    out.push(arena_, value);
  });
  return out;
}

void SchemaParser::parse_extension(SchemaDocument& document) {
  const Comment comment = expect_keyword("extend");
  const std::string_view word = peek().value;
  if (const std::string_view kind = kind_of(word); !kind.empty()) {
    document.extensions.push(arena_, parse_type_extension(word, kind, comment));
  } else if (word == "schema") {
    document.schema_extensions.push(arena_, parse_schema_extension(comment));
  } else {
    unexpected();
  }
}

DirectiveDefinition* SchemaParser::parse_directive_definition(const Description& description) {
  auto* out = make_node<DirectiveDefinition>(arena_);
  out->after = expect_keyword("directive");
  expect(TokenKind::kAt);
  out->position = peek().position;
  out->before = description.comment;
  out->description = description.text;
  out->name = parse_name();
  out->arguments = parse_argument_definitions();
  if (at(TokenKind::kName) && peek().value == "repeatable") {
    out->repeatable = true;
    next();
  }
  expect_keyword("on");
  skip(TokenKind::kPipe);
  do {
    out->locations.push(arena_, parse_location());
  } while (skip(TokenKind::kPipe) && !failed());
  return out;
}

std::string_view SchemaParser::parse_location() {
  const Token token = peek();
  expect(TokenKind::kName);
  if (std::find(kLocations.begin(), kLocations.end(), token.value) == kLocations.end()) unexpected(token);
  return token.value;
}

}  // namespace

SchemaDocument* parse_schema(Budget& budget, std::string_view text, bool built_in, std::string& error) {
  SchemaParser parser(budget, text, built_in);
  SchemaDocument* document = parser.parse();
  error = parser.error();
  return error.empty() ? document : nullptr;
}

}  // namespace portcullis::graphql
