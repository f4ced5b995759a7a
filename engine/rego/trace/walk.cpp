// Bodies, expressions and unification.
#include "engine/rego/trace/walk.h"

#include <algorithm>

#include "engine/rego/trace/walker.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::trace {

namespace {

constexpr std::size_t kMaxDepth = 3000;  // nested steps: each takes stack

bool is_root(const Term& term, std::string_view name) { return term.kind == TermKind::kVar && term.text == name; }

bool is_variable(const Operand& operand) {
  return operand.term != nullptr && operand.term->kind == TermKind::kVar && !is_root(*operand.term, "data") &&
         !is_root(*operand.term, "input");
}

bool is_reference(const Operand& operand) {
  return operand.term != nullptr &&
         (operand.term->kind == TermKind::kRef || is_root(*operand.term, "data") || is_root(*operand.term, "input"));
}

bool is_comprehension(const Operand& operand) { return operand.term != nullptr && operand.term->is_comprehension(); }

enum class Shape : std::uint8_t { kOther, kArray, kObject, kSet };

Shape shape_of(const Operand& operand) {
  if (operand.is_value()) {
    if (operand.value.is_array()) return Shape::kArray;
    if (operand.value.is_object()) return Shape::kObject;
    return operand.value.is_set() ? Shape::kSet : Shape::kOther;
  }
  if (operand.term->kind == TermKind::kArray) return Shape::kArray;
  if (operand.term->kind == TermKind::kObject) return Shape::kObject;
  return operand.term->kind == TermKind::kSet ? Shape::kSet : Shape::kOther;
}

std::size_t size_of(const Operand& operand) {
  if (operand.is_value()) return operand.value.size();
  return operand.term->kind == TermKind::kObject ? operand.term->items.size() / 2 : operand.term->items.size();
}

// Whether evaluating the term can give several solutions (comprehensions aside).
bool iterates(const Term& term) {
  if (term.is_comprehension()) return false;
  if (term.kind == TermKind::kRef) {
    for (std::size_t i = 1; i < term.items.size(); ++i) {
      if (!is_constant(term.items[i])) return true;
    }
  }
  return std::any_of(term.items.begin(), term.items.end(), iterates);
}

}  // namespace

Walk::Impl::Impl(const CheckedModules& m, const CheckedQuery& q, Tracer& t, Host& h, Arena& a, const WalkOptions& o)
    : modules(m), query(q), tracer(t), arena(a), options(o), context(a, h) {
  context.deadline = o.deadline;
  context.now_ns = o.now_ns != 0 ? o.now_ns : h.now_ns();
  root = modules.tree.get();
  unifications = tracer.wants_unifications();
  next_variable = static_cast<std::uint32_t>(std::max(query.variables.size(), modules.variables.size()));
  for (const Module& module : modules.modules) {
    for (const Rule& rule : module.rules) {
      for (const Rule* at = &rule; at != nullptr; at = at->otherwise.get()) module_of[at] = &module;
    }
  }
}

Term Walk::Impl::fresh_variable() {
  Term term = Term::var("$" + std::to_string(next_variable), Location{});
  term.variable = next_variable++;
  return term;
}

void Walk::Impl::prepare_query() {
  body = query.body;
  const std::size_t written = body.exprs.size();
  const bool check =
      query.expressions.size() > 1 || std::any_of(body.exprs.begin(), body.exprs.end(), [](const Expr& expr) {
        return std::any_of(expr.terms.begin(), expr.terms.end(), iterates);
      });
  shows.assign(written, 0);
  for (std::size_t i = 0; i < written; ++i) {
    Expr& expr = body.exprs[i];
    if (expr.negated) continue;
    Term variable = fresh_variable();
    variable.location = expr.location;
    if (expr.kind == ExprKind::kTerm) {
      Term value = std::move(expr.terms[0]);
      expr.kind = ExprKind::kCall;
      expr.terms.clear();
      expr.terms.push_back(Term::ref({Term::var("eq", expr.location)}, expr.location));
      expr.terms.push_back(std::move(value));
      expr.terms.push_back(variable);
    } else if (expr.kind == ExprKind::kCall && expr.operator_name() != "eq" &&
               arity(expr.operator_name()) + 1 == expr.terms.size()) {
      const BuiltinRegistry::Entry* entry = modules.builtins->find(expr.operator_name());
      if (entry != nullptr && entry->decl->result.empty()) continue;
      expr.terms.push_back(variable);
    } else {
      continue;
    }
    shows[i] = variable.variable;
    if (!check) continue;
    Expr test;
    test.generated = true;
    test.location = expr.location;
    test.index = static_cast<std::uint32_t>(body.exprs.size());
    test.terms.push_back(variable);
    body.exprs.push_back(std::move(test));
  }
}

