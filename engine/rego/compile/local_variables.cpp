// Declared variables get names of their own. x := 1 becomes __local0__ = 1, `some x` disappears, `some k, v in xs`
// becomes v = xs[k], arguments of functions are renamed, and uses follow. What is declared twice, used before its
// declaration, or declared and never used is an error.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

enum class Occurrence : std::uint8_t { kNew, kArgument, kSeen, kAssigned, kDeclared };

// The scopes of one rule: which names are known where, under which new name, and how often they were met.
class Scopes {
 public:
  struct Entry {
    Variable name;
    Variable renamed;
    Occurrence occurrence;
    std::uint32_t count;
    std::uint32_t previous;  // 1 + index of the entry of the same name further out
  };

  void reset(std::size_t names) {
    while (!entries_.empty()) drop();
    starts_.assign(1, 0);
    if (latest_.size() < names) latest_.resize(names, 0);
  }

  void push() { starts_.push_back(entries_.size()); }
  void pop() {
    while (entries_.size() > starts_.back()) drop();
    starts_.pop_back();
  }

  void insert(Variable name, Variable renamed, Occurrence occurrence) {
    if (name >= latest_.size()) latest_.resize(name + 64, 0);
    entries_.push_back({name, renamed, occurrence, 1, latest_[name]});
    latest_[name] = static_cast<std::uint32_t>(entries_.size());
  }

  // The innermost entry of the name, or null.
  Entry* find(Variable name) {
    if (name >= latest_.size() || latest_[name] == 0) return nullptr;
    return &entries_[latest_[name] - 1];
  }
  // In the innermost scope only.
  Occurrence here(Variable name) {
    const Entry* entry = find(name);
    return entry != nullptr && latest_[name] > starts_.back() ? entry->occurrence : Occurrence::kNew;
  }
  std::uint32_t count(Variable name) {
    const Entry* entry = find(name);
    return entry == nullptr ? 0 : entry->count;
  }
  std::span<const Entry> top() const { return std::span<const Entry>(entries_).subspan(starts_.back()); }

 private:
  void drop() {
    latest_[entries_.back().name] = entries_.back().previous;
    entries_.pop_back();
  }

  std::vector<Entry> entries_;
  std::vector<std::size_t> starts_{0};
  std::vector<std::uint32_t> latest_;
};

class Rewriter {
 public:
  explicit Rewriter(Context& context) : context_(context), names_(context.names), errors_(0), unused_(0) {}

  // False when no more errors are wanted.
  bool rule_with_branches(Rule& first);
  void query(Body& body);

 private:
  bool failed() const { return !errors_.empty(); }
  void error(const Location& where, std::string message) { errors_.add(kCompileError, where, std::move(message)); }

  Variable rename(Variable name, Occurrence occurrence) {
    const Variable fresh = names_.fresh();
    names_.set_author(fresh, names_.author(name));
    scopes_.insert(name, fresh, occurrence);
    return fresh;
  }
  void set(Term& var, Variable name) {
    if (var.variable == name) return;
    var.kind = TermKind::kVar;
    var.items.clear();
    var.variable = name;
    var.text = names_.text(name);
  }

  bool declare(Variable name, Occurrence occurrence, const Location& where, Variable& renamed);
  void arguments(Rule& rule);
  void argument(Term& t);
  void nested_heads(Head& head);
  void nested_head(Term& t);
  void shadowed_builtins(Rule& rule);
  void branch(Rule& rule, VarSet& unused_arguments);
  void rename_head(Term& t);

  void body(Body& b, const VarSet& used);
  void assignment(Expr& e);
  void assigned(Term& t);
  bool some(Expr& e);
  bool some_in(Expr& e, const Location& where);
  void every(Expr& e);
  void negation(Expr& e);
  void logical(Expr& e);
  void operand(Body& b, bool braces, const char* message);
  void expr(Expr& e);
  void with(With& w);
  void term(Term& t);
  void comprehension(Term& t);
  void check_unused_declared(const Body& b, const VarSet& used, const std::vector<std::pair<Location, VarSet>>& origin);

  Context& context_;
  Names& names_;
  Scopes scopes_;
  Errors errors_;  // of one rule
  Errors unused_;  // strict-mode findings and declared variables never used
};

bool Rewriter::declare(Variable name, Occurrence occurrence, const Location& where, Variable& renamed) {
  const std::string text(names_.text(name));
  switch (scopes_.here(name)) {
    case Occurrence::kSeen: error(where, "var " + text + " referenced above"); return false;
    case Occurrence::kAssigned: error(where, "var " + text + " assigned above"); return false;
    case Occurrence::kDeclared: error(where, "var " + text + " declared above"); return false;
    case Occurrence::kArgument: error(where, "arg " + text + " redeclared"); return false;
    case Occurrence::kNew: break;
  }
  renamed = rename(name, occurrence);
  return true;
}

