// What the JSON reader takes and refuses, and what the writers print.
#include "engine/value/json.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/value/document.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"

namespace portcullis {
namespace {

using namespace std::string_literals;

struct Accepted {
  std::string text;
  std::string printed;
};
const Accepted kAccepted[] = {
    {"null", "null"},
    {" true ", "true"},
    {"\t[ ]\r\n", "[]"},
    {"{}", "{}"},
    {"0", "0"},
    {"-0", "-0"},
    {"-0.0e-0", "-0.0e-0"},
    {"1E+2", "1E+2"},
    {"123456789012345678", "123456789012345678"},
    {"-123456789012345678", "-123456789012345678"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "9223372036854775808"},
    {"[1,[2,[3,[]]],{\"a\":{}}]", "[1,[2,[3,[]]],{\"a\":{}}]"},
    {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
    {R"({"a":1,"a":2})", R"({"a":2})"},
    {R"({"b":1,"a":2,"b":3,"a":4,"c":5})", R"({"a":4,"b":3,"c":5})"},
    {R"({"":1})", R"({"":1})"},
    {R"("\"\\\/\b\f\n\r\t\u0041")", R"("\"\\/\b\f\n\r\tA")"},
    {R"("\u00e9\u4e2d\ud83d\ude00")", "\"\u00e9\u4e2d\U0001F600\""},
    {R"("\ud83d")", "\"\uFFFD\""},
    {R"("\ude00x")", "\"\uFFFDx\""},
    {R"("\ud83d\ud83d\ude00")", "\"\uFFFD\U0001F600\""},
    {R"("\ud83d\n")", "\"\uFFFD\\n\""},
    {R"("\ud83dzz")", "\"\uFFFDzz\""},
    {R"("\u0000")", R"("\u0000")"},
    {"\"\xff\"", "\"\uFFFD\""},
    {"\"a\xc3\xa9 b\xe2\x82 c\"", "\"a\u00e9 b\uFFFD\uFFFD c\""},
    {"\"\xed\xa0\x80\"", "\"\uFFFD\uFFFD\uFFFD\""},
    {"\"\xf4\x90\x80\x80\"", "\"\uFFFD\uFFFD\uFFFD\uFFFD\""},
    {"\"\x7f\"", "\"\x7f\""},
    {"{\"\xff\":1}", "{\"\uFFFD\":1}"},
    {R"({"\u0061":1,"a":2})", R"({"a":2})"},
    {"\"0123456789abcdef0123456789abcdef\\u0021\"", "\"0123456789abcdef0123456789abcdef!\""},
    {"[\n                                  1,\n                                 2]", "[1,2]"},
};

TEST(JsonReader, Accepts) {
  for (const Accepted& entry : kAccepted) {
    for (int way = 0; way < 3; ++way) {
      Result<Document> document = way == 0   ? Document::parse_json(entry.text)
                                  : way == 1 ? Document::parse_json_owned(entry.text)
                                             : Document::parse_json_borrowed(entry.text);
      ASSERT_TRUE(document.ok()) << entry.text << ": " << document.error().to_string();
      EXPECT_EQ(to_json(document->root()), entry.printed) << entry.text;
      // What is printed reads back as the same.
      Result<Document> again = Document::parse_json(to_json(document->root()));
      ASSERT_TRUE(again.ok()) << entry.text;
      EXPECT_TRUE(equal(again->root(), document->root())) << entry.text;
    }
  }
}

struct Refused {
  std::string text;
  std::string message;
};
const Refused kRefused[] = {
    {"", "input:1:1: unexpected end of input, expected a value"},
    {"  ", "input:1:3: unexpected end of input, expected a value"},
    {"nul", "input:1:4: unexpected end of input, expected 'null'"},
    {"nulL", "input:1:4: unexpected 'L', expected 'null'"},
    {"True", "input:1:1: unexpected 'T', expected a value"},
    {"NaN", "input:1:1: unexpected 'N', expected a value"},
    {"Infinity", "input:1:1: unexpected 'I', expected a value"},
    {"-", "input:1:2: unexpected end of input, expected a digit"},
    {"-Infinity", "input:1:2: unexpected 'I', expected a digit"},
    {"+1", "input:1:1: unexpected '+', expected a value"},
    {".5", "input:1:1: unexpected '.', expected a value"},
    {"1.", "input:1:3: unexpected end of input, expected a digit after the point"},
    {"1.e5", "input:1:3: unexpected 'e', expected a digit after the point"},
    {"1e", "input:1:3: unexpected end of input, expected a digit in the exponent"},
    {"1e+", "input:1:4: unexpected end of input, expected a digit in the exponent"},
    {"01", "input:1:2: unexpected '1', expected no digit after a leading zero"},
    {"-01", "input:1:3: unexpected '1', expected no digit after a leading zero"},
    {"0x1", "input:1:2: unexpected 'x' after the value"},
    {"1 2", "input:1:3: unexpected '2' after the value"},
    {"{} x", "input:1:4: unexpected 'x' after the value"},
    {"[1,]", "input:1:4: unexpected ']', expected a value"},
    {"[,1]", "input:1:2: unexpected ',', expected a value"},
    {"[1 2]", "input:1:4: unexpected '2', expected ',' or ']'"},
    {"[1", "input:1:3: unexpected end of input, expected ',' or ']'"},
    {"[", "input:1:2: unexpected end of input, expected a value"},
    {"]", "input:1:1: unexpected ']', expected a value"},
    {"[1}", "input:1:3: unexpected '}', expected ',' or ']'"},
    {"{", "input:1:2: unexpected end of input, expected a key in double quotes"},
    {"{\"a\"", "input:1:5: unexpected end of input, expected ':'"},
    {"{\"a\" 1}", "input:1:6: unexpected '1', expected ':'"},
    {"{\"a\":}", "input:1:6: unexpected '}', expected a value"},
    {"{\"a\":1,}", "input:1:8: unexpected '}', expected a key in double quotes"},
    {"{a:1}", "input:1:2: unexpected 'a', expected a key in double quotes"},
    {"{'a':1}", "input:1:2: unexpected ''', expected a key in double quotes"},
    {"{1:1}", "input:1:2: unexpected '1', expected a key in double quotes"},
    {"{\"a\":1 \"b\":2}", "input:1:8: unexpected '\"', expected ',' or '}'"},
    {"\"abc", "input:1:5: unexpected end of input, expected the closing quote of a string"},
    {"\"a\nb\"", "input:1:3: unexpected byte 0x0a, expected no control character in a string"},
    {"\"a\tb\"", "input:1:3: unexpected byte 0x09, expected no control character in a string"},
    {"\"\\x\"", "input:1:3: unexpected 'x', expected an escape sequence"},
    {"\"\\", "input:1:3: unexpected end of input, expected an escape sequence"},
    {"\"\\u12\"", "input:1:6: unexpected '\"', expected four hexadecimal digits"},
    {"\"\\u12G4\"", "input:1:6: unexpected 'G', expected four hexadecimal digits"},
    {"\"\\ud83d\\u\"", "input:1:10: unexpected '\"', expected four hexadecimal digits"},
    {"\xef\xbb\xbf{}", "input:1:1: unexpected byte 0xef, expected a value"},
    {"\0"s, "input:1:1: unexpected byte 0x00, expected a value"},
    {"[1]\0"s, "input:1:4: unexpected byte 0x00 after the value"},
    {"{\n  \"a\": [\n    1,\n    x\n  ]\n}", "input:4:5: unexpected 'x', expected a value"},
    {"// c\n1", "input:1:1: unexpected '/', expected a value"},
    {"1 /* c */", "input:1:3: unexpected '/' after the value"},
    {"\"\\\"", "input:1:4: unexpected end of input, expected the closing quote of a string"},
    {"1e999999999", "input:1:1: number too big: 1e999999999"},
};

TEST(JsonReader, Refuses) {
  for (const Refused& entry : kRefused) {
    Result<Document> document = Document::parse_json_borrowed(entry.text);
    ASSERT_FALSE(document.ok()) << entry.text;
    EXPECT_EQ(document.error().code, Code::kInvalid) << entry.text;
    EXPECT_EQ(document.error().message, entry.message) << entry.text;
  }
}

// Every prefix of a valid text is refused or is a value of its own, without a read past its end (ASan watches).
TEST(JsonReader, Prefixes) {
  const std::string text = R"({"aé\u0041":[1,-2.5e+3,true,false,null,"x\ud83d\ude00y0123456789abcdef"],"b":{"c":{}}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string exact(text.data(), size);
    EXPECT_FALSE(Document::parse_json_borrowed(exact).ok()) << exact;
  }
  EXPECT_TRUE(Document::parse_json_borrowed(text).ok());
}

TEST(JsonReader, Limits) {
  ParseLimits limits;
  limits.max_depth = 3;
  limits.source = "x.json";
  EXPECT_TRUE(Document::parse_json("[[[]]]", limits).ok());
  Result<Document> deep = Document::parse_json("[[[[]]]]", limits);
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, Code::kLimit);
  EXPECT_EQ(deep.error().message, "x.json:1:4: nested deeper than 3 levels");
  limits.max_bytes = 4;
  Result<Document> large = Document::parse_json("[1,2]", limits);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, Code::kLimit);
  Arena arena(256, 128);
  std::string list = "[0";
  for (int i = 0; i < 999; ++i) list += ",0";
  list += "]";
  Result<Value> heavy = parse_json_into(arena, list);
  ASSERT_FALSE(heavy.ok());
  EXPECT_EQ(heavy.error().code, Code::kLimit);
}