void Walk::Impl::tell(const Query& q, Op op, const Rule* rule, const Expr* expr, const Body* of_body,
                      std::string_view message, std::string_view text) {
  const Location* at = nullptr;
  if (rule != nullptr) at = &rule->location;
  if (expr != nullptr) at = &expr->location;
  if (of_body != nullptr && !of_body->exprs.empty()) at = &of_body->exprs.front().location;
  if (at == nullptr || at->row == 0) {
    at = q.last_location;
  } else {
    q.last_location = at;
  }
  Event event;
  event.op = op;
  event.query = q.id;
  event.parent = parent_of(q);
  event.rule = rule;
  event.expr = expr;
  event.body = of_body;
  event.location = at;
  event.message = op == Op::kExit && q.find_one ? std::string_view("early") : message;
  event.text = text;
  if (rule != nullptr) {
    std::string& name = rule_names[rule];
    if (name.empty()) name = rule_name(*module_of.at(rule), *rule);
    event.text = name;
  }
  tracer.event(event);
}

Status Walk::Impl::fail(const char* code, std::string message, const Location& at) {
  if (error.code.empty()) error = EvalError{code, std::move(message), std::string(at.file), at.row, at.column};
  return kFailed;
}

bool Walk::Impl::over_budget(const Query& q) {
  if (!error.code.empty()) return true;
  if (depth > kMaxDepth) {
    fail("eval_cancel_error", "too many nested steps to explain", q.body->exprs.front().location);
  } else if (options.deadline.passed()) {
    fail("eval_cancel_error", "caller cancelled query execution: deadline exceeded", Location{});
  } else if (arena.exceeded()) {
    fail("eval_cancel_error", "memory limit exceeded", Location{});
  } else {
    return false;
  }
  return true;
}

Operand Walk::Impl::of(const Term& term, Env* env) {
  if (!is_constant(term)) return {&term, env, {}};
  const auto known = constants.find(&term);
  if (known != constants.end()) return {nullptr, nullptr, known->second};
  Value value;
  std::vector<Value> items;
  switch (term.kind) {
    case TermKind::kNull: value = Value::null(); break;
    case TermKind::kBoolean: value = Value::boolean(term.boolean); break;
    case TermKind::kNumber: value = make_number(arena, term.text); break;
    case TermKind::kString: value = make_string(arena, term.text); break;
    default:
      for (const Term& item : term.items) items.push_back(of(item, env).value);
      if (term.kind == TermKind::kArray) value = make_array(arena, items);
      if (term.kind == TermKind::kSet) value = make_set(arena, items);
      if (term.kind == TermKind::kObject) {
        value = make_object(arena, {reinterpret_cast<const Member*>(items.data()), items.size() / 2});
      }
  }
  constants.emplace(&term, value);
  return {nullptr, nullptr, value};
}

Operand Walk::Impl::apply(Operand operand) const {
  while (is_variable(operand)) {
    const Operand* bound = operand.env->find(operand.term->variable);
    if (bound == nullptr) return operand;
    operand = *bound;
  }
  return operand;
}

bool Walk::Impl::is_unbound(const Operand& operand) const { return is_variable(apply(operand)); }

Value Walk::Impl::plug(const Operand& given) {
  const Operand operand = apply(given);
  if (operand.is_value()) return operand.value;
  const Term& term = *operand.term;
  if (term.kind != TermKind::kArray && term.kind != TermKind::kSet && term.kind != TermKind::kObject) return {};
  std::vector<Value> items;
  for (const Term& item : term.items) {
    const Value value = plug(of(item, operand.env));
    if (!value.defined()) return {};
    items.push_back(value);
  }
  if (term.kind == TermKind::kArray) return make_array(arena, items);
  if (term.kind == TermKind::kSet) return make_set(arena, items);
  return make_object(arena, {reinterpret_cast<const Member*>(items.data()), items.size() / 2});
}

