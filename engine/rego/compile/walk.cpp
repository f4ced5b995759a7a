#include "engine/rego/compile/walk.h"

#include <algorithm>

namespace portcullis::rego::passes {

namespace {

class VarCollector {
 public:
  VarCollector(const VarParams& params, VarSet& out) : params_(params), out_(out) {}

  void term(const Term& t) {
    switch (t.kind) {
      case TermKind::kVar: out_.insert(t.variable); return;
      case TermKind::kRef: items_from(t, params_.skip_ref_head ? 1 : 0); return;
      case TermKind::kCall:
        if (params_.skip_call_head) {
          operator_and_arguments(t.items);
        } else {
          items_from(t, 0);
        }
        return;
      case TermKind::kSet:
        if (!params_.skip_sets) items_from(t, 0);
        return;
      case TermKind::kObject:
        for (std::size_t i = params_.skip_object_keys ? 1 : 0; i < t.items.size();
             i += params_.skip_object_keys ? 2 : 1) {
          term(t.items[i]);
        }
        return;
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
        if (params_.skip_closures) return;
        items_from(t, 0);
        body(*t.body);
        return;
      case TermKind::kTemplateString:
        if (params_.skip_closures) return;
        items_from(t, 0);
        return;
      default:
        items_from(t, 0);
        if (t.body) body(*t.body);
    }
  }

  void with(const With& w) {
    if (!params_.skip_call_head) {
      term(w.target);
      term(w.value);
      return;
    }
    if (w.target.kind == TermKind::kRef) items_from(w.target, 1);
    if (w.value.kind == TermKind::kRef) {
      items_from(w.value, 1);
    } else {
      term(w.value);
    }
  }

  void expr(const Expr& e) {
    if (e.kind == ExprKind::kEvery) {
      if (params_.skip_closures) {
        term(e.every_domain);
        return;  // as OPA: not its `with` either
      }
      if (e.every_key) term(*e.every_key);
      term(e.every_value);
      term(e.every_domain);
    } else if (e.kind == ExprKind::kCall && params_.skip_call_head) {
      operator_and_arguments(e.terms);
    } else {
      for (const Term& t : e.terms) term(t);
    }
    if (!params_.skip_closures) for_each_body(e, [&](const Body& b) { body(b); });
    for (const With& w : e.with) with(w);
  }

  void body(const Body& b) {
    for (const Expr& e : b.exprs) expr(e);
  }

 private:
  void items_from(const Term& t, std::size_t first) {
    for (std::size_t i = first; i < t.items.size(); ++i) term(t.items[i]);
  }
  void operator_and_arguments(const std::vector<Term>& items) {
    items_from(items[0], 1);
    for (std::size_t i = 1; i < items.size(); ++i) term(items[i]);
  }

  const VarParams& params_;
  VarSet& out_;
};

}  // namespace

void collect_vars(const Term& term, const VarParams& params, VarSet& out) { VarCollector(params, out).term(term); }
void collect_vars(const With& with, const VarParams& params, VarSet& out) { VarCollector(params, out).with(with); }
void collect_vars(const Expr& expr, const VarParams& params, VarSet& out) { VarCollector(params, out).expr(expr); }
void collect_vars(const Body& body, const VarParams& params, VarSet& out) { VarCollector(params, out).body(body); }

void collect_closure_vars(const Expr& expr, VarSet& out) {
  const VarParams all;
  VarCollector collector(all, out);
  const auto visit = [&](const Term& term) {
    if (!term.is_comprehension()) return false;
    collector.term(term);
    return true;
  };
  for (const Term& term : expr.terms) walk_terms(term, visit);
  // Of every only the body: its domain belongs to the body around it.
  for_each_body(expr, [&](const Body& body) { collector.body(body); });
  for (const With& with : expr.with) {
    walk_terms(with.target, visit);
    walk_terms(with.value, visit);
  }
}

bool contains_closure(const Term& term) {
  if (term.is_comprehension()) return true;
  if (term.kind == TermKind::kTemplateExpr) {
    return std::any_of(term.body->exprs.begin(), term.body->exprs.end(),
                       [](const Expr& expr) { return contains_closure(expr); });
  }
  return std::any_of(term.items.begin(), term.items.end(), [](const Term& item) { return contains_closure(item); });
}

bool contains_closure(const Expr& expr) {
  if (expr.every_body || expr.left) return true;
  const auto in = [](const Term& term) { return contains_closure(term); };
  return std::any_of(expr.terms.begin(), expr.terms.end(), in) ||
         std::any_of(expr.with.begin(), expr.with.end(),
                     [&](const With& with) { return in(with.target) || in(with.value); });
}

bool requires_evaluation(const Term& term) {
  if (term.kind == TermKind::kRef || term.is_comprehension()) return true;
  return std::any_of(term.items.begin(), term.items.end(), [](const Term& item) { return requires_evaluation(item); });
}

bool contains_comprehension(const Term& term) { return contains_closure(term); }

Expr make_equality(const Names& names, Term left, Term right, const Location& where) {
  Expr expr;
  expr.kind = ExprKind::kCall;
  expr.location = where;
  Term op(TermKind::kRef, where);
  op.items.push_back(names.term(names.eq, where));
  expr.terms.reserve(3);
  expr.terms.push_back(std::move(op));
  expr.terms.push_back(std::move(left));
  expr.terms.push_back(std::move(right));
  return expr;
}

Expr hoist(Names& names, Term& term) {
  const Location where = term.location;
  Term fresh = names.fresh_term(where);
  Expr expr = make_equality(names, fresh, std::move(term), where);
  expr.generated = true;
  term = std::move(fresh);
  return expr;
}

bool is_true_body(const Body& body) {
  return body.exprs.size() == 1 && body.exprs[0].kind == ExprKind::kTerm && !body.exprs[0].negated &&
         body.exprs[0].with.empty() && body.exprs[0].terms[0].kind == TermKind::kBoolean &&
         body.exprs[0].terms[0].boolean;
}

void append_to_body(Body& body, Expr expr) {
  if (is_true_body(body)) body.exprs.clear();
  expr.index = static_cast<std::uint32_t>(body.exprs.size());
  body.exprs.push_back(std::move(expr));
}

void append_to_body(Body& body, std::vector<Expr> exprs) {
  for (Expr& expr : exprs) append_to_body(body, std::move(expr));
}

void renumber(Body& body) {
  std::uint32_t index = 0;
  for (Expr& expr : body.exprs) expr.index = index++;
}

}  // namespace portcullis::rego::passes
