// Safety and order: every variable that an expression needs is bound by an expression before it. Expressions move only
// as far as that takes; what cannot be ordered has unsafe variables.
#include <algorithm>
#include <map>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

// What one expression of a body lacks.
struct Unsafe {
  const Expr* expr;
  VarSet vars;
};

class Orderer {
 public:
  explicit Orderer(Context& context) : context_(context) {}

  // Orders `body` in place when it can be. What it cannot is added to unsafe_.
  void order(Body& body, const VarSet& globals);
  bool safe() const { return unsafe_.empty(); }
  void report(std::string_view scope);

 private:
  struct Facts {
    VarSet unsafe;
    VarSet closure_vars;
    VarSet vars;  // all that stand anywhere in it: what it binds depends on which of them are safe, and on nothing else
    bool has_closures = false;
    bool placed = false;
    bool changed = true;  // one of them became safe since it was looked at
  };

  std::vector<Facts> gather(const Body& body, const VarSet& globals, VarSet& safe);
  std::vector<std::size_t> place(const Body& body, std::vector<Facts>& facts, VarSet& safe);
  void closures(Expr& expr, VarSet& globals, const Expr& current);
  void closures(Term& term, VarSet& globals, const Expr& current);
  void closure(const std::vector<Term>* heads, Body& body, const VarSet& globals, const Expr& current);
  void collect_needed(const Expr& expr, VarSet& out) const;
  void collect_from_operand(const Body& body, VarSet& out) const;
  void add_unsafe(const Expr& expr, const VarSet& vars);
  VarSet assigned_by_unsafe();

  Context& context_;
  std::vector<Unsafe> unsafe_;
};

void Orderer::add_unsafe(const Expr& expr, const VarSet& vars) {
  for (Unsafe& unsafe : unsafe_) {
    if (unsafe.expr == &expr) {
      unsafe.vars.insert(vars);
      return;
    }
  }
  unsafe_.push_back({&expr, vars});
}

// The variables of the expression that the body around it must know. An operand of not, and, or that stands without
// braces gives its own, except those that it binds and uses itself.
void Orderer::collect_needed(const Expr& expr, VarSet& out) const {
  collect_vars(expr, kSafetyParams, out);
  if (expr.left && !expr.left_braces) collect_from_operand(*expr.left, out);
  if (expr.right && !expr.right_braces) collect_from_operand(*expr.right, out);
}

void Orderer::collect_from_operand(const Body& body, VarSet& out) const {
  std::map<Variable, int> uses;  // in how many expressions
  for (const Expr& e : body.exprs) {
    VarSet vars;
    collect_vars(e, kSafetyParams, vars);
    for (const Variable v : vars) ++uses[v];
  }
  if (body.exprs.size() == 1) {
    for (const auto& [v, count] : uses) out.insert(v);
    return;
  }
  // What the body binds: outputs of equalities, as far as they follow from what is no side of one, and of calls.
  VarSet safe = reserved_vars(context_.names);
  for (const auto& [v, count] : uses) safe.insert(v);
  const auto is_equality = [&](const Expr& e) { return is_call_of(e, context_.names.eq) && e.terms.size() == 3; };
  for (const Expr& e : body.exprs) {
    if (!is_equality(e)) continue;
    for (std::size_t i = 1; i < 3; ++i) {
      if (e.terms[i].kind == TermKind::kVar) safe.erase(e.terms[i].variable);
    }
  }
  VarSet bound;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Expr& e : body.exprs) {
      if (!is_equality(e)) continue;
      for (const Variable v : output_vars_of_equality(e, safe)) {
        if (bound.contains(v)) continue;
        bound.insert(v);
        safe.insert(v);
        changed = true;
      }
    }
  }
  for (const Expr& e : body.exprs) {
    if (e.kind != ExprKind::kCall || is_equality(e)) continue;
    const int arity = context_.arity(e.terms[0]);
    if (arity < 0) continue;
    for (std::size_t i = static_cast<std::size_t>(arity) + 1; i < e.terms.size(); ++i) {
      collect_vars(e.terms[i], kOutputParams, bound);
    }
  }
  for (const auto& [v, count] : uses) {
    if (!bound.contains(v) || count == 1) out.insert(v);
  }
}

