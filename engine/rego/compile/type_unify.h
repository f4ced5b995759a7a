// Whether types can be equal, and what variables must be for a term to have a type.
#pragma once

#include "engine/rego/compile/type_scope.h"

namespace portcullis::rego {

// Some value may have both types. Unknown (null) types unify with nothing.
bool unifies(const TypePtr& a, const TypePtr& b);

// The term can have the type. Variables in it of which nothing is known get their type from it; with `join`, a
// variable's type becomes the union of what it was and what is asked.
bool unify_term(TypeScope& scope, const Term& term, const TypePtr& type, bool join);

// Two terms, of the types given (null when unknown), can be equal; variables learn from the other side.
bool unify_terms(TypeScope& scope, const Term& a, const TypePtr& type_a, const Term& b, const TypePtr& type_b);

}  // namespace portcullis::rego
