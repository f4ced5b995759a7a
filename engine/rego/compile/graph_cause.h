// Why a rule may depend on another through a reference with variable steps, in words: for errors about possible
// recursion. "data[x].r refers to data.p.r if x is "p" (x comes from input.x)".
#pragma once

#include <string>
#include <vector>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

// A reference in a rule, where it stands.
struct CauseSite {
  const Context& context;
  const Rule& rule;
  const Module& module;
  std::size_t at;                            // the body's expression that holds it
  const Term& source;                        // as written
  const std::vector<const Term*>& selected;  // as narrowed to one meaning
  const VarSet* bound;                       // what may have a value there; null when no step is variable
};

// Whether the reference means `target` (its full reference given) whatever its variable steps hold. `positions`, when
// wanted, becomes the steps that must equal the target's.
bool selects_rule(const CauseSite& site, const std::vector<Term>& target, std::vector<std::size_t>* positions);

struct Cause {
  std::string reference;  // data[x].r
  std::string condition;  // " refers to … if …" or " could refer to …"
};
Cause describe_cause(const CauseSite& site, const std::vector<Term>& target);

// Every element or value of a constant collection. False when the term is none.
bool members_of(const Term& collection, std::vector<const Term*>& out);

}  // namespace portcullis::rego::passes
