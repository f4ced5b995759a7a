// Text of events and operands.
#include "engine/rego/compile/checked.h"
#include "engine/rego/trace/explain.h"
#include "engine/rego/trace/walker.h"
#include "engine/value/json.h"

namespace portcullis::rego::trace {

namespace {

using Variables = std::vector<CheckedModules::Variable>;

void rename(Body& body, const Variables& variables);

void rename(Term& term, const Variables& variables) {
  if (term.kind == TermKind::kVar && term.variable < variables.size() && !variables[term.variable].author.empty()) {
    term.text = variables[term.variable].author;
  }
  for (Term& item : term.items) rename(item, variables);
  if (term.body) rename(*term.body, variables);
}

void rename(Expr& expr, const Variables& variables) {
  for (Term& term : expr.terms) rename(term, variables);
  for (With& with : expr.with) rename(with.target, variables), rename(with.value, variables);
  if (expr.kind == ExprKind::kEvery) {
    if (expr.every_key) rename(*expr.every_key, variables);
    rename(expr.every_value, variables);
    rename(expr.every_domain, variables);
    rename(*expr.every_body, variables);
  }
  if (expr.left) rename(*expr.left, variables);
  if (expr.right) rename(*expr.right, variables);
}

void rename(Body& body, const Variables& variables) {
  for (Expr& expr : body.exprs) rename(expr, variables);
}

}  // namespace

std::string_view op_name(Op op) noexcept {
  constexpr std::string_view kNames[] = {"Enter",     "Exit", "Eval",  "Redo", "Fail",
                                         "Duplicate", "Note", "Index", "Unify"};
  return kNames[static_cast<std::size_t>(op)];
}

std::string text_of(const Event& event, const std::vector<CheckedModules::Variable>& variables) {
  if (event.op == Op::kNote) return {};
  if (!event.text.empty()) return std::string(event.text);
  if (event.expr != nullptr) {
    Expr copy = *event.expr;
    rename(copy, variables);
    if (copy.every_key && is_generated(copy.every_key->text)) copy.every_key.reset();
    return to_string(copy);
  }
  if (event.body != nullptr) {
    Body copy = *event.body;
    rename(copy, variables);
    return to_string(copy);
  }
  return {};
}

std::string Walk::Impl::shown(const Operand& operand) const {
  if (operand.is_value()) return to_rego(operand.value);
  Term copy = *operand.term;
  rename(copy, query.variables);
  return to_string(copy);
}

// The rule's name up to what is no constant.
std::string rule_name(const Module& module, const Rule& rule) {
  std::vector<Term> items;
  for (const Term& item : full_reference(module, rule)) {
    if (!items.empty() && !is_scalar(item)) break;
    items.push_back(item);
  }
  return to_string(Term::ref(std::move(items), Location{}));
}

}  // namespace portcullis::rego::trace