Status Walk::Impl::bind(Env& env, std::uint32_t variable, const Operand& to, Next next) {
  env.slots.emplace_back(variable, to);
  const Status status = next();
  env.slots.pop_back();
  return status;
}

Status Walk::Impl::unify(Query& q, Operand a, Operand b, Next next) {
  a = apply(a);
  b = apply(b);
  if (unifications) tell(q, Op::kUnify, nullptr, nullptr, nullptr, {}, shown(a) + " = " + shown(b));
  if (is_reference(a)) return unify_reference(q, a, b, next);
  if (is_reference(b)) return unify_reference(q, b, a, next);
  if (is_comprehension(a)) return unify_comprehension(q, a, b, next);
  if (is_comprehension(b)) return unify_comprehension(q, b, a, next);
  if (is_variable(a) && is_variable(b) && a.env == b.env && a.term->variable == b.term->variable) return next();
  if (is_variable(a)) return bind(*a.env, a.term->variable, b, next);
  if (is_variable(b)) return bind(*b.env, b.term->variable, a, next);
  const Shape shape = shape_of(a);
  if (shape != shape_of(b)) return kGoOn;
  if (!unifications && a.is_value() && b.is_value()) return equal(a.value, b.value) ? next() : kGoOn;
  if (shape == Shape::kArray) return size_of(a) == size_of(b) ? unify_items(q, a, b, 0, next) : kGoOn;
  if (shape == Shape::kObject) return size_of(a) == size_of(b) ? unify_objects(q, a, b, next) : kGoOn;
  const Value x = plug(a);
  const Value y = plug(b);
  return x.defined() && y.defined() && equal(x, y) ? next() : kGoOn;
}

Status Walk::Impl::unify_items(Query& q, const Operand& a, const Operand& b, std::size_t at, Next next) {
  if (at == size_of(a)) return next();
  const auto item = [&](const Operand& from) {
    return from.is_value() ? Operand{nullptr, nullptr, from.value.elements()[at]} : of(from.term->items[at], from.env);
  };
  return unify(q, item(a), item(b), [&] { return unify_items(q, a, b, at + 1, next); });
}

std::vector<std::pair<Value, Operand>> Walk::Impl::members(const Operand& object) {
  std::vector<std::pair<Value, Operand>> out;
  if (object.is_value()) {
    for (std::size_t i = 0; i < object.value.size(); ++i) {
      out.emplace_back(object.value.keys()[i], Operand{nullptr, nullptr, object.value.values()[i]});
    }
    return out;
  }
  const std::vector<Term>& items = object.term->items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    out.emplace_back(plug(of(items[i], object.env)), of(items[i + 1], object.env));
  }
  std::sort(out.begin(), out.end(), [](const auto& x, const auto& y) {
    return x.first.defined() && y.first.defined() ? compare(x.first, y.first) < 0
                                                  : x.first.defined() < y.first.defined();
  });
  return out;
}

Status Walk::Impl::unify_objects(Query& q, const Operand& a, const Operand& b, Next next) {
  const auto left = members(a);
  const auto right = members(b);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!left[i].first.defined() || !right[i].first.defined() || !equal(left[i].first, right[i].first)) return kGoOn;
  }
  struct Rest {
    Impl& walk;
    Query& q;
    const std::vector<std::pair<Value, Operand>>& mine;
    const std::vector<std::pair<Value, Operand>>& other;
    Next next;
    Status go(std::size_t at) const {
      if (at == mine.size()) return next();
      return walk.unify(q, mine[at].second, other[at].second, [&] { return go(at + 1); });
    }
  };
  return Rest{*this, q, left, right, next}.go(0);
}

