// Bodies and their expressions: terms, not, with, every.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {
namespace {

constexpr std::size_t kMaxInlineNegation = 16;  // expressions in the product of negated queries
constexpr std::size_t kMaxUnrolled = 32;        // elements of the domains of `every` that is unrolled

bool is_false(const Term& term) { return term.kind == TermKind::kBoolean && !term.boolean; }

bool holds_ref_or_call(const Term& term) {
  bool found = false;
  passes::walk_terms(term, [&](const Term& inner) {
    found = found || inner.kind == TermKind::kRef || inner.kind == TermKind::kCall;
    return found;
  });
  return found;
}

bool holds_nested_ref_or_call(const Term& term) {
  if (term.kind != TermKind::kRef) return holds_ref_or_call(term);
  return std::any_of(term.items.begin() + 1, term.items.end(), holds_ref_or_call);
}

bool can_be_negated(const Expr& expr) {
  if (expr.kind == ExprKind::kTerm) return !holds_nested_ref_or_call(expr.terms[0]);
  if (expr.kind != ExprKind::kCall) return false;
  const bool unification = expr.operator_name() == "eq";
  return std::none_of(expr.terms.begin() + 1, expr.terms.end(), [&](const Term& term) {
    return unification ? holds_nested_ref_or_call(term) : holds_ref_or_call(term);
  });
}

void collect_refs(const Expr& expr, std::vector<Term>& out) {
  passes::walk_terms(expr, [&](const Term& term) {
    if (term.kind == TermKind::kRef) out.push_back(term);
    return false;
  });
}

void collect_refs(const Term& term, std::vector<Term>& out) {
  passes::walk_terms(term, [&](const Term& inner) {
    if (inner.kind == TermKind::kRef) out.push_back(inner);
    return false;
  });
}

void cut_to_ground(Term& ref) {
  std::size_t size = 1;
  while (size < ref.items.size() && is_ground(ref.items[size])) ++size;
  ref.items.resize(size);
}

}  // namespace

Frame Run::closure(const Frame& parent, const Body* query) {
  Frame frame = parent;
  frame.query = query;
  frame.index = 0;
  frame.id = next_id_++;
  return frame;
}

Frame Run::child(const Frame& parent, const Body* query) {
  Frame frame = closure(parent, query);
  frame.bindings = new_bindings(frame.id);
  return frame;
}

bool Run::eval(Frame& frame, Next next) {
  if (!step()) return false;
  if (frame.index >= frame.query->exprs.size()) return next();
  if (!frame.expr().with.empty()) return eval_with(frame, next);
  return eval_step(frame, [&] { return after(frame, next); });
}

// Goes on with the next expression of the body.
bool Run::after(Frame& frame, Next next) {
  ++frame.index;
  const bool ok = eval(frame, next);
  --frame.index;
  return ok;
}

bool Run::eval_step(Frame& frame, Next next) {
  const Expr& expr = frame.expr();
  if (expr.negated) return eval_not(frame, next);
  switch (expr.kind) {
    case ExprKind::kCall:
      if (expr.operator_name() == "eq") return unify(frame, &expr.terms[1], &expr.terms[2], next);
      return eval_call(frame, expr.terms, next);
    case ExprKind::kTerm: return eval_term(frame, expr.terms[0], next);
    case ExprKind::kEvery: return eval_every(frame, next);
    case ExprKind::kAnd:
    case ExprKind::kOr: return eval_logical(frame, next);
    default:
      return fail("eval_internal_error", "partial evaluation of not with future.keywords.not is not supported",
                  expr.location);
  }
}

bool Run::eval_term(Frame& frame, const Term& term, Next next) {
  const Term* result =
      keep(Term::var("$_term_" + std::to_string(frame.id) + "_" + std::to_string(frame.index), term.location));
  return unify(frame, &term, result, [&] {
    if (is_unknown(*result, frame.bindings)) {
      Expr saved;
      saved.terms.push_back(*result);
      return save_expr(frame, std::move(saved), frame.bindings, next);
    }
    return is_false(*plug(frame.bindings, result)) || next();
  });
}

bool Run::eval_not(Frame& frame, Next next) {
  const Expr& expr = frame.expr();
  if (required(expr, frame.bindings)) return !error_ && eval_not_partial(frame, next);
  Body positive;
  positive.exprs.push_back(expr);
  positive.exprs[0].negated = false;
  positive.exprs[0].with.clear();
  Frame body = closure(frame, keep(std::move(positive)));
  bool defined = false;
  const auto found = [&] { return defined = true; };
  if (!eval(body, found)) return false;
  return defined || next();
}

