#include "engine/rego/syntax/ast_json.h"

#include <string_view>

#include "base/text.h"

namespace portcullis::rego {
namespace {

class Writer {
 public:
  std::string out;

  void module(const Module& m) {
    out += "{\"package\":{\"path\":";
    list(m.package.items);
    out += '}';
    if (!m.imports.empty()) {
      out += ",\"imports\":";
      list(m.imports);
    }
    if (!m.rules.empty()) {
      out += ",\"rules\":";
      list(m.rules);
    }
    if (!m.comments.empty()) {
      out += ",\"comments\":";
      list(m.comments);
    }
    out += '}';
  }

  template <typename List>
  void list(const List& items, std::size_t from = 0) {
    out += '[';
    for (std::size_t i = from; i < items.size(); ++i) {
      if (i != from) out += ',';
      write(items[i]);
    }
    out += ']';
  }

  void write(const Import& import) {
    out += "{\"path\":";
    write(import.path);
    if (!import.alias.empty()) {
      out += ",\"alias\":";
      text(import.alias);
    }
    out += '}';
  }

  void write(const Comment& comment) {
    out += "{\"Text\":";
    text(text::base64_encode(comment.text));
    out += ",\"Location\":{\"file\":";
    text(comment.location.file);
    out += ",\"row\":" + std::to_string(comment.location.row) + ",\"col\":" + std::to_string(comment.location.column);
    out += "}}";
  }

  void write(const Rule& rule) {
    out += '{';
    if (rule.is_default) out += "\"default\":true,";
    out += "\"head\":";
    write(rule.head);
    out += ",\"body\":";
    body(rule.body, rule.generated_body);
    if (rule.otherwise != nullptr) {
      out += ",\"else\":";
      write(*rule.otherwise);
    }
    out += '}';
  }

  void write(const Head& head) {
    out += "{\"ref\":";
    list(head.reference.items);
    if (has_name(head)) {
      out += ",\"name\":";
      text(head.reference.items.front().text);
    }
    if (!head.arguments.empty()) {
      out += ",\"args\":";
      list(head.arguments);
    }
    if (head.key) {
      out += ",\"key\":";
      write(*head.key);
    }
    if (head.value) {
      out += ",\"value\":";
      write(*head.value);
    }
    if (head.assigned) out += ",\"assign\":true";
    out += '}';
  }

  void body(const Body& b, bool generated = false) {
    out += '[';
    for (std::size_t i = 0; i < b.exprs.size(); ++i) {
      if (i != 0) out += ',';
      expression(b.exprs[i], generated);
    }
    out += ']';
  }

  void write(const Expr& expr) { expression(expr, false); }

  void expression(const Expr& expr, bool generated) {
    out += '{';
    if (!expr.with.empty()) {
      out += "\"with\":";
      list(expr.with);
      out += ',';
    }
    out += "\"terms\":";
    terms(expr);
    out += ",\"index\":" + std::to_string(expr.index);
    if (generated || expr.generated) out += ",\"generated\":true";
    if (expr.negated) out += ",\"negated\":true";
    out += '}';
  }

  void write(const With& with) {
    out += "{\"target\":";
    write(with.target);
    out += ",\"value\":";
    write(with.value);
    out += '}';
  }

  void write(const Term& term);

 private:
  void text(std::string_view value) { text::append_json_string(out, value, true); }

  // OPA fills the old name of a head where an old reader would understand the rule.
  static bool has_name(const Head& head) {
    const std::size_t steps = head.reference.items.size();
    if (steps != 2) return steps == 1;
    if (head.uses_contains) return false;
    return head.uses_if ? !head.generated_value : head.arguments.empty();
  }

  void terms(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kTerm: write(expr.terms.front()); return;
      case ExprKind::kCall: list(expr.terms); return;
      case ExprKind::kSome:
        out += "{\"symbols\":";
        list(expr.terms);
        break;
      case ExprKind::kEvery:
        out += "{\"key\":";
        if (expr.every_key) {
          write(*expr.every_key);
        } else {
          out += "null";
        }
        out += ",\"value\":";
        write(expr.every_value);
        out += ",\"domain\":";
        write(expr.every_domain);
        out += ",\"body\":";
        body(*expr.every_body);
        break;
      case ExprKind::kNot:
        out += "{\"type\":\"not\",\"body\":";
        body(*expr.left);
        if (expr.left_braces) out += ",\"explicit_body\":true";
        break;
      case ExprKind::kAnd:
      case ExprKind::kOr:
        out += expr.kind == ExprKind::kAnd ? "{\"type\":\"and\",\"lhs\":" : "{\"type\":\"or\",\"lhs\":";
        body(*expr.left);
        out += ",\"rhs\":";
        body(*expr.right);
        if (expr.left_braces) out += ",\"explicit_lhs\":true";
        if (expr.right_braces) out += ",\"explicit_rhs\":true";
        break;
    }
    out += '}';
  }

  void open(std::string_view type) {
    out += "{\"type\":\"";
    out += type;
    out += "\",\"value\":";
  }
  void comprehension(const Term& term) {
    const bool object = term.kind == TermKind::kObjectComprehension;
    out += object ? "{\"key\":" : "{\"term\":";
    write(term.items.front());
    if (object) {
      out += ",\"value\":";
      write(term.items[1]);
    }
    out += ",\"body\":";
    body(*term.body);
    out += '}';
  }
  void pairs(const Term& term) {
    out += '[';
    for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
      out += i == 0 ? "[" : ",[";
      write(term.items[i]);
      out += ',';
      write(term.items[i + 1]);
      out += ']';
    }
    out += ']';
  }
};

void Writer::write(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
      open("null");
      out += "{}";
      break;
    case TermKind::kBoolean:
      open("boolean");
      out += term.boolean ? "true" : "false";
      break;
    case TermKind::kNumber:
      open("number");
      out += term.text;
      break;
    case TermKind::kString:
      open("string");
      text(term.text);
      break;
    case TermKind::kVar:
      open("var");
      text(term.text);
      break;
    case TermKind::kRef:
      open("ref");
      list(term.items);
      break;
    case TermKind::kArray:
      open("array");
      list(term.items);
      break;
    case TermKind::kSet:
      open("set");
      list(term.items);
      break;
    case TermKind::kObject:
      open("object");
      pairs(term);
      break;
    case TermKind::kArrayComprehension:
      open("arraycomprehension");
      comprehension(term);
      break;
    case TermKind::kSetComprehension:
      open("setcomprehension");
      comprehension(term);
      break;
    case TermKind::kObjectComprehension:
      open("objectcomprehension");
      comprehension(term);
      break;
    case TermKind::kCall:
      open("call");
      list(term.items);
      break;
    case TermKind::kTemplateString:
      open("templatestring");
      out += "{\"parts\":";
      list(term.items);
      out += term.boolean ? ",\"multi_line\":true}" : ",\"multi_line\":false}";
      break;
    case TermKind::kTemplateExpr: return write(term.body->exprs.front());
  }
  out += '}';
}

}  // namespace

std::string module_json(const Module& module) {
  Writer writer;
  writer.module(module);
  return std::move(writer.out);
}

std::string body_json(const Body& body) {
  Writer writer;
  writer.body(body);
  return std::move(writer.out);
}

}  // namespace portcullis::rego
