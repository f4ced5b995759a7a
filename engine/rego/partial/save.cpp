// What is unknown, and the expressions that are kept because of it.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {
namespace {

bool may_overlap(std::span<const Term> ref, std::span<const Term> other) {
  if (ref.empty() || other.empty()) return true;
  if (!equal(ref[0], other[0])) return false;
  for (std::size_t i = 1; i < std::min(ref.size(), other.size()); ++i) {
    if (!equal(ref[i], other[i]) && is_ground(other[i]) && is_ground(ref[i])) return false;
  }
  return true;
}

bool has_prefix(std::span<const Term* const> path, std::span<const Term> prefix) {
  if (prefix.size() > path.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (!equal(*path[i], prefix[i])) return false;
  }
  return true;
}

// OPA calls these although their results may change.
bool is_kept(std::string_view builtin) {
  return builtin != "crypto.x509.parse_and_verify_certificates" &&
         builtin != "crypto.x509.parse_and_verify_certificates_with_options" && !builtin.starts_with("internal.") &&
         !builtin.starts_with("rego.metadata.");
}

std::span<const Term> constant_prefix(std::span<const Term> ref) {
  std::size_t size = std::min<std::size_t>(ref.size(), 1);
  while (size < ref.size() && is_constant(ref[size])) ++size;
  return ref.first(size);
}

}  // namespace

bool Run::has_var(const SaveSetElement& element, const Term& var, const Bindings* bindings) {
  return bindings == element.bindings &&
         std::any_of(element.vars.begin(), element.vars.end(), [&](const Term* one) { return equal(*one, var); });
}

bool Run::is_unknown(const Term& term, Bindings* bindings) const {
  if (term.kind != TermKind::kVar && term.kind != TermKind::kRef) return false;
  return std::any_of(save_set_.rbegin(), save_set_.rend(), [&](const SaveSetElement& element) {
    if (term.kind == TermKind::kVar) return has_var(element, term, bindings);
    for (const Term* ref : element.refs) {
      if (partial::has_prefix(ref->items, term.items) || partial::has_prefix(term.items, ref->items)) return true;
    }
    return has_var(element, term.items[0], bindings);
  });
}

// The term, or something in it with its variables' values put in, is unknown.
bool Run::has_unknown(const Term& term, Bindings* bindings) {
  ++steps_;
  if (term.kind == TermKind::kVar) {
    const Bound bound = apply(bindings, &term);
    if (bound.term != &term || bound.where != bindings) return has_unknown(*bound.term, bound.where);
    return is_unknown(term, bindings);
  }
  bool found = false;
  passes::walk_terms(term, [&](const Term& inner) {
    if (!found && inner.kind == TermKind::kVar) found = has_unknown(inner, bindings);
    return found;
  });
  return found;
}

// Also what could turn out to be unknown once its variables are known.
bool Run::may_be_unknown(const Term& term, Bindings* bindings) const {
  if (term.kind != TermKind::kRef) return is_unknown(term, bindings);
  return std::any_of(save_set_.rbegin(), save_set_.rend(), [&](const SaveSetElement& element) {
    for (const Term* ref : element.refs) {
      if (may_overlap(ref->items, term.items)) return true;
    }
    return has_var(element, term.items[0], bindings);
  });
}

bool Run::covered(std::span<const Term* const> path) const {
  return std::any_of(save_set_.rbegin(), save_set_.rend(), [&](const SaveSetElement& element) {
    return std::any_of(element.refs.begin(), element.refs.end(),
                       [&](const Term* ref) { return has_prefix(path, ref->items); });
  });
}

std::vector<const Term*> Run::unknown_keys(std::span<const Term* const> prefix) const {
  std::vector<const Term*> keys;
  for (auto element = save_set_.rbegin(); element != save_set_.rend(); ++element) {
    for (const Term* ref : element->refs) {
      if (ref->items.size() <= prefix.size()) continue;
      bool same = true;
      for (std::size_t i = 0; i < prefix.size() && same; ++i) same = equal(ref->items[i], *prefix[i]);
      const Term& key = ref->items[prefix.size()];
      if (!same || !is_ground(key)) continue;
      if (std::none_of(keys.begin(), keys.end(), [&](const Term* one) { return equal(*one, key); }))
        keys.push_back(&key);
    }
  }
  return keys;
}

