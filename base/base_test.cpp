// Arena, symbols, text routines, results and log lines.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "base/go_duration.h"
#include "base/log.h"
#include "base/symbol.h"
#include "base/text.h"

namespace portcullis {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return make_error(Code::kInvalid, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  PC_TRY(const int h, half(n));
  PC_TRY(const int q, half(h));
  return q;
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_FALSE(Result<int>{}.ok());
  EXPECT_FALSE(Result<void>{}.ok());
  EXPECT_TRUE(ok().ok());
  Result<int> failed = quarter(6).with_context("inner").with_context("outer");
  EXPECT_EQ(failed.error().to_string(), "outer: inner: odd");
}

TEST(Arena, SteadyStateDoesNotTouchTheHeap) {
  Arena arena;
  for (int i = 0; i < 1000; ++i) arena.allocate(100);
  arena.reset();
  const auto before = arena.heap_allocations();
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 200; ++i) arena.allocate(100);
    arena.reset();
  }
  EXPECT_EQ(arena.heap_allocations(), before);
}

TEST(Arena, SaysWhenTheCeilingIsPassed) {
  Arena arena(10'000);
  arena.allocate(1000);
  EXPECT_FALSE(arena.exceeded());
  arena.allocate(20'000);
  EXPECT_TRUE(arena.exceeded());
}

TEST(Symbol, InternsOnceAcrossThreads) {
  std::vector<std::thread> threads;
  std::vector<const Symbol*> found(4 * 3000);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([t, &found] {
      for (std::size_t i = 0; i < 3000; ++i) {
        found[t * 3000 + i] = intern("symbol-" + std::to_string(i));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 3000; ++i) {
    const std::string name = "symbol-" + std::to_string(i);
    for (int t = 0; t < 4; ++t) EXPECT_EQ(found[static_cast<std::size_t>(t * 3000 + i)], find_symbol(name));
    EXPECT_EQ(find_symbol(name)->text(), name);
  }
  EXPECT_EQ(find_symbol("never interned"), nullptr);
}

TEST(Text, QuotesAsGo) {
  EXPECT_EQ(text::go_quote("a\"b\\c\n\x01\xff\xc3\xa9"), "\"a\\\"b\\\\c\\n\\x01\\xff\xc3\xa9\"");
  std::string json;
  text::append_json_string(json, "<a\xff\n>", true);
  EXPECT_EQ(json, "\"\\u003ca\\ufffd\\n\\u003e\"");
}

TEST(Text, Base64RoundTrip) {
  for (const std::string raw : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(text::base64_decode(text::base64_encode(raw)).value(), raw);
  }
  EXPECT_FALSE(text::base64_decode("a").has_value());
  EXPECT_FALSE(text::base64_decode("====").has_value());
}

TEST(Log, WritesOneJsonObjectPerLine) {
  std::string line;
  log::set_sink([&](std::string_view text) { line = text; });
  log::info("webhook", "denied \"x\"", {{"process", std::string_view("admission")}, {"count", std::int64_t{3}}});
  log::set_sink({});
  EXPECT_NE(line.find(R"("logger":"webhook","msg":"denied \"x\"","process":"admission","count":3})"), std::string::npos)
      << line;
}

TEST(GoDuration, ParsesAsGo) {
  using namespace std::chrono_literals;
  const std::pair<const char*, std::chrono::nanoseconds> cases[] = {
      {"0", 0ns},       {"10s", 10s},        {"1m30s", 90s},      {"1.5ms", 1500us},
      {"1h30m", 90min}, {"-3m", -3min},      {"+2us", 2us},       {".5s", 500ms},
      {"1.s", 1s},      {"2\xC2\xB5s", 2us}, {"2\xCE\xBCs", 2us}, {"9223372036854775807ns", 9223372036854775807ns},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(parse_go_duration(text), want) << text;
  EXPECT_EQ(parse_go_duration("1d", nullptr, GoDurationUnits::kUpToYear), 24h);
}

TEST(GoDuration, SaysWhyNotAsGo) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "time: invalid duration \"\""},
      {"s", "time: invalid duration \"s\""},
      {"10", "time: missing unit in duration \"10\""},
      {"1x", "time: unknown unit \"x\" in duration \"1x\""},
      {"1d", "time: unknown unit \"d\" in duration \"1d\""},
      {"1..5s", "time: missing unit in duration \"1..5s\""},
      {"-", "time: invalid duration \"-\""},
      {"99999999999999999999h", "time: invalid duration \"99999999999999999999h\""},
  };
  for (const auto& [text, want] : cases) {
    std::string why;
    EXPECT_EQ(parse_go_duration(text, &why), std::nullopt) << text;
    EXPECT_EQ(why, want);
  }
}

TEST(GoDuration, PrintsAsGo) {
  using namespace std::chrono_literals;
  const std::pair<std::chrono::nanoseconds, const char*> cases[] = {
      {0ns, "0s"},       {1ns, "1ns"},
      {1100ns, "1.1µs"}, {232394636ns, "232.394636ms"},
      {10s, "10s"},      {1500ms, "1.5s"},
      {3min, "3m0s"},    {90min, "1h30m0s"},
      {-90s, "-1m30s"},  {60s + 5ns, "1m0.000000005s"},
  };
  for (const auto& [span, want] : cases) EXPECT_EQ(go_duration(span), want);
}

}  // namespace
}  // namespace portcullis
