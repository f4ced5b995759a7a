// Each family whose cost can outgrow its arguments is asked for too much: of time, memory, depth or steps. The call
// must end soon, with an error that says so.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "engine/rego/builtins/registry.h"

namespace portcullis::rego {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

struct Limits {
  std::size_t memory = std::size_t{64} << 20;
  Deadline deadline = Deadline::after(std::chrono::seconds(1));
};

struct Answer {
  bool defined = false;
  bool aborts = false;
  std::string error;
};

Answer call(std::string_view name, std::initializer_list<Value> arguments, const Limits& limits = {}) {
  const BuiltinRegistry::Entry* entry = all_builtins().find(name);
  if (entry == nullptr) return {false, false, "no such builtin"};
  Arena arena(limits.memory);
  Host host;
  BuiltinContext context(arena, host);
  context.deadline = limits.deadline;
  const Value out = entry->decl->function(context, std::span(arguments.begin(), arguments.size()));
  if (context.patterns != nullptr) context.free_patterns(context.patterns);
  return {out.defined(), context.error_aborts, context.error};
}

void expect_timed_out(const Answer& answer) {
  EXPECT_FALSE(answer.defined);
  EXPECT_TRUE(answer.aborts) << answer.error;
  EXPECT_TRUE(answer.error.ends_with("timed out before finishing")) << answer.error;
}

const Limits kPassed = {.deadline = Deadline::after(std::chrono::seconds(-1))};

constexpr std::string_view kSchema = "type Query { a: Query b: Int }";

TEST(GraphqlLimits, NestingIsBounded) {
  const std::string query = repeat("{a", 100000);
  EXPECT_EQ(call("graphql.parse_query", {Value::string(query)}).error.substr(0, 36),
            "the document is nested too deeply in");
  const std::string list = "{a(b:" + repeat("[", 100000);
  EXPECT_FALSE(call("graphql.parse_query", {Value::string(list)}).defined);
  const std::string type = "type A{a:" + repeat("[", 100000);
  EXPECT_FALSE(call("graphql.parse_schema", {Value::string(type)}).defined);
}

TEST(GraphqlLimits, FragmentsInFragmentsAreBounded) {
  std::string query = "{...F0}";
  for (int i = 0; i < 3000; ++i) {
    query += " fragment F" + std::to_string(i) + " on Query {...F" + std::to_string(i + 1) + "}";
  }
  query += " fragment F3000 on Query {b}";
  expect_timed_out(call("graphql.is_valid", {Value::string(query), Value::string(kSchema)}));
}

TEST(GraphqlLimits, FragmentsThatDoubleAreBounded) {
  std::string query = "{__schema{...F0}}";
  for (int i = 0; i < 60; ++i) {
    const std::string next = "...F" + std::to_string(i + 1);
    query += " fragment F" + std::to_string(i) + " on __Schema {" + next + next + "}";
  }
  query += " fragment F60 on __Schema {description}";
  expect_timed_out(call("graphql.is_valid", {Value::string(query), Value::string(kSchema)}));
}

TEST(GraphqlLimits, ComparingFieldsIsBounded) {
  const std::string query = "{" + repeat("b ", 20000) + "}";
  expect_timed_out(call("graphql.is_valid", {Value::string(query), Value::string(kSchema)}));
}

TEST(GraphqlLimits, SuggestionsAreBounded) {
  std::string schema = "type Query {";
  for (int i = 0; i < 2000; ++i) schema += repeat("x", 1000) + std::to_string(i) + ": Int ";
  schema += "}";
  const std::string query = "{" + repeat("x", 1000) + "}";
  expect_timed_out(call("graphql.is_valid", {Value::string(query), Value::string(schema)}));
}

TEST(GraphqlLimits, DeadlineAndMemoryHold) {
  const std::string query = "{" + repeat("a{b} ", 20000) + "}";
  expect_timed_out(call("graphql.parse_query", {Value::string(query)}, kPassed));
  expect_timed_out(call("graphql.parse_query", {Value::string(query)}, {.memory = 100000}));
}

Value object(Arena& arena, std::string_view key, const Value& value) {
  const Member member{Value::string(key), value};
  return make_object(arena, {&member, 1});
}

TEST(SchemaLimits, ReferencesInCirclesAreBounded) {
  const Value schema = Value::string(R"({"$ref": "#"})");
  expect_timed_out(call("json.match_schema", {Value::string("1"), schema}));
  const Value doubling = Value::string(
      R"({"definitions": {"a": {"allOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}]}},
          "$ref": "#/definitions/a"})");
  expect_timed_out(call("json.match_schema", {Value::string("1"), doubling}));
}

