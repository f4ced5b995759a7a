#include "engine/rego/builtins/pattern_cache.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace portcullis::rego {
namespace {

TEST(PatternCache, HitsAreTheSameObject) {
  PatternCache cache;
  std::string error;
  const re2::RE2* first = cache.regex("a+", error);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(cache.regex("a+", error), first);
  EXPECT_NE(cache.glob("a+", {}, error), first);
}

TEST(PatternCache, StaysBoundedAndKeepsWhatIsUsed) {
  PatternCache cache;
  std::string error;
  const re2::RE2* kept = cache.regex("kept", error);
  for (std::size_t i = 0; i < 4 * PatternCache::kMaxEntries; ++i) {
    ASSERT_NE(cache.regex("p" + std::to_string(i), error), nullptr);
    EXPECT_EQ(cache.regex("kept", error), kept);
  }
}

TEST(PatternCache, ErrorsAreGos) {
  PatternCache cache;
  std::string error;
  EXPECT_EQ(cache.regex("(", error), nullptr);
  EXPECT_EQ(error, "error parsing regexp: missing closing ): `(`");
  EXPECT_EQ(cache.glob("[", {}, error), nullptr);
  EXPECT_TRUE(error.starts_with("glob: syntax error at ")) << error;
}

}  // namespace
}  // namespace portcullis::rego
