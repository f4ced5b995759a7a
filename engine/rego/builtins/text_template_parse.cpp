#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "engine/rego/builtins/go_numbers.h"
#include "engine/rego/builtins/text_template.h"
#include "engine/value/document.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr int kMaxTemplateDepth = 200;
constexpr std::string_view kBlank = " \t\r\n";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80u) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kWord,
    kField,
    kVariable,
    kText,
    kNumber,
    kChar,
    kSymbol,
    kSpace
  } kind = Kind::kEnd;
  std::string_view text;
};

// A recursive-descent parser. The first error stays in error_, and everything ends.
class Parser {
 public:
  Parser(Arena& arena, std::string_view text) : arena_(arena), text_(text) {}

  Result<Template> parse() {
    const std::string stop = list(out_.root, 0, false);
    if (error_.empty() && !stop.empty()) fail("unexpected {{" + stop + "}}");
    if (!error_.empty()) return make_error(Code::kInvalid, error_);
    return std::move(out_);
  }

 private:
  void fail(const std::string& what) {
    if (!error_.empty()) return;
    const auto lines =
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
    error_ = "template: template:" + std::to_string(lines + 1) + ": " + what;
  }
  bool ok() const { return error_.empty(); }

  // Nodes up to "end" or "else", which is returned and whose action is still open; "" at the end of the text.
  std::string list(std::vector<TemplateNode>& out, int depth, bool in_range);
  void add_text(std::vector<TemplateNode>& out, std::string_view text);
  bool open_action();
  std::string action(std::vector<TemplateNode>& out, int depth, bool in_range);
  void control(TemplateNode::Kind kind, std::vector<TemplateNode>& out, int depth, bool in_range);
  void definition(bool block, std::vector<TemplateNode>& out, int depth);
  void invocation(std::vector<TemplateNode>& out);
  void close_action();
  void comment();

  std::unique_ptr<TemplatePipe> pipeline(int depth, std::string_view context);
  bool command(TemplateCommand& out, int depth);
  bool operand(TemplateOperand& out, int depth);
  bool constant(const Token& token, TemplateOperand& out);
  bool declared(std::string_view name) const {
    return name == "$" || std::find(variables_.begin(), variables_.end(), name) != variables_.end();
  }

  Token scan();
  void check_end();
  Token string_token(char quote);
  const Token& peek() {
    if (!peeked_) {
      ahead_ = scan();
      peeked_ = true;
    }
    return ahead_;
  }
  Token next() {
    const Token out = peek();
    peeked_ = false;
    return out;
  }
  Token next_solid() {
    while (peek().kind == Token::Kind::kSpace) next();
    return next();
  }
  const Token& peek_solid() {
    while (peek().kind == Token::Kind::kSpace) next();
    return peek();
  }
  bool at_symbol(std::string_view symbol) { return peek_solid().kind == Token::Kind::kSymbol && ahead_.text == symbol; }

  Arena& arena_;
  std::string_view text_;
  std::size_t at_ = 0;
  bool trim_next_ = false;
  bool peeked_ = false;
  Token ahead_;
  std::vector<std::string_view> variables_;
  Template out_;
  std::string error_;
};

void Parser::add_text(std::vector<TemplateNode>& out, std::string_view text) {
  if (text.empty()) return;
  TemplateNode node;
  node.text = text;
  out.push_back(std::move(node));
}

std::string Parser::list(std::vector<TemplateNode>& out, int depth, bool in_range) {
  if (depth > kMaxTemplateDepth) fail("template is nested too deeply");
  while (ok()) {
    const std::size_t open = text_.find("{{", at_);
    std::string_view plain = text_.substr(at_, open == std::string_view::npos ? open : open - at_);
    if (trim_next_) plain.remove_prefix(std::min(plain.find_first_not_of(kBlank), plain.size()));
    trim_next_ = false;
    const bool trims = open != std::string_view::npos && open + 3 < text_.size() && text_[open + 2] == '-' &&
                       kBlank.find(text_[open + 3]) != std::string_view::npos;
    if (trims) plain = plain.substr(0, plain.find_last_not_of(kBlank) + 1);
    add_text(out, plain);
    if (open == std::string_view::npos) {
      at_ = text_.size();
      return "";
    }
    at_ = open + (trims ? 4 : 2);
    peeked_ = false;
    if (text_.substr(at_, 2) == "/*") {
      comment();
      continue;
    }
    const std::string stop = action(out, depth, in_range);
    if (!stop.empty()) return stop;
  }
  return "";
}

