// Takes variables out of a query: those that must be equal to another, to a constant, or to a reference or call.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {

using passes::Variable;
using passes::VarSet;

namespace {

bool is_equality(const Expr& expr) { return expr.kind == ExprKind::kCall && expr.operator_name() == "eq"; }

bool mentions(const Term& term, const Term& var) {
  bool found = false;
  passes::walk_terms(term, [&](const Term& inner) { return found = found || inner.is_var(var.text); });
  return found;
}

// Whether the value stands somewhere in the term, comprehensions aside; a reference also as the beginning of another.
bool stands_in(const Term& value, const Term& term) {
  if (term.is_comprehension()) return false;
  if (term.kind == TermKind::kRef && value.kind == TermKind::kRef) {
    if (has_prefix(term.items, value.items)) return true;
  } else if (equal(term, value)) {
    return true;
  }
  return std::any_of(term.items.begin(), term.items.end(), [&](const Term& item) { return stands_in(value, item); });
}

bool stands_in(const Term& value, const Body& body) {
  return std::any_of(body.exprs.begin(), body.exprs.end(), [&](const Expr& expr) {
    const auto in = [&](const Term& term) { return stands_in(value, term); };
    if (std::any_of(expr.terms.begin(), expr.terms.end(), in)) return true;
    if (expr.kind == ExprKind::kEvery) {
      return (expr.every_key && in(*expr.every_key)) || in(expr.every_value) || in(expr.every_domain);
    }
    if ((expr.left && stands_in(value, *expr.left)) || (expr.right && stands_in(value, *expr.right))) return true;
    return std::any_of(expr.with.begin(), expr.with.end(),
                       [&](const With& with) { return in(with.target) || in(with.value); });
  });
}

bool says_nothing(const Expr& expr) {
  if (expr.kind == ExprKind::kTerm) {
    const Term& term = expr.terms[0];
    return is_constant(term) && !(term.kind == TermKind::kBoolean && !term.boolean);
  }
  return expr.kind == ExprKind::kCall && expr.operator_name() == "equal" && expr.terms.size() >= 3 &&
         equal(expr.terms[1], expr.terms[2]);
}

}  // namespace

// One query. Names stand for variables.
class Propagation {
 public:
  Propagation(Run& run, const VarSet& live) : run_(run), context_(run.context_) {
    for (const Variable v : context_.names.sorted(live)) live_.emplace_back(context_.names.text(v));
    live_set_ = live;
  }

  Body apply(Body query, bool never_empty) {
    if (!make_sets(query)) return query;
    find_heads(query);
    Body result;
    for (const Expr& original : query.exprs) {
      Expr expr = original;
      negated_ = expr.negated;
      put_in(expr);
      if (keeps(expr)) result.exprs.push_back(std::move(expr));
    }
    bind_live(result);
    if (!restore(result)) return query;
    if (never_empty && result.exprs.empty()) {
      Expr expr;
      expr.generated = true;
      expr.terms.push_back(true_term());
      result.exprs.push_back(std::move(expr));
    }
    passes::renumber(result);
    return result;
  }

 private:
  struct Set {
    std::string root;
    std::optional<Term> constant;
  };

  bool is_live(const Term& var) const { return std::find(live_.begin(), live_.end(), var.text) != live_.end(); }

  Set* find(const std::string& name) {
    const auto at = parents_.find(name);
    if (at == parents_.end()) return nullptr;
    return at->second == name ? &sets_[name] : find(at->second);
  }
  Set& make(const std::string& name) {
    if (Set* set = find(name)) return *set;
    parents_[name] = name;
    return sets_[name] = {name, std::nullopt};
  }
  bool join(const Term& a, const Term& b) {
    Set* first = &make(a.text);
    Set* second = &make(b.text);
    first = find(a.text);  // making the second may have moved nothing: maps keep their nodes
    if (first == second) return true;
    if (!is_live(Term::var(first->root, {}))) std::swap(first, second);
    parents_[second->root] = first->root;
    if (first->constant && second->constant && !equal(*first->constant, *second->constant)) return false;
    if (!first->constant) first->constant = second->constant;
    sets_.erase(second->root);
    return true;
  }
  bool assign(const Term& var, const Term& constant) {
    Set& set = make(var.text);
    if (set.constant && !equal(*set.constant, constant)) return false;
    set.constant = constant;
    return true;
  }

