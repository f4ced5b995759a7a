// Tokens of GraphQL text, with the positions and messages that OPA reports.
// Threads: one at a time. Ownership: token texts point into the input or the arena. Cost: linear.
#pragma once

#include <string>
#include <string_view>

#include "engine/rego/graphql/ast.h"

namespace portcullis::graphql {

enum class TokenKind : std::uint8_t {
  kInvalid,
  kEnd,
  kBang,
  kDollar,
  kAmpersand,
  kParenLeft,
  kParenRight,
  kSpread,
  kColon,
  kEquals,
  kAt,
  kBracketLeft,
  kBracketRight,
  kBraceLeft,
  kBraceRight,
  kPipe,
  kName,
  kInt,
  kFloat,
  kString,
  kBlockString,
  kComment
};

std::string_view token_name(TokenKind kind) noexcept;

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view value;
  Position position;
};

// `Name "x"`, `!`: a token as messages show it.
std::string describe(const Token& token);

class Lexer {
 public:
  Lexer(Arena& arena, std::string_view text, bool built_in) : arena_(arena), text_(text), built_in_(built_in) {}

  // The next token. Invalid: `error` says why ("input:1:2: …").
  Token next(std::string& error);

 private:
  Token token(TokenKind kind, std::string_view value) const;
  Token token_of_text(TokenKind kind) const { return token(kind, text_.substr(start_, end_ - start_)); }
  Token invalid(std::string& error, std::string_view message) const;
  Position position(std::size_t runes) const;
  void skip_space();
  void advance(std::size_t bytes, std::size_t runes) {
    end_ += bytes;
    runes_ += runes;
  }
  Token comment();
  Token name();
  Token number(std::string& error);
  Token string(std::string& error);
  Token block_string(std::string& error);
  bool escape(std::string& error, std::string& out);
  bool accept(std::string_view any);
  std::size_t accept_digits();
  std::string describe_next() const;

  Arena& arena_;
  std::string_view text_;
  bool built_in_;
  std::size_t start_ = 0;  // bytes
  std::size_t start_runes_ = 0;
  std::size_t end_ = 0;
  std::size_t runes_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;  // runes
};

}  // namespace portcullis::graphql
