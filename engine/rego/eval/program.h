// A compiled, immutable program and the machine that runs it.
// Threads: a Program may be run by any number of threads at once, each with an EvalScratch of its own.
// Ownership: a Program owns its constants; results live in the EvalScratch until its reset().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/error.h"
#include "engine/rego/eval/builtin.h"
#include "engine/value/value.h"

namespace portcullis::rego {

class DataIndex;     // of the base data: engine/rego/eval/data_index.h
struct ProgramCode;  // instructions and tables: engine/rego/eval/code.h (only compile/ and eval/ look inside)

// Bounds of one evaluation. Defaults are the command line's; the controller sets tighter ones.
struct EvalLimits {
  Deadline deadline = Deadline::never();
  std::uint64_t instructions = 0;  // 0: no bound
  std::size_t arena_bytes = std::size_t{1} << 30;
  std::uint32_t call_depth = 1000;
};

// Everything one evaluation needs that outlives it: arena, register stack, memo tables, pattern cache. Reused from
// review to review so that the steady state allocates nothing.
// Threads: one at a time.
class EvalScratch {
 public:
  EvalScratch();
  ~EvalScratch();
  EvalScratch(const EvalScratch&) = delete;
  EvalScratch& operator=(const EvalScratch&) = delete;

  Arena& arena() noexcept;  // results and anything the caller builds for one review (e.g. the input object)
  void reset() noexcept;    // invalidates every Value made since the last reset

  // A number for EvalOptions::share that no other evaluations of this scratch had.
  std::uint64_t new_share() noexcept;

  struct State;
  State& state() noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// What stopped or spoilt an evaluation, as OPA names it.
struct EvalError {
  std::string code;  // "eval_conflict_error", "eval_builtin_error", "eval_type_error", "eval_cancel_error", …
  std::string message;
  std::string file;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  // "file:row: code: message" as OPA prints it ("row:column: …" when there is no file).
  std::string to_string() const;
};

struct EvalOptions {
  EvalLimits limits;
  bool strict_builtin_errors = false;
  std::int64_t now_ns = 0;           // 0: ask the host
  const DataIndex* index = nullptr;  // of `data`; null: there is none
  // Evaluations with the same number (EvalScratch::new_share, 0: none) share what does not depend on
  // PlanOptions::varying_input. They must run in one scratch without a reset between them, on the same data and input
  // but for those members, and on programs planned from the same modules. With strict_builtin_errors nothing is shared:
  // a value would hide the error that made it undefined.
  std::uint64_t share = 0;
};

class Program {
 public:
  explicit Program(std::unique_ptr<const ProgramCode> code);
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  // Index of an entry point by its path ("data.foo.violation"), or -1.
  int entry_point(std::string_view path) const noexcept;

  // Evaluates one entry point. Undefined is a success with an undefined Value. `input` and `data` may be undefined
  // (`data` is the base document: {} when undefined); both must outlive the result.
  Result<Value, EvalError> eval(int entry_point, const Value& input, const Value& data, EvalScratch& scratch,
                                Host& host, const EvalOptions& options = {}) const;

  // A query's result set (programs made by compile_query): an array of objects
  // {"expressions": [value…], "bindings": {var: value}}. Undefined query: empty array.
  Result<Value, EvalError> eval_query(const Value& input, const Value& data, EvalScratch& scratch, Host& host,
                                      const EvalOptions& options = {}) const;

  // Whether it asks EvalOptions::index for something.
  bool uses_indexes() const noexcept;

  // A readable listing of the instructions, with source lines.
  std::string listing() const;
  std::size_t memory() const noexcept;
  const ProgramCode& code() const noexcept { return *code_; }

 private:
  std::unique_ptr<const ProgramCode> code_;
};

}  // namespace portcullis::rego
