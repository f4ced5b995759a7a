// Tokens, errors, and the statements of a file: packages and imports.
#include "engine/rego/syntax/parser.h"

#include <algorithm>
#include <utility>

#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kParseError = "rego_parse_error";

// Of a thread's 8 MiB. The bound on depth is met first but in sanitizer builds, whose frames are several times larger.
constexpr std::uint32_t kMaxLinks = 2000;
constexpr std::size_t kMaxStackBytes = std::size_t{4} << 20;

// A source is read once but for backing up: 200 tokens per byte is far beyond what people write.
constexpr std::uint64_t kFreeScans = 100'000;
constexpr std::uint64_t kScansPerByte = 200;
// Terms kept for backing up are copied, in nodes per byte.
constexpr std::uint64_t kCachedNodesPerByte = 500;

bool is_space(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == ' ' || (c >= '\t' && c <= '\r') || byte == 0x85 || byte == 0xA0;
}

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

bool is_path(const Term& ref, std::initializer_list<std::string_view> names) {
  if (ref.items.size() != names.size()) return false;
  return std::equal(names.begin(), names.end(), ref.items.begin(),
                    [](std::string_view name, const Term& item) { return item.text == name; });
}

bool is_one_of(Token token, std::initializer_list<Token> list) {
  return std::find(list.begin(), list.end(), token) != list.end();
}

}  // namespace

std::vector<std::string> excerpt(std::string_view source, std::size_t offset) {
  if (source.empty()) return {"", "^"};
  std::size_t at = std::min(offset, source.size() - 1);
  while (at > 0 && is_space(source[at])) --at;
  std::size_t begin = at;
  while (begin > 0 && !is_line_end(source[begin])) --begin;
  if (is_line_end(source[begin])) ++begin;
  std::size_t end = at;
  while (end < source.size() && !is_line_end(source[end])) ++end;
  begin = std::min(begin, end);
  const std::string_view line = source.substr(begin, end - begin);
  const std::size_t tabs = std::min(line.find_first_not_of('\t'), line.size());
  const std::size_t index = at >= begin ? at - begin : 0;
  return {std::string(line.substr(tabs)), std::string(index > tabs ? index - tabs : 0, ' ') + "^"};
}

Parser::Parser(std::string_view file, std::string_view source, const ParseOptions& options, bool skip_rules)
    : lexer_(source),
      file_(file),
      options_(options),
      skip_rules_(skip_rules),
      stack_start_(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0))),
      scans_left_(kFreeScans + kScansPerByte * source.size()),
      cached_nodes_left_(kFreeScans + kCachedNodesPerByte * source.size()) {
  KeywordSet set = 0;
  if (options.version == RegoVersion::kV1) set = kFutureV0;
  if (options.all_future_keywords || options.version == RegoVersion::kV2) set = kAllFuture;
  not_bodies_ = (set & kKeywordNot) != 0;
  s_.lex = lexer_.state();
  set_keywords(set);
  s_.location.file = file;
  scan();
}

Parser::Depth::Depth(Parser& p) : parser(p) {
  ++p.depth_;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::size_t used = p.stack_start_ > here ? p.stack_start_ - here : here - p.stack_start_;
  ok = p.depth_ <= p.options_.max_depth && used <= kMaxStackBytes;
  if (!ok) p.error(p.s_.location, "max parsing recursion depth exceeded");
}

// A chain of operators (1 + 1 + …) nests to the left without nesting in the source: what walks the tree goes as deep.
bool Parser::add_link() {
  if (++s_.links <= kMaxLinks) return true;
  error(s_.location, "max parsing recursion depth exceeded");
  return false;
}

std::string_view Parser::text_between(std::size_t begin, std::size_t end) const {
  const std::string_view source = lexer_.source();
  if (begin >= source.size() || end < begin || end > source.size()) return {};
  return source.substr(begin, end - begin);
}

Location Parser::located(const Location& at, std::size_t begin, std::size_t end) const {
  Location where = at;
  where.text = text_between(begin, end);
  return where;
}

Location Parser::span(Location start) const { return located(start, start.offset, s_.last_end); }

