// The parser's shared part: token handling with comments, values, types and directives. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "engine/rego/graphql/budget.h"
#include "engine/rego/graphql/lexer.h"

namespace portcullis::graphql {

class Parser {
 public:
  Parser(Budget& budget, std::string_view text, bool built_in)
      : budget_(budget), arena_(budget.arena), lexer_(budget.arena, text, built_in) {}

  const std::string& error() const noexcept { return error_; }

 protected:
  bool failed() const noexcept { return !error_.empty(); }
  // The token ahead; the last one read once there is an error. Comments before it are in comment_.
  const Token& peek();
  Token next();
  bool at(TokenKind kind) { return peek().kind == kind; }
  bool skip(TokenKind kind);
  // Each returns the comment before the token.
  Comment expect(TokenKind kind);
  Comment expect_keyword(std::string_view word);
  void fail(const Token& token, std::string_view message);
  void unexpected() { unexpected(peek()); }
  void unexpected(const Token& token) { fail(token, "Unexpected " + describe(token)); }

  std::string_view parse_name();
  TypeRef* parse_type();
  InputValue* parse_value(bool constant);
  List<Directive*> parse_directives(bool constant);
  List<Argument*> parse_arguments(bool constant);

  // Calls `each` up to `close`, when the next token is `open`; at least once unless `may_be_empty`. The comment before
  // `close`.
  template <typename Each>
  Comment between(TokenKind open, TokenKind close, bool may_be_empty, Each each) {
    if (!skip(open)) return {};
    bool called = false;
    while (!at(close) && !failed()) {
      called = true;
      each();
    }
    if (!called && !may_be_empty) {
      fail(peek(), "expected at least one definition, found " + std::string(token_name(peek().kind)));
      return {};
    }
    const Comment comment = comment_;
    next();
    return comment;
  }

  // Counts nesting while it lives; too deep is an error.
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) parser_.fail(parser_.peek(), "the document is nested too deeply");
    }
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser& parser_;
  };

  Budget& budget_;
  Arena& arena_;
  Token previous_;
  Comment comment_;

 private:
  void read_comments();

  Lexer lexer_;
  std::string error_;
  Token ahead_;
  std::string ahead_error_;
  bool peeked_ = false;
  int depth_ = 0;
};

}  // namespace portcullis::graphql