  bool make_sets(const Body& query) {
    for (const Expr& expr : query.exprs) {
      if (!is_equality(expr) || expr.negated || !expr.with.empty()) continue;
      const Term& a = expr.terms[1];
      const Term& b = expr.terms[2];
      const bool var_a = a.kind == TermKind::kVar;
      const bool var_b = b.kind == TermKind::kVar;
      if (var_a && var_b) {
        if (!join(a, b)) return false;
      } else if (var_a && is_constant(b)) {
        if (!assign(a, b)) return false;
      } else if (var_b && is_constant(a)) {
        if (!assign(b, a)) return false;
      }
    }
    return true;
  }

  // Variables that references begin with can't become constants.
  void find_heads(const Body& query) {
    passes::walk_terms(query, [&](const Term& term) {
      if (term.kind != TermKind::kRef || term.items[0].kind != TermKind::kVar) return false;
      if (Set* set = find(term.items[0].text)) {
        set->constant.reset();
        heads_.push_back(set->root);
      } else {
        heads_.push_back(term.items[0].text);
      }
      return false;
    });
  }

  void put_in(Expr& expr) {
    for (Term& term : expr.terms) put_in(term);
    if (expr.every_body) {
      if (expr.every_key) put_in(*expr.every_key);
      put_in(expr.every_value);
      put_in(expr.every_domain);
      put_in(*expr.every_body);
    }
    if (expr.left) put_in(*expr.left);
    if (expr.right) put_in(*expr.right);
    for (With& with : expr.with) {
      put_in(with.target);
      put_in(with.value);
    }
  }
  void put_in(Body& body) {
    for (Expr& expr : body.exprs) put_in(expr);
  }
  void put_in(Term& term) {
    if (!run_.step()) return;
    if (term.kind == TermKind::kVar) {
      if (const std::optional<Term> value = value_of(term)) term = *value;
    } else if (term.kind == TermKind::kRef) {
      put_in_head(term);
    }
    for (Term& item : term.items) put_in(item);
    if (term.body) put_in(*term.body);
    normalise(term);
  }
  std::optional<Term> value_of(const Term& var) {
    Term result = var;
    if (Set* set = find(var.text)) {
      if (set->constant) return set->constant;
      result = Term::var(set->root, var.location);
    }
    const auto at = removed_.find(result.text);
    if (at == removed_.end() || (negated_ && !is_ground(at->second)) || mentions(at->second, result)) return result;
    return at->second;
  }
  void put_in_head(Term& ref) {
    Term& head = ref.items[0];
    if (head.kind != TermKind::kVar) return;
    if (Set* set = find(head.text)) head = set->constant ? *set->constant : Term::var(set->root, head.location);
    const auto at = head.kind == TermKind::kVar ? removed_.find(head.text) : removed_.end();
    if (at == removed_.end() || (negated_ && !is_ground(at->second))) return;
    std::vector<Term> items;
    if (at->second.kind == TermKind::kRef) {
      items = at->second.items;
    } else {
      items.push_back(at->second);
    }
    items.insert(items.end(), ref.items.begin() + 1, ref.items.end());
    ref.items = std::move(items);
  }

