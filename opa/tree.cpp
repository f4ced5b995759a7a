#include "opa/tree.h"

namespace portcullis::opa {
namespace {

using rego::Body;
using rego::Expr;
using rego::ExprKind;
using rego::Head;
using rego::Rule;
using rego::Term;
using rego::TermKind;

// OPA gives the texts of values to a formatting function as formats: their verbs come out as missing arguments.
std::string as_format(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    std::size_t at = i + 1;
    while (at < text.size() && std::string_view("+-# 0").find(text[at]) != std::string_view::npos) ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at < text.size() && text[at] == '.') ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at >= text.size()) return out + "%!(NOVERB)";
    out += text[at] == '%' ? "%" : "%!" + std::string(1, text[at]) + "(MISSING)";
    i = at;
  }
  return out;
}

class Outline {
 public:
  std::string out;

  void line(std::size_t depth, std::string_view text) {
    out.append(depth, ' ');
    out += text;
    out += '\n';
  }

  void term(const Term& term, std::size_t depth);

  void terms(const std::vector<Term>& all, std::size_t depth) {
    for (const Term& each : all) term(each, depth);
  }

  void body(const Body& body, std::size_t depth) {
    line(depth, "body");
    for (const Expr& each : body.exprs) expr(each, depth + 1);
  }

  void expr(const Expr& expr, std::size_t depth) {
    line(depth, (expr.negated ? "expr negated index=" : "expr index=") + std::to_string(expr.index));
    switch (expr.kind) {
      case ExprKind::kTerm:
      case ExprKind::kCall: terms(expr.terms, depth + 1); break;
      case ExprKind::kSome:
        line(depth + 1, "somedecl");
        terms(expr.terms, depth + 2);
        break;
      case ExprKind::kEvery:
        line(depth + 1, "every");
        if (expr.every_key) term(*expr.every_key, depth + 2);
        term(expr.every_value, depth + 2);
        term(expr.every_domain, depth + 2);
        body(*expr.every_body, depth + 2);
        break;
      case ExprKind::kNot:
        line(depth + 1, "not");
        body(*expr.left, depth + 2);
        break;
      case ExprKind::kAnd:
      case ExprKind::kOr:
        line(depth + 1, expr.kind == ExprKind::kAnd ? "logicaland" : "logicalor");
        body(*expr.left, depth + 2);
        body(*expr.right, depth + 2);
        break;
    }
    for (const rego::With& with : expr.with) {
      line(depth + 1, "with");
      term(with.target, depth + 2);
      term(with.value, depth + 2);
    }
  }

  void head(const Head& head, std::size_t depth) {
    line(depth, "head");
    line(depth + 1, "ref");
    terms(head.reference.items, depth + 2);
    if (!head.arguments.empty()) {
      line(depth + 1, "args");
      terms(head.arguments, depth + 2);
    }
    if (head.value) term(*head.value, depth + 1);
  }

  void rule(const Rule& rule, std::size_t depth) {
    line(depth, "rule");
    head(rule.head, depth + 1);
    body(rule.body, depth + 1);
    if (rule.otherwise != nullptr) this->rule(*rule.otherwise, depth + 1);
  }
};

void Outline::term(const Term& term, std::size_t depth) {
  const auto open = [&](std::string_view name) {
    line(depth, name);
    terms(term.items, depth + 1);
    if (term.body != nullptr) body(*term.body, depth + 1);
  };
  switch (term.kind) {
    case TermKind::kRef: return open("ref");
    case TermKind::kArray: return open("array");
    case TermKind::kSet: return open("set");
    case TermKind::kObject: return open("object");
    case TermKind::kCall: return open("call");
    case TermKind::kArrayComprehension: return open("arraycomprehension");
    case TermKind::kSetComprehension: return open("setcomprehension");
    case TermKind::kObjectComprehension: return open("objectcomprehension");
    case TermKind::kTemplateString: return line(depth, "templatestring");
    default: return line(depth, as_format(rego::to_string(term)));
  }
}

}  // namespace

std::string tree_text(const rego::Module& module) {
  Outline outline;
  outline.line(0, "module");
  outline.line(1, "package");
  outline.line(2, "ref");
  outline.terms(module.package.items, 3);
  for (const rego::Import& import : module.imports) {
    outline.line(1, "import");
    outline.term(import.path, 2);
    outline.line(2, import.alias);
  }
  for (const Rule& rule : module.rules) outline.rule(rule, 1);
  for (std::size_t i = 0; i < module.annotations.size(); ++i) outline.line(1, "annotations");
  for (std::size_t i = 0; i < module.comments.size(); ++i) outline.line(1, "comment");
  return std::move(outline.out);
}

}  // namespace portcullis::opa
