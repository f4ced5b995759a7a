// Terms: references, calls, strings, collections, comprehensions.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/rego/format/walk.h"
#include "engine/rego/format/writer.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego::format {
namespace {

bool is_plain_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view var_name(const Term& var) {
  return text::starts_with(var.text, "$") ? std::string_view("_") : std::string_view(var.text);
}

// Braces that would begin an interpolation are escaped.
std::string with_escaped_braces(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && (i == 0 || text[i - 1] != '\\')) out += '\\';
    out += text[i];
  }
  return out;
}

std::string_view kind_name(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: return "null";
    case TermKind::kBoolean: return "boolean";
    case TermKind::kNumber: return "number";
    case TermKind::kString: return "string";
    case TermKind::kVar: return "var";
    case TermKind::kRef: return "ref";
    case TermKind::kArray: return "array";
    case TermKind::kSet: return "set";
    case TermKind::kObject: return "object";
    case TermKind::kArrayComprehension: return "arraycomprehension";
    case TermKind::kSetComprehension: return "setcomprehension";
    case TermKind::kObjectComprehension: return "objectcomprehension";
    case TermKind::kCall: return "call";
    case TermKind::kTemplateString:
    case TermKind::kTemplateExpr: return "templatestring";
  }
  return "";
}

// What an infix operator takes, as types are printed.
std::string operand_types(std::string_view op) {
  if (op == "internal.member_3") return "any,any,any";
  std::string type = "any";
  if (op == "plus" || op == "mul" || op == "div" || op == "rem") type = "number";
  if (op == "and" || op == "or") type = "set[any]";
  if (op == "minus") type = "any<number, set[any]>";
  return type + "," + type;
}

// The comments that stand above `row`.
Comments above(Comments comments, std::int64_t row) {
  std::size_t count = 0;
  while (count < comments.size() && comments[count]->location.row < row) ++count;
  return comments.first(count);
}

}  // namespace

bool begins_with_parenthesis(const Location& where) { return text::starts_with(where.text, "("); }

// Writes the term; with a comment in the way, its source as it stands.
Fault Writer::term(const Term& term, Comments& comments) {
  if (comments.empty()) return term_in(false, term, comments);
  const std::size_t length = text_.size();
  const std::size_t level = level_;
  const Comments saved = comments;
  Fault fault = term_in(false, term, comments);
  if (!fault) return fault;
  if (!fault.is_comment()) return drop(comments, std::move(fault));
  text_.resize(length);
  level_ = level;
  if (at_line_end_ != nullptr && !term.location.text.empty() && at_line_end_->location.row >= term.location.row &&
      at_line_end_->location.row <= end_row(term.location)) {
    at_line_end_ = nullptr;  // it is in the source that is written now
  }
  comments = saved;
  if (Fault other = unformatted(term.location, comments)) return drop(comments, std::move(other));
  return fault;
}

Fault Writer::term_in(bool parens, const Term& term, Comments& comments) {
  if (paren_term_ == &term) {
    paren_term_ = nullptr;
    parens = true;
  }
  if (Fault fault = insert_comments(comments, term.location)) return drop(comments, std::move(fault));
  if (!inline_) start_line();
  if (Fault fault = term_content(parens, term, comments)) return drop(comments, std::move(fault));
  if (!inline_) start_line();
  return {};
}

Fault Writer::term_content(bool parens, const Term& term, Comments& comments) {
  switch (term.kind) {
    case TermKind::kRef: return reference(term.items, comments);
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject: return collection(term, comments);
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return comprehension(term, comments);
    case TermKind::kString: string(term); return {};
    case TermKind::kTemplateString: return template_string(term, comments);
    case TermKind::kVar: write(var_name(term)); return {};
    case TermKind::kCall: return call(parens, term, comments);
    default: write(to_string(term)); return {};
  }
}

// Strings keep their spelling, raw or with their escapes.
void Writer::string(const Term& term) {
  const std::string_view source = term.location.text;
  if (text::starts_with(source, "`")) {
    write(source);
    return;
  }
  // The text may have `else := ` in front.
  const char last = source.empty() ? '\0' : source.back();
  const std::size_t quote = last == '"' || last == '`' ? source.find(last) : std::string_view::npos;
  if (quote == std::string_view::npos) {
    write(to_string(term));  // the name after a dot
  } else {
    write(source.substr(quote));
  }
}