Status Walk::Impl::unify_reference(Query& q, const Operand& a, const Operand& b, Next next) {
  Reference reference;
  if (a.term->kind == TermKind::kVar) {
    reference.push_back({a.term, a.env, {}});
  } else {
    for (const Term& item : a.term->items) {
      reference.push_back(reference.empty() ? Operand{&item, a.env, {}} : of(item, a.env));
    }
  }
  const Term& head = *reference.front().term;
  if (is_root(head, "data")) {
    TreeWalk walk{&q, &reference, b, 1, root, {make_string(arena, "data")}};
    return tree(walk, next);
  }
  TermWalk walk{&q, &reference, b};
  if (is_root(head, "input")) {
    if (!q.input.defined()) return kGoOn;
    return term(walk, 1, {nullptr, nullptr, q.input}, next);
  }
  const Operand start = is_constant(head) ? of(head, a.env) : apply(reference.front());
  if (is_variable(start)) return kGoOn;
  return term(walk, 1, start, next);
}

Status Walk::Impl::unify_comprehension(Query& q, const Operand& a, const Operand& b, Next next) {
  const Term& term = *a.term;
  Query inner = closure(q, *term.body);
  std::vector<Value> items;
  const Status status = run_traced(inner, [&](Query&) {
    for (const Term& item : term.items) items.push_back(plug(of(item, a.env)));
    return kGoOn;
  });
  if (status != kGoOn) return status;
  Value value;
  if (term.kind == TermKind::kArrayComprehension) value = make_array(arena, items);
  if (term.kind == TermKind::kSetComprehension) value = make_set(arena, items);
  if (term.kind == TermKind::kObjectComprehension) {
    const std::span<const Member> given{reinterpret_cast<const Member*>(items.data()), items.size() / 2};
    value = make_object(arena, given);
    for (const Member& member : given) {
      if (equal(value.get(member.key), member.value)) continue;
      return fail("eval_conflict_error", "object keys must be unique", term.items.front().location);
    }
  }
  return unify(q, {nullptr, nullptr, value}, b, next);
}

Operand Walk::Impl::member(const Operand& value, const Value& key) {
  if (value.is_value()) return {nullptr, nullptr, value.value.get(key)};
  const std::vector<Term>& items = value.term->items;
  if (value.term->kind == TermKind::kArray) {
    const auto at = key.is_number() ? to_int64(key) : std::nullopt;
    if (!at || *at < 0 || static_cast<std::size_t>(*at) >= items.size()) return {};
    return apply(of(items[static_cast<std::size_t>(*at)], value.env));
  }
  if (value.term->kind == TermKind::kSet) {
    for (const Term& item : items) {
      const Value plugged = plug(of(item, value.env));
      if (plugged.defined() && equal(plugged, key)) return {nullptr, nullptr, key};
    }
  }
  if (value.term->kind == TermKind::kObject) {
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const Value plugged = plug(of(items[i], value.env));
      if (plugged.defined() && equal(plugged, key)) return apply(of(items[i + 1], value.env));
    }
  }
  return {};
}

Status Walk::Impl::term(const TermWalk& w, std::size_t at, const Operand& value, Next next) {
  const Reference& reference = *w.reference;
  if (at == reference.size()) return unify(*w.query, value, w.result, next);
  const Value key = plug(reference[at]);
  if (!key.defined()) return enumerate(w, at, value, next);
  const Operand found = member(value, key);
  if (!found.is_value() && found.term == nullptr) return kGoOn;
  return term(w, at + 1, found, next);
}

Status Walk::Impl::enumerate(const TermWalk& w, std::size_t at, const Operand& value, Next next) {
  const Operand& step = (*w.reference)[at];
  Query& q = *w.query;
  Status deferred = kGoOn;
  const auto keep = [&](Status status) {
    if (!is_deferred(status)) return status;
    if (deferred == kGoOn) deferred = status;
    return kGoOn;
  };
  const Shape shape = shape_of(value);
  const bool last = at + 1 == w.reference->size();
  std::vector<Value> keys;
  if (shape == Shape::kArray) {
    if (!is_variable(apply(step))) return kGoOn;
    for (std::size_t i = 0; i < size_of(value); ++i) keys.push_back(Value::integer(static_cast<std::int64_t>(i)));
  } else if (shape == Shape::kObject) {
    for (const auto& [key, of_key] : members(value)) keys.push_back(key);
  } else if (shape == Shape::kSet) {
    const Value set = plug(value);
    const Value want = last ? plug(w.result) : Value();
    if (want.defined()) {
      if (!set.get(want).defined()) return kGoOn;
      keys.push_back(want);
    } else {
      keys.assign(set.elements().begin(), set.elements().end());
    }
  }
  for (const Value& key : keys) {
    const Operand found = shape == Shape::kSet ? Operand{nullptr, nullptr, key} : member(value, key);
    if (!found.is_value() && found.term == nullptr) continue;
    const Status status = keep(unify(q, {nullptr, nullptr, key}, step, [&] { return term(w, at + 1, found, next); }));
    if (status != kGoOn) return status;
  }
  return deferred;
}

