#include "gator/regex.h"

#include <re2/re2.h>

#include <utility>

namespace portcullis::gator {
namespace {

std::string_view go_text(RE2::ErrorCode code) noexcept {
  switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "regexp/syntax: internal error";
  }
}

}  // namespace

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view text) {
  RE2::Options options;
  options.set_log_errors(false);
  Pattern out;
  out.regex_ = std::make_unique<re2::RE2>(text, options);
  if (out.regex_->ok()) return out;
  const RE2::ErrorCode code = out.regex_->error_code();
  std::string message = "error parsing regexp: ";
  message += go_text(code);
  if (code != RE2::ErrorTrailingBackslash) {
    // Go names the whole expression where a parenthesis is missing.
    const bool whole = code == RE2::ErrorMissingParen || code == RE2::ErrorUnexpectedParen;
    message += ": `" + (whole ? std::string(text) : out.regex_->error_arg()) + "`";
  }
  return make_error(Code::kInvalid, std::move(message));
}

bool Pattern::matches(std::string_view text) const { return RE2::PartialMatch(text, *regex_); }

}  // namespace portcullis::gator