void Parser::comment() {
  const std::size_t end = text_.find("*/", at_);
  if (end == std::string_view::npos) return fail("unclosed comment");
  at_ = end + 2;
  if (text_.substr(at_, 4) == " -}}") {
    at_ += 4;
    trim_next_ = true;
  } else if (text_.substr(at_, 2) == "}}") {
    at_ += 2;
  } else {
    fail("comment ends before closing delimiter");
  }
}

void Parser::close_action() {
  if (!ok()) return;
  const Token token = next_solid();
  if (token.kind == Token::Kind::kEnd && token.text.empty()) return fail("unclosed action");
  if (token.kind != Token::Kind::kEnd) fail("unexpected " + go_quoted(token.text) + " in command");
}

std::string Parser::action(std::vector<TemplateNode>& out, int depth, bool in_range) {
  const Token token = peek_solid();
  if (token.kind == Token::Kind::kWord) {
    const std::string_view word = token.text;
    if (word == "end" || word == "else") {
      next();
      return std::string(word);
    }
    using Kind = TemplateNode::Kind;
    if (word == "if" || word == "with" || word == "range") {
      next();
      control(word == "if" ? Kind::kIf : word == "with" ? Kind::kWith : Kind::kRange, out, depth, in_range);
      return "";
    }
    if (word == "define" || word == "block") {
      next();
      if (word == "define" && depth != 0) fail("unexpected {{define}}");
      definition(word == "block", out, depth);
      return "";
    }
    if (word == "template") {
      next();
      invocation(out);
      return "";
    }
    if (word == "break" || word == "continue") {
      next();
      if (!in_range) fail("{{" + std::string(word) + "}} outside {{range}}");
      close_action();
      out.emplace_back();
      out.back().kind = word == "break" ? Kind::kBreak : Kind::kContinue;
      return "";
    }
  }
  TemplateNode node;
  node.kind = TemplateNode::Kind::kAction;
  node.pipe = pipeline(depth, "command");
  close_action();
  out.push_back(std::move(node));
  return "";
}

void Parser::control(TemplateNode::Kind kind, std::vector<TemplateNode>& out, int depth, bool in_range) {
  const std::size_t scope = variables_.size();
  TemplateNode node;
  node.kind = kind;
  node.pipe = pipeline(depth, kind == TemplateNode::Kind::kIf     ? "if"
                              : kind == TemplateNode::Kind::kWith ? "with"
                                                                  : "range");
  close_action();
  std::string stop = list(node.body, depth + 1, in_range || kind == TemplateNode::Kind::kRange);
  if (ok() && stop == "else") {
    const Token token = peek_solid();
    const bool chained =
        token.kind == Token::Kind::kWord && ((token.text == "if" && kind == TemplateNode::Kind::kIf) ||
                                             (token.text == "with" && kind == TemplateNode::Kind::kWith));
    if (chained) {
      next();
      control(kind, node.otherwise, depth + 1, in_range);  // takes the "end" that closes this one, too
      variables_.resize(scope);
      out.push_back(std::move(node));
      return;
    }
    close_action();
    stop = list(node.otherwise, depth + 1, in_range);
  }
  if (ok() && stop.empty()) fail("unexpected EOF");
  if (ok() && stop != "end") fail("expected end; found {{else}}");
  close_action();
  variables_.resize(scope);
  out.push_back(std::move(node));
}

void Parser::definition(bool block, std::vector<TemplateNode>& out, int depth) {
  TemplateOperand name;
  const Token token = next_solid();
  if (token.kind != Token::Kind::kText || !constant(token, name))
    return fail("unexpected " + go_quoted(token.text) + " in define clause");
  const std::string_view text = name.constant.value.as_string();
  if (block) {
    TemplateNode node;
    node.kind = TemplateNode::Kind::kTemplate;
    node.text = text;
    node.pipe = pipeline(depth, "block");
    out.push_back(std::move(node));
  }
  close_action();
  std::vector<std::string_view> outside;
  outside.swap(variables_);
  std::vector<TemplateNode> body;
  const std::string stop = list(body, depth + 1, false);
  if (ok() && stop != "end") fail(stop.empty() ? "unexpected EOF" : "unexpected {{else}} in define clause");
  close_action();
  outside.swap(variables_);
  out_.defined.insert_or_assign(std::string(text), std::move(body));
}

void Parser::invocation(std::vector<TemplateNode>& out) {
  TemplateOperand name;
  const Token token = next_solid();
  if (token.kind != Token::Kind::kText || !constant(token, name))
    return fail("unexpected " + go_quoted(token.text) + " in template clause");
  TemplateNode node;
  node.kind = TemplateNode::Kind::kTemplate;
  node.text = name.constant.value.as_string();
  if (peek_solid().kind != Token::Kind::kEnd) node.pipe = pipeline(0, "template clause");
  close_action();
  out.push_back(std::move(node));
}

// --- pipelines ---

