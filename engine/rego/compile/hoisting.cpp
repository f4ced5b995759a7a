// Terms that have to be evaluated leave the heads of rules and comprehensions and the places where only values may
// stand, each for an equality of its own in front of, or at the end of, the body.
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

void hoist_into(Context& context, Term& term, Body& body) {
  if (requires_evaluation(term)) append_to_body(body, hoist(context.names, term));
}

void comprehensions_in(Context& context, Body& body);

void comprehensions_in(Context& context, Term& term) {
  if (term.is_comprehension()) {
    for (Term& head : term.items) hoist_into(context, head, *term.body);
  }
  for (Term& item : term.items) comprehensions_in(context, item);
  if (term.body) comprehensions_in(context, *term.body);
}

void comprehensions_in(Context& context, Body& body) {
  for (std::size_t i = 0; i < body.exprs.size(); ++i) {
    Expr& e = body.exprs[i];
    for (Term& term : e.terms) comprehensions_in(context, term);
    if (e.kind == ExprKind::kEvery) comprehensions_in(context, e.every_domain);
    for_each_body(e, [&](Body& inner) { comprehensions_in(context, inner); });
    for (With& with : e.with) comprehensions_in(context, with.value);
  }
}

// References and comprehensions inside other terms move in front of their expression, so that arguments, elements and
// steps are plain values. The whole side of an equality and a whole expression may stay what they are.
class Dynamics {
 public:
  Dynamics(Context& context, bool equal_is_unification)
      : names_(context.names), equal_is_unification_(equal_is_unification) {}

  void body(Body& b) {
    std::vector<Expr> result;
    result.reserve(b.exprs.size() + 4);
    for (Expr& e : b.exprs) {
      expr(e, result);
      result.push_back(std::move(e));
    }
    b.exprs = std::move(result);
    renumber(b);
  }

 private:
  void expr(Expr& e, std::vector<Expr>& result) {
    switch (e.kind) {
      case ExprKind::kCall:
        if (equal_is_unification_ && e.terms.size() == 3 && is_operator(e.terms[0], names_.equal)) {
          Term& op = e.terms[0].items[0];
          op.variable = names_.eq;
          op.text = "eq";
        }
        if (is_call_of(e, names_.eq)) {
          if (e.terms.size() != 3) return;
          whole(e, e.terms[1], result);
          whole(e, e.terms[2], result);
        } else {
          for (std::size_t i = 1; i < e.terms.size(); ++i) part(e, e.terms[i], result);
        }
        return;
      case ExprKind::kEvery:
        part(e, e.every_domain, result);
        body(*e.every_body);
        return;
      case ExprKind::kTerm: whole(e, e.terms[0], result); return;
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr: for_each_body(e, [this](Body& b) { body(b); }); return;
      case ExprKind::kSome: return;
    }
  }

  void whole(const Expr& original, Term& t, std::vector<Expr>& result) {
    if (t.kind == TermKind::kRef) {
      for (std::size_t i = 1; i < t.items.size(); ++i) part(original, t.items[i], result);
    } else if (t.is_comprehension()) {
      body(*t.body);
    } else {
      part(original, t, result);
    }
  }

  void part(const Expr& original, Term& t, std::vector<Expr>& result) {
    if (t.kind == TermKind::kRef) {
      for (std::size_t i = 1; i < t.items.size(); ++i) part(original, t.items[i], result);
      move_out(original, t, result);
    } else if (t.is_comprehension()) {
      body(*t.body);
      move_out(original, t, result);
    } else {
      for (Term& item : t.items) part(original, item, result);
    }
  }

  void move_out(const Expr& original, Term& t, std::vector<Expr>& result) {
    Expr e = hoist(names_, t);
    e.with = original.with;
    result.push_back(std::move(e));
  }

  Names& names_;
  bool equal_is_unification_;
};

}  // namespace

void rewrite_comprehension_terms(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      for (Term& argument : rule.head.arguments) comprehensions_in(context, argument);
      if (rule.head.key) comprehensions_in(context, *rule.head.key);
      if (rule.head.value) comprehensions_in(context, *rule.head.value);
      comprehensions_in(context, rule.body);
      return false;
    });
  }
}

void rewrite_comprehension_terms(Context& context, Body& body) { comprehensions_in(context, body); }

void rewrite_references_in_heads(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      if (rule.head.key) hoist_into(context, *rule.head.key, rule.body);
      if (rule.head.value) hoist_into(context, *rule.head.value, rule.body);
      for (Term& argument : rule.head.arguments) hoist_into(context, argument, rule.body);
      return false;
    });
  }
}

void rewrite_dynamic_terms(Context& context) {
  Dynamics dynamics(context, true);
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      dynamics.body(rule.body);
      return false;
    });
  }
}

void rewrite_dynamic_terms(Context& context, Body& body) { Dynamics(context, false).body(body); }

}  // namespace portcullis::rego::passes
