#include "engine/rego/graphql/lexer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/text.h"
#include "engine/rego/graphql/budget.h"

namespace portcullis::graphql {

std::string_view token_name(TokenKind kind) noexcept {
  constexpr std::array<std::string_view, 22> kNames = {
      "<Invalid>", "<EOF>", "!", "$", "&", "(",    ")",   "...",   ":",      "=",           "@",
      "[",         "]",     "{", "}", "|", "Name", "Int", "Float", "String", "BlockString", "Comment"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string describe(const Token& token) {
  std::string out(token_name(token.kind));
  if (!token.value.empty()) out += " " + text::go_quote(token.value);
  return out;
}

std::string_view name_of(const TypeRef& type) noexcept {
  const TypeRef* at = &type;
  while (at->named.empty() && at->element != nullptr) at = at->element;
  return at->named;
}

std::string located(const Position& position, std::string_view message) {
  std::string out = position.built_in ? "prelude.graphql:" : "input:";
  out += position.known() ? std::to_string(position.line) + ":" + std::to_string(position.column) : "-1:-1";
  out += ": ";
  out += message;
  return out;
}

// A block string begins above the line it ends on, so its column may be negative (as OPA's is).
Position Lexer::position(std::size_t runes) const {
  const auto column = static_cast<std::int64_t>(runes) - static_cast<std::int64_t>(line_start_) + 1;
  return Position{line_, static_cast<std::int32_t>(column), built_in_};
}

Token Lexer::token(TokenKind kind, std::string_view value) const { return Token{kind, value, position(start_runes_)}; }

Token Lexer::invalid(std::string& error, std::string_view message) const {
  const Position at = position(runes_);
  error = located(at, message);
  return Token{TokenKind::kInvalid, {}, at};
}

void Lexer::skip_space() {
  while (end_ < text_.size()) {
    const char c = text_[end_];
    if (c == '\t' || c == ' ' || c == ',') {
      advance(1, 1);
    } else if (c == '\n' || c == '\r') {
      advance(1, 1);
      ++line_;
      line_start_ = runes_;
      if (c == '\r' && end_ < text_.size() && text_[end_] == '\n') advance(1, 1);
    } else if (text_.substr(end_, 3) == "\xef\xbb\xbf") {
      advance(3, 1);
    } else {
      return;
    }
  }
}

namespace {
bool is_name(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

std::string hex4(unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return std::string("\\u00") + kDigits[c >> 4] + kDigits[c & 15u];
}
}  // namespace

Token Lexer::next(std::string& error) {
  skip_space();
  start_ = end_;
  start_runes_ = runes_;
  if (end_ >= text_.size()) return token_of_text(TokenKind::kEnd);
  const char c = text_[start_];
  advance(1, 1);
  switch (c) {
    case '!': return token(TokenKind::kBang, {});
    case '$': return token(TokenKind::kDollar, {});
    case '&': return token(TokenKind::kAmpersand, {});
    case '(': return token(TokenKind::kParenLeft, {});
    case ')': return token(TokenKind::kParenRight, {});
    case ':': return token(TokenKind::kColon, {});
    case '=': return token(TokenKind::kEquals, {});
    case '@': return token(TokenKind::kAt, {});
    case '[': return token(TokenKind::kBracketLeft, {});
    case ']': return token(TokenKind::kBracketRight, {});
    case '{': return token(TokenKind::kBraceLeft, {});
    case '}': return token(TokenKind::kBraceRight, {});
    case '|': return token(TokenKind::kPipe, {});
    case '#': return comment();
    case '.':
      if (text_.substr(start_, 3) == "...") {
        advance(2, 2);
        return token(TokenKind::kSpread, {});
      }
      break;
    case '"': return text_.substr(start_, 3) == "\"\"\"" ? block_string(error) : string(error);
    default: break;
  }
  if (is_name(c, true)) return name();
  if (c == '-' || (c >= '0' && c <= '9')) return number(error);
  --end_;
  --runes_;
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) return invalid(error, "Cannot contain the invalid character \"" + hex4(byte) + "\"");
  if (c == '\'') {
    return invalid(error, "Unexpected single quote character ('), did you mean to use a double quote (\")?");
  }
  // The byte as a character of its own, even when it is the first of several.
  std::string shown;
  text::append_rune(shown, byte);
  return invalid(error, "Cannot parse the unexpected character \"" + shown + "\".");
}

Token Lexer::comment() {
  while (end_ < text_.size()) {
    const text::Rune rune = text::decode_rune(text_, end_);
    if (rune.value <= 0x1f && rune.value != '\t') break;
    advance(rune.size, 1);
  }
  return token_of_text(TokenKind::kComment);
}

Token Lexer::name() {
  while (end_ < text_.size() && is_name(text_[end_], false)) advance(1, 1);
  return token_of_text(TokenKind::kName);
}

bool Lexer::accept(std::string_view any) {
  if (end_ >= text_.size() || any.find(text_[end_]) == std::string_view::npos) return false;
  advance(1, 1);
  return true;
}

std::size_t Lexer::accept_digits() {
  std::size_t count = 0;
  while (accept("0123456789")) ++count;
  return count;
}

std::string Lexer::describe_next() const {
  if (end_ >= text_.size()) return "<EOF>";
  std::string out = "\"";
  text::append_rune(out, static_cast<unsigned char>(text_[end_]));
  return out + "\"";
}

Token Lexer::number(std::string& error) {
  const auto missing = [&] {
    return invalid(error, "Invalid number, expected digit but got: " + describe_next() + ".");
  };
  --end_;
  --runes_;
  accept("-");
  if (accept("0")) {
    if (const std::size_t more = accept_digits(); more != 0) {
      end_ -= more;
      runes_ -= more;
      return invalid(error, "Invalid number, unexpected digit after 0: " + describe_next() + ".");
    }
  } else if (accept_digits() == 0) {
    return missing();
  }
  bool is_float = false;
  if (accept(".")) {
    is_float = true;
    if (accept_digits() == 0) return missing();
  }
  if (accept("eE")) {
    is_float = true;
    accept("-+");
    if (accept_digits() == 0) return missing();
  }
  return token_of_text(is_float ? TokenKind::kFloat : TokenKind::kInt);
}

// What a backslash starts, with end_ at it. False: the error is set.
bool Lexer::escape(std::string& error, std::string& out) {
  const auto bad = [&](std::string_view what) {
    advance(1, 1);
    invalid(error, what);
    return false;
  };
  if (end_ + 1 >= text_.size()) return bad("Invalid character escape sequence.");
  const char c = text_[end_ + 1];
  if (c == 'u') {
    if (end_ + 6 >= text_.size()) {
      return bad("Invalid character escape sequence: \\" + std::string(text_.substr(end_ + 1)) + ".");
    }
    char32_t value = 0;
    for (const char digit : text_.substr(end_ + 2, 4)) {
      const char lower = static_cast<char>(digit | 0x20);
      const bool letter = lower >= 'a' && lower <= 'f';
      if (!letter && (digit < '0' || digit > '9')) {
        return bad("Invalid character escape sequence: \\" + std::string(text_.substr(end_ + 1, 5)) + ".");
      }
      value = value << 4 | static_cast<char32_t>(letter ? lower - 'a' + 10 : digit - '0');
    }
    text::append_rune(out, value);
    advance(6, 6);
    return true;
  }
  constexpr std::string_view kFrom = "\"/\\bfnrt";
  constexpr std::string_view kTo = "\"/\\\b\f\n\r\t";
  const std::size_t which = kFrom.find(c);
  if (which == std::string_view::npos) {
    std::string shown;
    text::append_rune(shown, static_cast<unsigned char>(c));
    return bad("Invalid character escape sequence: \\" + shown + ".");
  }
  out += kTo[which];
  advance(2, 2);
  return true;
}

Token Lexer::string(std::string& error) {
  ++start_;
  ++start_runes_;
  std::string unescaped;
  bool escaped = false;
  while (end_ < text_.size()) {
    const char c = text_[end_];
    if (c == '\n' || c == '\r') break;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t') return invalid(error, "Invalid character within String: \"" + hex4(byte) + "\".");
    if (c == '"') {
      Token out = token_of_text(TokenKind::kString);
      if (escaped) out.value = arena_.copy(unescaped);
      advance(1, 1);
      return out;
    }
    if (c == '\\') {
      if (!escaped) unescaped = text_.substr(start_, end_ - start_);
      escaped = true;
      if (!escape(error, unescaped)) {
        return Token{TokenKind::kInvalid, {}, position(runes_)};
      }
      continue;
    }
    const text::Rune rune = text::decode_rune(text_, end_);
    advance(rune.size, 1);
    if (escaped) text::append_rune(unescaped, rune.value);
  }
  return invalid(error, "Unterminated string.");
}

namespace {

constexpr std::size_t kBlank = std::numeric_limits<std::size_t>::max();

// Bytes of white space a line begins with; kBlank when there is nothing else.
std::size_t leading_space(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t");
  return at == std::string_view::npos ? kBlank : at;
}

// What a block string stands for: without the indentation its lines share and without blank lines around.
std::string dedent(std::string_view raw) {
  std::vector<std::string_view> lines = text::split(raw, '\n');
  std::size_t shared = kBlank;
  for (const std::string_view line : lines) shared = std::min(shared, leading_space(line));
  if (shared != kBlank) {
    for (std::size_t i = 1; i < lines.size(); ++i) lines[i].remove_prefix(std::min(shared, lines[i].size()));
  }
  std::size_t first = 0;
  std::size_t last = lines.size();
  while (first < last && leading_space(lines[first]) == kBlank) ++first;
  while (first < last && leading_space(lines[last - 1]) == kBlank) --last;
  std::string out;
  for (std::size_t i = first; i < last; ++i) {
    if (i != first) out += '\n';
    out += lines[i];
  }
  return out;
}

}  // namespace

Token Lexer::block_string(std::string& error) {
  std::string raw;
  start_ += 3;
  start_runes_ += 3;
  advance(2, 2);
  while (end_ < text_.size()) {
    const char c = text_[end_];
    if (c == '"') {
      std::size_t quotes = 1;
      while (end_ + quotes < text_.size() && text_[end_ + quotes] == '"') ++quotes;
      if (quotes >= 3) {
        raw.append(quotes - 3, '"');
        Token out = token(TokenKind::kBlockString, arena_.copy(dedent(raw)));
        advance(quotes, quotes);
        return out;
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      return invalid(error, "Invalid character within String: \"" + hex4(byte) + "\".");
    }
    if (text_.substr(end_, 4) == "\\\"\"\"") {
      raw += "\"\"\"";
      advance(4, 4);
    } else if (c == '\r') {
      if (text_.substr(end_, 2) == "\r\n") advance(1, 1);
      raw += '\n';
      advance(1, 1);
      ++line_;
      line_start_ = runes_;
    } else {
      const text::Rune rune = text::decode_rune(text_, end_);
      advance(rune.size, 1);
      text::append_rune(raw, rune.value);
      if (c == '\n') {
        ++line_;
        line_start_ = runes_;
      }
    }
  }
  return invalid(error, "Unterminated string.");
}

}  // namespace portcullis::graphql