Query Walk::Impl::child(Query& q, const Body& of_body, Env& env) {
  Query out;
  out.body = &of_body;
  out.env = &env;
  out.parent = &q;
  out.id = next_query++;
  out.input = q.input;
  out.data = q.data;
  out.last_location = q.last_location;
  return out;
}

Status Walk::Impl::run_traced(Query& q, QueryNext next) {
  tell(q, Op::kEnter, *q.body);
  return expression(q, [&](Query& done) {
    tell(q, Op::kExit, *q.body);
    const Status status = next(done);
    tell(q, Op::kRedo, *q.body);
    return status;
  });
}

Status Walk::Impl::next_expression(Query& q, QueryNext next) {
  ++q.index;
  const Status status = expression(q, next);
  --q.index;
  return status;
}

Status Walk::Impl::expression(Query& q, QueryNext next) {
  if (q.index >= q.body->exprs.size()) {
    const Status status = next(q);
    if (status == kFailed) return status;
    if (status != kGoOn) return stop(status, !q.find_one);
    return q.find_one ? stop(kGoOn, false) : kGoOn;
  }
  if (over_budget(q)) return kFailed;
  ++depth;
  const Expr& expr = q.expr();
  tell(q, Op::kEval, expr);
  const Status status =
      expr.with.empty() ? step(q, [&](Query& on) { return next_expression(on, next); }) : with(q, next);
  --depth;
  return status;
}

Status Walk::Impl::step(Query& q, QueryNext next) {
  const Expr& expr = q.expr();
  if (expr.negated) return negation(q, next);
  bool defined = false;
  const auto found = [&]() -> Status {
    defined = true;
    const Status status = next(q);
    tell(q, Op::kRedo, expr);
    return status;
  };
  Status status = kGoOn;
  switch (expr.kind) {
    case ExprKind::kTerm: {
      const Term& variable = made_terms.emplace_back(fresh_variable());
      const Operand value{&variable, q.env, {}};
      status = unify(q, of(expr.terms[0], q.env), value, [&]() -> Status {
        const Value plugged = plug(value);
        return plugged.defined() && plugged.is_false() ? kGoOn : found();
      });
      made_terms.pop_back();
      break;
    }
    case ExprKind::kCall: {
      const std::string name = expr.operator_name();
      if (name == "eq" && expr.terms.size() == 3) {
        status = unify(q, of(expr.terms[1], q.env), of(expr.terms[2], q.env), found);
        break;
      }
      std::vector<Operand> arguments;
      for (std::size_t i = 1; i < expr.terms.size(); ++i) arguments.push_back(of(expr.terms[i], q.env));
      status = call(q, arguments, name, found);
      break;
    }
    case ExprKind::kEvery: status = every(q, found); break;
    case ExprKind::kNot: {
      Query inner = closure(q, *expr.left);
      tell(inner, Op::kEnter, *expr.left);
      status = expression(inner, [&](Query&) {
        tell(inner, Op::kExit, *expr.left);
        tell(inner, Op::kRedo, *expr.left);
        inner.defined = true;
        return kGoOn;
      });
      if (status == kGoOn && !inner.defined) status = found();
      break;
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      bool holds = false;
      status = operand_body(q, *expr.left, holds);
      if (status == kGoOn && holds == (expr.kind == ExprKind::kAnd)) status = operand_body(q, *expr.right, holds);
      if (status == kGoOn && holds) status = found();
      break;
    }
    case ExprKind::kSome: break;
  }
  if (status != kGoOn) return status;
  if (!defined) tell(q, Op::kFail, expr);
  return kGoOn;
}

Status Walk::Impl::operand_body(Query& q, const Body& of_body, bool& holds) {
  Query inner = closure(q, of_body);
  inner.find_one = true;
  tell(inner, Op::kEnter, of_body);
  const Status status = without_stop(expression(inner, [&](Query&) {
    tell(inner, Op::kExit, of_body);
    tell(inner, Op::kRedo, of_body);
    inner.defined = true;
    return kGoOn;
  }));
  holds = inner.defined;
  return status;
}

