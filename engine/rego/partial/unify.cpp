// Unification of terms of two bodies, and of what has to be evaluated first: references and comprehensions.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {

bool Run::biunify(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next) {
  if (!step()) return false;
  const Bound left = apply(b1, a);
  const Bound right = apply(b2, b);
  a = left.term;
  b = right.term;
  b1 = left.where;
  b2 = right.where;
  switch (a->kind) {
    case TermKind::kNull:
    case TermKind::kBoolean:
    case TermKind::kNumber:
    case TermKind::kString:
      if (b->kind != TermKind::kVar && b->kind != TermKind::kRef && b->kind != a->kind) return true;
      break;
    case TermKind::kArray:
      if (b->kind == TermKind::kArray) {
        return a->items.size() != b->items.size() || biunify_items(frame, a, b, 0, b1, b2, next);
      }
      if (b->kind != TermKind::kVar && b->kind != TermKind::kRef && b->kind != TermKind::kArrayComprehension)
        return true;
      break;
    case TermKind::kObject:
      if (b->kind == TermKind::kObject) return biunify_objects(frame, a, b, b1, b2, next);
      if (b->kind != TermKind::kVar && b->kind != TermKind::kRef && b->kind != TermKind::kObjectComprehension)
        return true;
      break;
    default: break;
  }
  return biunify_values(frame, a, b, b1, b2, next);
}

bool Run::biunify_items(Frame& frame, const Term* a, const Term* b, std::size_t at, Bindings* b1, Bindings* b2,
                        Next next) {
  if (at == a->items.size()) return next();
  return biunify(frame, &a->items[at], &b->items[at], b1, b2,
                 [&] { return biunify_items(frame, a, b, at + 1, b1, b2, next); });
}

bool Run::biunify_list(Frame& frame, std::span<const Term* const> a, std::span<const Term* const> b, Bindings* b1,
                       Bindings* b2, Next next) {
  if (a.size() != b.size()) return true;
  if (a.empty()) return next();
  return biunify(frame, a[0], b[0], b1, b2,
                 [&] { return biunify_list(frame, a.subspan(1), b.subspan(1), b1, b2, next); });
}

const Term* Run::plugged_keys(const Term* object, Bindings* bindings) {
  bool ground = true;
  for (std::size_t i = 0; i < object->items.size(); i += 2) ground = ground && is_ground(object->items[i]);
  if (ground) return object;
  Term copy = *object;
  for (std::size_t i = 0; i < copy.items.size(); i += 2) copy.items[i] = *plug(bindings, &object->items[i]);
  normalise(copy);
  return keep(std::move(copy));
}

bool Run::biunify_objects(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next) {
  if (a->items.size() != b->items.size()) return true;
  return biunify_members(frame, plugged_keys(a, b1), plugged_keys(b, b2), 0, b1, b2, next);
}

bool Run::biunify_members(Frame& frame, const Term* a, const Term* b, std::size_t at, Bindings* b1, Bindings* b2,
                          Next next) {
  if (at >= a->items.size()) return next();
  // Both are in order of their keys.
  if (at >= b->items.size() || !equal(a->items[at], b->items[at])) return true;
  return biunify(frame, &a->items[at + 1], &b->items[at + 1], b1, b2,
                 [&] { return biunify_members(frame, a, b, at + 2, b1, b2, next); });
}

bool Run::bind(Bindings* bindings, const Term* var, const Term* value, Bindings* where, Next next) {
  bindings->values.push_back({var, value, where});
  const bool ok = next();
  bindings->erase(*var);
  return ok;
}

