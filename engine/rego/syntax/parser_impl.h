// The recursive-descent parser behind parser.h. It backs up freely: everything a parse may have to take back (position,
// errors, hints, comments, counters) is in State, a trivially copyable value; lists in it are chains that share tails.
// A member function that returns an empty optional has recorded an error, or found nothing to parse.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/rego/syntax/ast.h"
#include "engine/rego/syntax/lexer.h"
#include "engine/rego/syntax/parser.h"

namespace portcullis::rego {

using MaybeTerm = std::optional<Term>;
using MaybeExpr = std::optional<Expr>;
using MaybeBody = std::optional<Body>;

enum class StatementKind : std::uint8_t { kPackage, kImport, kRule, kBody };

struct Statement {
  StatementKind kind = StatementKind::kBody;
  Location location;
  Term package;  // kPackage: the path, data first
  Import import;
  Rule rule;
  Body body;
};

class Parser {
 public:
  Parser(std::string_view file, std::string_view source, const ParseOptions& options, bool skip_rules);

  std::vector<Statement> parse_statements();
  bool failed() const noexcept { return s_.error_count > 0 || exhausted_; }
  Diagnostics errors() const;
  std::vector<Comment> comments() const;
  std::vector<Annotations> parse_annotations();

 private:
  struct State {
    LexState lex;
    Token token = Token::kIllegal;
    Location location;  // of the token
    std::string_view text;
    std::size_t token_end = 0;
    std::size_t last_end = 0;  // end of the token before
    std::uint32_t wildcards = 0;
    std::uint32_t links = 0;     // of the operator chains on the way to this place, in one statement
    std::uint32_t keywords = 0;  // index into keyword_sets_
    std::int32_t errors = -1;    // heads of chains
    std::int32_t comments = -1;
    std::int32_t hints = -1;
    std::uint32_t error_count = 0;
    bool skipped_newline = false;
  };
  template <typename T>
  struct Link {
    T value;
    std::int32_t previous;
  };
  struct Problem {  // becomes a Diagnostic when it stands
    Location where;
    std::string message;
  };
  struct CachedTerm {
    std::size_t offset;
    MaybeTerm term;
    State after;
  };
  // An operand of `and`, `or`, `not`.
  struct Operand {
    Body body;
    bool braces = false;
    Location location;
  };
  enum class Group : std::uint8_t { kNone, kFailed, kParsed };  // kNone: no group, state as before
  struct Depth {  // counts nesting; ok is false past the bound, with the error recorded
    explicit Depth(Parser& p);
    ~Depth() { --parser.depth_; }
    Parser& parser;
    bool ok = false;
  };

  // parser.cpp: tokens, errors, statements
  bool add_link();  // one more operator in a chain, one level more in the tree; false past the bound, error recorded
  void scan() { scan_next(true, Lexer::Mode::kNormal); }
  void scan_white() { scan_next(false, Lexer::Mode::kNormal); }  // stops at white space too
  void scan_next(bool skip_white, Lexer::Mode mode);
  std::string_view text_between(std::size_t begin, std::size_t end) const;
  Location span(Location start) const;  // start, its text reaching to the end of the last token
  Location located(const Location& at, std::size_t begin, std::size_t end) const;
  void error(const Location& where, std::string message);
  void exhaust();
  void illegal(std::string_view note = {});
  void hint(std::string text);
  KeywordSet keywords() const { return keyword_sets_[s_.keywords]; }
  void set_keywords(KeywordSet set);   // a set of its own from here on
  void add_keywords(KeywordSet more);  // seen by every saved State with the same set
  bool is_keyword_now(std::string_view name) const;
  bool is_ref_keyword(Token token) const;
  bool take_ident_or_keyword();
  Token peek(bool skip_white);
  bool ref_ahead();   // a keyword that begins a reference (`import.x`) becomes an identifier
  void call_ahead();  // `and(`, `or(`
  bool keyword_rule_name(bool is_default);
  void reclassify_keyword();
  bool parse_package(Statement& statement);
  bool parse_import(Statement& statement);
  bool check_import_end(const Import& import);
  bool parse_alias(Import& import);
  void future_import(const Import& import);
  void rego_import(const Import& import);
  bool parse_statement(std::vector<Statement>& statements);
  template <typename F>
  auto with_future_keywords(F&& parse);

  // parser_rules.cpp
  bool parse_rules(std::vector<Statement>& statements);
  bool parse_rule_body(Rule& rule, bool has_if, bool& done);
  bool parse_chained_bodies(std::size_t first, std::vector<Statement>& statements);
  bool adjust_head(Rule& rule, bool has_if);
  std::optional<Head> parse_head(bool is_default);
  std::optional<Head> head_from(Term term, const Location& start);
  void parse_head_value(Head& head, const std::string& name, bool is_default);
  MaybeTerm parse_head_finish(MaybeTerm head);
  std::unique_ptr<Rule> parse_else(const Head& head);
  bool parse_else_body(Rule& rule, const Head& head);
  void refresh_wildcards(std::vector<Term>& arguments);
  bool valid_default_value(const Rule& rule);
  bool valid_default_arguments(const Rule& rule);

  // parser_literal.cpp
  MaybeBody parse_body(Token end);
  MaybeBody parse_query(bool require_semicolon, Token end);
  MaybeExpr parse_literal();
  MaybeExpr parse_literal_inner();
  MaybeExpr parse_literal_expr(bool negated, const Location* not_location);
  MaybeExpr finish_literal(Expr expr, bool negated, const Location* not_location, const State& start,
                           const Location& with_location);
  void hint_every(const Expr& expr, const State& start);
  void hint_missing_infix();
  bool parse_with(std::vector<With>& with);
  MaybeExpr parse_some();
  bool hint_some_in();
  MaybeExpr parse_every();
  MaybeExpr parse_expr();