const Body& Walk::Impl::negated_body(const Expr& expr) {
  const auto [at, fresh] = made_bodies.try_emplace(&expr);
  if (fresh) {
    Expr positive = expr;
    positive.negated = false;
    positive.with.clear();
    positive.index = 0;
    at->second.exprs.push_back(std::move(positive));
  }
  return at->second;
}

Status Walk::Impl::negation(Query& q, QueryNext next) {
  const Expr& expr = q.expr();
  Query inner = closure(q, negated_body(expr));
  tell(inner, Op::kEnter, *inner.body);
  const Status status = expression(inner, [&](Query&) {
    tell(inner, Op::kExit, *inner.body);
    tell(inner, Op::kRedo, *inner.body);
    inner.defined = true;
    return kGoOn;
  });
  if (status != kGoOn) return status;
  if (!inner.defined) return next(q);
  tell(q, Op::kFail, expr);
  return kGoOn;
}

// `every k, v in xs { … }`: what gives the pairs is `v = xs[k]`.
const Body& Walk::Impl::generator(const Expr& expr) {
  const auto [at, fresh] = made_bodies.try_emplace(&expr);
  if (fresh) {
    Expr equation;
    equation.kind = ExprKind::kCall;
    equation.location = expr.every_domain.location;
    Term key = expr.every_key ? *expr.every_key : fresh_variable();
    equation.terms.push_back(Term::ref({Term::var("eq", equation.location)}, equation.location));
    equation.terms.push_back(Term::ref({expr.every_domain, std::move(key)}, equation.location));
    equation.terms.push_back(expr.every_value);
    at->second.exprs.push_back(std::move(equation));
  }
  return at->second;
}

Status Walk::Impl::every(Query& q, Next next) {
  const Expr& expr = q.expr();
  const Operand domain = apply(of(expr.every_domain, q.env));
  if (shape_of(domain) == Shape::kOther) {
    tell(q, Op::kFail, expr);
    return kGoOn;
  }
  Query pairs = closure(q, generator(expr));
  bool all = true;
  tell(pairs, Op::kEnter, expr);
  const Status status = expression(pairs, [&](Query& pair) -> Status {
    if (!all) return kGoOn;
    Query inner = closure(pair, *expr.every_body);
    inner.find_one = true;
    bool holds = false;
    tell(inner, Op::kEnter, *inner.body);
    const Status of_inner = expression(inner, [&](Query&) {
      tell(inner, Op::kExit, *inner.body);
      tell(inner, Op::kRedo, *inner.body);
      holds = true;
      return kGoOn;
    });
    all = all && holds;
    tell(pair, Op::kRedo, expr);
    return without_stop(of_inner);
  });
  if (status != kGoOn) return status;
  if (!all) {
    tell(pairs, Op::kFail, expr);
    return kGoOn;
  }
  const Status after = next();
  tell(pairs, Op::kExit, expr);
  return after;
}

Value Walk::Impl::upsert(const Value& document, std::span<const Value> path, const Value& value) {
  if (path.empty()) return value;
  const Value inner = upsert(document.is_object() ? document.get(path[0]) : Value(), path.subspan(1), value);
  const Value object = document.is_object() ? document : make_object(arena, std::span<const Member>{});
  return with_member(arena, object, path[0], inner);
}

