// Reads GraphQL queries and schemas.
// Threads: one at a time. Ownership: nodes live in the budget's arena, texts there or in the input, which must outlive
// them. Errors: "input:2:3: message" as OPA words it; a document nested deeper than kMaxDepth and one that exhausts the
// budget are errors too. Cost: linear.
#pragma once

#include <string>
#include <string_view>

#include "engine/rego/graphql/ast.h"
#include "engine/rego/graphql/budget.h"

namespace portcullis::graphql {

// Null: `error` says why.
QueryDocument* parse_query(Budget& budget, std::string_view text, std::string& error);
SchemaDocument* parse_schema(Budget& budget, std::string_view text, bool built_in, std::string& error);

}  // namespace portcullis::graphql
