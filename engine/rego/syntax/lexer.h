// Source text to tokens. The whole state is a small copyable value, so that the parser can back up at no cost.
// Ownership: borrows the source; token texts point into it, or into the Lexer where escapes were removed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego {

struct LexState {
  std::size_t offset = 0;  // of the byte after the current character
  std::uint32_t row = 1;
  std::uint32_t column = 0;
  std::uint32_t width = 0;
  std::int32_t current = -1;  // code point, -1 at the end
};

struct Lexeme {
  Token token = Token::kIllegal;
  std::size_t offset = 0;
  std::size_t end = 0;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::string_view text;
};

class Lexer {
 public:
  enum class Mode : std::uint8_t { kNormal, kTemplate, kRawTemplate };  // what the text continues

  explicit Lexer(std::string_view source);
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;

  // The next token. Messages about it are in errors() until the next call.
  Lexeme scan(KeywordSet keywords, Mode mode);
  const std::vector<std::string_view>& errors() const noexcept { return errors_; }

  const LexState& state() const noexcept { return s_; }
  void restore(const LexState& state) noexcept { s_ = state; }
  std::string_view source() const noexcept { return source_; }

 private:
  void next();
  void error(std::string_view message) { pending_.push_back(message); }
  Token scan_symbol(std::string_view& text);
  Token scan_operator(std::int32_t first);
  bool take(std::int32_t c);
  bool is_digit() const;
  std::size_t literal_start() const { return s_.offset - (s_.width + 1); }
  std::string_view slice(std::size_t begin, std::size_t end) const;
  std::string_view scan_identifier();
  std::string_view scan_number();
  bool scan_digits();
  void scan_escape(std::vector<std::size_t>* braces);
  std::string_view scan_string();
  std::string_view scan_raw_string();
  std::string_view scan_comment();
  std::string_view scan_template(bool raw, Token& token);
  std::string_view without_escapes(const std::vector<std::size_t>& escapes, std::size_t start);

  std::string_view source_;
  LexState s_;
  std::vector<std::string_view> pending_;
  std::vector<std::string_view> errors_;
  std::deque<std::string> owned_;
};

}  // namespace portcullis::rego
