// Terms of a run: kept until it ends, so that bindings and saved expressions may point at them.
#include <algorithm>

#include "engine/rego/partial/run.h"
#include "engine/value/number.h"

namespace portcullis::rego::partial {
namespace {

bool ground_body(const Body& body);

bool ground_expr(const Expr& expr) {
  for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
    if (!is_ground(expr.terms[i])) return false;
  }
  return expr.kind != ExprKind::kEvery && (!expr.left || ground_body(*expr.left)) &&
         (!expr.right || ground_body(*expr.right));
}

bool ground_body(const Body& body) {
  return std::all_of(body.exprs.begin(), body.exprs.end(), [](const Expr& expr) { return ground_expr(expr); });
}

}  // namespace

// The head of a reference does not count.
bool is_ground(const Term& term) {
  if (term.kind == TermKind::kVar) return false;
  const std::size_t from = term.kind == TermKind::kRef ? 1 : 0;
  for (std::size_t i = from; i < term.items.size(); ++i) {
    if (!is_ground(term.items[i])) return false;
  }
  return !term.body || ground_body(*term.body);
}

bool is_composite(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kSet || term.kind == TermKind::kObject;
}

bool has_prefix(std::span<const Term> ref, std::span<const Term> prefix) {
  return prefix.size() <= ref.size() && std::equal(prefix.begin(), prefix.end(), ref.begin(),
                                                   [](const Term& a, const Term& b) { return equal(a, b); });
}

Term ref_of(std::span<const Term* const> items) {
  Term ref(TermKind::kRef, {});
  for (const Term* item : items) ref.items.push_back(*item);
  return ref;
}

Term true_term() { return Term::boolean_of(true, {}); }

Expr equality(Term left, Term right) {
  Expr expr;
  expr.kind = ExprKind::kCall;
  expr.terms.push_back(Term::ref({Term::var("eq", {})}, {}));
  expr.terms.push_back(std::move(left));
  expr.terms.push_back(std::move(right));
  return expr;
}

const Bindings::Entry* Bindings::find(const Term& var) const noexcept {
  for (const Entry& entry : values) {
    if (entry.key->text == var.text) return &entry;
  }
  return nullptr;
}

void Bindings::erase(const Term& var) noexcept {
  for (Entry& entry : values) {
    if (entry.key->text != var.text) continue;
    entry = values.back();
    values.pop_back();
    return;
  }
}

Bound apply(Bindings* bindings, const Term* term) noexcept {
  while (term->kind == TermKind::kVar && bindings != nullptr) {
    const Bindings::Entry* entry = bindings->find(*term);
    if (entry == nullptr) break;
    term = entry->value;
    bindings = entry->where;
  }
  return {term, bindings};
}

const Term* Run::keep(Term term) {
  ++made_;
  terms_.push_back(std::move(term));
  return &terms_.back();
}

const Term* Run::keep_ref(std::span<const Term* const> items) { return keep(ref_of(items)); }

const Expr* Run::keep(Expr expr) {
  ++made_;
  exprs_.push_back(std::move(expr));
  return &exprs_.back();
}

const Body* Run::keep(Body body) {
  ++made_;
  bodies_.push_back(std::move(body));
  return &bodies_.back();
}

Bindings* Run::new_bindings(std::uint64_t id) {
  ++made_;
  bindings_.push_back({id, {}});
  return &bindings_.back();
}

const Term* Run::plug(Bindings* bindings, const Term* term, Bindings* caller) {
  switch (term->kind) {
    case TermKind::kVar: {
      const Bound bound = apply(bindings, term);
      if (bound.term != term || bound.where != bindings) return plug(bound.where, bound.term, caller);
      return caller == nullptr ? term : keep(named(bindings, *term, caller));
    }
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject:
      if (is_ground(*term)) return term;
      return keep(plugged(bindings, *term, caller));
    case TermKind::kRef: return keep(plugged(bindings, *term, caller));
    default: return term;
  }
}

Term Run::plugged(Bindings* bindings, const Term& term, Bindings* caller) {
  ++made_;
  switch (term.kind) {
    case TermKind::kVar: {
      const Bound bound = apply(bindings, &term);
      if (bound.term != &term || bound.where != bindings) return plugged(bound.where, *bound.term, caller);
      return named(bindings, term, caller);
    }
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject:
      if (is_ground(term)) return term;
      [[fallthrough]];
    case TermKind::kRef: {
      Term copy(term.kind, term.location);
      copy.items.reserve(term.items.size());
      for (const Term& item : term.items) copy.items.push_back(plugged(bindings, item, caller));
      normalise(copy);
      return copy;
    }
    default: return term;
  }
}

// A variable of another body than the caller's gets that body's number behind its name.
Term Run::named(Bindings* bindings, const Term& var, Bindings* caller) const {
  Term copy = var;
  if (caller != nullptr && bindings != nullptr && caller != bindings && var.text != "data" && var.text != "input") {
    copy.text += std::to_string(bindings->id);
    copy.variable = 0;
  }
  return copy;
}

