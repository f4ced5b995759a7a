// The contract of checked.h, tested on what the passes made.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego {

namespace {

using passes::collect_vars;
using passes::VarSet;

class Inspector {
 public:
  explicit Inspector(const CheckedModules& modules) : modules_(modules) {
    const auto number = [&](std::string_view name) {
      for (std::uint32_t i = 1; i < modules.variables.size(); ++i) {
        if (modules.variables[i].name == name) return i;
      }
      return 0u;
    };
    reserved_.insert(number("data"));
    reserved_.insert(number("input"));
  }

  std::string run() {
    for (const Module& module : modules_.modules) {
      if (!module.imports.empty()) fail(module.package_location, "an import is left");
      for (const Rule& first : module.rules) {
        for (const Rule* rule = &first; rule != nullptr; rule = rule->otherwise.get()) inspect(*rule);
      }
    }
    if (modules_.tree) tree(*modules_.tree, 0);
    return std::move(finding_);
  }

 private:
  void fail(const Location& where, std::string what) {
    if (finding_.empty()) finding_ = to_string(where) + ":" + std::to_string(where.column) + ": " + std::move(what);
  }

  void inspect(const Rule& rule) {
    const Head& head = rule.head;
    const std::vector<Term>& name = head.reference.items;
    for (std::size_t i = 1; i < name.size(); ++i) {
      if (name[i].kind != TermKind::kVar && !is_scalar(name[i])) fail(rule.location, "a step of the name is no value");
    }
    if (head.key.has_value() != head.contains) fail(rule.location, "key without contains, or contains without key");
    if (head.value.has_value() == head.contains) fail(rule.location, "value with contains, or neither");
    for (const Term& argument : head.arguments) value(argument);
    if (head.key) value(*head.key);
    if (head.value) value(*head.value);
    VarSet bound = reserved_;
    for (const Term& argument : head.arguments) collect_vars(argument, passes::VarParams{}, bound);
    body(rule.body, bound);
    for (const Expr& expr : rule.body.exprs) collect_vars(expr, passes::kSafetyParams, bound);
    VarSet needed;
    for (std::size_t i = 1; i < name.size(); ++i) collect_vars(name[i], passes::VarParams{}, needed);
    if (head.key) collect_vars(*head.key, passes::VarParams{}, needed);
    if (head.value) collect_vars(*head.value, passes::VarParams{}, needed);
    if (!needed.subset_of(bound)) fail(rule.location, "the head has a variable that the body does not bind");
  }

  // What may stand as an argument, element or step: no reference, call or comprehension anywhere inside.
  void value(const Term& t) {
    switch (t.kind) {
      case TermKind::kVar: variable(t); return;
      case TermKind::kArray:
      case TermKind::kSet:
      case TermKind::kObject:
        for (const Term& item : t.items) value(item);
        return;
      default:
        if (!is_scalar(t))
          fail(t.location, "a term that must be evaluated stands where only values may: " + to_string(t));
    }
  }

  void variable(const Term& t) {
    if (t.variable == 0 || t.variable >= modules_.variables.size() || modules_.variables[t.variable].name != t.text) {
      fail(t.location, "a variable's number does not fit its name: " + t.text);
    }
  }

  void reference(const Term& t) {
    if (t.items.empty() || t.items[0].kind != TermKind::kVar) {
      fail(t.location, "a reference's head is no variable");
      return;
    }
    variable(t.items[0]);
    for (std::size_t i = 1; i < t.items.size(); ++i) value(t.items[i]);
  }

  // A whole expression or a side of an equality.
  void whole(const Term& t, const VarSet& bound) {
    if (t.kind == TermKind::kRef) {
      reference(t);
    } else if (t.is_comprehension()) {
      for (const Term& head : t.items) value(head);
      body(*t.body, bound);
    } else {
      value(t);
    }
  }

  void body(const Body& b, VarSet bound) {
    if (b.exprs.empty()) fail(Location{}, "an empty body");
    for (const Expr& e : b.exprs) {
      expression(e, bound);
      collect_vars(e, passes::kSafetyParams, bound);
    }
  }

  void expression(const Expr& e, const VarSet& bound) {
    switch (e.kind) {
      case ExprKind::kTerm: whole(e.terms[0], bound); break;
      case ExprKind::kCall: call(e, bound); break;
      case ExprKind::kEvery: {
        VarSet inside = bound;
        if (e.every_domain.kind != TermKind::kVar) fail(e.location, "every over something that is no variable");
        if (!e.every_key) fail(e.location, "every without a key");
        if (e.every_key) collect_vars(*e.every_key, passes::VarParams{}, inside);
        collect_vars(e.every_value, passes::VarParams{}, inside);
        body(*e.every_body, inside);
        break;
      }
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr: passes::for_each_body(e, [&](const Body& b) { body(b, bound); }); break;
      case ExprKind::kSome: fail(e.location, "a declaration is left"); break;
    }
    for (const With& with : e.with) {
      if (with.target.kind != TermKind::kRef) fail(with.location, "the target of with is no reference");
      if (with.value.kind != TermKind::kRef) value(with.value);
    }
    if (e.negated) negated(e, bound);
  }

  void negated(const Expr& e, const VarSet& bound) {
    VarSet needed;
    for (const Term& t : e.terms) collect_vars(t, passes::kSafetyParams, needed);
    if (e.kind == ExprKind::kCall) {
      needed.clear();
      for (std::size_t i = 1; i < e.terms.size(); ++i) collect_vars(e.terms[i], passes::kSafetyParams, needed);
    }
    if (!needed.subset_of(bound)) fail(e.location, "a negated expression has an unbound variable");
  }

  void call(const Expr& e, const VarSet& bound) {
    const Term& op = e.terms[0];
    if (op.kind != TermKind::kRef || op.items.empty() || op.items[0].kind != TermKind::kVar) {
      fail(e.location, "an operator is no reference");
      return;
    }
    const std::string_view name = op.items[0].text;
    if (op.items.size() == 1 && name == "assign") fail(e.location, "an assignment is left");
    const bool equality = op.items.size() == 1 && name == "eq";
    if (equality && e.terms.size() == 3) {
      whole(e.terms[1], bound);
      whole(e.terms[2], bound);
      return;
    }
    // internal.print and template strings take arrays of comprehensions hoisted to variables.
    for (std::size_t i = 1; i < e.terms.size(); ++i) value(e.terms[i]);
  }

  void tree(const RuleTreeNode& node, std::uint32_t depth) {
    if (node.depth != depth) fail(node.key.location, "a node at the wrong depth");
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      if (compare_scalars(node.children[i - 1].key, node.children[i].key) >= 0) {
        fail(node.key.location, "children out of order");
      }
    }
    if (node.rules.empty() != (node.kind == DocumentKind::kNone)) fail(node.key.location, "a node of the wrong kind");
    for (const Rule* rule : node.rules) {
      if ((node.kind == DocumentKind::kFunction) == rule->head.arguments.empty()) {
        fail(rule->location, "functions and other rules under one name");
      }
      if (node.kind != DocumentKind::kPartialObject && node.kind != DocumentKind::kFunction &&
          rule->head.contains != (node.kind == DocumentKind::kPartialSet)) {
        fail(rule->location, "rules of different kinds under one name");
      }
    }
    for (const RuleTreeNode& child : node.children) tree(child, depth + 1);
  }

  const CheckedModules& modules_;
  VarSet reserved_;
  std::string finding_;
};

}  // namespace

std::string well_formed(const CheckedModules& modules) { return Inspector(modules).run(); }

}  // namespace portcullis::rego
