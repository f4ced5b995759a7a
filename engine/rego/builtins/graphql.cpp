// graphql.*: parsing and validation of GraphQL queries and schemas (engine/rego/graphql does the work).
#include <charconv>
#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/graphql/parser.h"
#include "engine/rego/graphql/schema.h"
#include "engine/rego/graphql/values.h"

namespace portcullis::rego::builtins {
namespace {

namespace gql = portcullis::graphql;

// One call: its budget, and the first error.
struct Call {
  explicit Call(BuiltinContext& c) : context(c), budget(c.arena, c.deadline) {}
  BuiltinContext& context;
  gql::Budget budget;
  std::string error;

  Value fail() {
    if (exhausted()) return out_of_budget(context, "graphql");
    return context.fail(error.empty() ? "invalid document" : error);
  }
  bool exhausted() const { return budget.exhausted(); }
};

// "message in GraphQL string at location 2:3" for "input:2:3: message"; what has no place is shown whole. Of several
// errors (a line each) only the first names its place so.
std::string worded(std::string_view error) {
  const std::size_t first = error.find(':');
  const std::size_t second = first == std::string_view::npos ? first : error.find(':', first + 1);
  const std::size_t third = second == std::string_view::npos ? second : error.find(':', second + 1);
  if (third != std::string_view::npos) {
    const std::string_view line = error.substr(first + 1, second - first - 1);
    const std::string_view column = error.substr(second + 1, third - second - 1);
    const auto digits = [](std::string_view text) {
      return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (digits(line) && digits(column)) {
      std::string_view message = error.substr(third + 1);
      while (message.starts_with(' ')) message.remove_prefix(1);
      if (message.ends_with(".\n")) message.remove_suffix(2);
      return std::string(message) + " in GraphQL string at location " + std::string(line) + ":" + std::string(column);
    }
  }
  return "GraphQL parse error: " + std::string(error);
}

gql::QueryDocument* read_query(Call& call, const Value& argument) {
  if (argument.is_object()) return gql::query_of_value(call.budget, argument, call.error);
  gql::QueryDocument* out = gql::parse_query(call.budget, argument.as_string(), call.error);
  if (out == nullptr) call.error = worded(call.error);
  return out;
}

gql::SchemaDocument* read_schema(Call& call, const Value& argument) {
  if (argument.is_object()) return gql::schema_of_value(call.budget, argument, call.error);
  gql::SchemaDocument* out = gql::parse_schema(call.budget, argument.as_string(), false, call.error);
  if (out == nullptr) call.error = worded(call.error);
  return out;
}

bool convert(Call& call, const gql::SchemaDocument& document, gql::Schema& out) {
  if (gql::build_schema(call.budget, document, out, call.error)) return !call.exhausted();
  call.error = "Error in gqlparser SchemaDocument to Schema conversion: " + call.error;
  return false;
}

bool check(Call& call, const gql::Schema& schema, gql::QueryDocument& query) {
  const std::string errors = gql::validate(call.budget, schema, query);
  if (!errors.empty()) call.error = worded(errors);
  return errors.empty() && !call.exhausted();
}

bool readable(const Value& value) { return value.is_string() || value.is_object(); }

// The two trees of a query that is valid for the schema. False: the call has the error.
bool verified(Call& call, Args a, Value& query_out, Value& schema_out) {
  gql::QueryDocument* query = read_query(call, a[0]);
  if (query == nullptr) return false;
  const gql::SchemaDocument* document = read_schema(call, a[1]);
  if (document == nullptr) return false;
  schema_out = gql::to_value(call.context.arena, *document);
  gql::Schema schema;
  if (!convert(call, *document, schema)) return false;
  query_out = gql::to_value(call.context.arena, *query);
  return check(call, schema, *query);
}

Value parse(BuiltinContext& c, Args a) {
  for (int i = 0; i < 2; ++i) {
    const Value& argument = a[static_cast<std::size_t>(i)];
    if (!readable(argument)) return operand_type_error(c, i, {"string", "object"}, argument);
  }
  Call call(c);
  Value trees[2];
  return verified(call, a, trees[0], trees[1]) ? make_array(c.arena, trees) : call.fail();
}

Value parse_and_verify(BuiltinContext& c, Args a) {
  Call call(c);
  Value out[3] = {Value::boolean(true), {}, {}};
  if (!readable(a[0]) || !readable(a[1]) || !verified(call, a, out[1], out[2])) {
    if (call.exhausted()) return call.fail();
    out[0] = Value::boolean(false);
    out[1] = out[2] = make_object(c.arena, {});
  }
  return make_array(c.arena, out);
}

Value parse_query(BuiltinContext& c, Args a) {
  if (!string_operand(c, a, 0)) return {};
  Call call(c);
  const gql::QueryDocument* document = read_query(call, a[0]);
  return document == nullptr ? call.fail() : gql::to_value(c.arena, *document);
}

Value parse_schema(BuiltinContext& c, Args a) {
  if (!string_operand(c, a, 0)) return {};
  Call call(c);
  const gql::SchemaDocument* document = read_schema(call, a[0]);
  return document == nullptr ? call.fail() : gql::to_value(c.arena, *document);
}

Value verdict(Call& call, bool valid) { return call.exhausted() ? call.fail() : Value::boolean(valid); }

Value is_valid(BuiltinContext& c, Args a) {
  Call call(c);
  if (!readable(a[0]) || !readable(a[1])) return Value::boolean(false);
  gql::QueryDocument* query = read_query(call, a[0]);
  const gql::SchemaDocument* document = query == nullptr ? nullptr : read_schema(call, a[1]);
  gql::Schema schema;
  return verdict(call, document != nullptr && convert(call, *document, schema) && check(call, schema, *query));
}

Value schema_is_valid(BuiltinContext& c, Args a) {
  Call call(c);
  if (!readable(a[0])) return Value::boolean(false);
  const gql::SchemaDocument* document = read_schema(call, a[0]);
  gql::Schema schema;
  return verdict(call, document != nullptr && convert(call, *document, schema));
}

constexpr std::string_view kDocument = "string|object[any:any]";
constexpr std::string_view kTree = "object[any:any]";

constexpr BuiltinDecl kTable[] = {
    {"graphql.is_valid", {kDocument, kDocument}, "boolean", &is_valid},
    {"graphql.parse", {kDocument, kDocument}, "[object[any:any], object[any:any]]", &parse},
    {"graphql.parse_and_verify",
     {kDocument, kDocument},
     "[boolean, object[any:any], object[any:any]]",
     &parse_and_verify},
    {"graphql.parse_query", {"string"}, kTree, &parse_query},
    {"graphql.parse_schema", {"string"}, kTree, &parse_schema},
    {"graphql.schema_is_valid", {kDocument}, "boolean", &schema_is_valid},
};

}  // namespace

std::span<const BuiltinDecl> graphql_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