bool Run::disabled(std::span<const Term> ref, bool ignore_internal) const {
  for (const Disabled& frame : disabled_) {
    if (frame.internal && ignore_internal) continue;
    for (const Term* other : frame.refs) {
      if (partial::has_prefix(other->items, ref) || partial::has_prefix(ref, other->items)) return true;
    }
  }
  return false;
}

// Whether evaluating this may save something.
bool Run::required(const Term& term, Bindings* bindings, bool inside_rule) {
  if (!step()) return true;
  if (term.kind == TermKind::kVar) return !inside_rule && has_unknown(term, bindings);
  if (term.kind == TermKind::kRef && !term.items.empty()) {
    if (may_be_unknown(term, bindings) || disabled(constant_prefix(term.items), true)) return true;
    if (term.items[0].is_var("data") && modules_.tree) {
      Ref ref = term.items;
      for (std::size_t i = 1; i < ref.size() && !inside_rule && bindings != nullptr; ++i) {
        if (ref[i].kind != TermKind::kVar) continue;
        const Term* value = plug(bindings, &ref[i]);
        if (is_scalar(*value)) ref[i] = *value;
      }
      if (any_rule_required(*modules_.tree, std::span<const Term>(ref).subspan(1), bindings)) return true;
    }
  }
  for (const Term& item : term.items) {
    if (required(item, bindings, inside_rule)) return true;
  }
  return term.body && required(*static_cast<const Body*>(term.body.get()), bindings, inside_rule);
}

bool Run::required(const Expr& expr, Bindings* bindings, bool inside_rule) {
  if (!expr.with.empty()) return true;
  if (expr.kind == ExprKind::kCall && !options_.nondeterministic_builtins) {
    const BuiltinRegistry::Entry* entry = context_.builtin(expr.terms[0]);
    if (entry != nullptr && (entry->decl->flags & kNondeterministic) != 0 && is_kept(entry->decl->name)) return true;
  }
  for (const Term& term : expr.terms) {
    if (required(term, bindings, inside_rule)) return true;
  }
  if (expr.kind == ExprKind::kEvery) {
    if (required(expr.every_domain, bindings, inside_rule)) return true;
    if (required(*expr.every_body, bindings, inside_rule)) return true;
  }
  return (expr.left && required(*expr.left, bindings, inside_rule)) ||
         (expr.right && required(*expr.right, bindings, inside_rule));
}

bool Run::required(const Body& body, Bindings* bindings, bool inside_rule) {
  return std::any_of(body.exprs.begin(), body.exprs.end(),
                     [&](const Expr& expr) { return required(expr, bindings, inside_rule); });
}

bool Run::required(const Rule& rule, Bindings* bindings) {
  const Head& head = rule.head;
  for (const Term& argument : head.arguments) {
    if (required(argument, bindings, true)) return true;
  }
  return (head.key && required(*head.key, bindings, true)) || (head.value && required(*head.value, bindings, true)) ||
         required(rule.body, bindings, true) || (rule.otherwise && required(*rule.otherwise, bindings));
}

bool Run::rules_required(const RuleTreeNode& node, Bindings* bindings) {
  return std::any_of(node.rules.begin(), node.rules.end(), [&](const Rule* rule) { return required(*rule, bindings); });
}

bool Run::any_rule_required(const RuleTreeNode& node, std::span<const Term> ref, Bindings* bindings) {
  if (ref.empty()) return any_below_required(node, bindings);
  if (is_constant(ref[0])) {
    const RuleTreeNode* child = node.child(ref[0]);
    return child != nullptr &&
           (rules_required(*child, bindings) || any_rule_required(*child, ref.subspan(1), bindings));
  }
  return std::any_of(node.children.begin(), node.children.end(), [&](const RuleTreeNode& child) {
    return !child.hidden && (rules_required(child, bindings) || any_rule_required(child, ref.subspan(1), bindings));
  });
}

bool Run::any_below_required(const RuleTreeNode& node, Bindings* bindings) {
  return !node.hidden && std::any_of(node.children.begin(), node.children.end(), [&](const RuleTreeNode& child) {
    return rules_required(child, bindings) || any_below_required(child, bindings);
  });
}

// The variables of a saved term become unknown themselves.
std::size_t Run::mark_unknown(const Term& term, Bindings* bindings) {
  if (term.kind == TermKind::kVar) {
    save_set_.push_back({{}, {&term}, bindings});
    return 1;
  }
  Term copy = term;
  number(copy);
  passes::VarSet vars;
  passes::collect_vars(copy, passes::VarParams{.skip_ref_head = true, .skip_closures = true}, vars);
  std::size_t count = 0;
  for (const passes::Variable v : vars) {
    const Term* var = keep(context_.names.term(v, {}));
    const Bound bound = apply(bindings, var);
    count += mark_unknown(*bound.term, bound.where);
  }
  return count;
}