bool Walk::Impl::with_mocks(Query& q, const Expr& expr, std::vector<Mock>& mocks_of,
                            std::vector<std::vector<Value>>& paths, Value& input, Value& data) {
  for (const With& with : expr.with) {
    const Term& target = with.target;
    const Term& head = target.kind == TermKind::kRef ? target.items.front() : target;
    std::string name;
    std::vector<Value> path;
    for (const Term& item : target.items) {
      name += name.empty() ? "" : ".";
      name += item.text;
      path.push_back(of(item, q.env).value);
    }
    if (target.kind != TermKind::kRef) path.emplace_back(), name = target.text;
    path.front() = make_string(arena, head.text);
    std::string by;
    if (with.value.kind == TermKind::kRef) {
      for (const Term& item : with.value.items) by += (by.empty() ? "" : ".") + item.text;
    }
    if (is_function(name)) {
      Mock mock{name, {}, {}};
      if (!by.empty() && is_function(by)) mock.function = by;
      if (mock.function.empty()) mock.value = apply(of(with.value, q.env));
      mocks_of.push_back(std::move(mock));
      if (head.text == "data") paths.push_back(path);
      continue;
    }
    const Value value = plug(of(with.value, q.env));
    if (!value.defined()) return false;
    const std::span<const Value> below(path.data() + 1, path.size() - 1);
    if (head.text == "input") input = upsert(input.defined() ? input : q.input, below, value);
    if (head.text == "data") data = upsert(data.defined() ? data : q.data, below, value);
    paths.push_back(path);
  }
  return true;
}

Status Walk::Impl::with(Query& q, QueryNext next) {
  std::vector<Mock> mocks_of;
  std::vector<std::vector<Value>> paths;
  Value input;
  Value data;
  if (!with_mocks(q, q.expr(), mocks_of, paths, input, data)) return kGoOn;
  const Value old_input = q.input;
  const Value old_data = q.data;
  std::map<std::string, CachedValue, std::less<>> kept;
  const auto enter = [&] {
    if (input.defined()) q.input = input;
    if (data.defined()) q.data = data;
    cache.push_back({});
    targets.push_back(paths);
    mocks.back().push_back(mocks_of);
  };
  const auto leave = [&] {
    mocks.back().pop_back();
    targets.pop_back();
    cache.pop_back();
    q.input = old_input;
    q.data = old_data;
  };
  enter();
  const Status status = step(q, [&](Query& on) {
    leave();
    const Status after = next_expression(on, next);
    enter();
    return after;
  });
  leave();
  return status;
}

Result<Value, EvalError> Walk::Impl::run(const Value& input, const Value& base_data) {
  base = base_data.defined() ? base_data : make_object(arena, std::span<const Member>{});
  prepare_query();
  Env env;
  Query q;
  q.body = &body;
  q.env = &env;
  q.id = next_query++;
  q.input = input;
  std::vector<std::pair<Value, std::uint32_t>> names;
  for (const auto& [name, author] : query.result_variables) {
    for (std::uint32_t variable = 1; variable < query.variables.size(); ++variable) {
      if (query.variables[variable].name != name) continue;
      names.emplace_back(make_string(arena, author), variable);
      break;
    }
  }
  std::vector<Value> solutions;
  const Value keys[] = {make_string(arena, "bindings"), make_string(arena, "expressions")};
  const Status status = run_traced(q, [&](Query&) {
    std::vector<Member> bindings;
    for (const auto& [name, variable] : names) {
      Term term = Term::var("", Location{});
      term.variable = variable;
      const Value value = plug({&term, &env, {}});
      if (value.defined()) bindings.push_back({name, value});
    }
    std::vector<Value> values;
    for (const CheckedQuery::Expression& expression : query.expressions) {
      Value value = Value::boolean(true);
      if (expression.index < shows.size() && shows[expression.index] != 0) {
        Term term = Term::var("", Location{});
        term.variable = shows[expression.index];
        value = plug({&term, &env, {}});
      }
      values.push_back(value);
    }
    const Member members_of[] = {{keys[0], make_object(arena, bindings)}, {keys[1], make_array(arena, values)}};
    solutions.push_back(make_object(arena, members_of));
    return kGoOn;
  });
  if (status == kFailed || !error.code.empty()) return std::move(error);
  if (options.strict_builtin_errors && !first_builtin_error.code.empty()) return std::move(first_builtin_error);
  return make_array(arena, solutions);
}

Walk::Walk(const CheckedModules& modules, const CheckedQuery& query, Tracer& tracer, Host& host, Arena& arena,
           const WalkOptions& options)
    : impl_(std::make_unique<Impl>(modules, query, tracer, host, arena, options)) {}
Walk::~Walk() {
  BuiltinContext& context = impl_->context;
  if (context.patterns != nullptr && context.free_patterns != nullptr) context.free_patterns(context.patterns);
}
Result<Value, EvalError> Walk::run(const Value& input, const Value& data) { return impl_->run(input, data); }

}  // namespace portcullis::rego::trace