void Rewriter::argument(Term& t) {
  switch (t.kind) {
    case TermKind::kVar:
      if (Scopes::Entry* entry = scopes_.find(t.variable)) {
        ++entry->count;
        set(t, entry->renamed);
      } else {
        set(t, rename(t.variable, Occurrence::kArgument));
      }
      return;
    case TermKind::kObject:
      for (std::size_t i = 1; i < t.items.size(); i += 2) argument(t.items[i]);
      return;
    case TermKind::kCall: context_.errors.add(kCompileError, t.location, "rule arguments cannot contain calls"); return;
    case TermKind::kRef:
    case TermKind::kArray:
      for (Term& item : t.items) argument(item);
      return;
    default: return;
  }
}

void Rewriter::arguments(Rule& rule) {
  for (Term& t : rule.head.arguments) argument(t);
}

// Comprehensions and template strings in heads have scopes of their own, rewritten before the body's names apply.
void Rewriter::nested_head(Term& t) {
  if (t.is_comprehension()) {
    comprehension(t);
  } else if (t.kind == TermKind::kTemplateExpr) {
    scopes_.push();
    term(t);
    scopes_.pop();
  } else {
    for (Term& item : t.items) nested_head(item);
  }
}

void Rewriter::nested_heads(Head& head) {
  for (Term& t : head.arguments) nested_head(t);
  if (head.key) nested_head(*head.key);
  if (head.value) nested_head(*head.value);
}

// A variable with a builtin's name is renamed, so that later passes don't take it for the builtin.
void Rewriter::shadowed_builtins(Rule& rule) {
  VarSet candidates;
  collect_vars(rule.body, kSafetyParams, candidates);
  candidates.erase_if([&](Variable v) { return names_.builtin(v) == nullptr || scopes_.find(v) != nullptr; });
  if (candidates.empty()) return;
  const VarParams in_with{.skip_call_head = true};
  VarSet excluded;
  const auto declared = [&](const Expr& e) {
    if (is_call_of(e, names_.assign) && e.terms.size() == 3) collect_vars(e.terms[1], VarParams{}, excluded);
    if (e.kind == ExprKind::kSome) {
      for (const Term& symbol : e.terms) {
        if (symbol.kind != TermKind::kCall) {
          collect_vars(symbol, VarParams{}, excluded);
          continue;
        }
        for (std::size_t i = 1; i + 1 < symbol.items.size(); ++i) collect_vars(symbol.items[i], VarParams{}, excluded);
      }
    }
  };
  const auto note = [&](const Expr& e, const auto& self) -> void {
    declared(e);
    for_each_body(e, [&](const Body& b) {
      for (const Expr& inner : b.exprs) self(inner, self);
    });
  };
  for (const Expr& e : rule.body.exprs) note(e, note);
  walk_exprs(rule.body, [&](Expr& e) {
    for (const With& w : e.with) {
      collect_vars(w.target, in_with, excluded);
      collect_vars(w.value, in_with, excluded);
    }
    return false;
  });
  for (const Variable v : names_.sorted(candidates)) {
    if (!excluded.contains(v)) rename(v, Occurrence::kSeen);
  }
}

// Every variable of the head that the body declares follows it.
void Rewriter::rename_head(Term& t) {
  walk_terms(t, [&](Term& inner) {
    if (inner.kind == TermKind::kVar) {
      if (const Scopes::Entry* entry = scopes_.find(inner.variable)) set(inner, entry->renamed);
    }
    return false;
  });
}

bool head_may_have_vars(const Head& head) {
  const auto dynamic = [](const Term& t) { return !is_scalar(t); };
  return std::any_of(head.arguments.begin(), head.arguments.end(), dynamic) || (head.key && dynamic(*head.key)) ||
         (head.value && dynamic(*head.value)) ||
         std::any_of(head.reference.items.begin() + 1, head.reference.items.end(), dynamic);
}