std::vector<Orderer::Facts> Orderer::gather(const Body& body, const VarSet& globals, VarSet& safe) {
  std::vector<Facts> facts(body.exprs.size());
  VarSet body_vars;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    collect_needed(body.exprs[i], facts[i].unsafe);
    body_vars.insert(facts[i].unsafe);
    collect_vars(body.exprs[i], VarParams{}, facts[i].vars);
    facts[i].has_closures = contains_closure(body.exprs[i]);
  }
  safe = body_vars.intersection(globals);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    facts[i].unsafe.erase_if([&](Variable v) { return safe.contains(v); });
    if (!facts[i].has_closures) continue;
    // Variables of this body that the expression's closures use.
    VarSet inside;
    collect_closure_vars(body.exprs[i], inside);
    inside.erase_if([&](Variable v) { return !body_vars.contains(v) || globals.contains(v); });
    facts[i].closure_vars = std::move(inside);
  }
  return facts;
}

std::vector<std::size_t> Orderer::place(const Body& body, std::vector<Facts>& facts, VarSet& safe) {
  std::vector<std::pair<Variable, std::size_t>> users;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    for (const Variable v : facts[i].vars) users.emplace_back(v, i);
  }
  std::sort(users.begin(), users.end());
  const auto became_safe = [&](Variable v) {
    for (auto at = std::lower_bound(users.begin(), users.end(), std::pair(v, std::size_t{0}));
         at != users.end() && at->first == v; ++at) {
      facts[at->second].changed = true;
    }
  };
  std::vector<std::size_t> order;
  order.reserve(facts.size());
  for (bool progress = true; progress && order.size() < facts.size();) {
    progress = false;
    for (std::size_t i = 0; i < facts.size(); ++i) {
      Facts& fact = facts[i];
      if (fact.placed || !fact.changed) continue;
      fact.changed = false;
      const VarSet known = fact.vars.intersection(safe);
      const VarSet outputs = output_vars(context_, body.exprs[i], known);
      if (!fact.closure_vars.empty()) {
        if (fact.closure_vars == outputs) continue;  // it closes over what it binds itself
        fact.unsafe.insert(fact.closure_vars);
      }
      fact.unsafe.erase_if([&](Variable v) { return outputs.contains(v) || known.contains(v); });
      // Nothing that a closure uses may come from the expression that holds it.
      if (!fact.unsafe.empty() || !fact.closure_vars.subset_of(known)) {
        if (fact.unsafe.empty()) fact.unsafe = fact.closure_vars.without(known);
        continue;
      }
      fact.placed = true;
      order.push_back(i);
      progress = true;
      for (const Variable v : outputs) {
        if (safe.contains(v)) continue;
        safe.insert(v);
        became_safe(v);
      }
    }
  }
  return order;
}

void Orderer::order(Body& body, const VarSet& globals) {
  VarSet safe;
  std::vector<Facts> facts = gather(body, globals, safe);
  const std::vector<std::size_t> order = place(body, facts, safe);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (!facts[i].placed) add_unsafe(body.exprs[i], facts[i].unsafe);
  }
  // Closures see what stands before them.
  const bool any_closures = std::any_of(facts.begin(), facts.end(), [](const Facts& f) { return f.has_closures; });
  VarSet visible = any_closures ? globals : VarSet{};
  for (std::size_t n = 0; any_closures && n < order.size(); ++n) {
    if (n > 0) collect_needed(body.exprs[order[n - 1]], visible);
    if (facts[order[n]].has_closures) closures(body.exprs[order[n]], visible, body.exprs[order[n]]);
  }
  if (!unsafe_.empty() || std::is_sorted(order.begin(), order.end())) return;
  std::vector<Expr> sorted;
  sorted.reserve(body.exprs.size());
  for (const std::size_t i : order) sorted.push_back(std::move(body.exprs[i]));
  body.exprs = std::move(sorted);
  renumber(body);
}

