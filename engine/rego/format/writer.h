// The state of one run of the formatter: text so far, indentation, comments still to be placed.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/format/format.h"

namespace portcullis::rego::format {

// The file name of locations that the formatter made up: their rows say nothing about lines of the source.
inline constexpr std::string_view kMadeUpFile = "__format_default__";

// Why something could not be laid out. A comment in the way is usually mended by keeping the source as it stands.
struct [[nodiscard]] Fault {
  enum class Kind : std::uint8_t { kNone, kComment, kOther };
  Kind kind = Kind::kNone;
  std::string message;

  explicit operator bool() const noexcept { return kind != Kind::kNone; }
  bool is_comment() const noexcept { return kind == Kind::kComment; }
};

// Comments not yet written, in order. The storage behind the span belongs to the Writer and is never changed.
using Comments = std::span<const Comment* const>;

struct Style {
  bool contains = false;   // partial sets are written with `contains`
  bool ifs = false;        // rules are written with `if`
  bool ref_heads = false;  // some head needs to be written as a reference
  bool v1 = false;
  bool v2_imported = false;
  std::vector<std::string> future_keywords;  // imported by name
};

class Writer {
 public:
  explicit Writer(Style style) : style_(std::move(style)) {}

  void module(Module& module);
  void query(Body& body);
  const Diagnostics& errors() const noexcept { return errors_; }
  std::string take_text();

 private:
  // One element of a sequence that is laid out in lines: a term, or a key and its value.
  struct Item {
    const Term* term = nullptr;
    const Term* value = nullptr;
  };
  using Lines = std::vector<std::vector<Item>>;
  enum class ListKind : std::uint8_t { kArguments, kMembers, kPairs };
  struct Operand;  // of `and`, `or`
  struct Step;

  // writer_layout.cpp: lines, comments, sequences
  void write(std::string_view text) { text_ += text; }
  void start_line();
  void end_line();
  void blank_line();
  void line(std::string_view text);
  void up() { ++level_; }
  bool down();
  void record(const Fault& fault);
  Fault drop(Comments& comments, Fault fault);  // the comments are lost with the fault
  void write_comments(Comments comments);
  Fault insert_comments(Comments& comments, std::int64_t row);
  Fault insert_comments(Comments& comments, const Location& where) { return insert_comments(comments, where.row); }
  Fault before_line_end(const Comment* comment);
  Fault unformatted(const Location& where, Comments& comments);
  Lines group(std::vector<Item> items, const Location& after) const;
  Fault sequence(std::vector<Item> items, const Location& opening, std::int64_t closing, Comments& comments,
                 ListKind kind);
  Fault sequence_line(const std::vector<Item>& items, Comments& comments, ListKind kind);
  Fault item(const Item& item, Comments& comments, ListKind kind);

  // writer_rules.cpp: modules, imports, rules
  struct Part;  // an import or a rule
  Fault package(const Module& module, Comments& comments);
  Fault imports(const std::vector<const Import*>& list, Comments& comments);
  Fault import(const Import& import);
  void rules(const std::vector<const Rule*>& list, Comments& comments);
  bool groupable(const Rule& rule) const;
  Fault rule(const Rule& rule, bool is_else, Comments& comments);
  Fault rule_body(const Rule& rule, bool is_else, bool odd_comment, Comments& comments);
  Fault otherwise(const Rule& rule, Comments& comments);
  Fault head(const Head& head, bool is_default, bool constant, bool is_else, Comments& comments);
  Fault head_value(const Head& head, bool constant, bool is_else, Comments& comments);

  // writer_exprs.cpp: bodies and expressions
  Fault body(const Body& body, Comments& comments);
  Fault expr(const Expr& expr, Comments& comments);
  Fault expr_terms(const Expr& expr, Comments& comments);
  Fault with_modifiers(const Expr& expr, Comments& comments);
  Fault with(const With& with, Comments& comments, bool indented);
  Fault some(const Expr& expr, Comments& comments);
  Fault every(const Expr& expr, Comments& comments);
  Fault negation(const Expr& expr, Comments& comments);
  Fault logical(const Expr& expr, Comments& comments);
  Fault operand(const Operand& operand, Comments& comments);
  Operand flatten(const Expr& expr, std::vector<Step>& steps) const;
  void mark_leading_union(const Expr& expr);
  Fault function_call(const std::vector<Term>& terms, Comments& comments);

  // writer_terms.cpp
  Fault term(const Term& term, Comments& comments);
  Fault term_in(bool parens, const Term& term, Comments& comments);
  Fault term_content(bool parens, const Term& term, Comments& comments);
  void string(const Term& term);
  Fault template_string(const Term& term, Comments& comments);
  Fault interpolation(const Term& term, std::size_t at, Comments& comments);
  Fault reference(std::span<const Term> items, Comments& comments);
  void step(const Term& name);
  bool needs_brackets(const Term& name) const;
  Fault call(bool parens, const Term& term, Comments& comments);
  Fault plain_call(const std::vector<Term>& terms, Comments& comments);
  Fault membership(bool parens, std::span<const Term> operands, std::size_t arity, const Location& where,
                   Comments& comments);
  Fault collection(const Term& term, Comments& comments);
  Fault comprehension(const Term& term, Comments& comments);
  Fault comprehension_body(char open, char close, const Body& body, const Location& after, const Location& whole,
                           Comments& comments);
  void arity_error(std::span<const Term> operands, std::string_view name, const Location& where);

  Style style_;
  std::string text_;
  std::size_t level_ = 0;
  bool inline_ = false;
  bool delay_ = false;                    // the comment at the end of the line waits for the next one
  bool comment_on_final_line_ = false;    // kept source also takes the comment on its last line
  const Comment* at_line_end_ = nullptr;  // to be written when the line ends
  const Expr* paren_expr_ = nullptr;      // the expression whose terms get parentheses
  const Term* paren_term_ = nullptr;
  std::deque<std::vector<const Comment*>> comment_lists_;  // what the spans point into
  Diagnostics errors_;
};

// The row where the bracket that `open` stands for is closed in the text of `where`; -1 when it is not. With
// `skip_open` a first pair of other brackets (arguments, a key) is passed over.
std::int64_t closing_row(char skip_open, char skip_close, char open, char close, const Location& where);
std::int64_t end_row(const Location& where);
std::int64_t newlines(std::string_view text);
bool is_infix(const Term& op, std::size_t& arity);  // arity: of the builtin
bool is_union(const Term& term);
bool is_union(const Expr& expr);
bool begins_with_parenthesis(const Location& where);
bool leads_with_brace(const Term& term);
bool leads_with_brace(const Expr& expr);
bool is_true(const Term& term);
std::string shown(const Comment& comment);

}  // namespace portcullis::rego::format
