#include "engine/rego/compile/dependence.h"

#include <algorithm>

namespace portcullis::rego {

std::uint8_t Dependences::of(const RuleTreeNode& node) {
  if (const auto at = known_.find(&node); at != known_.end()) return at->second;
  // Rules may call each other in chains of any length: "everything" is always true.
  if (depth_ == kMaxDepth) return kAll;
  // Rules are not recursive; the entry made first only keeps a broken tree from looping.
  known_.emplace(&node, static_cast<std::uint8_t>(kAll));
  ++depth_;
  std::uint8_t out = 0;
  for (const Rule* rule : node.rules) {
    for (const Rule* link = rule; link != nullptr; link = link->otherwise.get()) {
      out |= of(link->body);
      for (const Term& argument : link->head.arguments) out |= of(argument);
      for (const Term& step : steps_below(*link)) out |= of(step);
      if (link->head.key) out |= of(*link->head.key);
      if (link->head.value) out |= of(*link->head.value);
    }
  }
  for (const RuleTreeNode& child : node.children) out |= of(child);
  --depth_;
  known_[&node] = out;
  return out;
}

std::uint8_t Dependences::of(const Body& body) {
  std::uint8_t out = 0;
  for (const Expr& expr : body.exprs) out |= of(expr);
  return out;
}

std::uint8_t Dependences::of(const Expr& expr) {
  if (!expr.with.empty()) return kAll;
  std::uint8_t out = 0;
  if (expr.kind == ExprKind::kCall) {
    out |= of_call(expr.terms);
  } else {
    for (const Term& term : expr.terms) out |= of(term);
  }
  if (expr.kind == ExprKind::kEvery) out |= of(expr.every_domain);
  if (expr.every_body) out |= of(*expr.every_body);
  if (expr.left) out |= of(*expr.left);
  if (expr.right) out |= of(*expr.right);
  return out;
}

std::uint8_t Dependences::of_member(const Term& step) const {
  if (step.kind != TermKind::kString) return kVarying | kInput;
  return std::find(varying_.begin(), varying_.end(), step.text) != varying_.end() ? kVarying : kInput;
}

std::uint8_t Dependences::of_call(std::span<const Term> terms) {
  std::uint8_t out = 0;
  std::size_t used = 0;
  std::span<const Term> arguments = terms.subspan(1);
  if (const RuleTreeNode* node = find_document(*modules_.tree, terms[0].items, used)) {
    out |= of(*node);
  } else {
    Expr named;
    named.kind = ExprKind::kCall;
    named.terms.push_back(terms[0]);
    const std::string name = named.operator_name();
    const BuiltinRegistry::Entry* entry = modules_.builtins->find(name);
    if (name != "eq" && (entry == nullptr || entry->decl->function == nullptr ||
                         (entry->decl->flags & (kNondeterministic | kCompilerOnly)) != 0)) {
      return kAll;
    }
    if (name == "object.get" && arguments.size() >= 3 && arguments[0].is_var("input")) {
      out |= of_member(arguments[1]);
      arguments = arguments.subspan(1);
    }
  }
  for (const Term& argument : arguments) out |= of(argument);
  return out;
}

std::uint8_t Dependences::of(const Term& term) {
  switch (term.kind) {
    case TermKind::kVar:
      if (term.text == "data") return kAll;
      return term.text == "input" ? kVarying | kInput : 0;
    case TermKind::kCall: return of_call(term.items);
    case TermKind::kRef: {
      std::uint8_t out = 0;
      std::span<const Term> steps = std::span<const Term>(term.items).subspan(1);
      const Term& head = term.items[0];
      if (head.is_var("input")) {
        out |= steps.empty() ? static_cast<std::uint8_t>(kVarying | kInput) : of_member(steps[0]);
      } else if (head.is_var("data")) {
        std::size_t used = 0;
        if (const RuleTreeNode* node = find_document(*modules_.tree, term.items, used)) {
          out |= of(*node);
        } else if (steps.empty() || !is_scalar(steps[0]) || modules_.tree->child(steps[0]) != nullptr) {
          return kAll;
        } else {
          out |= kBase;
        }
      } else {
        out |= of(head);
      }
      for (const Term& step : steps) out |= of(step);
      return out;
    }
    default: break;
  }
  std::uint8_t out = 0;
  for (const Term& item : term.items) out |= of(item);
  if (term.body) out |= of(*term.body);
  return out;
}

}  // namespace portcullis::rego
