// Each family whose cost can outgrow its arguments is asked for too much: of time, memory, depth or steps. The call
// must end soon, with an error that says so.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "engine/rego/builtins/registry.h"
#include "engine/value/number.h"

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
  Deadline deadline = Deadline::after(std::chrono::milliseconds(300));
};

struct Answer {
  bool defined = false;
  bool aborts = false;
  std::string error;
};

Answer call(std::string_view name, std::initializer_list<Value> arguments, const Limits& limits = {}) {
  const BuiltinRegistry::Entry* entry = all_builtins().find(name);
  if (entry == nullptr) {
    ADD_FAILURE() << "no such builtin: " << name;
    return {};
  }
  Arena arena(limits.memory);
  Host host;
  BuiltinContext context(arena, host);
  context.deadline = limits.deadline;
  const Value out = entry->decl->function(context, std::span(arguments.begin(), arguments.size()));
  if (context.patterns != nullptr) context.free_patterns(context.patterns);
  // A refused operand would satisfy most expectations without a look at the limits.
  EXPECT_FALSE(context.error_is_type) << name << ": " << context.error;
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

// Each message names the type; they lie outside of the arena.
TEST(GraphqlLimits, MessagesAreBounded) {
  const std::string type(100000, 'x');
  const std::string schema = "schema {query: " + type + "} type " + type + " {b: Int}";
  std::string query = "{";
  for (int i = 0; i < 2000; ++i) query += " unknown" + std::to_string(i);
  const Limits limits = {.deadline = Deadline::after(std::chrono::minutes(5))};
  expect_timed_out(call("graphql.is_valid", {Value::string(query + "}"), Value::string(schema)}, limits));
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

TEST(TemplateLimits, OperandsAreBounded) {
  const Limits limits = {.deadline = Deadline::after(std::chrono::minutes(5))};
  Arena arena;
  const std::string big(1 << 20, 'x');
  const Value data = object(arena, "s", Value::string(big));
  for (const std::string name : {"print", "println", "html", "js", "urlquery"}) {
    const std::string text = "{{$x := " + name + repeat(" $.s", 1000) + "}}";
    expect_timed_out(call("strings.render_template", {Value::string(text), data}, limits));
  }
  std::string other(1 << 20, 'x');
  other.back() = 'y';
  const Member members[] = {{Value::string("s"), Value::string(big)}, {Value::string("t"), Value::string(other)}};
  const std::string equal = "{{$x := eq $.s" + repeat(" $.t", 1000) + "}}";
  expect_timed_out(call("strings.render_template", {Value::string(equal), make_object(arena, members)}, limits));
}

// A list that holds one list twice, and so on.
TEST(TemplateLimits, ValuesThatDoubleAreBounded) {
  const Limits limits = {.deadline = Deadline::after(std::chrono::minutes(5))};
  Arena arena;
  Value list = make_array(arena, {});
  for (int i = 0; i < 40; ++i) {
    const Value twice[] = {list, list};
    list = make_array(arena, twice);
  }
  const Value data = object(arena, "l", list);
  for (const std::string_view text : {"{{.l}}", "{{print .l}}", "{{html .l}}", "{{$x := printf \"%v\" .l}}"}) {
    expect_timed_out(call("strings.render_template", {Value::string(text), data}, limits));
  }
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

// The body of each block would be read again for each line that begins one.
TEST(CertificateLimits, BlocksThatBeginOftenAreReadOnce) {
  const auto start = std::chrono::steady_clock::now();
  const Limits limits = {.deadline = Deadline::after(std::chrono::seconds(10))};
  const std::string begins = repeat("-----BEGIN A-----\n", 55000);
  const std::string text = begins + "-----END A-----\n";
  // The last line that begins one counts: an empty block of a type that is no certificate.
  EXPECT_EQ(call("crypto.x509.parse_certificates", {Value::string(text)}, limits).error,
            "PEM block type is 'A', expected CERTIFICATE");
  const std::string broken = begins + "?\n-----END A-----\n";
  EXPECT_TRUE(call("crypto.x509.parse_certificates", {Value::string(broken)}, limits).defined);
  EXPECT_TRUE(call("crypto.parse_private_keys", {Value::string(broken)}, limits).defined);
  const std::string headers = repeat("-----BEGIN A-----\na: b\n", 55000) + "-----END A-----\n";
  EXPECT_TRUE(call("crypto.parse_private_keys", {Value::string(headers)}, limits).defined);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(CertificateLimits, DeadlineHolds) {
  const std::string blocks = repeat("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 10);
  expect_timed_out(call("crypto.x509.parse_certificates", {Value::string(blocks)}, kPassed));
  expect_timed_out(call("crypto.x509.parse_and_verify_certificates", {Value::string(blocks)}, kPassed));
  expect_timed_out(call("crypto.parse_private_keys", {Value::string(blocks)}, kPassed));
  expect_timed_out(call("crypto.x509.parse_rsa_private_key", {Value::string(blocks)}, kPassed));
  expect_timed_out(call("crypto.x509.parse_keypair", {Value::string(blocks), Value::string(blocks)}, kPassed));
}

// --- the older families: what one call may cost ---

// Ends with a result or without one (an error, or over budget), but soon.
void expect_bounded(std::string_view name, std::initializer_list<Value> arguments) {
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = call(name, arguments);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds(20)) << name << answer.error;
}

Value texts(Arena& arena, std::string_view text, std::size_t count) {
  std::vector<Value> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(make_string(arena, std::string(text) + std::to_string(i)));
  return make_array(arena, out);
}

TEST(NumberLimits, RangesAndShifts) {
  const Value big = Value::integer(std::int64_t{1} << 62);
  EXPECT_FALSE(call("numbers.range", {Value::integer(0), big}).defined);
  EXPECT_FALSE(call("numbers.range_step", {Value::integer(0), big, Value::integer(1)}).defined);
  EXPECT_FALSE(call("bits.lsh", {Value::integer(1), big}).defined);
  Arena arena;
  const Value wide = make_number(arena, std::string(100000, '9'));
  expect_bounded("mul", {wide, wide});
  expect_bounded("rem", {wide, Value::integer(7)});
  expect_bounded("format_int", {wide, Value::integer(2)});
}

TEST(TextLimits, ResultsThatGrow) {
  const std::string text(1 << 20, 'a');
  const std::string other(1 << 12, 'b');
  EXPECT_FALSE(call("replace", {Value::string(text), Value::string("a"), Value::string(other)}).defined);
  EXPECT_FALSE(call("replace", {Value::string(text), Value::string(""), Value::string(other)}).defined);
  Arena arena;
  expect_bounded("sprintf", {Value::string("%999999999d"), make_array(arena, {})});
  const Value one = Value::integer(1);
  expect_bounded("sprintf", {Value::string(repeat("%1000000d%[1]d", 1000)), make_array(arena, {&one, 1})});
  expect_bounded("concat", {Value::string(text), texts(arena, "", 1000)});
  expect_bounded("split", {Value::string(text), Value::string("")});
  expect_bounded("indexof_n", {Value::string(text), Value::string("a")});
  const std::string half(1 << 19, 'a');
  expect_bounded("contains", {Value::string(text), Value::string(half + "b")});
  expect_bounded("strings.count", {Value::string(text), Value::string(half + "b")});
  expect_bounded("strings.any_prefix_match", {texts(arena, "a", 3000), texts(arena, "b", 3000)});
  const Member pair[] = {{Value::string("a"), Value::string(other)}, {Value::string("aa"), Value::string(other)}};
  expect_bounded("strings.replace_n", {make_object(arena, pair), Value::string(text)});
}

TEST(PatternLimits, NoPatternBlowsUp) {
  const std::string text(1 << 18, 'a');
  expect_bounded("regex.match", {Value::string("^(a+)+$"), Value::string(text + "b")});
  expect_bounded("regex.match", {Value::string("(((((a{0,30}){0,30}){0,30}){0,30}){0,30})"), Value::string(text)});
  expect_bounded("regex.find_n", {Value::string("a*"), Value::string(text), Value::integer(-1)});
  expect_bounded("regex.find_all_string_submatch_n",
                 {Value::string("(a)(a)?"), Value::string(text), Value::integer(-1)});
  expect_bounded("regex.replace", {Value::string(text), Value::string("a"), Value::string(std::string(4096, 'x'))});
  expect_bounded("regex.globs_match", {Value::string(repeat("a*", 30)), Value::string(repeat("a*", 30) + "b")});
  expect_bounded("regex.template_match",
                 {Value::string(repeat("{a*}", 200)), Value::string(text), Value::string("{"), Value::string("}")});
  Arena arena;
  expect_bounded("glob.match", {Value::string(repeat("*a", 200)), make_array(arena, {}), Value::string(text)});
  expect_bounded("glob.match", {Value::string(repeat("{a,", 2000)), make_array(arena, {}), Value::string(text)});
}

TEST(DocumentLimits, DepthAndAliases) {
  const std::string deep = repeat("[", 200000);
  EXPECT_FALSE(call("json.unmarshal", {Value::string(deep)}).defined);
  EXPECT_FALSE(call("yaml.unmarshal", {Value::string(deep)}).defined);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string name = "a" + std::to_string(i);
    const std::string inner = "*a" + std::to_string(i - 1);
    laughs += name + ": &" + name + " [" + inner + repeat(", " + inner, 9) + "]\n";
  }
  EXPECT_FALSE(call("yaml.unmarshal", {Value::string(laughs)}).defined);
}

TEST(GraphLimits, PathsAndPatches) {
  Arena arena;
  std::vector<Member> nodes;
  for (int i = 0; i < 40; ++i) {
    std::vector<Value> next;
    for (int j = i + 1; j < 40; ++j) next.push_back(Value::integer(j));
    nodes.push_back({Value::integer(i), make_array(arena, next)});
  }
  const Value first = Value::integer(0);
  EXPECT_FALSE(call("graph.reachable_paths", {make_object(arena, nodes), make_set(arena, {&first, 1})}).defined);
  expect_bounded("graph.reachable", {make_object(arena, nodes), make_set(arena, {&first, 1})});
  std::vector<Value> patches;
  const Member add[] = {{Value::string("op"), Value::string("add")},
                        {Value::string("path"), Value::string("/-")},
                        {Value::string("value"), Value::integer(1)}};
  for (int i = 0; i < 20000; ++i) patches.push_back(make_object(arena, add));
  expect_bounded("json.patch", {make_array(arena, {}), make_array(arena, patches)});
}

TEST(AddressLimits, BlocksAreNotExpandedWithoutEnd) {
  Arena arena;
  EXPECT_FALSE(call("net.cidr_expand", {Value::string("0.0.0.0/0")}).defined);
  EXPECT_FALSE(call("net.cidr_expand", {Value::string("::/0")}).defined);
  std::vector<Value> blocks;
  for (int i = 0; i < 3000; ++i) {
    blocks.push_back(make_string(arena, "10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24"));
  }
  expect_bounded("net.cidr_contains_matches", {make_array(arena, blocks), make_array(arena, blocks)});
  expect_bounded("net.cidr_merge", {make_array(arena, blocks)});
}

}  // namespace
}  // namespace portcullis::rego