  // False: the expression is not needed; what it binds is remembered.
  bool keeps(const Expr& expr) {
    if (negated_ || !expr.with.empty()) return true;
    if (is_equality(expr)) {
      const Term& a = expr.terms[1];
      const Term& b = expr.terms[2];
      if (equal(a, b)) {
        if (a.kind == TermKind::kRef && is_live(a.items[0])) {
          const std::string name = "__localcp" + std::to_string(placeholders_.size()) + "__";
          placeholders_.push_back(name);
          removed_[name] = a;
        }
        return false;
      }
      if (removes(a, b) || removes(b, a)) return false;
    } else if (expr.kind == ExprKind::kCall) {
      const Term& output = expr.terms.back();
      if (context_.arity(expr.terms[0]) == static_cast<int>(expr.terms.size()) - 2 && output.kind == TermKind::kVar &&
          !is_live(output) && std::find(heads_.begin(), heads_.end(), output.text) == heads_.end()) {
        Term call(TermKind::kCall, expr.location);
        call.items.assign(expr.terms.begin(), expr.terms.end() - 1);
        removed_[output.text] = std::move(call);
        return false;
      }
    }
    return !says_nothing(expr);
  }
  bool removes(const Term& var, const Term& value) {
    if (var.kind != TermKind::kVar || is_live(var)) return false;
    if (value.kind != TermKind::kRef && value.kind != TermKind::kCall) return false;
    removed_[var.text] = value;
    return true;
  }

  void bind_live(Body& result) {
    for (const std::string& name : live_) {
      const Set* set = find(name);
      if (set == nullptr) continue;
      if (set->constant) {
        result.exprs.push_back(equality(Term::var(name, {}), *set->constant));
      } else if (const auto at = removed_.find(set->root); at != removed_.end()) {
        result.exprs.push_back(equality(Term::var(name, {}), at->second));
      } else if (set->root != name) {
        result.exprs.push_back(equality(Term::var(name, {}), Term::var(set->root, {})));
      }
    }
  }

  // Puts back what was taken out but says that a reference is defined, or binds what nothing else binds.
  bool restore(Body& result) {
    run_.number(result);
    VarSet safe = live_set_;
    safe.insert(context_.names.data);
    safe.insert(context_.names.input);
    safe.insert(passes::output_vars(context_, result, safe));
    VarSet unsafe;
    passes::collect_vars(result, passes::kSafetyParams, unsafe);
    unsafe = unsafe.without(safe);
    for (auto at = removed_.rbegin(); at != removed_.rend(); ++at) {
      Body one;
      one.exprs.push_back(equality(Term::var(at->first, {}), at->second));
      run_.number(one);
      const VarSet output = passes::output_vars(context_, one.exprs[0], safe);
      const VarSet rest = unsafe.without(output);
      const bool needed = rest.size() < unsafe.size();
      unsafe = rest;
      const Term& value = at->second;
      const bool safe_var = value.kind == TermKind::kRef && value.items.size() == 1 &&
                            value.items[0].kind == TermKind::kVar &&
                            safe.contains(context_.names.intern(value.items[0].text));
      if (!needed && (safe_var || stands_in(value, result))) continue;
      const bool placeholder = value.kind == TermKind::kRef &&
                               std::find(placeholders_.begin(), placeholders_.end(), at->first) != placeholders_.end();
      if (placeholder) {
        Expr expr;
        expr.terms.push_back(value);
        result.exprs.push_back(std::move(expr));
      } else {
        result.exprs.push_back(std::move(one.exprs[0]));
      }
      safe.insert(output);
    }
    return unsafe.empty();
  }

  Run& run_;
  passes::Context& context_;
  std::vector<std::string> live_;  // in order
  VarSet live_set_;
  std::map<std::string, std::string> parents_;
  std::map<std::string, Set> sets_;
  std::vector<std::string> heads_;
  std::map<std::string, Term> removed_;
  std::vector<std::string> placeholders_;
  bool negated_ = false;
};

Body Run::propagated(Body body, const VarSet& live, bool never_empty) {
  return Propagation(*this, live).apply(std::move(body), never_empty);
}

void Run::number(Term& term) {
  passes::walk_terms(term, [&](Term& inner) {
    if (inner.kind == TermKind::kVar) inner.variable = context_.names.intern(inner.text);
    return false;
  });
}

void Run::number(Body& body) {
  passes::walk_terms(body, [&](Term& inner) {
    if (inner.kind == TermKind::kVar) inner.variable = context_.names.intern(inner.text);
    return false;
  });
}

}  // namespace portcullis::rego::partial
