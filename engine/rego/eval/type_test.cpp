#include "engine/rego/eval/type.h"

#include <gtest/gtest.h>

namespace portcullis::rego {
namespace {

std::string spell(std::string_view text) { return to_string(parse_type(text)); }

TEST(Type, TextFormToOpasSpelling) {
  EXPECT_EQ(spell("string"), "string");
  EXPECT_EQ(spell("array[string]"), "array[string]");
  EXPECT_EQ(spell("[string, number]"), "array<string, number>");
  EXPECT_EQ(spell("[string][any]"), "array<string>[any]");
  EXPECT_EQ(spell("object[string: any]"), "object[string: any]");
  EXPECT_EQ(spell("{b: number, a: string}"), "object<a: string, b: number>");
  EXPECT_EQ(spell("{op: string, path: any}[any:any]"), "object<op: string, path: any>[any: any]");
  EXPECT_EQ(spell("set[any]|array[any]"), "any<array[any], set[any]>");
  EXPECT_EQ(spell("array[string|number]"), "array[any<number, string>]");
  EXPECT_EQ(spell("{\"a b\": null}"), "object<a b: null>");
  EXPECT_EQ(spell("array[any<string>]"), "array[any<string>]");
  EXPECT_EQ(spell("any<string, null>"), "any<null, string>");
  EXPECT_EQ(spell("[]"), "array");
  EXPECT_EQ(spell("{}"), "object");
}

TEST(Type, MalformedTextIsAny) {
  for (std::string_view text : {"", "strin", "array", "array[", "object[string]", "[string", "{a}", "string string"}) {
    EXPECT_TRUE(types::is_any(parse_type(text))) << text;
  }
}

TEST(Type, EitherKeepsSupersets) {
  const TypePtr s = types::string();
  const TypePtr n = types::number();
  EXPECT_EQ(to_string(types::either(s, n)), "any<number, string>");
  EXPECT_EQ(to_string(types::either(s, s)), "string");
  EXPECT_EQ(to_string(types::either(types::either(s, n), types::boolean())), "any<boolean, number, string>");
  EXPECT_EQ(to_string(types::either(types::any(), s)), "any");
  EXPECT_EQ(to_string(types::either(nullptr, s)), "string");
  EXPECT_EQ(to_string(types::either(types::any_of({s, n}), types::any_of({n, types::null()}))),
            "any<null, number, string>");
  EXPECT_EQ(types::either(types::function({s}, n), s), nullptr);
}

TEST(Type, SelectKeysValues) {
  const TypePtr object = parse_type("{a: string}[number:boolean]");
  EXPECT_EQ(to_string(types::select(object, "\"a\"")), "string");
  EXPECT_EQ(to_string(types::select(object, "7")), "boolean");
  EXPECT_EQ(types::select(object, "\"b\""), nullptr);
  EXPECT_EQ(to_string(types::keys(object)), "any<number, string>");
  EXPECT_EQ(to_string(types::values(object)), "any<boolean, string>");
  const TypePtr array = parse_type("[string, number]");
  EXPECT_EQ(to_string(types::select(array, "1")), "number");
  EXPECT_EQ(types::select(array, "2"), nullptr);
  EXPECT_EQ(to_string(types::select(parse_type("set[string|number]"), "\"x\"")), "string");
  EXPECT_EQ(to_string(types::select(types::any(), "1")), "any");
}

TEST(Type, UnknownLooksInside) {
  EXPECT_TRUE(types::unknown(nullptr));
  EXPECT_TRUE(types::unknown(types::array({nullptr}, nullptr)));
  EXPECT_TRUE(types::unknown(types::set(nullptr)));
  EXPECT_FALSE(types::unknown(types::array({}, nullptr)));
  EXPECT_FALSE(types::unknown(types::any()));
}

TEST(Type, KeysPrintAsGoValues) {
  const TypePtr object = types::object({{"1", types::string()}, {"true", types::null()}, {"[1,\"x\"]", types::any()}});
  EXPECT_EQ(to_string(object), "object<true: null, 1: string, [1 x]: any>");
}

TEST(Type, FunctionsPrintTheirArguments) {
  const TypePtr f = types::function({types::string(), types::any()}, types::boolean(), types::any());
  EXPECT_EQ(to_string(f), "(string, any, any...) => boolean");
}

}  // namespace
}  // namespace portcullis::rego