TEST(SchemaLimits, SchemasThatDoubleAreBounded) {
  std::string schema = R"({"$ref": "#/definitions/s0", "definitions": {)";
  for (int i = 0; i < 60; ++i) {
    const std::string next = R"({"$ref": "#/definitions/s)" + std::to_string(i + 1) + R"("})";
    schema += "\"s" + std::to_string(i) + R"(": {"anyOf": [)" + next + "," + next + "]},";
  }
  schema += R"("s60": {"type": "string"}}})";
  expect_timed_out(call("json.match_schema", {Value::string("1"), Value::string(schema)}));
}

TEST(SchemaLimits, NestingIsBounded) {
  Arena arena;
  Value schema = make_object(arena, {});
  for (int i = 0; i < 2000; ++i) schema = object(arena, "not", schema);
  EXPECT_EQ(call("json.match_schema", {Value::string("1"), schema}).error, "the schema is nested too deeply");
}

TEST(SchemaLimits, DeadlineAndMemoryHold) {
  const std::string document = "[" + repeat("1,", 50000) + "1]";
  const Value schema = Value::string(R"({"items": {"type": "string"}})");
  expect_timed_out(call("json.match_schema", {Value::string(document), schema}, kPassed));
  expect_timed_out(call("json.match_schema", {Value::string(document), schema}, {.memory = 2 << 20}));
}

TEST(TemplateLimits, LoopsInLoopsAreBounded) {
  Arena arena;
  const std::string text = repeat("{{range $.l}}", 12) + "x" + repeat("{{end}}", 12);
  std::vector<Value> list(20, Value::integer(1));
  const Value data = object(arena, "l", make_array(arena, list));
  expect_timed_out(call("strings.render_template", {Value::string(text), data}));
  const Value none = make_object(arena, {});
  expect_timed_out(call("strings.render_template", {Value::string("{{range 9000000000}}{{end}}"), none}));
}

TEST(TemplateLimits, OutputDepthAndRecursionAreBounded) {
  Arena arena;
  const std::string big(1 << 20, 'x');
  const Value data = object(arena, "s", Value::string(big));
  expect_timed_out(call("strings.render_template", {Value::string("{{range 1000}}{{$.s}}{{end}}"), data}));
  const Value recursive = Value::string(R"({{define "T"}}{{template "T"}}{{end}}{{template "T"}})");
  EXPECT_FALSE(call("strings.render_template", {recursive, data}).defined);
  EXPECT_FALSE(call("strings.render_template", {Value::string("{{" + repeat("(", 100000)), data}).defined);
  EXPECT_FALSE(call("strings.render_template", {Value::string(repeat("{{if 1}}", 100000)), data}).defined);
  EXPECT_FALSE(
      call("strings.render_template", {Value::string("{{if 1}}" + repeat("{{else if 1}}", 10000)), data}).defined);
}

TEST(TemplateLimits, DeadlineHolds) {
  Arena arena;
  const Value none = make_object(arena, {});
  expect_timed_out(call("strings.render_template", {Value::string("{{range 100000}}x{{end}}"), none}, kPassed));
}

TEST(ParseModuleLimits, SizeAndDepthAreBounded) {
  const std::string deep = "package a\np := " + repeat("[", 100000);
  EXPECT_FALSE(call("rego.parse_module", {Value::string("x"), Value::string(deep)}).defined);
  const std::string nested = "package a\np := " + repeat("[", 400) + repeat("]", 400);
  EXPECT_TRUE(call("rego.parse_module", {Value::string("x"), Value::string(nested)}).defined);
  const std::string large = "package a\n" + repeat("# x\n", 2000000);
  expect_timed_out(call("rego.parse_module", {Value::string("x"), Value::string(large)}));
}

TEST(CertificateLimits, SizeIsBounded) {
  std::string certificates = "-----BEGIN CERTIFICATE-----\n";
  certificates += repeat("MAAwADAA\n", 2000) + "-----END CERTIFICATE-----\n";
  EXPECT_EQ(call("crypto.x509.parse_certificates", {Value::string(certificates)}).error, "x509: too many certificates");
  const std::string open = repeat("-----BEGIN CERTIFICATE-----\n", 20000);
  EXPECT_TRUE(call("crypto.x509.parse_certificates", {Value::string(open)}).defined);
}

}  // namespace
}  // namespace portcullis::rego