Fault Writer::template_string(const Term& term, Comments& comments) {
  const std::string_view quote = term.boolean ? "`" : "\"";
  write("$");
  write(quote);
  for (std::size_t i = 0; i < term.items.size(); ++i) {
    const Term& part = term.items[i];
    if (part.kind == TermKind::kTemplateExpr) {
      if (Fault fault = interpolation(term, i, comments)) return fault;
    } else if (part.kind == TermKind::kString && term.boolean) {
      write(with_escaped_braces(part.text));
    } else if (part.kind == TermKind::kString) {
      const std::string quoted = with_escaped_braces(to_string(part));
      write(std::string_view(quoted).substr(1, quoted.size() - 2));
    } else {
      write(to_string(part));
    }
  }
  write(quote);
  return {};
}

// Comments inside the braces keep their places.
Fault Writer::interpolation(const Term& term, std::size_t at, Comments& comments) {
  const Expr& inner = term.items[at].body->exprs[0];
  write("{");
  up();
  if (at_line_end_ != nullptr) {
    end_line();
    start_line();
  } else if (const Comments before = above(comments, inner.location.row); !before.empty()) {
    write(" ");
    inline_ = true;
    write_comments(before);
    comments = comments.subspan(before.size());
  }
  if (Fault fault = expr(inner, comments)) return fault;
  if (at + 1 < term.items.size()) {
    if (const Comments behind = above(comments, term.items[at + 1].location.row); !behind.empty()) {
      end_line();
      write_comments(behind);
      comments = comments.subspan(behind.size());
      start_line();
    }
  }
  write("}");
  if (level_ == 0) return drop(comments, {Fault::Kind::kOther, "negative indentation level"});
  --level_;
  return {};
}

Fault Writer::reference(std::span<const Term> items, Comments& comments) {
  if (items.empty()) return {};
  const bool parens = items[0].kind == TermKind::kCall && begins_with_parenthesis(items[0].location);
  if (Fault fault = term_in(parens, items[0], comments)) return drop(comments, std::move(fault));
  for (const Term& item : items.subspan(1)) {
    if (item.kind == TermKind::kString) {
      step(item);
      continue;
    }
    write("[");
    if (item.kind == TermKind::kVar) {
      write(var_name(item));
    } else if (Fault fault = term(item, comments)) {
      if (!fault.is_comment()) return drop(comments, std::move(fault));
      write("\n");  // the bracket must not become part of the comment
    }
    write("]");
  }
  return {};
}

void Writer::step(const Term& name) {
  if (needs_brackets(name)) {
    write("[");
    write(to_string(name));
    write("]");
  } else {
    write(".");
    write(name.text);
  }
}

bool Writer::needs_brackets(const Term& name) const {
  if (!is_plain_name(name.text)) return true;
  // A keyword stays as it was written.
  const RegoVersion version = style_.v2_imported ? RegoVersion::kV2 : style_.v1 ? RegoVersion::kV1 : RegoVersion::kV0;
  const bool keyword = is_keyword_in(name.text, version) ||
                       (!style_.v2_imported && std::find(style_.future_keywords.begin(), style_.future_keywords.end(),
                                                         name.text) != style_.future_keywords.end());
  return keyword && text::starts_with(name.location.text, "\"");
}

Fault Writer::call(bool parens, const Term& term, Comments& comments) {
  const std::vector<Term>& items = term.items;
  std::size_t arity = 0;
  if (!is_infix(items[0], arity)) return plain_call(items, comments);
  const std::string name = to_string(items[0]);
  const std::span<const Term> operands = std::span(items).subspan(1);
  const std::string_view infix = infix_of(name);
  if (infix == "in") return membership(true, operands, arity, term.location, comments);
  if (parens) write("(");
  if (operands.size() != arity) {
    arity_error(operands, name, term.location);
    return {};
  }
  if (Fault fault = term_in(true, operands[0], comments)) return drop(comments, std::move(fault));
  write(" ");
  write(infix);
  write(" ");
  if (Fault fault = term_in(true, operands[1], comments)) return drop(comments, std::move(fault));
  if (parens) write(")");
  return {};
}

Fault Writer::plain_call(const std::vector<Term>& terms, Comments& comments) {
  if (terms[0].kind == TermKind::kRef) {
    // As in OPA, comments above the name are written again above the first argument.
    Comments above_name = comments;
    if (Fault fault = reference(terms[0].items, above_name)) {
      comments = above_name;
      return fault;
    }
  } else {
    write(to_string(terms[0]));
  }
  write("(");
  std::vector<Item> items;
  for (std::size_t i = 1; i < terms.size(); ++i) items.push_back({&terms[i], nullptr});
  const Location& where = terms[0].location;
  Fault fault = sequence(std::move(items), where, closing_row(0, 0, '(', ')', where), comments, ListKind::kArguments);
  if (fault) comments = {};
  write(")");
  return fault;
}

