#include "engine/rego/compile/type_unify.h"

#include <algorithm>

namespace portcullis::rego {
namespace {

bool any_unifies(const Type& any, const TypePtr& other) {
  if (other->kind == TypeKind::kFunction) return false;
  if (any.alternatives.empty()) return true;
  return std::any_of(any.alternatives.begin(), any.alternatives.end(),
                     [&](const TypePtr& alternative) { return unifies(alternative, other); });
}

const TypePtr& item_at(const Type& array, std::size_t at) {
  return at < array.items.size() ? array.items[at] : array.dynamic;
}

bool array_items_unify(const Type& a, const Type& b) {
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!unifies(a.items[i], item_at(b, i))) return false;
  }
  return true;
}

bool properties_unify(const TypePtr& a, const TypePtr& b) {
  for (const auto& [key, type] : a->properties) {
    const TypePtr other = types::select(b, key);
    if (!other) {
      if (a->dynamic_value || b->dynamic_value) continue;
      return false;
    }
    if (!unifies(type, other)) return false;
  }
  return true;
}

bool functions_unify(const Type& a, const Type& b) {
  if (a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!unifies(a.items[i], b.items[i])) return false;
  }
  return true;
}

bool same_kind_unifies(const TypePtr& a, const TypePtr& b) {
  switch (a->kind) {
    case TypeKind::kArray:
      return array_items_unify(*a, *b) && array_items_unify(*b, *a) &&
             (!a->dynamic || !b->dynamic || unifies(a->dynamic, b->dynamic));
    case TypeKind::kObject:
      return properties_unify(a, b) && properties_unify(b, a) &&
             (!a->dynamic_value || !b->dynamic_value || unifies(a->dynamic_value, b->dynamic_value));
    case TypeKind::kSet:
      return !a->dynamic || !b->dynamic || unifies(a->dynamic, b->dynamic);  // the empty set fits all
    case TypeKind::kFunction: return functions_unify(*a, *b);
    default: return true;
  }
}

bool unify_array(TypeScope& scope, const Term& array, const Type& type, bool join) {
  if (array.items.size() != type.items.size() && !type.dynamic) return false;
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    if (!unify_term(scope, array.items[i], item_at(type, i), join)) return false;
  }
  return true;
}

bool unify_object(TypeScope& scope, const Term& object, const TypePtr& type, bool join) {
  if (object.items.size() / 2 != type->properties.size() && !type->dynamic_value) return false;
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
    if (!is_constant_term(object.items[i])) {
      unify_term(scope, object.items[i + 1], types::any(), join);
      continue;
    }
    const TypePtr child = select_constant(type, object.items[i]);
    if (!child || !unify_term(scope, object.items[i + 1], child, join)) return false;
  }
  return true;
}

bool unify_set(TypeScope& scope, const Term& set, const TypePtr& type, bool join) {
  const TypePtr of = types::values(type);
  return std::all_of(set.items.begin(), set.items.end(),
                     [&](const Term& item) { return unify_term(scope, item, of, join); });
}

// A composite term against `any` or a union: every alternative that fits contributes.
bool unify_with_any(TypeScope& scope, const Term& term, const TypePtr& type) {
  if (types::is_any(type)) {
    for (const Term& item : term.items) unify_term(scope, item, types::any(), true);
    return true;
  }
  bool fits = false;
  for (const TypePtr& alternative : type->alternatives) fits = unify_term(scope, term, alternative, true) || fits;
  return fits;
}

bool unify_variable(TypeScope& scope, const Term& variable, const TypePtr& type, bool join) {
  const TypePtr known = scope.type_of_variable(variable.text);
  if (join) {
    scope.put_variable(variable, types::either(known, type));
  } else if (known) {
    return unifies(known, type);
  } else {
    scope.put_variable(variable, type);
  }
  return true;
}

bool learn_from_each_other(TypeScope& scope, const Term& a, const Term& b) {
  return unify_term(scope, a, types::any(), false) && unify_term(scope, b, scope.type_of(a), false);
}

bool unify_arrays(TypeScope& scope, const Term& array, const Term& other) {
  if (other.kind == TermKind::kVar) return learn_from_each_other(scope, array, other);
  if (other.kind != TermKind::kArray || array.items.size() != other.items.size()) return false;
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    const Term& x = array.items[i];
    const Term& y = other.items[i];
    if (!unify_terms(scope, x, scope.type_of(x), y, scope.type_of(y))) return false;
  }
  return true;
}

bool unify_objects(TypeScope& scope, const Term& object, const Term& other) {
  if (other.kind == TermKind::kVar) return learn_from_each_other(scope, object, other);
  if (other.kind != TermKind::kObject || object.items.size() != other.items.size()) return false;
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {  // both are in the order of their keys
    if (!equal(object.items[i], other.items[i])) return false;
  }
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
    const Term& x = object.items[i + 1];
    const Term& y = other.items[i + 1];
    if (!unify_terms(scope, x, scope.type_of(x), y, scope.type_of(y))) return false;
  }
  return true;
}

}  // namespace

bool unifies(const TypePtr& a, const TypePtr& b) {
  if (!a || !b) return false;
  const bool any_a = a->kind == TypeKind::kAny;
  const bool any_b = b->kind == TypeKind::kAny;
  if (any_a && any_unifies(*a, b)) return true;
  if (any_b && any_unifies(*b, a)) return true;
  if (any_a || any_b || a->kind != b->kind) return false;
  return same_kind_unifies(a, b);
}

bool unify_term(TypeScope& scope, const Term& term, const TypePtr& type, bool join) {
  switch (term.kind) {
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet: {
      if (!type) return false;
      if (type->kind == TypeKind::kAny) return unify_with_any(scope, term, type);
      if (term.kind == TermKind::kArray) return type->kind == TypeKind::kArray && unify_array(scope, term, *type, join);
      if (term.kind == TermKind::kSet) return type->kind == TypeKind::kSet && unify_set(scope, term, type, join);
      return type->kind == TypeKind::kObject && unify_object(scope, term, type, join);
    }
    case TermKind::kVar: return unify_variable(scope, term, type, join);
    default: return unifies(scope.type_of(term), type);
  }
}

bool unify_terms(TypeScope& scope, const Term& a, const TypePtr& type_a, const Term& b, const TypePtr& type_b) {
  const bool unknown_a = types::unknown(type_a);
  const bool unknown_b = types::unknown(type_b);
  if (unknown_a && !unknown_b) return unify_term(scope, a, type_b, false);
  if (unknown_b && !unknown_a) return unify_term(scope, b, type_a, false);
  if (!unknown_a) return unifies(type_a, type_b);

  switch (a.kind) {
    case TermKind::kArray: return unify_arrays(scope, a, b);
    case TermKind::kObject: return unify_objects(scope, a, b);
    case TermKind::kVar:
      if (b.kind == TermKind::kVar) return learn_from_each_other(scope, a, b);
      if (b.kind == TermKind::kArray) return unify_arrays(scope, b, a);
      if (b.kind == TermKind::kObject) return unify_objects(scope, b, a);
      if (b.kind == TermKind::kRef) return unify_term(scope, a, types::any(), false);
      break;
    case TermKind::kRef:
      if (b.kind == TermKind::kVar) return unify_term(scope, b, types::any(), false);
      break;
    default: break;
  }
  // A variable of which nothing is known takes what is known of the other side, incomplete as it is.
  if (a.kind == TermKind::kVar && !type_a && type_b) return unify_term(scope, a, type_b, false);
  if (b.kind == TermKind::kVar && !type_b && type_a) return unify_term(scope, b, type_a, false);
  return false;
}

}  // namespace portcullis::rego