void Rewriter::branch(Rule& rule, VarSet& unused_arguments) {
  Head& head = rule.head;
  const bool dynamic = head_may_have_vars(head);
  VarSet used;
  if (dynamic) {
    scopes_.push();  // nothing of the head's own scopes reaches the body
    nested_heads(head);
    scopes_.pop();
    for (std::size_t i = 1; i < head.reference.items.size(); ++i) {
      collect_vars(head.reference.items[i], VarParams{}, used);
    }
    if (head.key) collect_vars(*head.key, VarParams{}, used);
    if (head.value) {
      VarSet in_value;
      collect_vars(*head.value, VarParams{}, in_value);
      used.insert(in_value);
      for (const Variable v : in_value) unused_arguments.erase(v);
    }
  }
  shadowed_builtins(rule);
  body(rule.body, used);
  if (!dynamic) return;
  for (Term& t : head.arguments) rename_head(t);
  for (std::size_t i = 1; i < head.reference.items.size(); ++i) rename_head(head.reference.items[i]);
  if (head.key) rename_head(*head.key);
  if (head.value) rename_head(*head.value);
}

bool Rewriter::rule_with_branches(Rule& first) {
  VarSet unused_arguments;
  if (context_.options.strict) {
    for (const Term& t : first.head.arguments) collect_vars(t, VarParams{}, unused_arguments);
  }
  scopes_.reset(names_.size());
  arguments(first);
  std::vector<Scopes::Entry> argument_entries(scopes_.top().begin(), scopes_.top().end());
  for (Rule* rule = &first; rule != nullptr; rule = rule->otherwise.get()) {
    if (rule != &first) {
      scopes_.reset(names_.size());
      for (const Scopes::Entry& entry : argument_entries) {
        scopes_.insert(entry.name, entry.renamed, entry.occurrence);
        scopes_.find(entry.name)->count = entry.count;
      }
    }
    branch(*rule, unused_arguments);
    const bool go_on =
        context_.errors.add_all(std::move(errors_), false) && context_.errors.add_all(std::move(unused_), true);
    errors_ = Errors(0);
    unused_ = Errors(0);
    if (!go_on) return false;
    unused_arguments.erase_if([&](Variable v) { return scopes_.count(v) > 1; });
  }
  for (const Variable v : unused_arguments) {
    if (names_.wildcard(v)) continue;
    if (!context_.errors.add_recoverable(
            kCompileError, first.head.location,
            "unused argument " + std::string(names_.text(v)) + ". (hint: use _ (wildcard variable) instead)")) {
      return false;
    }
  }
  return true;
}

void Rewriter::query(Body& b) {
  scopes_.reset(names_.size());
  body(b, VarSet{});
  context_.errors.add_all(std::move(errors_), false);
  context_.errors.add_all(std::move(unused_), false);
}

void Rewriter::body(Body& b, const VarSet& used) {
  std::vector<std::pair<Location, VarSet>> origin;  // what each expression declared, for the check of unused names
  Body rewritten;
  rewritten.exprs.reserve(b.exprs.size());
  for (Expr& e : b.exprs) {
    const std::size_t before = scopes_.top().size();
    const Location where = e.location;
    bool keep = true;
    if (is_call_of(e, names_.assign)) {
      assignment(e);
    } else if (e.kind == ExprKind::kSome) {
      keep = some(e);
    } else if (e.kind == ExprKind::kEvery) {
      every(e);
    } else if (e.kind == ExprKind::kNot) {
      negation(e);
    } else if (e.left) {
      logical(e);
    } else {
      expr(e);
    }
    VarSet declared;
    for (const Scopes::Entry& entry : scopes_.top().subspan(before)) {
      if (entry.occurrence >= Occurrence::kAssigned) declared.insert(entry.renamed);
    }
    if (!declared.empty()) origin.emplace_back(where, std::move(declared));
    if (keep) rewritten.exprs.push_back(std::move(e));
  }
  const Location where = origin.empty() ? Location{} : origin.front().first;
  b = std::move(rewritten);
  if (b.exprs.empty()) {
    Expr always;
    always.terms.push_back(Term::boolean_of(true, where));
    always.location = where;
    b.exprs.push_back(std::move(always));
  }
  renumber(b);
  if (failed() || !unused_.empty()) return;
  check_unused_declared(b, used, origin);
}

void Rewriter::check_unused_declared(const Body& b, const VarSet& used,
                                     const std::vector<std::pair<Location, VarSet>>& origin) {
  VarSet assigned;
  VarSet declared;
  const auto use = [&](const Scopes::Entry& entry) {
    return used.contains(entry.name) || used.contains(entry.renamed);
  };
  for (const Scopes::Entry& entry : scopes_.top()) {
    if (entry.occurrence == Occurrence::kDeclared) declared.insert(entry.renamed);
    if (context_.options.strict && entry.occurrence == Occurrence::kAssigned && entry.count <= 1 && !use(entry) &&
        !names_.wildcard(entry.name)) {
      assigned.insert(entry.renamed);
    }
  }
  const auto report = [&](const VarSet& vars, const char* how) {
    for (const Variable v : names_.sorted(vars)) {
      if (names_.generated(names_.author(v))) continue;
      Location where = b.exprs[0].location;
      for (const auto& [location, set] : origin) {
        if (set.contains(v)) {
          where = location;
          break;
        }
      }
      unused_.add(kCompileError, where, how + std::string(names_.author_text(v)) + " unused");
    }
  };
  report(assigned, "assigned var ");
  if (declared.empty() || !unused_.empty()) return;
  VarSet met;
  collect_vars(b, VarParams{}, met);
  for (const Variable v : used) {
    const Scopes::Entry* entry = scopes_.find(v);
    met.insert(entry != nullptr ? entry->renamed : v);
  }
  report(declared.without(met), "declared var ");
}