Fault Writer::membership(bool parens, std::span<const Term> operands, std::size_t arity, const Location& where,
                         Comments& comments) {
  if (operands.size() != arity) {
    arity_error(operands, arity == 3 ? "internal.member_3" : "internal.member_2", where);
    return {};
  }
  parens = parens && arity == 3;
  if (parens) write("(");
  Fault fault;
  for (std::size_t i = 0; i < arity && !fault; ++i) {
    if (i > 0) write(i + 1 == arity ? " in " : ", ");
    fault = term_in(true, operands[i], comments);
  }
  if (fault) comments = {};
  if (parens) write(")");
  return fault;
}

Fault Writer::collection(const Term& term, Comments& comments) {
  const Location& where = term.location;
  if (term.kind == TermKind::kSet && term.items.empty()) {
    write("set()");
    return insert_comments(comments, closing_row(0, 0, '(', ')', where));
  }
  const bool array = term.kind == TermKind::kArray;
  const bool object = term.kind == TermKind::kObject;
  std::vector<Item> items;
  for (std::size_t i = 0; i < term.items.size(); i += object ? 2 : 1) {
    items.push_back({&term.items[i], object ? &term.items[i + 1] : nullptr});
  }
  const char open = array ? '[' : '{';
  const char close = array ? ']' : '}';
  write({&open, 1});
  Fault fault = sequence(std::move(items), where, closing_row(0, 0, open, close, where), comments,
                         object ? ListKind::kPairs : ListKind::kMembers);
  write({&close, 1});
  return fault;
}

Fault Writer::comprehension(const Term& term, Comments& comments) {
  const bool array = term.kind == TermKind::kArrayComprehension;
  const char open = array ? '[' : '{';
  const char close = array ? ']' : '}';
  write({&open, 1});
  Fault fault;
  const bool object = term.kind == TermKind::kObjectComprehension;
  if (object) {
    const bool parens = is_union(term.items[0]);
    if (parens) write("(");
    fault = this->term(term.items[0], comments);
    if (!fault) write(parens ? "): " : ": ");
  }
  const Term& value = term.items[object ? 1 : 0];
  if (!fault) {
    if (value.location.row > term.location.row) {
      end_line();
      start_line();
    }
    const bool parens = value.kind == TermKind::kCall && (is_union(value) || begins_with_parenthesis(value.location));
    fault = term_in(parens, value, comments);
  }
  if (!fault) {
    write(" |");
    fault = comprehension_body(open, close, *term.body, value.location, term.location, comments);
  }
  write({&close, 1});
  return fault ? drop(comments, std::move(fault)) : Fault{};
}

// What stands behind `|`, or in the braces of every, not, and, or: on one line where the source has it so.
Fault Writer::comprehension_body(char open, char close, const Body& body, const Location& after, const Location& whole,
                                 Comments& comments) {
  std::uint32_t row = after.row;
  bool breaks = body.exprs[0].location.row > after.row;
  const bool known = !any_term(body, has_no_place);
  for (std::size_t i = 0; i < body.exprs.size() && known; ++i) {
    const std::uint32_t next = body.exprs[i].location.row;
    breaks = breaks || (next > row && i > 0);
    row = next;
  }
  Fault fault;
  if (breaks) {
    end_line();
    up();
    fault = this->body(body, comments);
  } else {
    for (std::size_t i = 0; i < body.exprs.size() && !fault; ++i) {
      write(i == 0 ? " " : "; ");
      fault = expr(body.exprs[i], comments);
    }
  }
  if (!fault) {
    fault = insert_comments(comments, closing_row(0, 0, open, close, whole));
    if (fault) comments = {};
  }
  if (breaks) {
    down();
    start_line();
  }
  return fault;
}

void Writer::arity_error(std::span<const Term> operands, std::string_view name, const Location& where) {
  std::string have;
  for (const Term& operand : operands) {
    if (!have.empty()) have += ',';
    have += kind_name(operand);
  }
  errors_.add("rego_type_error", where, std::string(name) + ": arity mismatch",
              {"have: (" + have + ")", "want: (" + operand_types(name) + ")"});
}

}  // namespace portcullis::rego::format