std::unique_ptr<TemplatePipe> Parser::pipeline(int depth, std::string_view context) {
  auto out = std::make_unique<TemplatePipe>();
  if (depth > kMaxTemplateDepth) fail("template is nested too deeply");
  // "$x :=", "$i, $x :=" and "$x =" begin with variables: look ahead, and go back when there is no such sign.
  const auto mark = std::tuple(at_, peeked_, ahead_);
  while (ok() && peek_solid().kind == Token::Kind::kVariable && out->variables.size() < 2) {
    out->variables.push_back(next().text);
    if (context == "range" && out->variables.size() == 1 && at_symbol(",")) {
      next();
      continue;
    }
    break;
  }
  const bool declares = !out->variables.empty() && at_symbol(":=");
  out->assigns = !out->variables.empty() && at_symbol("=");
  if (declares || out->assigns) {
    next();
    for (const std::string_view name : out->variables) {
      if (out->assigns && !declared(name)) fail("undefined variable " + go_quoted(name));
    }
  } else {
    std::tie(at_, peeked_, ahead_) = mark;
    out->variables.clear();
  }
  while (ok()) {
    TemplateCommand next_command;
    if (!command(next_command, depth)) break;
    if (!out->commands.empty() && next_command.operands.front().kind != TemplateOperand::Kind::kFunction &&
        next_command.operands.front().kind != TemplateOperand::Kind::kPipe) {
      fail("non executable command in pipeline stage " + std::to_string(out->commands.size() + 1));
    }
    out->commands.push_back(std::move(next_command));
    if (!at_symbol("|")) break;
    next();
    if (peek_solid().kind == Token::Kind::kEnd) break;  // Go lets a pipe lead nowhere
  }
  if (ok() && out->commands.empty()) fail("missing value for " + std::string(context));
  if (declares) variables_.insert(variables_.end(), out->variables.begin(), out->variables.end());
  return out;
}

bool Parser::command(TemplateCommand& out, int depth) {
  while (ok()) {
    const Token& token = peek_solid();
    if (token.kind == Token::Kind::kEnd || (token.kind == Token::Kind::kSymbol && token.text != "(")) break;
    TemplateOperand next_operand;
    if (!operand(next_operand, depth)) return false;
    out.operands.push_back(std::move(next_operand));
    const Token& after = peek();
    const bool open = after.kind == Token::Kind::kSymbol && after.text == "(";
    if (open ||
        (after.kind != Token::Kind::kSpace && after.kind != Token::Kind::kEnd && after.kind != Token::Kind::kSymbol)) {
      fail("unexpected " + go_quoted(after.text) + " in operand");
    }
  }
  if (ok() && out.operands.empty()) fail("empty command");
  if (ok() && out.operands.front().kind == TemplateOperand::Kind::kNil) fail("nil is not a command");
  return ok();
}

bool Parser::operand(TemplateOperand& out, int depth) {
  using Kind = TemplateOperand::Kind;
  const Token token = next_solid();
  switch (token.kind) {
    case Token::Kind::kField:
      if (token.text != ".") {
        out.fields.push_back(token.text.substr(1));
      } else if (peek().kind == Token::Kind::kField) {
        fail("unexpected . after term \".\"");
      }
      break;
    case Token::Kind::kVariable:
      out.kind = Kind::kVariable;
      out.name = token.text;
      if (!declared(token.text)) fail("undefined variable " + go_quoted(token.text));
      break;
    case Token::Kind::kWord:
      if (token.text == "nil") {
        out.kind = Kind::kNil;
      } else if (token.text == "true" || token.text == "false") {
        out.kind = Kind::kConstant;
        out.constant.value = Value::boolean(token.text == "true");
      } else {
        out.kind = Kind::kFunction;
        out.name = token.text;
        if (!is_template_function(token.text)) fail("function " + go_quoted(token.text) + " not defined");
      }
      break;
    case Token::Kind::kText:
    case Token::Kind::kNumber:
    case Token::Kind::kChar:
      if (!constant(token, out)) fail("bad number syntax: " + go_quoted(token.text));
      break;
    case Token::Kind::kSymbol:
      if (token.text == "(") {
        out.kind = Kind::kPipe;
        out.pipe = pipeline(depth + 1, "parenthesized pipeline");
        if (ok() && !at_symbol(")")) fail("unclosed left paren");
        next();
        break;
      }
      [[fallthrough]];
    default: fail("unexpected " + go_quoted(token.text) + " in operand");
  }
  while (ok() && peek().kind == Token::Kind::kField && peek().text != ".") out.fields.push_back(next().text.substr(1));
  return ok();
}

