// Tokens, keywords and the names of OPA's builtins as far as syntax depends on them.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

enum class Token : std::uint8_t {
  kIllegal,
  kEof,
  kWhitespace,
  kIdent,
  kComment,
  kPackage,
  kImport,
  kAs,
  kDefault,
  kElse,
  kNot,
  kSome,
  kWith,
  kNull,
  kTrue,
  kFalse,
  kNumber,
  kString,
  kTemplatePart,
  kTemplateEnd,
  kRawTemplatePart,
  kRawTemplateEnd,
  kLBrack,
  kRBrack,
  kLBrace,
  kRBrace,
  kLParen,
  kRParen,
  kComma,
  kColon,
  kAdd,
  kSub,
  kMul,
  kQuo,
  kRem,
  kAnd,
  kOr,
  kUnify,
  kEqual,
  kAssign,
  kIn,
  kNeq,
  kGt,
  kLt,
  kGte,
  kLte,
  kDot,
  kSemicolon,
  kEvery,
  kContains,
  kIf,
  kLogicalAnd,
  kLogicalOr,
};

// As OPA's messages spell it: operators by the name of their builtin ("plus", "eq"), the end of input "eof".
std::string_view token_name(Token token);

// Sets of the keywords that are not always there, as bits.
using KeywordSet = std::uint32_t;
inline constexpr KeywordSet kKeywordIn = 1, kKeywordEvery = 2, kKeywordContains = 4, kKeywordIf = 8, kKeywordNot = 16,
                            kKeywordAnd = 32, kKeywordOr = 64;
inline constexpr KeywordSet kFutureV0 = kKeywordIn | kKeywordEvery | kKeywordContains | kKeywordIf;
inline constexpr KeywordSet kFutureV1 = kKeywordNot | kKeywordAnd | kKeywordOr;
inline constexpr KeywordSet kAllFuture = kFutureV0 | kFutureV1;

// The bit of a future keyword's name, 0 for anything else.
KeywordSet future_keyword(std::string_view name);
// The token of an identifier when `active` future keywords are on.
Token keyword_token(std::string_view name, KeywordSet active);
bool is_base_keyword(std::string_view name);  // package, import, … : keywords in every version
bool is_base_keyword(Token token);
bool is_future_keyword_token(Token token);
bool is_keyword_in(std::string_view name, RegoVersion version);

bool is_builtin_name(std::string_view name);
bool is_void_builtin(std::string_view name);  // yields no value: print
// "+" for "plus" …, "in" for membership; empty for all others.
std::string_view infix_of(std::string_view builtin);

}  // namespace portcullis::rego