bool Run::biunify_values(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next) {
  const bool save_a = a->kind == TermKind::kSet ? has_unknown(*a, b1) : is_unknown(*a, b1);
  if (!save_a && a->kind == TermKind::kRef) return biunify_ref(frame, a, b, b1, b2, next);
  const bool save_b = b->kind == TermKind::kSet ? has_unknown(*b, b2) : is_unknown(*b, b2);
  if (!save_b && b->kind == TermKind::kRef) return biunify_ref(frame, b, a, b2, b1, next);
  if (save_a || save_b) return save_unify(frame, a, b, b1, b2, next);
  if (a->is_comprehension()) return biunify_comprehension(frame, a, b, b1, b2, false, next);
  if (b->is_comprehension()) return biunify_comprehension(frame, b, a, b2, b1, true, next);

  if (a->kind == TermKind::kVar) {
    if (b->kind == TermKind::kVar && b1 == b2 && equal(*a, *b)) return next();
    return bind(b1, a, b, b2, next);
  }
  if (b->kind == TermKind::kVar) return bind(b2, b, a, b1, next);
  if (a->kind == TermKind::kSet) {
    a = plug(b1, a);
    b = plug(b2, b);
  }
  return !equal(*a, *b) || next();
}

bool Run::biunify_ref(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next) {
  const Ref& ref = a->items;
  if (ref[0].is_var("data")) {
    Path path{&frame, &ref, {}, 1, b1, b, b2, modules_.tree.get()};
    for (const Term& item : ref) path.plugged.push_back(&item);
    return eval_tree(std::move(path), next);
  }
  const Term* term = nullptr;
  Bindings* where = b1;
  if (ref[0].is_var("input")) {
    term = frame.input;
  } else {
    const Bound bound = apply(b1, &ref[0]);
    if (bound.term != &ref[0]) {
      term = bound.term;
      where = bound.where;
    }
  }
  if (term == nullptr) return true;
  return eval_inside({&frame, &ref, 1, b1, term, where, b, b2}, next);
}

// A comprehension about something unknown is kept whole, with the values that its body takes from around it.
const Term* Run::amended(const Term* comprehension, Bindings* bindings) {
  Term copy = *comprehension;
  number(copy);
  passes::VarSet vars;
  passes::collect_vars(copy, passes::VarParams{}, vars);
  const std::vector<Bindings::Entry> entries = bindings->values;
  for (const Bindings::Entry& entry : entries) {
    if (!vars.contains(context_.names.intern(entry.key->text))) continue;
    copy.body->exprs.push_back(equality(*entry.key, *plug(bindings, entry.key, root_)));
  }
  passes::renumber(*copy.body);
  name_closure(bindings, copy);
  return keep(std::move(copy));
}

bool Run::biunify_comprehension(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, bool swapped,
                                Next next) {
  if (required(*a, b1)) {
    if (error_) return false;
    const Term* kept = amended(a, b1);
    if (b->is_comprehension()) b = amended(b, b2);
    return swapped ? save_unify(frame, b, kept, b2, b1, next) : save_unify(frame, kept, b, b1, b2, next);
  }
  const bool object = a->kind == TermKind::kObjectComprehension;
  Term result(object                                     ? TermKind::kObject
              : a->kind == TermKind::kArrayComprehension ? TermKind::kArray
                                                         : TermKind::kSet,
              {});
  Frame body = closure(frame, a->body.get());
  const bool ok = eval(body, [&] {
    if (object) {
      const Term* key = plug(body.bindings, &a->items[0]);
      const Term* value = plug(body.bindings, &a->items[1]);
      for (std::size_t i = 0; i < result.items.size(); i += 2) {
        if (!equal(result.items[i], *key)) continue;
        if (equal(result.items[i + 1], *value)) return true;
        return fail("eval_conflict_error", "object keys must be unique", a->items[0].location);
      }
      result.items.push_back(*key);
      result.items.push_back(*value);
    } else {
      result.items.push_back(*plug(body.bindings, &a->items[0]));
    }
    return step();
  });
  if (!ok) return false;
  normalise(result);
  return biunify(frame, keep(std::move(result)), b, b1, b2, next);
}

}  // namespace portcullis::rego::partial