TEST(JsonReader, Comments) {
  ParseLimits limits;
  limits.allow_comments = true;
  Result<Document> document = Document::parse_json(R"(// head
{ /* a */ "a" /**/ : // b
  [1, /* two
  lines */ 2], "b": "// no comment /* */" } // tail)",
                                                   limits);
  ASSERT_TRUE(document.ok()) << document.error().to_string();
  EXPECT_EQ(to_json(document->root()), R"({"a":[1,2],"b":"// no comment /* */"})");
  for (const char* text : {"1 /* open", "/", "1 /", "/* */", "[1 / 2]"}) {
    EXPECT_FALSE(Document::parse_json(text, limits).ok()) << text;
  }
}

TEST(JsonReader, Float64Numbers) {
  ParseLimits limits;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  Result<Document> document = Document::parse_json(
      "[12345678901234567, 123456789012345678901234567890, 1.50, 1e3, 1e6, 0.1, -0.0, 1e-400]", limits);
  ASSERT_TRUE(document.ok()) << document.error().to_string();
  EXPECT_EQ(to_json(document->root()), "[12345678901234567,1.2345678901234568e+29,1.5,1000,1e+06,0.1,-0,0]");
  EXPECT_FALSE(Document::parse_json("1e400", limits).ok());
}

// As gator prints a message, and the object in its JSON, for {a: 1000000, …}.
TEST(JsonReader, AllNumbersFloat64) {
  constexpr std::string_view kText =
      "[1000000, 12345678901234567, 1e6, 2.50, 100, 999999, -1000000, 123456789012345678901234567890, 1e21, 0.00001, "
      "18446744073709551615]";
  constexpr std::string_view kRego =
      "[1e+06, 1.2345678901234568e+16, 1e+06, 2.5, 100, 999999, -1e+06, 1.2345678901234568e+29, 1e+21, 1e-05, "
      "1.8446744073709552e+19]";
  ParseLimits limits;
  limits.numbers = ParseLimits::Numbers::kAllFloat64;
  Result<Document> floats = Document::parse_json(kText, limits);
  ASSERT_TRUE(floats.ok()) << floats.error().to_string();
  EXPECT_EQ(to_rego(floats->root()), kRego);
  Result<Document> exact = Document::parse_json(kText);
  ASSERT_TRUE(exact.ok());
  Arena arena;
  EXPECT_EQ(to_rego(through_float64(arena, exact->root())), kRego);
  Result<Document> yaml = parse_yaml(kText, YamlSchema::kKubernetes, limits);
  ASSERT_TRUE(yaml.ok()) << yaml.error().to_string();
  EXPECT_EQ(to_rego(yaml->root()), kRego);
  constexpr std::string_view kPrinted =
      "[1000000,12345678901234568,1000000,2.5,100,999999,-1000000,1.2345678901234568e+29,1e+21,0.00001,"
      "18446744073709552000]";
  EXPECT_EQ(to_json(floats->root(), {.float64_numbers = true}), kPrinted);
  EXPECT_EQ(to_json(exact->root(), {.float64_numbers = true}), kPrinted);
  Result<Document> small = Document::parse_json(R"({"a":[1,{"b":2}]})");
  ASSERT_TRUE(small.ok());
  EXPECT_TRUE(through_float64(arena, small->root()).identical(small->root()));
}

TEST(JsonWriter, Styles) {
  Result<Document> document = Document::parse_json(R"({"a":[1,{"b":"<&>"}],"c":{},"d":[]})");
  ASSERT_TRUE(document.ok());
  const Value root = document->root();
  EXPECT_EQ(to_json(root), R"({"a":[1,{"b":"<&>"}],"c":{},"d":[]})");
  EXPECT_EQ(to_json(root, {.escape_html = true}), R"({"a":[1,{"b":"\u003c\u0026\u003e"}],"c":{},"d":[]})");
  EXPECT_EQ(to_json(root, {.spaced = true}), R"({"a": [1, {"b": "<&>"}], "c": {}, "d": []})");
  EXPECT_EQ(to_json(root, {.indent = 2}),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"<&>\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
}

TEST(JsonWriter, KeysThatAreNoStrings) {
  Arena arena;
  const Value list[] = {Value::integer(1), Value::string("<")};
  const Member members[] = {{Value::integer(1), Value::integer(2)},
                            {Value::integer(10), Value::integer(3)},
                            {Value::integer(2), Value::integer(4)},
                            {make_array(arena, list), Value::integer(5)},
                            {Value::string("1"), Value::integer(7)}};
  const Value object = make_object(arena, members);
  EXPECT_EQ(to_json(object), R"({"1":7,"10":3,"2":4,"[1,\"\\u003c\"]":5})");
  EXPECT_EQ(to_rego(object), R"({1: 2, 2: 4, 10: 3, "1": 7, [1, "<"]: 5})");
  EXPECT_EQ(to_rego(make_set(arena, {})), "set()");
  EXPECT_EQ(to_json(make_set(arena, list)), R"([1,"<"])");
}

}  // namespace
}  // namespace portcullis
