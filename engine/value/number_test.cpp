// Arithmetic and printing of numbers against results of OPA v1.22.2.
#include "engine/value/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/text.h"

namespace portcullis {
namespace {

std::string compute(Arena& arena, const std::string& operation, const Value& a, const Value& b) {
  const auto printed = [](const std::optional<Value>& value) { return value ? number_text(*value) : "!"; };
  if (operation == "plus") return printed(add(arena, a, b));
  if (operation == "minus") return printed(subtract(arena, a, b));
  if (operation == "mul") return printed(multiply(arena, a, b));
  if (operation == "div") return printed(divide(arena, a, b));
  if (operation == "rem") return printed(remainder(arena, a, b));
  if (operation == "abs") return printed(absolute(arena, a));
  if (operation == "round") return printed(round_half_away(arena, a));
  if (operation == "ceil") return printed(ceiling(arena, a));
  if (operation == "floor") return printed(floor(arena, a));
  return std::to_string(compare_numbers(a, b));
}

// numbers.tsv: operation, operand, operand or nothing, OPA's result ("! why" for an error). Another file of that form
// can be named in PC_NUMBERS.
TEST(Number, AgreesWithOpa) {
  const char* other = std::getenv("PC_NUMBERS");
  std::ifstream file(other != nullptr ? other : PC_SOURCE_DIR "/engine/value/testdata/numbers.tsv");
  ASSERT_TRUE(file.good());
  std::string line;
  int failures = 0;
  int rows = 0;
  while (std::getline(file, line) && failures < 20) {
    ++rows;
    const auto fields = text::split(line, '\t');
    ASSERT_EQ(fields.size(), 4u) << line;
    Arena arena;
    const Value a = make_number(arena, fields[1]);
    const Value b = fields[2].empty() ? Value{} : make_number(arena, fields[2]);
    const std::string got = compute(arena, std::string(fields[0]), a, b);
    const std::string_view want = fields[3].substr(0, 1) == "!" ? "!" : fields[3];
    if (got != want) ++failures;
    EXPECT_EQ(got, want) << line;
    if (fields[0] == "compare" && want == "0") {
      EXPECT_EQ(hash_number(a), hash_number(b)) << line;
    }
  }
  EXPECT_GT(rows, 300);
}

TEST(Number, KeepsItsSpelling) {
  Arena arena;
  for (const char* text : {"0", "-0", "1.50", "1e3", "1E400", "-9223372036854775808", "9223372036854775807",
                           "9223372036854775808", "123456789012345678901234567890", "0.1", "1.0"}) {
    EXPECT_EQ(number_text(make_number(arena, std::string_view(text))), text);
  }
}

TEST(Number, Doubles) {
  Arena arena;
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {100000, "100000"},
      {1e6, "1e+06"},
      {1234567, "1.234567e+06"},
      {123456.5, "123456.5"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1e21, "1e+21"},
      {1e-7, "1e-07"},
      {5e-324, "5e-324"},
      {12345678901234568, "1.2345678901234568e+16"},
      {-2.5, "-2.5"},
      {1e100, "1e+100"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(number_text(make_number(arena, value)), text);
  EXPECT_FALSE(make_number(arena, INFINITY).defined());
}

TEST(Number, Conversions) {
  Arena arena;
  const auto number = [&](const char* text) { return make_number(arena, std::string_view(text)); };
  EXPECT_EQ(to_int64(number("1e3")), 1000);
  EXPECT_EQ(to_int64(number("1000e-3")), 1);
  EXPECT_EQ(to_int64(number("-9223372036854775808.0")), INT64_MIN);
  EXPECT_EQ(to_int64(number("9223372036854775808")), std::nullopt);
  EXPECT_EQ(to_int64(number("1.5")), std::nullopt);
  EXPECT_EQ(to_int64(number("-0.0")), 0);
  EXPECT_TRUE(is_whole(number("1e40")));
  EXPECT_FALSE(is_whole(number("1e-40")));
  EXPECT_EQ(to_double(number("1.5")), 1.5);
  EXPECT_EQ(to_double(number("1e400")), INFINITY);
  EXPECT_EQ(to_double(number("1e-400")), 0.0);
  EXPECT_FALSE(number_too_big("1e30102"));
  EXPECT_TRUE(number_too_big("1e30104"));
  EXPECT_TRUE(number_too_big("1e999999999"));
  EXPECT_TRUE(number_too_big("1e-999999999"));
  EXPECT_FALSE(number_too_big("0e999999999"));
}

}  // namespace
}  // namespace portcullis
