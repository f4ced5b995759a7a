// Evaluates a query as OPA's own evaluator does, step by step, and tells a Tracer each step: explanations, profiles and
// coverage come from here. Results are the ones of Program::eval_query; it is slow, and only tools use it.
// Threads: one Walk per thread. Ownership: modules and query must outlive the Walk, `arena` and `host` too; results
// live in `arena`. Errors: what OPA calls the kind of error; the message of a conflict lacks the list of values (a
// Program has it). Bounds: deadline, the arena's ceiling, and how deep evaluation may nest.
#pragma once

#include <memory>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/error.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/builtin.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/trace/event.h"

namespace portcullis::rego::trace {

struct WalkOptions {
  bool strict_builtin_errors = false;
  bool indexing = true;    // false: every rule is tried
  bool early_exit = true;  // false: a rule whose value is known by then is tried all the same
  Deadline deadline = Deadline::never();
  std::int64_t now_ns = 0;  // 0: ask the host
};

// The query's body as it is walked: expressions whose value is shown have a variable for it.
class Walk {
 public:
  Walk(const CheckedModules& modules, const CheckedQuery& query, Tracer& tracer, Host& host, Arena& arena,
       const WalkOptions& options);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  // Program::eval_query's array. Called once.
  Result<Value, EvalError> run(const Value& input, const Value& data);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace portcullis::rego::trace