void Orderer::closures(Expr& expr, VarSet& globals, const Expr& current) {
  if (expr.kind == ExprKind::kEvery) {
    if (expr.every_key) collect_vars(*expr.every_key, VarParams{}, globals);
    collect_vars(expr.every_value, VarParams{}, globals);
    closure(nullptr, *expr.every_body, globals, current);
    return;
  }
  if (expr.left) {
    for_each_body(expr, [&](Body& operand) { closure(nullptr, operand, globals, current); });
    return;
  }
  for (Term& term : expr.terms) closures(term, globals, current);
  for (With& with : expr.with) {
    closures(with.target, globals, current);
    closures(with.value, globals, current);
  }
}

void Orderer::closures(Term& term, VarSet& globals, const Expr& current) {
  if (term.is_comprehension()) {
    closure(&term.items, *term.body, globals, current);
    return;
  }
  for (Term& item : term.items) closures(item, globals, current);
}

void Orderer::closure(const std::vector<Term>* heads, Body& body, const VarSet& globals, const Expr& current) {
  if (heads != nullptr) {
    VarSet needed;
    for (const Term& head : *heads) collect_vars(head, VarParams{}, needed);
    VarSet bound = globals;
    for (const Expr& e : body.exprs) collect_needed(e, bound);
    const VarSet missing = needed.without(bound);
    if (!missing.empty()) add_unsafe(current, missing);
  }
  order(body, globals);
}

// The left sides of unsafe assignments: naming them says nothing when something on the right is what is missing.
VarSet Orderer::assigned_by_unsafe() {
  VarSet result;
  for (const Unsafe& unsafe : unsafe_) {
    if (unsafe.expr->from_assignment && unsafe.expr->terms.size() == 3) {
      collect_vars(unsafe.expr->terms[1], VarParams{}, result);
    }
  }
  return result;
}

int compare_places(const Location& a, const Location& b) {
  if (const int order = a.file.compare(b.file); order != 0) return order;
  if (a.row != b.row) return a.row < b.row ? -1 : 1;
  if (a.column != b.column) return a.column < b.column ? -1 : 1;
  return 0;
}

bool is_future_keyword(std::string_view name) {
  return name == "in" || name == "every" || name == "contains" || name == "if" || name == "not" || name == "and" ||
         name == "or";
}

void Orderer::report(std::string_view scope) {
  const Names& names = context_.names;
  const VarSet assigned = assigned_by_unsafe();
  std::map<Variable, const Expr*> first;  // where each variable is first missing
  for (const Unsafe& unsafe : unsafe_) {
    for (const Variable v : unsafe.vars) {
      const Expr*& at = first[v];
      if (at == nullptr || compare_places(at->location, unsafe.expr->location) > 0) at = unsafe.expr;
    }
  }
  std::vector<std::pair<Variable, const Expr*>> found(first.begin(), first.end());
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return compare_places(a.second->location, b.second->location) < 0;
  });
  const auto shown = [&](Variable v) { return !names.generated(names.author(v)); };
  const bool others = std::any_of(found.begin(), found.end(), [&](const auto& pair) {
    return shown(pair.first) && !assigned.contains(pair.first);
  });
  bool any = false;
  for (const auto& [v, expr] : found) {
    if (!shown(v) || (others && assigned.contains(v))) continue;
    const std::string name(names.author_text(v));
    std::string message = "var " + name + " is unsafe" + std::string(scope);
    if (is_future_keyword(name)) {
      message += " (hint: `import future.keywords." + name + "` to import a future keyword)";
    }
    context_.errors.add(kUnsafeVarError, expr->location, std::move(message));
    any = true;
  }
  if (any) return;
  // Only generated variables are missing: their names say nothing, so name the expressions.
  std::stable_sort(unsafe_.begin(), unsafe_.end(), [](const Unsafe& a, const Unsafe& b) {
    return compare_places(a.expr->location, b.expr->location) < 0;
  });
  VarSet seen;
  for (const Unsafe& unsafe : unsafe_) {
    const std::size_t before = seen.size();
    for (const Variable v : unsafe.vars) {
      if (names.generated(v)) seen.insert(v);
    }
    if (seen.size() == before) continue;
    context_.errors.add(kUnsafeVarError, unsafe.expr->location, "expression is unsafe" + std::string(scope));
  }
}

