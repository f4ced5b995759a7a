#include "engine/rego/builtins/pattern_cache.h"

#include <re2/re2.h>

#include <utility>

#include "engine/rego/builtins/glob_syntax.h"

namespace portcullis::rego {
namespace {

std::string_view go_message(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass: return "invalid character class";
    case re2::RE2::ErrorBadCharRange: return "invalid character class range";
    case re2::RE2::ErrorMissingBracket: return "missing closing ]";
    case re2::RE2::ErrorMissingParen: return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen: return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "internal error";
  }
}

// Go also takes (?<name>…), which this RE2 knows only as (?P<name>…).
std::string with_named_groups(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];
    } else if (c == '(' && pattern.substr(i).starts_with("(?<")) {
      out += "?P<";
      i += 2;
    }
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of "{n}", "{n,}" or "{n,m}" at the start of `text`, 0 when there is none.
std::size_t repeat_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == 1) return 0;
  if (at < text.size() && text[at] == ',') ++at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at < text.size() && text[at] == '}' ? at + 1 : 0;
}

// What RE2 takes and Go does not: \C, and repeat counts so long that RE2 reads them as text. Empty: nothing.
std::string refused_by_go(std::string_view pattern) {
  constexpr std::size_t kLongest = 9;  // digits of a count
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 'C') return "invalid escape sequence: `\\C`";
      if (next != 'Q') continue;
      const std::size_t end = pattern.find("\\E", i);
      if (end == std::string_view::npos) break;
      i = end + 1;
    } else if (pattern[i] == '{') {
      const std::size_t length = repeat_length(pattern.substr(i));
      if (length > kLongest + 2) return "invalid repeat count: `" + std::string(pattern.substr(i, length)) + "`";
    }
  }
  return {};
}

std::unique_ptr<re2::RE2> compile(const std::string& pattern, std::string& error) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto out = std::make_unique<re2::RE2>(pattern, options);
  if (out->ok()) return out;
  error = "error parsing regexp: ";
  error += go_message(out->error_code());
  const bool no_place = out->error_code() == re2::RE2::ErrorTrailingBackslash;
  error += ": `" + (no_place ? std::string() : out->error_arg()) + "`";
  return nullptr;
}

}  // namespace

std::unique_ptr<re2::RE2> compile_regex(std::string_view pattern, std::string& error) {
  if (pattern.size() > PatternCache::kMaxPatternBytes) {
    error = "error parsing regexp: expression too large";
    return nullptr;
  }
  const bool unusual = pattern.find('{') != std::string_view::npos || pattern.find("\\C") != std::string_view::npos;
  if (const std::string refused = unusual ? refused_by_go(pattern) : std::string(); !refused.empty()) {
    error = "error parsing regexp: " + refused;
    return nullptr;
  }
  const bool named = pattern.find("(?<") != std::string_view::npos;
  return compile(named ? with_named_groups(pattern) : std::string(pattern), error);
}

PatternCache::PatternCache() = default;
PatternCache::~PatternCache() = default;

void PatternCache::clear() {
  regexes_ = {};
  globs_ = {};
}

const re2::RE2* PatternCache::Generations::find(std::string_view key) {
  const auto found = young.find(key);
  if (found != young.end()) return found->second.get();
  const auto older = old.find(key);
  if (older == old.end()) return nullptr;
  std::unique_ptr<re2::RE2> pattern = std::move(older->second);
  std::string name = older->first;
  old.erase(older);
  return add(std::move(name), std::move(pattern));
}

const re2::RE2* PatternCache::Generations::add(std::string key, std::unique_ptr<re2::RE2> pattern) {
  if (young.size() >= kMaxEntries / 2) {
    old = std::move(young);
    young.clear();
  }
  return young.insert_or_assign(std::move(key), std::move(pattern)).first->second.get();
}

const re2::RE2* PatternCache::regex(std::string_view pattern, std::string& error) {
  if (const re2::RE2* hit = regexes_.find(pattern)) return hit;
  auto compiled = compile_regex(pattern, error);
  return compiled ? regexes_.add(std::string(pattern), std::move(compiled)) : nullptr;
}

const re2::RE2* PatternCache::glob(std::string_view pattern, const std::vector<char32_t>& delimiters,
                                   std::string& error) {
  glob_key_.clear();
  for (const char32_t rune : delimiters) {
    glob_key_.append(reinterpret_cast<const char*>(&rune), sizeof rune);
  }
  glob_key_.append(sizeof(char32_t), '\0');
  glob_key_ += pattern;
  if (const re2::RE2* hit = globs_.find(glob_key_)) return hit;
  if (pattern.size() > kMaxPatternBytes) {
    error = "glob: pattern is too large";
    return nullptr;
  }
  const auto expression = builtins::glob_to_regex(pattern, delimiters, error);
  if (!expression) return nullptr;
  auto compiled = compile(*expression, error);
  return compiled ? globs_.add(glob_key_, std::move(compiled)) : nullptr;
}

}  // namespace portcullis::rego