void Run::name_term(Bindings* bindings, Term& term) {
  switch (term.kind) {
    case TermKind::kVar: term = named(bindings, term, root_); return;
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject:
    case TermKind::kRef:
      for (Term& item : term.items) name_term(bindings, item);
      normalise(term);
      return;
    default: return;
  }
}

// Names the variables inside of comprehensions, which no bindings reach.
void Run::name_closure(Bindings* bindings, Term& term) {
  if (!term.is_comprehension()) {
    for (Term& item : term.items) name_closure(bindings, item);
    return;
  }
  for (Term& item : term.items) name_term(bindings, item);
  name_body(bindings, *term.body);
}

void Run::name_body(Bindings* bindings, Body& body) {
  for (Expr& expr : body.exprs) {
    for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
      name_term(bindings, expr.terms[i]);
    }
    for (With& with : expr.with) {
      name_term(bindings, with.target);
      name_term(bindings, with.value);
    }
    for (Term& term : expr.terms) name_closure(bindings, term);
    if (expr.every_body) {
      name_closure(bindings, expr.every_domain);
      name_body(bindings, *expr.every_body);
    }
    if (expr.left) name_body(bindings, *expr.left);
    if (expr.right) name_body(bindings, *expr.right);
  }
}

Term Run::value_term(const Value& value) {
  ++made_;
  switch (value.kind()) {
    case Kind::kBool: return Term::boolean_of(value.as_bool(), {});
    case Kind::kNumber: return Term::number(number_text(value), {});
    case Kind::kString: return Term::string(std::string(value.as_string()), {});
    case Kind::kArray:
    case Kind::kSet: {
      Term term(value.is_array() ? TermKind::kArray : TermKind::kSet, {});
      for (const Value& element : value.elements()) term.items.push_back(value_term(element));
      return term;
    }
    case Kind::kObject: {
      Term term(TermKind::kObject, {});
      for (std::size_t i = 0; i < value.size(); ++i) {
        term.items.push_back(value_term(value.keys()[i]));
        term.items.push_back(value_term(value.values()[i]));
      }
      return term;
    }
    default: return Term::null({});
  }
}

const Term* Run::from_value(const Value& value) {
  if (!value.defined()) return nullptr;
  if (!value.is_object() && !value.is_array()) return keep(value_term(value));
  const void* storage =
      value.is_object() ? static_cast<const void*>(value.as_object()) : static_cast<const void*>(value.as_array());
  const auto [at, fresh] = converted_.emplace(storage, nullptr);
  if (fresh) at->second = keep(value_term(value));
  return at->second;
}

Value Run::to_value(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: return Value::null();
    case TermKind::kBoolean: return Value::boolean(term.boolean);
    case TermKind::kNumber: return make_number(arena_, term.text);
    case TermKind::kString: return make_string(arena_, term.text);
    case TermKind::kArray:
    case TermKind::kSet: {
      std::vector<Value> elements;
      for (const Term& item : term.items) elements.push_back(to_value(item));
      return term.kind == TermKind::kArray ? make_array(arena_, elements) : make_set(arena_, elements);
    }
    case TermKind::kObject: {
      std::vector<Member> members;
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        members.push_back({to_value(term.items[i]), to_value(term.items[i + 1])});
      }
      return make_object(arena_, members);
    }
    default: return Value::undefined();
  }
}

// Two objects in one; where both have a value that is no object, the first's.
const Term* Run::merged(const Term* first, const Term* second) {
  if (first == nullptr) return second;
  if (second == nullptr || first->kind != TermKind::kObject || second->kind != TermKind::kObject) return first;
  Term out = *first;
  for (std::size_t i = 0; i + 1 < second->items.size(); i += 2) {
    std::size_t at = 0;
    while (at < out.items.size() && !equal(out.items[at], second->items[i])) at += 2;
    if (at < out.items.size()) {
      Term both = *merged(&out.items[at + 1], &second->items[i + 1]);
      out.items[at + 1] = std::move(both);
    } else {
      out.items.push_back(second->items[i]);
      out.items.push_back(second->items[i + 1]);
    }
  }
  normalise(out);
  return keep(std::move(out));
}

bool Run::step() {
  if (error_) return false;
  ++steps_;
  if (steps_ > options_.limits.steps) return fail("eval_cancel_error", "partial evaluation takes too many steps", {});
  if (made_ > options_.limits.terms) return fail("eval_cancel_error", "partial evaluation takes too much memory", {});
  if (steps_ % 256 == 0 && (options_.limits.deadline.passed() || arena_.exceeded())) {
    return fail("eval_cancel_error", "caller cancelled query execution", {});
  }
  return !deep();
}

bool Run::deep() {
  const char here = 0;
  const auto at = reinterpret_cast<std::uintptr_t>(&here);
  const std::uintptr_t used = at > stack_start_ ? at - stack_start_ : stack_start_ - at;
  if (used < options_.limits.stack_bytes) return false;
  fail("eval_cancel_error", "partial evaluation goes too deep", {});
  return true;
}

bool Run::fail(std::string code, std::string message, const Location& where) {
  if (!error_) {
    error_ = EvalError{std::move(code), std::move(message), std::string(where.file), where.row, where.column};
  }
  return false;
}

}  // namespace portcullis::rego::partial