bool Parser::constant(const Token& token, TemplateOperand& out) {
  out.kind = TemplateOperand::Kind::kConstant;
  if (token.kind == Token::Kind::kText) {
    if (token.text.front() == '`') {
      out.constant.value = Value::string(token.text.substr(1, token.text.size() - 2));
      return true;
    }
    // The escapes of a quoted Go string that JSON has too; \x and octal ones are not read.
    Result<Value> text = parse_json_into(arena_, token.text);
    if (text.ok()) out.constant.value = *text;
    return text.ok();
  }
  out.constant.counted = true;
  if (token.kind == Token::Kind::kChar) {
    const text::Rune rune = text::decode_rune(token.text, 1);
    out.constant.value = Value::integer(static_cast<std::int64_t>(rune.value));
    if (token.text.size() != rune.size + 2u) fail("malformed character constant: " + std::string(token.text));
    return true;
  }
  std::string digits(token.text);
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.size() > 2 && digits[0] == '0' && std::string_view("xXoObB").find(digits[1]) != std::string_view::npos) {
    const int base = (digits[1] | 0x20) == 'x' ? 16 : (digits[1] | 0x20) == 'o' ? 8 : 2;
    std::int64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto [at, status] = std::from_chars(digits.data() + 2, end, number, base);
    out.constant.value = Value::integer(number);
    return status == std::errc{} && at == end;
  }
  if (check_go_float(digits) != GoFloat::kValid) return false;
  out.constant.value = make_number(arena_, as_json_number(digits));
  if (const auto whole = to_int64(out.constant.value)) out.constant.value = Value::integer(*whole);  // 1e2 is 100
  return true;
}

// --- tokens ---

Token Parser::string_token(char quote) {
  const std::size_t start = at_++;
  while (at_ < text_.size() && text_[at_] != quote) {
    if (text_[at_] == '\n' && quote != '`') break;
    if (text_[at_] == '\\' && quote != '`') ++at_;
    ++at_;
  }
  if (at_ >= text_.size() || text_[at_] != quote) {
    fail(quote == '`' ? "unterminated raw quoted string" : "unterminated quoted string");
    return {};
  }
  ++at_;
  return {quote == '\'' ? Token::Kind::kChar : Token::Kind::kText, text_.substr(start, at_ - start)};
}

// A name ends at white space, at the action's end or at one of a few signs.
void Parser::check_end() {
  if (at_ >= text_.size() || kBlank.find(text_[at_]) != std::string_view::npos) return;
  if (std::string_view(".,|:()").find(text_[at_]) != std::string_view::npos || text_.substr(at_, 2) == "}}") return;
  const text::Rune rune = text::decode_rune(text_, at_);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string code;
  for (char32_t left = rune.value; left != 0 || code.size() < 4; left >>= 4) code.insert(0, 1, kDigits[left & 15u]);
  fail("bad character U+" + code + " '" + std::string(text_.substr(at_, rune.size)) + "'");
}

Token Parser::scan() {
  using Kind = Token::Kind;
  if (at_ >= text_.size()) return {};
  const std::size_t start = at_;
  const char c = text_[at_];
  const auto taken = [&](Kind kind) { return Token{kind, text_.substr(start, at_ - start)}; };
  if (text_.substr(at_, 2) == "}}") {
    at_ += 2;
    return taken(Kind::kEnd);
  }
  if (kBlank.find(c) != std::string_view::npos) {
    at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size());
    if (text_.substr(at_, 3) == "-}}") {
      at_ += 3;
      trim_next_ = true;
      return taken(Kind::kEnd);
    }
    return taken(Kind::kSpace);
  }
  if (c == '"' || c == '`' || c == '\'') return string_token(c);
  const auto word = [&] {
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
  };
  if (c == '$' || (c == '.' && !(at_ + 1 < text_.size() && is_digit(text_[at_ + 1])))) {
    ++at_;
    word();
    check_end();
    return taken(c == '$' ? Kind::kVariable : Kind::kField);
  }
  if (is_letter(c)) {
    word();
    check_end();
    return taken(Kind::kWord);
  }
  if (is_digit(c) || c == '.' ||
      ((c == '+' || c == '-') && at_ + 1 < text_.size() && (is_digit(text_[at_ + 1]) || text_[at_ + 1] == '.'))) {
    ++at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.' ||
                                  ((text_[at_] == '+' || text_[at_] == '-') && (text_[at_ - 1] | 0x20) == 'e'))) {
      ++at_;
    }
    return taken(Kind::kNumber);
  }
  at_ += text_.substr(at_, 2) == ":=" ? 2 : 1;
  return taken(Kind::kSymbol);
}

}  // namespace

Result<Template> parse_template(Arena& arena, std::string_view text) { return Parser(arena, text).parse(); }

}  // namespace portcullis::rego::builtins