passes::VarSet Run::unknown_vars() {
  passes::VarSet vars;
  for (const SaveSetElement& element : save_set_) {
    for (const Term* var : element.vars) {
      const Term* named = plug(element.bindings, var, root_);
      if (named->kind == TermKind::kVar) vars.insert(context_.names.intern(named->text));
    }
  }
  return vars;
}

// The negated query is evaluated on the side. What is left of it is negated again: inline, or as a rule of its own.
bool Run::eval_not_partial(Frame& frame, Next next) {
  Body positive;
  positive.exprs.push_back(frame.expr());
  positive.exprs[0].negated = false;
  positive.exprs[0].with.clear();
  Frame body = closure(frame, keep(std::move(positive)));
  const passes::VarSet unknowns = unknown_vars();
  std::vector<Body> queries;
  save_stack_.emplace_back();
  const bool ok = eval(body, [&] {
    Body query = plugged_query(save_stack_.back());
    if (!type_checks(query)) return true;
    queries.push_back(options_.shallow_inlining ? std::move(query) : propagated(std::move(query), unknowns, true));
    return true;
  });
  save_stack_.pop_back();
  if (!ok) return false;
  if (queries.empty()) return next();
  if (!can_inline_negation(unknowns, queries)) {
    return negation_support(frame, body.id, unknowns, std::move(queries), next);
  }
  std::vector<Expr> chosen;
  return negated_product(frame, queries, 0, chosen, next);
}

bool Run::can_inline_negation(const passes::VarSet& safe, const std::vector<Body>& queries) {
  std::size_t size = 1;
  for (const Body& query : queries) {
    size *= query.exprs.size();
    if (size > kMaxInlineNegation) return false;
    for (Expr expr : query.exprs) {
      if (!can_be_negated(expr)) return false;
      if (expr.negated) continue;
      Body one;
      one.exprs.push_back(std::move(expr));
      number(one);
      passes::VarSet vars;
      passes::collect_vars(one, passes::kSafetyParams, vars);
      for (const passes::Variable v : vars) {
        if (!safe.contains(v) && v != context_.names.data && v != context_.names.input) return false;
      }
    }
  }
  return true;
}

// (a and b) or (c and d), negated: one of the negated a, b with one of the negated c, d.
bool Run::negated_product(Frame& frame, const std::vector<Body>& queries, std::size_t at, std::vector<Expr>& chosen,
                          Next next) {
  if (at == queries.size()) return save_negated(frame, chosen, next);
  for (const Expr& expr : queries[at].exprs) {
    chosen.push_back(expr);
    chosen.back().negated = !expr.negated;
    const bool ok = negated_product(frame, queries, at + 1, chosen, next);
    chosen.pop_back();
    if (!ok) return false;
  }
  return true;
}

bool Run::negation_support(Frame& frame, std::uint64_t id, const passes::VarSet& unknowns, std::vector<Body> queries,
                           Next next) {
  const std::string name =
      "__not" + std::to_string(frame.id) + "_" + std::to_string(frame.index) + "_" + std::to_string(id) + "__";
  passes::VarSet used;
  for (Body& query : queries) {
    number(query);
    passes::collect_vars(query, passes::VarParams{}, used);
  }
  std::vector<Term> arguments;
  for (const passes::Variable v : context_.names.sorted(unknowns.intersection(used))) {
    arguments.push_back(context_.names.term(v, {}));
  }
  for (Body& query : queries) {
    Rule rule;
    rule.head.reference = Term::ref({Term::var(name, {})}, {});
    rule.head.arguments = arguments;
    rule.head.value = true_term();
    rule.body = std::move(query);
    add_support({Term::var("data", {}), Term::string("partial", {})}, std::move(rule));
  }
  Term reference = Term::ref({Term::var("data", {}), Term::string("partial", {}), Term::string(name, {})}, {});
  Expr saved;
  saved.negated = true;
  saved.terms.push_back(std::move(reference));
  if (!arguments.empty()) {
    saved.kind = ExprKind::kCall;
    for (Term& argument : arguments) saved.terms.push_back(std::move(argument));
  }
  std::vector<Expr> exprs;
  exprs.push_back(std::move(saved));
  return save_negated(frame, std::move(exprs), next);
}

bool Run::is_function(const Term& ref) const {
  if (ref.kind != TermKind::kRef) return false;
  if (context_.builtin(ref) != nullptr) return true;
  const RuleTreeNode* node = modules_.tree ? find_exact(*modules_.tree, ref.items) : nullptr;
  return node != nullptr && node->kind == DocumentKind::kFunction;
}

