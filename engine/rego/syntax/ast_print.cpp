// Source-like text of syntax trees, as OPA's String() methods give it.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "engine/rego/syntax/ast.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego {
namespace {

void append(std::string& out, const Term& term);
void append(std::string& out, const Expr& expr);
void append(std::string& out, const Body& body);

template <typename List>
void append_list(std::string& out, const List& list, std::size_t from = 0) {
  for (std::size_t i = from; i < list.size(); ++i) {
    if (i > from) out += ", ";
    append(out, list[i]);
  }
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool needs_escapes(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const text::Rune rune = text::decode_rune(text, i);
    if (rune.value == '\\' || rune.value < 0x20 || (rune.value >= 0x7f && rune.value < 0xa0)) return true;
    i += rune.size;
  }
  return false;
}

void append_ref(std::string& out, const std::vector<Term>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Term& item = items[i];
    if (i == 0) {
      if (item.kind == TermKind::kString) {
        out += item.text;
      } else {
        append(out, item);
      }
    } else if (item.kind == TermKind::kString && is_plain_name(item.text) &&
               !is_keyword_in(item.text, RegoVersion::kV1)) {
      out += '.';
      out += item.text;
    } else if (item.kind == TermKind::kString && !needs_escapes(item.text)) {
      out += "[\"";
      out += item.text;
      out += "\"]";
    } else {
      out += '[';
      append(out, item);
      out += ']';
    }
  }
}

// Infix calls in the head of a comprehension are written infix, so that `|` stays unambiguous.
void append_comprehension_term(std::string& out, const Term& term) {
  if (term.kind == TermKind::kCall && term.items.size() == 3) {
    const std::string_view infix = infix_of(to_string(term.items[0]));
    if (!infix.empty() && infix != "in") {
      out += '(';
      append_comprehension_term(out, term.items[1]);
      out += ' ';
      out += infix;
      out += ' ';
      append_comprehension_term(out, term.items[2]);
      out += ')';
      return;
    }
  }
  append(out, term);
}

void append_comprehension(std::string& out, const Term& term, char open, char close) {
  out += open;
  append_comprehension_term(out, term.items[0]);
  if (term.kind == TermKind::kObjectComprehension) {
    out += ": ";
    append_comprehension_term(out, term.items[1]);
  }
  out += " | ";
  append(out, *term.body);
  out += close;
}

// Braces that the parser would take for an interpolation are escaped, others left as they are.
void append_template_text(std::string& out, std::string_view text) {
  const std::string quoted = text::go_quote(text);
  const std::string_view inner = std::string_view(quoted).substr(1, quoted.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '{' && (i == 0 || inner[i - 1] != '\\')) out += '\\';
    out += inner[i];
  }
}

void append_template(std::string& out, const Term& term) {
  out += "$\"";
  for (const Term& part : term.items) {
    if (part.kind == TermKind::kTemplateExpr) {
      out += '{';
      append(out, *part.body);
      out += '}';
    } else if (part.kind == TermKind::kString) {
      append_template_text(out, part.text);
    } else {
      append(out, part);
    }
  }
  out += '"';
}

void append_object(std::string& out, const Term& term) {
  out += '{';
  for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
    if (i > 0) out += ", ";
    append(out, term.items[i]);
    out += ": ";
    append(out, term.items[i + 1]);
  }
  out += '}';
}

void append_call(std::string& out, const std::vector<Term>& terms) {
  append(out, terms[0]);
  out += '(';
  append_list(out, terms, 1);
  out += ')';
}

void append(std::string& out, const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: out += "null"; return;
    case TermKind::kBoolean: out += term.boolean ? "true" : "false"; return;
    case TermKind::kNumber: out += term.text; return;
    case TermKind::kString: out += text::go_quote(term.text); return;
    case TermKind::kVar: out += !term.text.empty() && term.text[0] == '$' ? std::string_view("_") : term.text; return;
    case TermKind::kRef: append_ref(out, term.items); return;
    case TermKind::kArray:
      out += '[';
      append_list(out, term.items);
      out += ']';
      return;
    case TermKind::kSet:
      if (term.items.empty()) {
        out += "set()";
        return;
      }
      out += '{';
      append_list(out, term.items);
      out += '}';
      return;
    case TermKind::kObject: append_object(out, term); return;
    case TermKind::kArrayComprehension: append_comprehension(out, term, '[', ']'); return;
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: append_comprehension(out, term, '{', '}'); return;
    case TermKind::kCall: append_call(out, term.items); return;
    case TermKind::kTemplateString: append_template(out, term); return;
    case TermKind::kTemplateExpr: append(out, *term.body); return;
  }
}

bool renders_with_brace(const Term& term) {
  switch (term.kind) {
    case TermKind::kSet: return !term.items.empty();
    case TermKind::kObject:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return true;
    case TermKind::kRef: return !term.items.empty() && renders_with_brace(term.items[0]);
    default: return false;
  }
}

bool operand_needs_parens(const Expr& expr, bool under_and, bool is_right) {
  if (!expr.with.empty()) return true;
  if (expr.kind == ExprKind::kOr) return under_and || is_right;
  if (expr.kind == ExprKind::kAnd) return under_and && is_right;
  return expr.kind == ExprKind::kTerm && renders_with_brace(expr.terms[0]);
}

