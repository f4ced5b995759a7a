// A schema that queries are validated against: a schema document with the types that every schema has, checked.
// Threads: one at a time (validation of a query writes what it finds into the query's tree only). Ownership: points
// into the arena of the document.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/rego/graphql/ast.h"
#include "engine/rego/graphql/budget.h"

namespace portcullis::graphql {

struct Schema {
  Definition* query = nullptr;
  Definition* mutation = nullptr;
  Definition* subscription = nullptr;
  std::unordered_map<std::string_view, Definition*> types;
  std::unordered_map<std::string_view, DirectiveDefinition*> directives;
  std::unordered_map<std::string_view, List<Definition*>> possible_types;

  Definition* type(std::string_view name) const {
    const auto found = types.find(name);
    return found == types.end() ? nullptr : found->second;
  }
  DirectiveDefinition* directive(std::string_view name) const {
    const auto found = directives.find(name);
    return found == directives.end() ? nullptr : found->second;
  }
  // What an interface or union may be at run time.
  List<Definition*> possible(std::string_view name) const {
    const auto found = possible_types.find(name);
    return found == possible_types.end() ? List<Definition*>() : found->second;
  }
};

// Merges extensions into the document's own definitions. False: `error` is the first thing wrong, as OPA words it.
bool build_schema(Budget& budget, const SchemaDocument& document, Schema& out, std::string& error);

// Every rule that `query` breaks, as "input:2:3: message\n" each in OPA's order; empty when it is valid. The caller
// asks the budget whether it got to the end.
std::string validate(Budget& budget, const Schema& schema, QueryDocument& query);

std::string to_string(const TypeRef& type);
std::string to_string(const InputValue& value);
bool compatible(const TypeRef& type, const TypeRef& other);

}  // namespace portcullis::graphql