void Rewriter::assignment(Expr& e) {
  if (e.negated) {
    error(e.location, "cannot assign vars inside negated expression");
    return;
  }
  if (e.terms.size() != 3) return;
  const std::size_t before = errors_.size();
  // The right side first: it may use an outer variable of the name that the left side declares.
  term(e.terms[2]);
  for (With& w : e.with) term(w.value);
  assigned(e.terms[1]);
  if (errors_.size() != before) return;
  Term& op = e.terms[0].items[0];
  op.variable = names_.eq;
  op.text = "eq";
  e.from_assignment = true;
}

void Rewriter::assigned(Term& t) {
  Variable renamed = 0;
  switch (t.kind) {
    case TermKind::kVar:
      if (declare(t.variable, Occurrence::kAssigned, t.location, renamed)) set(t, renamed);
      return;
    case TermKind::kArray:
      for (Term& item : t.items) assigned(item);
      return;
    case TermKind::kObject:
      for (std::size_t i = 1; i < t.items.size(); i += 2) assigned(t.items[i]);
      return;
    case TermKind::kRef:
      if (t.items.size() == 1 && (t.items[0].variable == names_.input || t.items[0].variable == names_.data)) {
        if (declare(t.items[0].variable, Occurrence::kAssigned, t.location, renamed)) set(t, renamed);
        return;
      }
      break;
    default: break;
  }
  error(t.location, "cannot assign to " + std::string(term_kind_name(t.kind)));
}

// Whether the expression stays (rewritten) in the body.
bool Rewriter::some(Expr& e) {
  if (e.terms[0].kind == TermKind::kCall) return some_in(e, e.location);
  for (const Term& symbol : e.terms) {
    Variable renamed = 0;
    if (!declare(symbol.variable, Occurrence::kDeclared, e.location, renamed)) break;
  }
  return false;
}

bool Rewriter::some_in(Expr& e, const Location& where) {
  std::vector<Term> items = std::move(e.terms[0].items);
  const bool with_key = items.size() == 4;
  Term key = with_key ? std::move(items[1]) : names_.fresh_term(items[1].location);
  Term value = std::move(items[with_key ? 2 : 1]);
  Term domain = std::move(items.back());

  VarSet bound;
  collect_vars(key, kOutputParams, bound);
  collect_vars(value, kOutputParams, bound);
  VarSet in_domain;
  collect_vars(domain, VarParams{.skip_closures = true}, in_domain);
  const std::size_t before = errors_.size();
  for (const Variable v : names_.sorted(bound.intersection(in_domain))) {
    if (!names_.wildcard(v)) error(where, "var " + std::string(names_.text(v)) + " assigned before");
  }
  if (errors_.size() != before) return false;

  VarSet safe;
  collect_vars(domain, VarParams{}, safe);
  Term reference(TermKind::kRef, domain.location);
  if (domain.kind == TermKind::kRef) {
    reference.items = std::move(domain.items);
  } else {
    reference.items.push_back(std::move(domain));
  }
  reference.items.push_back(std::move(key));
  Expr rewritten = make_equality(names_, std::move(value), std::move(reference), where);
  rewritten.negated = e.negated;
  rewritten.with = std::move(e.with);
  e = std::move(rewritten);
  for (const Variable v : names_.sorted(output_vars_of_equality(e, safe))) {
    Variable renamed = 0;
    if (!declare(v, Occurrence::kDeclared, where, renamed)) return false;
  }
  expr(e);
  return true;
}

void Rewriter::every(Expr& e) {
  term(e.every_domain);
  scopes_.push();
  bool good = true;
  const auto bind = [&](Term& var) {
    Variable renamed = 0;
    if (names_.wildcard(var.variable)) return;
    good = good && declare(var.variable, Occurrence::kDeclared, e.location, renamed);
    if (good) set(var, renamed);
  };
  if (e.every_key) {
    bind(*e.every_key);
  } else {
    e.every_key = names_.fresh_term(e.every_value.location);
  }
  bind(e.every_value);
  if (good) {
    body(*e.every_body, VarSet{});
    // As OPA: a domain of the value's name that nothing outside declares means the value itself (and is unsafe).
    term(e.every_domain);
    for (With& w : e.with) with(w);
  }
  scopes_.pop();
}