void append_operand(std::string& out, const Body& body, bool braces, bool under_and, bool is_right) {
  if (braces || body.exprs.size() != 1) {
    out += "{ ";
    append(out, body);
    out += " }";
  } else if (operand_needs_parens(body.exprs[0], under_and, is_right)) {
    out += '(';
    append(out, body);
    out += ')';
  } else {
    append(out, body);
  }
}

void append_not(std::string& out, const Expr& expr) {
  const Body& body = *expr.left;
  if (expr.left_braces || body.exprs.size() != 1) {
    out += "not {";
    append(out, body);
    out += '}';
    return;
  }
  const Expr& inner = body.exprs[0];
  const bool parens = !inner.with.empty() || inner.kind == ExprKind::kOr || inner.kind == ExprKind::kAnd ||
                      inner.kind == ExprKind::kNot ||
                      (inner.kind == ExprKind::kTerm && renders_with_brace(inner.terms[0]));
  out += parens ? "not (" : "not ";
  append(out, body);
  if (parens) out += ')';
}

void append_some(std::string& out, const Expr& expr) {
  out += "some ";
  if (expr.terms[0].kind != TermKind::kCall) {
    append_list(out, expr.terms);
    return;
  }
  const std::vector<Term>& call = expr.terms[0].items;
  append(out, call[1]);
  for (std::size_t i = 2; i < call.size(); ++i) {
    out += i + 1 == call.size() ? " in " : ", ";
    append(out, call[i]);
  }
}

void append_every(std::string& out, const Expr& expr) {
  out += "every ";
  if (expr.every_key) {
    append(out, *expr.every_key);
    out += ", ";
  }
  append(out, expr.every_value);
  out += " in ";
  append(out, expr.every_domain);
  out += " { ";
  append(out, *expr.every_body);
  out += " }";
}

void append_expr_terms(std::string& out, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kTerm: append(out, expr.terms[0]); return;
    case ExprKind::kCall:
      if (expr.terms.size() == 3 && expr.operator_name() == "eq") {
        append(out, expr.terms[1]);
        out += " = ";
        append(out, expr.terms[2]);
      } else {
        append_call(out, expr.terms);
      }
      return;
    case ExprKind::kSome: append_some(out, expr); return;
    case ExprKind::kEvery: append_every(out, expr); return;
    case ExprKind::kNot: append_not(out, expr); return;
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      const bool is_and = expr.kind == ExprKind::kAnd;
      append_operand(out, *expr.left, expr.left_braces, is_and, false);
      out += is_and ? " and " : " or ";
      append_operand(out, *expr.right, expr.right_braces, is_and, true);
      return;
    }
  }
}

void append(std::string& out, const Expr& expr) {
  if (expr.negated) out += "not ";
  append_expr_terms(out, expr);
  for (const With& with : expr.with) {
    out += " with ";
    append(out, with.target);
    out += " as ";
    append(out, with.value);
  }
}

void append(std::string& out, const Body& body) {
  for (std::size_t i = 0; i < body.exprs.size(); ++i) {
    if (i > 0) out += "; ";
    append(out, body.exprs[i]);
  }
}

void append_head(std::string& out, const Head& head, RegoVersion version) {
  append(out, head.reference);
  if (!head.arguments.empty()) {
    out += '(';
    append_list(out, head.arguments);
    out += ')';
  } else if (head.reference.items.size() == 1 && head.key) {
    out += version == RegoVersion::kV0 ? "[" : " contains ";
    append(out, *head.key);
    if (version == RegoVersion::kV0) out += ']';
  } else if (!head.value && head.key) {
    out += " contains ";
    append(out, *head.key);
  }
  if (head.value) {
    out += head.assigned ? " := " : " = ";
    append(out, *head.value);
  }
}

void append_rule_body(std::string& out, const Rule& rule, RegoVersion version) {
  out += version == RegoVersion::kV0 ? " { " : " if { ";
  append(out, rule.body);
  out += " }";
  if (!rule.otherwise) return;
  const Rule& next = *rule.otherwise;
  out += " else ";
  if (next.head.value) {
    out += "= ";
    append(out, *next.head.value);
  }
  append_rule_body(out, next, version);
}

}  // namespace

std::string to_string(const Term& term) {
  std::string out;
  append(out, term);
  return out;
}

std::string to_string(const Expr& expr) {
  std::string out;
  append(out, expr);
  return out;
}

std::string to_string(const Body& body) {
  std::string out;
  append(out, body);
  return out;
}

std::string to_string(const Head& head) {
  std::string out;
  append_head(out, head, RegoVersion::kV1);
  return out;
}

std::string to_string(const Rule& rule, RegoVersion version) {
  std::string out;
  if (rule.is_default) out += "default ";
  append_head(out, rule.head, version);
  if (!rule.is_default) {
    append_rule_body(out, rule, version);
  } else if (rule.otherwise) {
    out += " else ";
  }
  return out;
}

std::string to_string(const Import& import) {
  std::string out = "import " + to_string(import.path);
  if (!import.alias.empty()) out += " as " + import.alias;
  return out;
}

std::string to_string(const Module& module) {
  std::string out = "package ";
  append_ref(out, {module.package.items.begin() + 1, module.package.items.end()});
  out += '\n';
  for (const Import& import : module.imports) out += '\n' + to_string(import);
  if (!module.imports.empty()) out += '\n';
  for (const Rule& rule : module.rules) out += '\n' + to_string(rule, module.version);
  return out;
}

}  // namespace portcullis::rego