void Parser::scan_next(bool skip_white, Lexer::Mode mode) {
  if (exhausted_ || --scans_left_ == 0) {
    exhaust();
    s_.token = Token::kIllegal;
    return;
  }
  if (s_.token != Token::kWhitespace) {
    s_.last_end = s_.token_end;
    s_.skipped_newline = false;
  }
  for (;;) {
    lexer_.restore(s_.lex);
    const Lexeme lexeme = lexer_.scan(keywords(), mode);
    s_.lex = lexer_.state();
    s_.token = lexeme.token;
    s_.text = lexeme.text;
    s_.token_end = lexeme.end;
    s_.location.row = lexeme.row;
    s_.location.column = lexeme.column;
    s_.location.offset = static_cast<std::uint32_t>(lexeme.offset);
    s_.location.text = text_between(lexeme.offset, lexeme.end);
    if (!lexer_.errors().empty()) {
      for (const std::string_view message : lexer_.errors()) error(s_.location, std::string(message));
      s_.token = Token::kIllegal;
    }
    if (s_.token == Token::kWhitespace) {
      if (s_.text == "\n") s_.skipped_newline = true;
      if (skip_white) continue;
    }
    if (s_.token != Token::kComment) return;
    Comment comment{s_.location, std::string(s_.text.substr(1))};
    if (!s_.location.text.empty()) {
      std::string_view text = s_.location.text.substr(1);
      while (text.size() > 1 && text.back() == '\r') text.remove_suffix(1);
      comment.text = text == "\r" ? std::string() : std::string(text);
    }
    comment_links_.push_back({std::move(comment), s_.comments});
    s_.comments = static_cast<std::int32_t>(comment_links_.size()) - 1;
  }
}

void Parser::error(const Location& where, std::string message) {
  std::vector<std::string_view> hints;
  for (std::int32_t at = s_.hints; at >= 0; at = hint_links_[static_cast<std::size_t>(at)].previous) {
    hints.insert(hints.begin(), hint_links_[static_cast<std::size_t>(at)].value);
  }
  for (std::size_t i = 0; i < hints.size(); ++i) {
    message += i > 0 ? ", " : (hints.size() == 1 ? " (hint: " : " (hints: ");
    message += hints[i];
  }
  if (!hints.empty()) message += ')';
  s_.hints = -1;
  error_links_.push_back({{where, std::move(message)}, s_.errors});
  s_.errors = static_cast<std::int32_t>(error_links_.size()) - 1;
  ++s_.error_count;
}

void Parser::exhaust() {
  if (!exhausted_) exhausted_at_ = s_.location;
  exhausted_ = true;
}

void Parser::illegal(std::string_view note) {
  if (s_.token == Token::kIllegal) {
    error(s_.location, "illegal token");
    return;
  }
  std::string message = "unexpected ";
  message += token_name(s_.token);
  message += is_base_keyword(s_.token) || is_future_keyword_token(s_.token) ? " keyword" : " token";
  if (!note.empty()) {
    message += ": ";
    message += note;
  }
  error(s_.location, std::move(message));
}

void Parser::hint(std::string text) {
  hint_links_.push_back({std::move(text), s_.hints});
  s_.hints = static_cast<std::int32_t>(hint_links_.size()) - 1;
}

Diagnostics Parser::errors() const {
  Diagnostics result;
  if (exhausted_) {
    result.add(std::string(kParseError), exhausted_at_, "nested too deeply: too many ways to read it",
               excerpt(lexer_.source(), exhausted_at_.offset));
    return result;
  }
  for (std::int32_t at = s_.errors; at >= 0; at = error_links_[static_cast<std::size_t>(at)].previous) {
    const Problem& problem = error_links_[static_cast<std::size_t>(at)].value;
    result.add(std::string(kParseError), problem.where, problem.message,
               excerpt(lexer_.source(), problem.where.offset));
  }
  std::reverse(result.list.begin(), result.list.end());
  return result;
}