const Term* Run::with_value(const Term* document, std::span<const Term> path, const Term* value) {
  if (path.empty()) return value;
  Term object(TermKind::kObject, {});
  if (document != nullptr && document->kind == TermKind::kObject) object = *document;
  std::size_t at = 0;
  while (at < object.items.size() && !equal(object.items[at], path[0])) at += 2;
  const Term* below = at < object.items.size() ? &object.items[at + 1] : nullptr;
  Term changed = *with_value(below, path.subspan(1), value);
  if (below != nullptr) {
    object.items[at + 1] = std::move(changed);
  } else {
    object.items.push_back(path[0]);
    object.items.push_back(std::move(changed));
  }
  normalise(object);
  return keep(std::move(object));
}

bool Run::eval_with(Frame& frame, Next next) {
  const Expr& expr = frame.expr();
  std::vector<Term> refs;
  for (const With& with : expr.with) {
    if (!is_function(with.target)) {
      if (has_unknown(with.value, frame.bindings)) {
        return save_marked(frame, expr, [&] { return after(frame, next); });
      }
      collect_refs(with.target, refs);
    }
    collect_refs(with.value, refs);
  }
  Expr bare = expr;
  bare.with.clear();
  collect_refs(bare, refs);
  Disabled disable{true, {}};
  for (Term& ref : refs) {
    cut_to_ground(ref);
    disable.refs.push_back(keep(std::move(ref)));
  }

  std::vector<Ref> targets;
  Mocks functions;
  const Term* input = frame.input;
  const Term* data = frame.data;
  for (const With& with : expr.with) {
    const Term* value = plug(frame.bindings, &with.value);
    const std::span<const Term> path = std::span<const Term>(with.target.items).subspan(1);
    if (is_function(with.target)) {
      functions.emplace_back(&with.target, value);
    } else if (with.target.items[0].is_var("input")) {
      input = with_value(input, path, value);
    } else {
      data = with_value(data, path, value);
    }
    targets.push_back(with.target.items);
  }

  const Term* const old_input = frame.input;
  const Term* const old_data = frame.data;
  const auto push = [&] {
    frame.input = input;
    frame.data = data;
    cache_.emplace_back();
    targets_.push_back(targets);
    disabled_.push_back(disable);
    mocks_.back().push_back(functions);
  };
  const auto pop = [&] {
    mocks_.back().pop_back();
    disabled_.pop_back();
    targets_.pop_back();
    cache_.pop_back();
    frame.input = old_input;
    frame.data = old_data;
  };
  push();
  const bool ok = eval_step(frame, [&] {
    pop();
    const bool went_on = after(frame, next);
    push();
    return went_on;
  });
  pop();
  return ok;
}

// Each operand is a query of its own; with something unknown in one the whole expression is kept.
bool Run::eval_logical(Frame& frame, Next next) {
  const Expr& expr = frame.expr();
  if (required(*expr.left, frame.bindings) || required(*expr.right, frame.bindings)) {
    if (error_) return false;
    Expr copy = expr;
    plug_body(frame, *copy.left);
    plug_body(frame, *copy.right);
    return save_expr(frame, std::move(copy), frame.bindings, next);
  }
  for (const Body* operand : {expr.left.get(), expr.right.get()}) {
    Frame body = closure(frame, operand);
    bool defined = false;
    const auto found = [&] { return defined = true; };
    if (!eval(body, found)) return false;
    if (expr.kind == ExprKind::kOr && defined) return next();
    if (expr.kind == ExprKind::kAnd && !defined) return true;
  }
  return expr.kind == ExprKind::kOr || next();
}

