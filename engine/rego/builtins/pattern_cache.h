// Compiled regular expressions and globs, kept from call to call within bounds.
// Threads: one at a time (it belongs to an EvalScratch). Ownership: returned patterns live until the next call that
// adds. Cost: a hit is one hash look-up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace re2 {
class RE2;
}

namespace portcullis::rego {

// A pattern as Go's regexp package reads it. Null: `error` says what is wrong, in that package's words. Not cached.
std::unique_ptr<re2::RE2> compile_regex(std::string_view pattern, std::string& error);

class PatternCache {
 public:
  static constexpr std::size_t kMaxEntries = 512;  // of each sort
  static constexpr std::size_t kMaxPatternBytes = std::size_t{1} << 20;

  PatternCache();
  ~PatternCache();
  PatternCache(const PatternCache&) = delete;
  PatternCache& operator=(const PatternCache&) = delete;

  // Null: `error` says what is wrong, in the words of Go's regexp package.
  const re2::RE2* regex(std::string_view pattern, std::string& error);
  // A glob as an anchored expression; `delimiters` are what * and ? do not match.
  const re2::RE2* glob(std::string_view pattern, const std::vector<char32_t>& delimiters, std::string& error);

  void clear();

 private:
  // Looked up by view, so that a hit does not allocate.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Map = std::unordered_map<std::string, std::unique_ptr<re2::RE2>, Hash, std::equal_to<>>;
  // Two generations: when the young one is full it becomes the old one, and what was not used since is dropped.
  struct Generations {
    Map young;
    Map old;
    const re2::RE2* find(std::string_view key);
    const re2::RE2* add(std::string key, std::unique_ptr<re2::RE2> pattern);
  };

  Generations regexes_;
  Generations globs_;
  std::string glob_key_;  // reused
};

}  // namespace portcullis::rego
