// The lexer. Columns count characters and offsets bytes, as OPA's; so do a few oddities that error messages show.
#include "engine/rego/syntax/lexer.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::rego {
namespace {

constexpr std::int32_t kByteOrderMark = 0xFEFF;
constexpr std::int32_t kNoBreakSpace = 0xA0;
constexpr std::int32_t kReplacement = 0xFFFD;

bool is_decimal(std::int32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(std::int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_white(std::int32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// First code points of Unicode's runs of ten decimal digits (category Nd) beyond ASCII.
constexpr std::int32_t kDigitRuns[] = {
    0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,  0x0C66,  0x0CE6,  0x0D66,
    0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,
    0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730,
    0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0};

bool is_wide_digit(std::int32_t c) {
  const auto* after = std::upper_bound(std::begin(kDigitRuns), std::end(kDigitRuns), c);
  return after != std::begin(kDigitRuns) && c - *(after - 1) < 10;
}

}  // namespace

Lexer::Lexer(std::string_view source) : source_(source) {
  next();
  if (s_.current == kByteOrderMark) next();
}

void Lexer::next() {
  if (s_.offset >= source_.size()) {
    s_.current = -1;
    s_.offset = source_.size() + 1;
    return;
  }
  const auto byte = static_cast<unsigned char>(source_[s_.offset]);
  s_.current = byte;
  s_.width = 1;
  if (byte == 0) {
    error("illegal null character");
  } else if (byte >= 0x80) {
    const text::Rune rune = text::decode_rune(source_, s_.offset);
    s_.current = static_cast<std::int32_t>(rune.value);
    s_.width = rune.size;
    if (s_.current == kReplacement && s_.width == 1) {
      error("illegal utf-8 character");
    } else if (s_.current == kByteOrderMark && s_.offset > 0) {
      error("illegal byte-order mark");
    }
  }
  s_.offset += s_.width;
  if (s_.current == '\n') {
    ++s_.row;
    s_.column = 0;
  } else {
    ++s_.column;
  }
}

std::string_view Lexer::slice(std::size_t begin, std::size_t end) const {
  end = std::min(end, source_.size());
  return begin < end ? source_.substr(begin, end - begin) : std::string_view();
}

bool Lexer::is_digit() const { return is_decimal(s_.current) || (s_.current >= 0x80 && is_wide_digit(s_.current)); }

bool Lexer::take(std::int32_t c) {
  if (s_.current != c) return false;
  next();
  return true;
}

Lexeme Lexer::scan(KeywordSet keywords, Mode mode) {
  Lexeme lexeme;
  lexeme.offset = s_.offset - s_.width;
  lexeme.row = s_.row;
  lexeme.column = s_.column;
  if (mode != Mode::kNormal) {
    lexeme.text = scan_template(mode == Mode::kRawTemplate, lexeme.token);
  } else if (is_white(s_.current)) {
    lexeme.text = slice(s_.offset - 1, s_.offset);
    lexeme.token = Token::kWhitespace;
    next();
  } else if (is_letter(s_.current)) {
    lexeme.text = scan_identifier();
    lexeme.token = keyword_token(lexeme.text, keywords);
  } else if (is_decimal(s_.current)) {
    lexeme.text = scan_number();
    lexeme.token = Token::kNumber;
  } else {
    lexeme.token = scan_symbol(lexeme.text);
  }
  lexeme.end = std::min(s_.offset - s_.width, source_.size());
  errors_.clear();
  errors_.swap(pending_);
  return lexeme;
}

Token Lexer::scan_symbol(std::string_view& text) {
  const std::int32_t first = s_.current;
  next();
  switch (first) {
    case -1: return Token::kEof;
    case '#': text = scan_comment(); return Token::kComment;
    case '"': text = scan_string(); return Token::kString;
    case '`': text = scan_raw_string(); return Token::kString;
    case '[': return Token::kLBrack;
    case ']': return Token::kRBrack;
    case '{': return Token::kLBrace;
    case '}': return Token::kRBrace;
    case '(': return Token::kLParen;
    case ')': return Token::kRParen;
    case ',': return Token::kComma;
    case ';': return Token::kSemicolon;
    case '.': return Token::kDot;
    case kNoBreakSpace:
      error("illegal non-breaking space character, use a regular space instead");
      return Token::kIllegal;
    case '$': {
      Token token = Token::kIllegal;
      const bool raw = s_.current == '`';
      if (!raw && s_.current != '"') {
        error("illegal $ character");
        return token;
      }
      next();
      text = scan_template(raw, token);
      return token;
    }
    default: return scan_operator(first);
  }
}

Token Lexer::scan_operator(std::int32_t first) {
  switch (first) {
    case ':': return take('=') ? Token::kAssign : Token::kColon;
    case '+': return Token::kAdd;
    case '-': return Token::kSub;
    case '*': return Token::kMul;
    case '/': return Token::kQuo;
    case '%': return Token::kRem;
    case '&': return Token::kAnd;
    case '|': return Token::kOr;
    case '=': return take('=') ? Token::kEqual : Token::kUnify;
    case '>': return take('=') ? Token::kGte : Token::kGt;
    case '<': return take('=') ? Token::kLte : Token::kLt;
    case '!':
      if (take('=')) return Token::kNeq;
      error("illegal ! character");
      return Token::kIllegal;
    default: return Token::kIllegal;
  }
}

std::string_view Lexer::scan_identifier() {
  const std::size_t start = s_.offset - 1;
  while (is_letter(s_.current) || is_digit()) next();
  return slice(start, s_.offset - 1);
}

bool Lexer::scan_digits() {
  bool found = false;
  for (; is_decimal(s_.current); next()) found = true;
  return found;
}

std::string_view Lexer::scan_number() {
  const std::size_t start = s_.offset - 1;
  scan_digits();
  if (take('.') && !scan_digits()) error("expected fraction");
  if (s_.current == 'e' || s_.current == 'E') {
    next();
    if (s_.current == '+' || s_.current == '-') next();
    if (!scan_digits()) error("expected exponent");
  }
  // `0a2b` is one bad number, not a number and an identifier.
  if (is_letter(s_.current)) {
    error("illegal number format");
    while (is_letter(s_.current) || is_digit()) next();
  }
  return slice(start, s_.offset - 1);
}

// After a backslash. `braces` (templates only) collects where escaped braces stand.
void Lexer::scan_escape(std::vector<std::size_t>* braces) {
  switch (s_.current) {
    case '\\':
    case '"':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': next(); return;
    case 'u':
      for (int i = 0; i < 4; ++i) next();
      return;
    case '{':
      if (braces != nullptr) {
        braces->push_back(s_.offset - 1);
        next();
        return;
      }
      break;
    default: break;
  }
  error("illegal escape sequence");
}

std::string_view Lexer::scan_string() {
  const std::size_t start = literal_start();
  for (;;) {
    const std::int32_t c = s_.current;
    if (c == '\n' || c < 0) {
      error("non-terminated string");
      break;
    }
    next();
    if (c == '"') break;
    if (c == '\\') scan_escape(nullptr);
  }
  return slice(start, s_.offset - 1);
}

std::string_view Lexer::scan_raw_string() {
  const std::size_t start = literal_start();
  for (;;) {
    const std::int32_t c = s_.current;
    next();
    if (c == '`') break;
    if (c < 0) {
      error("non-terminated string");
      break;
    }
  }
  return slice(start, s_.offset - 1);
}

std::string_view Lexer::scan_template(bool raw, Token& token) {
  token = raw ? Token::kRawTemplatePart : Token::kTemplatePart;
  const std::size_t start = literal_start();
  std::vector<std::size_t> escapes;
  for (;;) {
    const std::int32_t c = s_.current;
    if (c < 0 || (!raw && c == '\n')) {
      error("non-terminated string");
      break;
    }
    next();
    if (c == (raw ? '`' : '"')) {
      token = raw ? Token::kRawTemplateEnd : Token::kTemplateEnd;
      break;
    }
    if (c == '{') break;
    if (c != '\\') continue;
    if (!raw) {
      scan_escape(&escapes);
    } else if (s_.current == '{') {
      escapes.push_back(s_.offset - 1);
      next();
    }
  }
  return escapes.empty() ? slice(start, s_.offset - 1) : without_escapes(escapes, start);
}

std::string_view Lexer::without_escapes(const std::vector<std::size_t>& escapes, std::size_t start) {
  std::string text;
  std::size_t from = start;
  for (const std::size_t escape : escapes) {
    if (escape > from) text += slice(from, escape - 1);
    from = escape;
  }
  text += slice(from, s_.offset - 1);
  return owned_.emplace_back(std::move(text));
}

std::string_view Lexer::scan_comment() {
  const std::size_t start = literal_start();
  while (s_.current != '\n' && s_.current != -1) next();
  std::size_t end = s_.offset - 1;
  if (s_.offset > 1 && s_.offset - 2 < source_.size() && source_[s_.offset - 2] == '\r') --end;
  return slice(start, end);
}

}  // namespace portcullis::rego