// Operands of and, or, not: in braces they have a scope of their own, else they may not assign.
void Rewriter::operand(Body& b, bool braces, const char* message) {
  if (braces) {
    scopes_.push();
    body(b, VarSet{});
    scopes_.pop();
    return;
  }
  for (Expr& e : b.exprs) {
    if (is_call_of(e, names_.assign)) {
      error(e.location, message);
    } else if (e.kind == ExprKind::kNot) {
      negation(e);
    } else if (e.left) {
      logical(e);
    }
  }
}

void Rewriter::negation(Expr& e) {
  const std::size_t before = errors_.size();
  if (!e.left_braces) {
    operand(*e.left, false, "cannot assign vars inside negated expression");
    if (errors_.size() == before) expr(e);
    return;
  }
  scopes_.push();
  body(*e.left, VarSet{});
  expr(e);
  scopes_.pop();
}

void Rewriter::logical(Expr& e) {
  const std::size_t before = errors_.size();
  const char* message = e.kind == ExprKind::kAnd ? "cannot assign vars inside implicit and operand"
                                                 : "cannot assign vars inside implicit or operand";
  operand(*e.left, e.left_braces, message);
  operand(*e.right, e.right_braces, message);
  if (errors_.size() == before) expr(e);
}

// All terms of the expression and of the bodies in it, in the scope that is open.
void Rewriter::expr(Expr& e) {
  for (Term& t : e.terms) term(t);
  if (e.every_body) {
    if (e.every_key) term(*e.every_key);
    term(e.every_value);
    term(e.every_domain);
  }
  for_each_body(e, [this](Body& b) {
    for (Expr& inner : b.exprs) expr(inner);
  });
  for (With& w : e.with) with(w);
}

// A local named input hides the document everywhere but as the target of `with`.
void Rewriter::with(With& w) {
  term(w.target);
  const Scopes::Entry* shadow = scopes_.find(names_.input);
  if (shadow != nullptr && shadow->renamed != names_.input) {
    if (w.target.kind == TermKind::kVar && w.target.variable == shadow->renamed) {
      const Location where = w.target.location;
      std::vector<Term> items;
      items.push_back(names_.term(names_.input, where));
      w.target = Term::ref(std::move(items), where);
    } else if (w.target.kind == TermKind::kRef && w.target.items[0].variable == shadow->renamed) {
      set(w.target.items[0], names_.input);
    }
  }
  term(w.value);
}

void Rewriter::term(Term& t) {
  switch (t.kind) {
    case TermKind::kVar:
      if (Scopes::Entry* entry = scopes_.find(t.variable)) {
        ++entry->count;
        set(t, entry->renamed);
      } else {
        scopes_.insert(t.variable, t.variable, Occurrence::kSeen);
      }
      return;
    case TermKind::kRef:
      if (t.items.size() == 1 && (t.items[0].variable == names_.input || t.items[0].variable == names_.data)) {
        const Scopes::Entry* entry = scopes_.find(t.items[0].variable);
        if (entry != nullptr && entry->occurrence != Occurrence::kSeen) set(t, entry->renamed);
        return;
      }
      break;
    case TermKind::kCall:
      for (const Term& step : t.items[0].items) {
        if (step.kind != TermKind::kVar) continue;
        const Scopes::Entry* entry = scopes_.find(step.variable);
        if (entry == nullptr || entry->renamed == step.variable) continue;
        error(t.location, "called function " + to_string(t.items[0]) + " shadowed");
        break;
      }
      break;
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: comprehension(t); return;
    default: break;
  }
  for (Term& item : t.items) term(item);
  if (t.body) {
    for (Expr& e : t.body->exprs) expr(e);
  }
}

void Rewriter::comprehension(Term& t) {
  VarSet used;
  for (const Term& item : t.items) collect_vars(item, VarParams{}, used);
  scopes_.push();
  body(*t.body, used);
  for (Term& item : t.items) term(item);
  scopes_.pop();
}

}  // namespace

void rewrite_local_variables(Context& context) {
  Rewriter rewriter(context);
  for (Module* module : context.modules) {
    for (Rule& rule : module->rules) {
      if (!rewriter.rule_with_branches(rule)) break;
    }
  }
}

void rewrite_local_variables(Context& context, Body& body) { Rewriter(context).query(body); }

}  // namespace portcullis::rego::passes
