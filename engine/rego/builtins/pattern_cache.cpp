#include "engine/rego/builtins/pattern_cache.h"

#include <re2/re2.h>

#include <utility>

#include "engine/rego/builtins/glob_syntax.h"

namespace portcullis::rego {
namespace {

std::string_view go_message(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
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

std::unique_ptr<re2::RE2> compile(const std::string& pattern, std::string& error) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto out = std::make_unique<re2::RE2>(pattern, options);
  if (out->ok()) return out;
  error = "error parsing regexp: ";
  error += go_message(out->error_code());
  if (out->error_code() != re2::RE2::ErrorTrailingBackslash) error += ": `" + out->error_arg() + "`";
  else error += ": ``";
  return nullptr;
}

}  // namespace

PatternCache::PatternCache() = default;
PatternCache::~PatternCache() = default;

void PatternCache::clear() {
  young_.clear();
  old_.clear();
}

const re2::RE2* PatternCache::find(const std::string& key) {
  const auto found = young_.find(key);
  if (found != young_.end()) return found->second.get();
  const auto older = old_.find(key);
  if (older == old_.end()) return nullptr;
  std::unique_ptr<re2::RE2> pattern = std::move(older->second);
  old_.erase(older);
  return add(key, std::move(pattern));
}

const re2::RE2* PatternCache::add(std::string key, std::unique_ptr<re2::RE2> pattern) {
  if (young_.size() >= kMaxEntries / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  return young_.insert_or_assign(std::move(key), std::move(pattern)).first->second.get();
}

const re2::RE2* PatternCache::regex(std::string_view pattern, std::string& error) {
  if (pattern.size() > kMaxPatternBytes) {
    error = "error parsing regexp: expression too large";
    return nullptr;
  }
  std::string key = "r" + std::string(pattern);
  if (const re2::RE2* hit = find(key)) return hit;
  const bool named = pattern.find("(?<") != std::string_view::npos;
  auto compiled = compile(named ? with_named_groups(pattern) : std::string(pattern), error);
  return compiled ? add(std::move(key), std::move(compiled)) : nullptr;
}

const re2::RE2* PatternCache::glob(std::string_view pattern, const std::vector<char32_t>& delimiters,
                                   std::string& error) {
  if (pattern.size() > kMaxPatternBytes) {
    error = "glob: pattern is too large";
    return nullptr;
  }
  std::string key = "g";
  for (const char32_t rune : delimiters) key += std::to_string(static_cast<std::uint32_t>(rune)) + ",";
  key += ":";
  key += pattern;
  if (const re2::RE2* hit = find(key)) return hit;
  const auto expression = builtins::glob_to_regex(pattern, delimiters, error);
  if (!expression) return nullptr;
  auto compiled = compile(*expression, error);
  return compiled ? add(std::move(key), std::move(compiled)) : nullptr;
}

}  // namespace portcullis::rego