bool Run::eval_every(Frame& frame, Next next) {
  const Expr& expr = frame.expr();
  const bool unknown_domain = required(expr.every_domain, frame.bindings);
  const bool unknown = unknown_domain || required(*expr.every_body, frame.bindings);
  if (error_) return false;
  const Term* domain = plug(frame.bindings, &expr.every_domain);
  if (unknown) {
    const std::size_t size = domain->items.size() / (domain->kind == TermKind::kObject ? 2 : 1);
    const std::size_t around = std::max<std::size_t>(frame.every_size, 1);
    if (unknown_domain || !is_composite(*domain) || std::max<std::size_t>(size, 1) * around > kMaxUnrolled) {
      return save_expr(frame, plugged_every(frame, expr), frame.bindings, next);
    }
  } else if (!is_composite(*domain)) {
    return true;
  }
  std::vector<std::pair<const Term*, const Term*>> pairs;
  if (!every_domain(frame, pairs)) return false;
  if (unknown) {
    Body all;
    for (const auto& [key, value] : pairs) {
      Body one = every_element(frame, key, value);
      for (Expr& each : one.exprs) all.exprs.push_back(std::move(each));
    }
    Frame body = closure(frame, keep(std::move(all)));
    body.every_size = std::max<std::size_t>(frame.every_size, 1) * std::max<std::size_t>(pairs.size(), 1);
    return eval(body, next);
  }
  for (const auto& [key, value] : pairs) {
    Body generator;
    if (expr.every_key) generator.exprs.push_back(equality(*expr.every_key, *key));
    generator.exprs.push_back(equality(expr.every_value, *value));
    Frame element = closure(frame, keep(std::move(generator)));
    bool defined = false;
    const auto found = [&] { return defined = true; };
    const bool ok = eval(element, [&] {
      Frame body = closure(element, expr.every_body.get());
      return eval(body, found);
    });
    if (!ok) return false;
    if (!defined) return true;
  }
  return next();
}

bool Run::every_domain(Frame& frame, std::vector<std::pair<const Term*, const Term*>>& pairs) {
  const Expr& expr = frame.expr();
  const Term key = expr.every_key ? *expr.every_key : Term::var("$_every_" + std::to_string(next_id_), {});
  Body generator;
  generator.exprs.push_back(
      equality(Term::ref({expr.every_domain, key}, expr.every_domain.location), expr.every_value));
  Frame domain = closure(frame, keep(std::move(generator)));
  return eval(domain, [&] {
    pairs.emplace_back(plug(domain.bindings, keep(key)), plug(domain.bindings, &expr.every_value));
    return step();
  });
}

// The body for one element: key and value put in, its own variables named anew.
Body Run::every_element(Frame& frame, const Term* key, const Term* value) {
  const Expr& expr = frame.expr();
  const std::string suffix = "__e" + std::to_string(++frame.generated);
  Body body;
  std::map<std::string, Term, std::less<>> put;
  const auto element = [&](const Term& var, const Term& with) {
    if (is_scalar(with)) {
      put.emplace(var.text, with);
      return;
    }
    const Term fresh = Term::var(var.text + suffix, {});
    put.emplace(var.text, fresh);
    body.exprs.push_back(equality(fresh, with));
  };
  if (expr.every_key) element(*expr.every_key, *key);
  element(expr.every_value, *value);
  Body copy = *expr.every_body;
  // Operators begin with variables too, but never with the body's own.
  std::vector<std::string> operators;
  passes::walk_exprs(copy, [&](const Expr& each) {
    if (each.kind == ExprKind::kCall) operators.push_back(each.terms[0].items[0].text);
    return false;
  });
  passes::walk_terms(copy, [&](Term& term) {
    if (term.kind != TermKind::kVar || term.is_var("data") || term.is_var("input")) return false;
    if (const auto at = put.find(term.text); at != put.end()) {
      term = at->second;
    } else if (std::find(operators.begin(), operators.end(), term.text) == operators.end() &&
               plug(frame.bindings, &term)->is_var(term.text) && !required(term, frame.bindings)) {
      term.text += suffix;
    }
    return false;
  });
  for (Expr& each : copy.exprs) body.exprs.push_back(std::move(each));
  number(body);
  return body;
}

Expr Run::plugged_every(Frame& frame, const Expr& expr) {
  Expr copy = expr;
  plug_body(frame, *copy.every_body);
  if (copy.every_key) copy.every_key = *plug(frame.bindings, keep(*copy.every_key), root_);
  copy.every_value = *plug(frame.bindings, keep(copy.every_value), root_);
  copy.every_domain = *plug(frame.bindings, keep(copy.every_domain), root_);
  return copy;
}

void Run::plug_body(Frame& frame, Body& body) {
  for (Expr& expr : body.exprs) {
    if (expr.kind == ExprKind::kEvery) {
      expr = plugged_every(frame, expr);
      continue;
    }
    for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
      const Term* term = keep(expr.terms[i]);
      expr.terms[i] = term->is_comprehension() ? *amended(term, frame.bindings) : *plug(frame.bindings, term, root_);
    }
    if (expr.left) plug_body(frame, *expr.left);
    if (expr.right) plug_body(frame, *expr.right);
  }
}

}  // namespace portcullis::rego::partial