std::vector<Comment> Parser::comments() const {
  std::vector<Comment> result;
  for (std::int32_t at = s_.comments; at >= 0; at = comment_links_[static_cast<std::size_t>(at)].previous) {
    result.push_back(comment_links_[static_cast<std::size_t>(at)].value);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

void Parser::set_keywords(KeywordSet set) {
  keyword_sets_.push_back(set);
  s_.keywords = static_cast<std::uint32_t>(keyword_sets_.size()) - 1;
}

void Parser::add_keywords(KeywordSet more) {
  if ((more & kKeywordEvery) != 0) more |= kKeywordIn;
  keyword_sets_[s_.keywords] |= more;
}

bool Parser::is_keyword_now(std::string_view name) const {
  return is_base_keyword(name) || (future_keyword(name) & keywords()) != 0;
}

bool Parser::is_ref_keyword(Token token) const {
  const std::string_view name = token_name(token);
  return is_keyword_in(name, options_.version) || is_keyword_now(name);
}

bool Parser::take_ident_or_keyword() {
  if (s_.token == Token::kIdent) return true;
  if (!is_ref_keyword(s_.token)) return false;
  s_.token = Token::kIdent;
  return true;
}

Token Parser::peek(bool skip_white) {
  const State saved = s_;
  scan_next(skip_white, Lexer::Mode::kNormal);
  const Token token = s_.token;
  s_ = saved;
  return token;
}

bool Parser::ref_ahead() {
  if (!is_ref_keyword(s_.token)) return false;
  if (!is_one_of(peek(false), {Token::kDot, Token::kLBrack})) return false;
  s_.token = Token::kIdent;
  return true;
}

void Parser::call_ahead() {
  if (at_logical() && peek(false) == Token::kLParen) s_.token = Token::kIdent;
}

// After an import the token that follows was read before the new keywords were known.
void Parser::reclassify_keyword() {
  if (s_.token == Token::kIdent) s_.token = keyword_token(s_.text, keywords());
}

// `every := 1` and the like: a keyword followed by what can only belong to a rule's head.
bool Parser::keyword_rule_name(bool is_default) {
  const Token keyword = s_.token;
  const bool contains = keyword == Token::kContains;
  const bool logical = is_one_of(keyword, {Token::kNot, Token::kLogicalAnd, Token::kLogicalOr});
  const bool path = is_one_of(keyword, {Token::kPackage, Token::kImport});
  const bool plain = is_one_of(keyword, {Token::kEvery, Token::kIf, Token::kIn, Token::kSome, Token::kAs});
  if (!contains && !logical && !path && !plain) return false;
  if (!is_default) {
    const Token next = peek(true);
    const bool assigns = is_one_of(next, {Token::kAssign, Token::kUnify});
    const bool heads = is_one_of(next, {Token::kIf, Token::kContains});
    const bool follows = (assigns && !contains) || (heads && !path) || (next == Token::kLParen && (plain || path));
    if (!follows) return false;
  }
  error(s_.location, std::string(token_name(keyword)) + " keyword cannot be used for rule name");
  return true;
}

bool Parser::parse_package(Statement& statement) {
  statement.kind = StatementKind::kPackage;
  statement.location = s_.location;
  scan_white();
  if (is_one_of(s_.token, {Token::kDot, Token::kLBrack})) return false;  // a reference, not a declaration
  if (s_.token == Token::kWhitespace) scan();
  if (!take_ident_or_keyword()) {
    illegal();
    return false;
  }
  MaybeTerm term = parse_term();
  if (!term) {
    if (!failed()) error(s_.location, "expected path");
    return false;
  }
  std::vector<Term> path;
  if (term->kind == TermKind::kVar) {
    path.push_back(Term::var("data", term->location));
    path.push_back(Term::string(term->text, term->location));
  } else if (term->kind == TermKind::kRef) {
    const Term& head = term->items[0];
    path.push_back(Term::var("data", head.location));
    if (head.kind != TermKind::kVar) {
      error(head.location, "unexpected " + std::string(value_name(head)) + " token: expecting var");
      return false;
    }
    path.push_back(Term::string(head.text, head.location));
    for (std::size_t i = 1; i < term->items.size(); ++i) {
      Term& item = term->items[i];
      if (item.kind != TermKind::kString) {
        error(item.location, "unexpected " + std::string(value_name(item)) + " token: expecting string");
        return false;
      }
      path.push_back(std::move(item));
    }
  } else {
    illegal();
    return false;
  }
  statement.package = Term::ref(std::move(path), term->location);
  return true;
}

bool Parser::parse_import(Statement& statement) {
  statement.kind = StatementKind::kImport;
  statement.location = s_.location;
  Import& import = statement.import;
  import.location = s_.location;
  scan_white();
  if (is_one_of(s_.token, {Token::kDot, Token::kLBrack})) return false;
  if (s_.token == Token::kWhitespace) scan();
  if (!take_ident_or_keyword()) {
    illegal();
    return false;
  }
  // The path is read without future keywords, so that future.keywords.in is one.
  const State before = s_;
  const KeywordSet active = keywords();
  std::vector<CachedTerm> cache = std::exchange(cache_, {});
  set_keywords(active & ~kAllFuture);
  MaybeTerm path = parse_term();
  cache_ = std::move(cache);
  if (path && path->kind == TermKind::kRef) {
    for (std::size_t i = 1; i < path->items.size(); ++i) {
      const Term& item = path->items[i];
      if (item.kind == TermKind::kString) continue;
      s_ = before;
      error(item.location, "unexpected " + std::string(value_name(item)) + " token: expecting string");
      return false;
    }
  }
  set_keywords(active);
  if (path && path->kind == TermKind::kVar) {
    const Location where = path->location;
    path = Term::ref({std::move(*path)}, where);
  }
  if (!path || path->kind != TermKind::kRef) {
    error(s_.location, "expected path");
    return false;
  }
  import.path = std::move(*path);
  const Term& root = import.path.items[0];
  if (root.kind != TermKind::kVar ||
      (root.text != "data" && root.text != "input" && root.text != "future" && root.text != "rego")) {
    hint("if this is unexpected, try updating OPA");
    error(import.path.location,
          "unexpected import path, must begin with one of: {data, future, input, rego}, got: " + to_string(root));
    return false;
  }
  return s_.token == Token::kAs ? parse_alias(import) : check_import_end(import);
}

bool Parser::parse_alias(Import& import) {
  scan();
  if (s_.token != Token::kIdent) {
    illegal("expected var");
    return false;
  }
  if (MaybeTerm alias = parse_term()) {
    if (alias->kind == TermKind::kVar) {
      import.alias = alias->text;
      import.alias_location = alias->location;
      return true;
    }
    if (alias->kind == TermKind::kRef && alias->items.size() == 1 &&
        (alias->items[0].is_var("data") || alias->items[0].is_var("input"))) {
      error(alias->location, "unexpected import alias, must not be a reserved name, got: " + alias->items[0].text);
      return false;
    }
  }
  illegal("expected var");
  return false;
}

// A path whose last step is a keyword would make a name that can't be used; the import still counts.
bool Parser::check_import_end(const Import& import) {
  const std::vector<Term>& path = import.path.items;
  if (path.size() > 1 && path[0].text == "future") return true;
  const Term& last = path.back();
  if (is_keyword_in(last.text, options_.version)) {
    hint("import a different path or use an alias");
    error(last.location, "unexpected import path, must not end with a keyword, got: " + last.text);
  }
  return true;
}

void Parser::future_import(const Import& import) {
  const std::vector<Term>& path = import.path.items;
  if (path.size() == 1 || path[1].text != "keywords") {
    error(import.path.location, "invalid import, must be `future.keywords`");
    return;
  }
  if (!import.alias.empty()) {
    error(import.alias_location, "`future` imports cannot be aliased");
    return;
  }
  KeywordSet set = kAllFuture;
  if (path.size() == 3) {
    set = future_keyword(path[2].text);
    if (set == 0) {
      error(import.path.location, "unexpected keyword, must be one of [and contains every if in not or]");
      return;
    }
  }
  if ((set & kKeywordNot) != 0) not_bodies_ = true;
  add_keywords(set);
}

void Parser::rego_import(const Import& import) {
  const bool v2 = is_path(import.path, {"rego", "v2"});
  if (!v2 && !is_path(import.path, {"rego", "v1"})) {
    error(import.path.location,
          "invalid import `" + to_string(import.path) + "`, must be one of: `rego.v1`, `rego.v2`");
    return;
  }
  if (!import.alias.empty()) {
    error(import.alias_location, "`rego` imports cannot be aliased");
    return;
  }
  if (v2 && options_.version != RegoVersion::kV2) {
    add_keywords(kAllFuture);
    not_bodies_ = true;
  } else if (!v2 && options_.version != RegoVersion::kV1) {
    add_keywords(kFutureV0);
  }
}

// One statement (rules with chained bodies count as several). False: nothing more can be parsed.
bool Parser::parse_statement(std::vector<Statement>& statements) {
  s_.links = 0;
  const State start = s_;
  if (s_.token == Token::kPackage || s_.token == Token::kImport) {
    const bool is_import = s_.token == Token::kImport;
    Statement statement;
    if (is_import ? parse_import(statement) : parse_package(statement)) {
      if (s_.token == Token::kSub) {
        illegal();
        return false;
      }
      if (is_import) {
        const std::string& root = statement.import.path.items[0].text;
        if (root == "rego") rego_import(statement.import);
        if (root == "future") future_import(statement.import);
        if (root == "rego" || root == "future") reclassify_keyword();
      }
      statements.push_back(std::move(statement));
      return true;
    }
    if (failed()) return false;
    s_ = start;
  }
  if (!skip_rules_) {
    if (parse_rules(statements)) return true;
    if (failed()) return false;
    s_ = start;
  }
  Statement statement;
  MaybeBody body = parse_query(true, Token::kEof);
  if (!body) return false;
  statement.body = std::move(*body);
  statement.location = statement.body.exprs.front().location;
  statements.push_back(std::move(statement));
  return true;
}

std::vector<Statement> Parser::parse_statements() {
  std::vector<Statement> statements;
  while (s_.token != Token::kEof) {
    if (!skip_rules_ && keyword_rule_name(false)) break;
    if (!parse_statement(statements)) break;
  }
  return statements;
}

namespace {

struct Source {
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const std::string> text;
};

Source own(std::string_view file, std::string_view text) {
  return {std::make_shared<const std::string>(file), std::make_shared<const std::string>(text)};
}

Diagnostics plain_error(std::string message) {
  Diagnostics errors;
  errors.list.push_back({std::string(kParseError), std::move(message), {}, 0, 0, {}});
  return errors;
}

}  // namespace

Parsed<Module> parse_module(std::string_view file, std::string_view source, const ParseOptions& options) {
  Source owned = own(file, source);
  Parser parser(*owned.file, *owned.text, options, false);
  std::vector<Statement> statements = parser.parse_statements();
  std::vector<Annotations> annotations;
  if (options.process_annotations) annotations = parser.parse_annotations();
  if (parser.failed()) return parser.errors();
  std::vector<Comment> comments = parser.comments();
  PC_TRY(Module module, build_module(*owned.file, std::move(statements), options.version));
  module.file = std::move(owned.file);
  module.source = std::move(owned.text);
  module.comments = std::move(comments);
  Diagnostics errors;
  attach_annotations(module, std::move(annotations), errors);
  if (!errors.empty()) return errors;
  return module;
}

Parsed<ParsedQuery> parse_query(std::string_view source, const ParseOptions& options) {
  Source owned = own({}, source);
  Parser parser({}, *owned.text, options, true);
  std::vector<Statement> statements = parser.parse_statements();
  if (parser.failed()) return parser.errors();
  ParsedQuery query{std::move(owned.text), {}};
  for (Statement& statement : statements) {
    if (statement.kind != StatementKind::kBody) {
      return plain_error(std::string("expected body but got *ast.") +
                         (statement.kind == StatementKind::kPackage ? "Package" : "Import"));
    }
    for (Expr& expr : statement.body.exprs) {
      expr.index = static_cast<std::uint32_t>(query.body.exprs.size());
      query.body.exprs.push_back(std::move(expr));
    }
  }
  return query;
}

Parsed<Term> parse_term(std::string_view source, const ParseOptions& options) {
  PC_TRY(ParsedQuery query, parse_query(source, options));
  if (query.body.exprs.size() != 1) {
    return plain_error("expected exactly one term but got: " + to_string(query.body));
  }
  Expr& expr = query.body.exprs[0];
  if (expr.kind != ExprKind::kTerm) return plain_error("expected term but got " + to_string(expr));
  set_location(expr.terms[0], {});
  return std::move(expr.terms[0]);
}

Parsed<Term> parse_ref(std::string_view source) {
  PC_TRY(Term term, parse_term(source, {}));
  if (term.kind != TermKind::kRef) {
    return plain_error("failed to parse ref: expected ref but got " + to_string(term));
  }
  return term;
}

}  // namespace portcullis::rego
