// Construction and copying of the syntax tree.
#include "engine/rego/syntax/ast.h"

#include <utility>

namespace portcullis::rego {
namespace {

template <typename T>
std::unique_ptr<T> clone(const std::unique_ptr<T>& from) {
  return from ? std::make_unique<T>(*from) : nullptr;
}

}  // namespace

Term::Term(const Term& other)
    : kind(other.kind),
      boolean(other.boolean),
      generated(other.generated),
      parenthesised(other.parenthesised),
      variable(other.variable),
      location(other.location),
      text(other.text),
      items(other.items),
      body(clone(other.body)) {}

Term& Term::operator=(const Term& other) {
  if (this != &other) *this = Term(other);
  return *this;
}

Term::~Term() = default;

Term Term::null(Location where) { return Term(TermKind::kNull, where); }

Term Term::boolean_of(bool value, Location where) {
  Term term(TermKind::kBoolean, where);
  term.boolean = value;
  return term;
}

Term Term::number(std::string literal, Location where) {
  Term term(TermKind::kNumber, where);
  term.text = std::move(literal);
  return term;
}

Term Term::string(std::string value, Location where) {
  Term term(TermKind::kString, where);
  term.text = std::move(value);
  return term;
}

Term Term::var(std::string name, Location where) {
  Term term(TermKind::kVar, where);
  term.text = std::move(name);
  return term;
}

Term Term::ref(std::vector<Term> items, Location where) {
  Term term(TermKind::kRef, where);
  term.items = std::move(items);
  return term;
}

Term Term::call(std::vector<Term> items, Location where) {
  Term term(TermKind::kCall, where);
  term.items = std::move(items);
  return term;
}

Expr::Expr(const Expr& other)
    : kind(other.kind),
      negated(other.negated),
      generated(other.generated),
      from_assignment(other.from_assignment),
      index(other.index),
      location(other.location),
      terms(other.terms),
      with(other.with),
      every_key(other.every_key),
      every_value(other.every_value),
      every_domain(other.every_domain),
      every_body(clone(other.every_body)),
      left(clone(other.left)),
      right(clone(other.right)),
      left_braces(other.left_braces),
      right_braces(other.right_braces) {}

Expr& Expr::operator=(const Expr& other) {
  if (this != &other) *this = Expr(other);
  return *this;
}

Expr::~Expr() = default;

std::string Expr::operator_name() const {
  if (kind != ExprKind::kCall || terms.empty()) return {};
  const Term& op = terms.front();
  if (op.kind == TermKind::kVar) return op.text;
  if (op.kind != TermKind::kRef) return {};
  std::string name;
  for (const Term& item : op.items) {
    if (item.kind != TermKind::kVar && item.kind != TermKind::kString) return to_string(op);
    if (!name.empty()) name += '.';
    name += item.text;
  }
  return name;
}

Rule::Rule(const Rule& other)
    : location(other.location),
      is_default(other.is_default),
      head(other.head),
      body(other.body),
      generated_body(other.generated_body),
      otherwise(clone(other.otherwise)),
      annotations(other.annotations) {}

Rule& Rule::operator=(const Rule& other) {
  if (this != &other) *this = Rule(other);
  return *this;
}

Rule::~Rule() = default;

}  // namespace portcullis::rego
