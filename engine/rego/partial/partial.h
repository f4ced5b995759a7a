// Partial evaluation: a query is evaluated as far as it goes while parts of the input or of data are unknown. What is
// left is given as queries (any of which answers the question) and rules that they refer to, as OPA v1.22.2 gives it.
// Threads: any; one run at a time per arena and host. Ownership: the result owns its trees; the modules and the query
// must outlive the call only. Cost: bounded by PartialLimits; a run past a bound fails.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/builtin.h"
#include "engine/rego/syntax/ast.h"
#include "engine/value/value.h"

namespace portcullis::rego {

struct PartialLimits {
  Deadline deadline = Deadline::never();
  std::uint64_t steps = 20'000'000;                // unifications, expressions, terms visited
  std::uint64_t terms = 10'000'000;                // nodes of terms made
  std::size_t stack_bytes = std::size_t{5} << 20;  // of the calling thread's stack
};

struct PartialOptions {
  std::vector<Term> unknowns;          // references or variables; `input` when empty
  std::vector<Term> disable_inlining;  // references to documents that are kept as rules
  bool shallow_inlining = false;
  bool nondeterministic_builtins = false;  // call them when their arguments are known
  bool strict_builtin_errors = false;
  RegoVersion version = RegoVersion::kV1;
  PartialLimits limits = {};
};

struct PartialResult {
  std::vector<Body> queries;
  std::vector<Module> support;  // by package
};

// The query must have been checked with `==` already turned into `=` (unify_equals()): that is what rules have, and
// what OPA makes of it after it has checked the query as written. Places in the result point into the sources of
// modules and query. `input` and `data` are what is known; undefined input: nothing. Errors: eval_* codes as an
// evaluation has them, kLimit's text for a bound.
void unify_equals(Body& query);
Result<PartialResult, EvalError> partial_evaluate(const CheckedModules& modules, const CheckedQuery& query,
                                                  const Value& input, const Value& data, Arena& arena, Host& host,
                                                  const PartialOptions& options);

}  // namespace portcullis::rego
