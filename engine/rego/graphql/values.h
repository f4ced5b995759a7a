// GraphQL trees as the objects that policies see, and back.
// Threads: one at a time. Cost: linear in the tree.
#pragma once

#include <string>

#include "engine/rego/graphql/ast.h"
#include "engine/rego/graphql/budget.h"
#include "engine/value/value.h"

namespace portcullis::graphql {

// Without positions, nulls, empty lists and empty objects, as OPA prunes them.
Value to_value(Arena& arena, const QueryDocument& document);
Value to_value(Arena& arena, const SchemaDocument& document);

// Reads such an object (of a Value that outlives the tree). Null: `error` says why. What the tree cannot do without
// (the type of a field, the value of an argument) must be there.
QueryDocument* query_of_value(Budget& budget, const Value& value, std::string& error);
SchemaDocument* schema_of_value(Budget& budget, const Value& value, std::string& error);

}  // namespace portcullis::graphql