std::vector<With> Run::saved_withs(const std::vector<With>& withs) const {
  std::vector<With> out;
  for (const With& with : withs) {
    const std::vector<Term>& target = with.target.items;
    const bool document = !target.empty() && (target[0].is_var("data") || target[0].is_var("input"));
    if (document && !is_function(with.target)) out.push_back(with);
  }
  return out;
}

bool Run::save_expr(Frame& frame, Expr expr, Bindings* bindings, Next next) {
  expr.with = saved_withs(frame.expr().with);
  expr.location = frame.expr().location;
  save_stack_.back().push_back({keep(std::move(expr)), bindings, bindings});
  const bool ok = next();
  save_stack_.back().pop_back();
  return ok;
}

bool Run::save_marked(Frame& frame, const Expr& expr, Next next) {
  std::size_t marked = 0;
  if (expr.kind == ExprKind::kTerm) {
    marked = mark_unknown(expr.terms[0], frame.bindings);
  } else if (expr.kind == ExprKind::kCall && expr.operator_name() == "eq") {
    marked = mark_unknown(expr.terms[1], frame.bindings);
    marked += mark_unknown(expr.terms[2], frame.bindings);
  } else if (expr.kind == ExprKind::kCall && context_.arity(expr.terms[0]) == static_cast<int>(expr.terms.size()) - 2) {
    marked = mark_unknown(expr.terms.back(), frame.bindings);
  }
  const bool ok = save_expr(frame, expr, frame.bindings, next);
  unmark(marked);
  return ok;
}

bool Run::save_unify(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next) {
  if (!step()) return false;
  Expr expr = equality(*a, *b);
  expr.with = saved_withs(frame.expr().with);
  expr.location = frame.expr().location;
  std::size_t marked = mark_unknown(*a, b1);
  marked += mark_unknown(*b, b2);
  save_stack_.back().push_back({keep(std::move(expr)), b1, b2});
  const bool ok = next();
  save_stack_.back().pop_back();
  unmark(marked);
  return ok;
}

bool Run::save_call(Frame& frame, std::size_t arity, const std::vector<Term>& terms, Next next) {
  Expr expr;
  expr.kind = ExprKind::kCall;
  expr.terms = terms;
  const std::size_t marked = arity + 2 == terms.size() ? mark_unknown(terms.back(), frame.bindings) : 0;
  const bool ok = save_expr(frame, std::move(expr), frame.bindings, next);
  unmark(marked);
  return ok;
}

bool Run::save_negated(Frame& frame, std::vector<Expr> exprs, Next next) {
  std::vector<With> withs = saved_withs(frame.expr().with);
  for (With& with : withs) with.value = *plug(frame.bindings, &with.value, root_);
  const std::size_t count = exprs.size();
  for (Expr& expr : exprs) {
    expr.with = withs;
    save_stack_.back().push_back({keep(std::move(expr)), nullptr, nullptr});
  }
  const bool ok = next();
  save_stack_.back().resize(save_stack_.back().size() - count);
  return ok;
}

Expr Run::plugged_expr(const Saved& saved) {
  Expr expr = *saved.expr;
  if (saved.left == nullptr && saved.right == nullptr) return expr;
  const auto put = [&](Term& term, Bindings* bindings) { term = *plug(bindings, keep(term), root_); };
  if (expr.kind == ExprKind::kCall) {
    const bool unification = expr.operator_name() == "eq";
    for (std::size_t i = 1; i < expr.terms.size(); ++i) {
      put(expr.terms[i], unification && i == 2 ? saved.right : saved.left);
    }
  } else if (expr.kind == ExprKind::kTerm) {
    put(expr.terms[0], saved.left);
  }
  for (With& with : expr.with) put(with.value, saved.left);
  return expr;
}

Body Run::plugged_query(const std::vector<Saved>& saved) {
  Body body;
  for (const Saved& one : saved) body.exprs.push_back(plugged_expr(one));
  if (body.exprs.empty()) {
    Expr expr;
    expr.terms.push_back(true_term());
    body.exprs.push_back(std::move(expr));
  }
  passes::renumber(body);
  return body;
}

}  // namespace portcullis::rego::partial
