#include "engine/rego/syntax/ast_json.h"

#include <initializer_list>
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
    if (!m.annotations.empty()) {
      out += ",\"annotations\":";
      list(m.annotations);
    }
    if (!m.rules.empty()) {
      out += ",\"rules\":[";
      for (std::size_t i = 0; i < m.rules.size(); ++i) {
        if (i != 0) out += ',';
        rule(m.rules[i], m, static_cast<int>(i));
      }
      out += ']';
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
    out += '{';
    if (!import.alias.empty()) {
      out += "\"alias\":";
      text(import.alias);
      out += ',';
    }
    out += "\"path\":";
    write(import.path);
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

  void write(const Annotations& annotations) { annotation_fields(annotations.yaml); }

  void rule(const Rule& rule, const Module& module, int index) {
    out += '{';
    bool annotated = false;
    for (const Annotations& each : module.annotations) {
      if (!applies(each, rule, module, index)) continue;
      out += annotated ? "," : "\"annotations\":[";
      annotated = true;
      write(each);
    }
    if (annotated) out += "],";
    out += "\"body\":";
    body(rule.body, rule.generated_body);
    if (rule.is_default) out += ",\"default\":true";
    if (rule.otherwise != nullptr) {
      out += ",\"else\":";
      this->rule(*rule.otherwise, module, kNoRule);
    }
    out += ",\"head\":";
    write(rule.head);
    out += '}';
  }

  void write(const Head& head) {
    out += '{';
    if (has_name(head)) {
      out += "\"name\":";
      text(head.reference.items.front().text);
      out += ',';
    }
    if (!head.arguments.empty()) {
      out += "\"args\":";
      list(head.arguments);
      out += ',';
    }
    if (head.key) {
      out += "\"key\":";
      write(*head.key);
      out += ',';
    }
    if (head.value) {
      out += "\"value\":";
      write(*head.value);
      out += ',';
    }
    if (head.assigned) out += "\"assign\":true,";
    out += "\"ref\":";
    list(head.reference.items);
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
    out += generated || expr.generated ? "{\"generated\":true,\"index\":" : "{\"index\":";
    out += std::to_string(expr.index);
    if (expr.negated) out += ",\"negated\":true";
    out += ",\"terms\":";
    terms(expr);
    if (!expr.with.empty()) {
      out += ",\"with\":";
      list(expr.with);
    }
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
        out += "{\"body\":";
        body(*expr.every_body);
        out += ",\"domain\":";
        write(expr.every_domain);
        out += ",\"key\":";
        if (expr.every_key) {
          write(*expr.every_key);
        } else {
          out += "null";
        }
        out += ",\"value\":";
        write(expr.every_value);
        break;
      case ExprKind::kNot:
        out += "{\"body\":";
        body(*expr.left);
        out += expr.left_braces ? ",\"explicit_body\":true" : ",\"explicit_body\":false";
        out += ",\"type\":\"not\"";
        break;
      case ExprKind::kAnd:
      case ExprKind::kOr:
        out += '{';
        if (expr.left_braces) out += "\"explicit_lhs\":true,";
        if (expr.right_braces) out += "\"explicit_rhs\":true,";
        out += "\"lhs\":";
        body(*expr.left);
        out += ",\"rhs\":";
        body(*expr.right);
        out += expr.kind == ExprKind::kAnd ? ",\"type\":\"and\"" : ",\"type\":\"or\"";
        break;
    }
    out += '}';
  }

  static constexpr int kNoRule = -2;  // an `else`: no annotations stand before it

  // How many steps of a rule's name stand before the first that is no constant.
  static std::size_t constant_steps(const Rule& rule) {
    const std::vector<Term>& steps = rule.head.reference.items;
    std::size_t n = 1;
    while (n < steps.size() && (steps[n].kind == TermKind::kString || steps[n].kind == TermKind::kNumber ||
                                steps[n].kind == TermKind::kBoolean || steps[n].kind == TermKind::kNull)) {
      ++n;
    }
    return n;
  }

  // Metadata of a document belongs to all of its rules.
  static bool applies(const Annotations& annotations, const Rule& rule, const Module& module, int index) {
    if (annotations.rule < 0 || index < 0) return false;
    if (annotations.rule == index || annotations.scope != "document") return annotations.rule == index;
    const Rule& first = module.rules[static_cast<std::size_t>(annotations.rule)];
    const std::size_t steps = constant_steps(rule);
    if (steps != constant_steps(first)) return false;
    for (std::size_t i = 0; i < steps; ++i) {
      if (!equal(first.head.reference.items[i], rule.head.reference.items[i])) return false;
    }
    return true;
  }

  const Term* field(const Term& object, std::string_view name) {
    for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
      if (object.items[i].text == name) return &object.items[i + 1];
    }
    return nullptr;
  }

  // A constant as plain JSON.
  void plain(const Term& term) {
    switch (term.kind) {
      case TermKind::kArray:
        out += '[';
        for (std::size_t i = 0; i < term.items.size(); ++i) {
          if (i != 0) out += ',';
          plain(term.items[i]);
        }
        out += ']';
        return;
      case TermKind::kObject:
        out += '{';
        for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
          if (i != 0) out += ',';
          plain(term.items[i]);
          out += ':';
          plain(term.items[i + 1]);
        }
        out += '}';
        return;
      case TermKind::kString: return text(term.text);
      case TermKind::kNumber: out += term.text; return;
      case TermKind::kBoolean: out += term.boolean ? "true" : "false"; return;
      default: out += "null"; return;
    }
  }

  // A reference that the annotations hold as the texts of its steps.
  void path(const Term& steps) {
    out += '[';
    for (std::size_t i = 0; i < steps.items.size(); ++i) {
      out += i == 0 ? "{\"type\":\"var\",\"value\":" : ",{\"type\":\"string\",\"value\":";
      text(steps.items[i].text);
      out += '}';
    }
    out += ']';
  }

  void members(const Term& object, std::initializer_list<std::string_view> names) {
    bool first = true;
    for (const std::string_view name : names) {
      const Term* value = field(object, name);
      if (value == nullptr) continue;
      out += first ? '{' : ',';
      first = false;
      text(name);
      out += ':';
      if (name == "path" || name == "schema") {
        path(*value);
      } else {
        plain(*value);
      }
    }
    out += first ? "{}" : "}";
  }

  void annotation_fields(const Term& object) {
    out += '{';
    for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
      if (i != 0) out += ',';
      const std::string_view name = object.items[i].text;
      const Term& value = object.items[i + 1];
      text(name);
      out += ':';
      if (name != "authors" && name != "schemas") {
        plain(value);
        continue;
      }
      out += '[';
      for (std::size_t k = 0; k < value.items.size(); ++k) {
        if (k != 0) out += ',';
        if (name == "authors") {
          members(value.items[k], {"name", "email"});
        } else {
          members(value.items[k], {"path", "schema", "definition"});
        }
      }
      out += ']';
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
      if (term.items.empty()) {
        out += "null";
      } else {
        list(term.items);
      }
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
