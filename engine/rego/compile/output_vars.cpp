// Which variables an expression binds when it is evaluated with others bound already, and what unification binds.
#include <algorithm>
#include <utility>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

class Unifier {
 public:
  explicit Unifier(const VarSet& safe) : safe_(safe) {}

  void unify(const Term& a, const Term& b);
  VarSet take() { return std::move(unified_); }

 private:
  static bool composite(const Term& t) { return t.kind == TermKind::kArray || t.kind == TermKind::kObject; }
  bool is_safe(Variable v) const { return safe_.contains(v) || unified_.contains(v); }
  bool evaluates(const Term& t) const {
    if (t.kind == TermKind::kRef) return is_reference_safe(t, safe_);
    VarSet vars;
    collect_vars(t, kSafetyParams, vars);
    return vars.subset_of(safe_);
  }

  void var(const Term& a, const Term& b);
  void evaluated(const Term& a, const Term& b);
  void array(const Term& a, const Term& b);
  void object(const Term& a, const Term& b);
  void mark_safe(Variable v);
  void mark_all_safe(const Term& t);
  void mark_unknown(Variable a, Variable b);
  void unify_all(Variable a, const Term& b);

  const VarSet& safe_;
  VarSet unified_;
  std::vector<std::pair<Variable, VarSet>> unknown_;  // becomes safe when all of these are
};

void Unifier::var(const Term& a, const Term& b) {
  const Variable x = a.variable;
  switch (b.kind) {
    case TermKind::kVar:
      if (is_safe(b.variable)) {
        mark_safe(x);
      } else if (is_safe(x)) {
        mark_safe(b.variable);
      } else {
        mark_unknown(x, b.variable);
        mark_unknown(b.variable, x);
      }
      return;
    case TermKind::kArray:
    case TermKind::kObject: unify_all(x, b); return;
    case TermKind::kRef:
    case TermKind::kCall:
      if (evaluates(b)) mark_safe(x);
      return;
    default: mark_safe(x);
  }
}

// `a` is a reference or call.
void Unifier::evaluated(const Term& a, const Term& b) {
  if (!evaluates(a)) return;
  if (b.kind == TermKind::kVar) {
    mark_safe(b.variable);
  } else if (composite(b)) {
    mark_all_safe(b);
  }
}

void Unifier::array(const Term& a, const Term& b) {
  switch (b.kind) {
    case TermKind::kVar: unify_all(b.variable, a); return;
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: mark_all_safe(a); return;
    case TermKind::kRef:
    case TermKind::kCall:
      if (evaluates(b)) mark_all_safe(a);
      return;
    case TermKind::kArray:
      if (a.items.size() != b.items.size()) return;
      for (std::size_t i = 0; i < a.items.size(); ++i) unify(a.items[i], b.items[i]);
      return;
    default: return;
  }
}

void Unifier::object(const Term& a, const Term& b) {
  switch (b.kind) {
    case TermKind::kVar: unify_all(b.variable, a); return;
    case TermKind::kRef:
    case TermKind::kCall:
      if (evaluates(b)) mark_all_safe(a);
      return;
    case TermKind::kObject:
      if (a.items.size() != b.items.size()) return;
      for (std::size_t i = 0; i < a.items.size(); i += 2) {
        for (std::size_t j = 0; j < b.items.size(); j += 2) {
          if (!equal(a.items[i], b.items[j])) continue;
          unify(a.items[i + 1], b.items[j + 1]);
          break;
        }
      }
      return;
    default: return;
  }
}

void Unifier::unify(const Term& a, const Term& b) {
  switch (a.kind) {
    case TermKind::kVar: var(a, b); return;
    case TermKind::kRef:
    case TermKind::kCall: evaluated(a, b); return;
    case TermKind::kArray: array(a, b); return;
    case TermKind::kObject: object(a, b); return;
    case TermKind::kArrayComprehension:
      if (b.kind == TermKind::kArray) mark_all_safe(b);
      break;
    case TermKind::kObjectComprehension:
      if (b.kind == TermKind::kObject) mark_all_safe(b);
      break;
    default: break;
  }
  if (b.kind == TermKind::kVar) mark_safe(b.variable);
}