  // parser_logical.cpp
  bool logical_on() const;
  bool at_logical() const { return s_.token == Token::kLogicalAnd || s_.token == Token::kLogicalOr; }
  bool is_negated();
  MaybeExpr attach_with(MaybeExpr expr);
  MaybeExpr fold_logical(Operand operand);
  MaybeExpr parse_not_body(const Location& not_location);
  MaybeExpr parse_or_chain(Operand left);
  MaybeExpr parse_and_chain(Operand left);
  Expr join_operands(ExprKind kind, Operand left, Operand right);
  std::optional<Operand> parse_operand(std::string_view op);
  std::optional<Operand> parse_braced_operand(std::string_view op);
  std::optional<Operand> parse_plain_operand(bool negated, const Location& not_location);
  Group parse_group(bool operand_context, std::string_view prefix, Operand& result);
  Group finish_group(bool operand_context, std::string_view prefix, const State& start, Operand left, Operand& result);
  Group close_group(Operand operand, const Location& open, Operand& result);
  Expr not_expr(Body body, bool braces, const Location& where);
  bool ambiguous_union(const Body& body) const;
  void error_ambiguous_union(const Location& where, std::size_t brace, const Body& body, std::string_view prefix);
  void error_brace_value(const Location& where, std::string_view operand, const Term& term, std::string_view prefix);
  void error_brace_operand(const Location& where, std::string_view operand, std::string_view op);
  void error_with_on_operand(const Location& where, std::string_view op);
  void check_void_operands(const Body& left, const Body& right, std::string_view op);

  // parser_term.cpp
  MaybeTerm parse_term_infix() { return parse_in(true); }
  MaybeTerm parse_term_in_list() { return parse_in(false); }
  MaybeTerm parse_in(bool with_key);
  MaybeTerm parse_key_value_in(Term& left, std::size_t offset);
  MaybeTerm parse_infix(int level);
  MaybeTerm parse_infix(int level, std::size_t offset);
  MaybeTerm parse_term();
  MaybeTerm parse_term_start(Location& minus);
  MaybeTerm parse_term_finish(MaybeTerm head);
  MaybeTerm parse_parenthesised();
  MaybeTerm parse_number();
  MaybeTerm parse_string();
  MaybeTerm parse_template(bool raw);
  bool template_part(std::string& out);
  MaybeTerm parse_interpolation();
  bool check_interpolation(const Expr& expr);
  MaybeTerm parse_call(Term op, std::size_t offset);
  MaybeTerm parse_ref(Term head, std::size_t offset);
  MaybeTerm parse_ref_steps(std::vector<Term> ref, const Location& where, std::size_t offset, std::size_t& end);
  MaybeTerm parse_array();
  MaybeTerm parse_array_items();
  MaybeTerm parse_set_or_object();
  MaybeTerm parse_braced();
  MaybeTerm parse_set(const State& start, Term head, bool may_comprehend);
  MaybeTerm parse_object(Term key, bool may_comprehend);
  MaybeTerm parse_object_finish(Term key, Term value, bool may_comprehend);
  bool parse_term_list(Token end, std::vector<Term>& items);
  bool parse_pair_list(Token end, std::vector<Term>& items);
  Term parse_var();
  Term operator_term(std::initializer_list<std::string_view> path);
  std::string next_wildcard() { return "$" + std::to_string(s_.wildcards++); }
  const CachedTerm* find_cached(std::size_t offset) const;
  void cache(const MaybeTerm& term, std::size_t offset, std::uint32_t links_before);
  bool afford(std::uint64_t nodes);  // another copy of a kept term

  Lexer lexer_;
  std::string_view file_;
  const ParseOptions& options_;
  bool skip_rules_;
  std::uintptr_t stack_start_;
  bool not_bodies_ = false;
  std::uint32_t depth_ = 0;
  // Backing up can take exponential time (so does OPA's). Past these bounds every attempt fails at once.
  std::uint64_t scans_left_;
  std::uint64_t cached_nodes_left_;
  bool exhausted_ = false;
  Location exhausted_at_;
  State s_;
  std::vector<CachedTerm> cache_;  // offsets ascending
  std::deque<KeywordSet> keyword_sets_;
  std::vector<Link<Problem>> error_links_;
  std::vector<Link<Comment>> comment_links_;
  std::vector<Link<std::string>> hint_links_;
};

template <typename F>
auto Parser::with_future_keywords(F&& parse) {
  const State saved = s_;
  std::vector<CachedTerm> cache = std::exchange(cache_, {});
  set_keywords(keywords() | kAllFuture);
  auto result = parse();
  s_ = saved;
  cache_ = std::move(cache);
  return result;
}

// What OPA's messages call the kind of a term: "var", "ref", "arraycomprehension", …
std::string_view value_name(const Term& term);
bool is_ground(const Term& term);
std::uint64_t node_count(const Term& term);
// Gives the expression or term and everything in it one location.
void set_location(Term& term, const Location& where);
void set_location(Expr& expr, const Location& where);
Body implicit_true_body(const Location& where);
// The line of `offset` and a caret below it.
std::vector<std::string> excerpt(std::string_view source, std::size_t offset);

// module.cpp: statements of a file to a module. `version` is the one parsed at.
Parsed<Module> build_module(std::string_view file, std::vector<Statement> statements, RegoVersion version);
// annotations.cpp: each block goes to the statement below it.
void attach_annotations(Module& module, std::vector<Annotations> annotations, Diagnostics& errors);

}  // namespace portcullis::rego