// " in rule p" where the line holds rules of more than one name.
class RuleScopes {
 public:
  explicit RuleScopes(Module& module) : module_(module) {}

  std::string scope(const Rule& rule) {
    if (!built_) build();
    if (!shared_[rule.location.row]) return {};
    return " in rule " + name(rule);
  }

 private:
  static std::string name(const Rule& rule) {
    std::vector<Term> items = rule.head.reference.items;
    items.resize(items.size() - steps_below(rule).size());
    return to_string(as_reference(std::move(items)));
  }
  void build() {
    built_ = true;
    std::map<std::uint32_t, std::string> first;
    walk_rules(module_, [&](Rule& rule) {
      const auto [at, added] = first.emplace(rule.location.row, name(rule));
      if (!added && at->second != name(rule)) shared_[rule.location.row] = true;
      return false;
    });
  }

  Module& module_;
  bool built_ = false;
  std::map<std::uint32_t, bool> shared_;
};

void check_head(Context& context, Rule& rule, RuleScopes& scopes) {
  Head& head = rule.head;
  VarSet bound;
  VarSet needed;
  std::map<Variable, Location> places;
  const auto note = [&](Term& term) {
    walk_terms(term, [&](Term& t) {
      if (t.kind == TermKind::kVar) {
        needed.insert(t.variable);
        places[t.variable] = t.location;
      }
      return false;
    });
  };
  for (Term& argument : head.arguments) collect_vars(argument, VarParams{}, bound);
  if (head.key) note(*head.key);
  if (head.value) note(*head.value);
  for (std::size_t i = 1; i < head.reference.items.size(); ++i) note(head.reference.items[i]);
  if (needed.subset_of(bound)) return;
  collect_vars(rule.body, kSafetyParams, bound);
  for (const Variable v : needed) {
    if (bound.contains(v)) continue;
    const std::string name(context.names.author_text(v));
    if (!context.errors.add(kUnsafeVarError, places[v], "var " + name + " is unsafe" + scopes.scope(rule))) return;
  }
}

}  // namespace

void check_head_safety(Context& context) {
  for (Module* module : context.modules) {
    RuleScopes scopes(*module);
    walk_rules(*module, [&](Rule& rule) {
      check_head(context, rule, scopes);
      return false;
    });
  }
}

void check_body_safety(Context& context) {
  const VarSet reserved = reserved_vars(context.names);
  for (Module* module : context.modules) {
    RuleScopes scopes(*module);
    walk_rules(*module, [&](Rule& rule) {
      VarSet globals = reserved;
      for (const Term& argument : rule.head.arguments) collect_vars(argument, VarParams{}, globals);
      Orderer orderer(context);
      orderer.order(rule.body, globals);
      if (!orderer.safe()) orderer.report(scopes.scope(rule));
      return false;
    });
  }
}

void check_safety(Context& context, Body& body) {
  Orderer orderer(context);
  orderer.order(body, reserved_vars(context.names));
  if (!orderer.safe()) orderer.report({});
}

}  // namespace portcullis::rego::passes