void Unifier::mark_safe(Variable first) {
  std::vector<Variable> pending{first};
  while (!pending.empty()) {
    const Variable v = pending.back();
    pending.pop_back();
    unified_.insert(v);
    for (std::size_t i = 0; i < unknown_.size();) {
      auto& [dependant, dependencies] = unknown_[i];
      if (dependant == v) {
        // What v would have been equal to is known now as well.
        for (const Variable other : dependencies) pending.push_back(other);
        unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      dependencies.erase(v);
      if (dependencies.empty()) {
        pending.push_back(dependant);
        unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      ++i;
    }
  }
}

void Unifier::mark_all_safe(const Term& t) {
  VarSet vars;
  collect_vars(t, kOutputParams, vars);
  for (const Variable v : vars) mark_safe(v);
}

void Unifier::mark_unknown(Variable a, Variable b) {
  for (auto& [dependant, dependencies] : unknown_) {
    if (dependant == a) {
      dependencies.insert(b);
      return;
    }
  }
  VarSet dependencies;
  dependencies.insert(b);
  unknown_.emplace_back(a, std::move(dependencies));
}

void Unifier::unify_all(Variable a, const Term& b) {
  if (is_safe(a)) {
    mark_all_safe(b);
    return;
  }
  VarSet vars;
  collect_vars(b, kOutputParams, vars);
  vars.erase_if([this](Variable v) { return is_safe(v); });
  if (vars.empty()) {
    mark_safe(a);
    return;
  }
  for (const Variable v : vars) mark_unknown(a, v);
}

bool is_ground(const Term& t) {
  if (t.kind == TermKind::kVar) return false;
  if (t.is_comprehension()) return false;
  const std::size_t first = t.kind == TermKind::kRef ? 1 : 0;
  return std::all_of(t.items.begin() + static_cast<std::ptrdiff_t>(std::min(first, t.items.size())), t.items.end(),
                     is_ground);
}

// The variables in references whose heads are bound: evaluating them iterates.
void vars_of_references(const Term& t, const VarSet& safe, VarSet& out) {
  if (t.is_comprehension() || t.kind == TermKind::kTemplateString) return;
  if (t.kind == TermKind::kRef) {
    if (!is_reference_safe(t, safe)) return;
    if (!is_ground(t)) collect_vars(t, kOutputParamsOfReference, out);
  }
  for (const Term& item : t.items) vars_of_references(item, safe, out);
}

void vars_of_references(const Expr& e, const VarSet& safe, VarSet& out) {
  for (const Term& t : e.terms) vars_of_references(t, safe, out);
  for (const With& w : e.with) {
    vars_of_references(w.target, safe, out);
    vars_of_references(w.value, safe, out);
  }
}

VarSet outputs_of_call(const Expr& e, int arity, const VarSet& safe) {
  VarSet output;
  vars_of_references(e, safe, output);
  const std::size_t inputs = static_cast<std::size_t>(arity) + 1;
  if (inputs >= e.terms.size()) return output;
  static constexpr VarParams kParams{
      .skip_ref_head = true, .skip_object_keys = true, .skip_closures = true, .skip_sets = true};
  VarSet needed;
  for (std::size_t i = 0; i < inputs; ++i) collect_vars(e.terms[i], kParams, needed);
  for (const Variable v : needed) {
    if (!output.contains(v) && !safe.contains(v)) return {};
  }
  for (std::size_t i = inputs; i < e.terms.size(); ++i) collect_vars(e.terms[i], kParams, output);
  return output;
}

}  // namespace

bool is_reference_safe(const Term& reference, const VarSet& safe) {
  const Term& head = reference.items[0];
  if (head.kind == TermKind::kVar) return safe.contains(head.variable);
  VarSet vars;
  collect_vars(head, kSafetyParams, vars);
  return vars.subset_of(safe);
}

VarSet unify_vars(const VarSet& safe, const Term& a, const Term& b) {
  Unifier unifier(safe);
  unifier.unify(a, b);
  return unifier.take();
}

VarSet output_vars_of_equality(const Expr& e, const VarSet& safe) {
  if (e.terms.size() != 3) return {};
  VarSet known;
  vars_of_references(e, safe, known);
  known.insert(safe);
  if (e.from_assignment) {
    // The left side of := only receives: the right side is never bound backwards through it.
    VarSet left;
    collect_vars(e.terms[1], VarParams{}, left);
    known.erase_if([&](Variable v) { return left.contains(v); });
  }
  VarSet result = unify_vars(known, e.terms[1], e.terms[2]);
  result.insert(known);
  result.erase_if([&](Variable v) { return safe.contains(v); });
  return result;
}

VarSet output_vars(Context& context, const Expr& e, const VarSet& safe) {
  if (e.negated || e.kind == ExprKind::kNot) return {};
  for (const With& w : e.with) {
    VarSet needed;
    collect_vars(w, kSafetyParams, needed);
    if (!needed.subset_of(safe)) return {};
  }
  switch (e.kind) {
    case ExprKind::kTerm: {
      VarSet output;
      vars_of_references(e, safe, output);
      return output;
    }
    case ExprKind::kCall: {
      if (is_call_of(e, context.names.eq)) return output_vars_of_equality(e, safe);
      const int arity = context.arity(e.terms[0]);
      return arity < 0 ? VarSet{} : outputs_of_call(e, arity, safe);
    }
    case ExprKind::kEvery: {
      VarSet output;
      vars_of_references(e.every_domain, safe, output);
      return output;
    }
    case ExprKind::kNot:
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kSome: break;
  }
  return {};
}

VarSet output_vars(Context& context, const Body& body, std::size_t count, const VarSet& safe) {
  VarSet known = safe;
  for (std::size_t i = 0; i < count; ++i) known.insert(output_vars(context, body.exprs[i], known));
  known.erase_if([&](Variable v) { return safe.contains(v); });
  return known;
}

VarSet output_vars(Context& context, const Body& body, const VarSet& safe) {
  return output_vars(context, body, body.exprs.size(), safe);
}

}  // namespace portcullis::rego::passes
