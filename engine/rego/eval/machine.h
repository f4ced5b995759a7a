// The machine that runs a Program, and the state it keeps in an EvalScratch. Only eval/ looks inside.
// Threads: one machine and one state at a time. Errors: kept in error() as OPA names them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/rego/eval/code.h"
#include "engine/rego/eval/program.h"

namespace portcullis::rego {

// What documents are evaluated against: one for the evaluation, further ones inside `with`.
struct Environment {
  Value input;
  Value base;
  Value* memo = nullptr;               // values of documents, by FunctionCode::memo
  std::uint8_t* memo_state = nullptr;  // MemoState
  Value* input_memo = nullptr;         // remembered input paths
  std::uint8_t* input_state = nullptr;
  Value* mocks = nullptr;
};

enum MemoState : std::uint8_t { kMemoEmpty, kMemoDefined, kMemoUndefined };

// One active call.
struct CallFrame {
  const Instruction* call = nullptr;  // where it was called: a, target and imm say what becomes of the result
  std::uint32_t registers = 0;        // index of the caller's R[0]
  std::uint32_t environment = 0;      // the caller's
  std::uint32_t environments = 0;     // how many there were
  std::uint32_t function = 0;
  std::uint32_t remember = 0;  // entry of State::shared_calls for the result, counted from 1; 0: none
};

// A call whose result is shared by the evaluations of one review.
struct SharedCall {
  static constexpr std::uint32_t kMaxArguments = 3;
  std::uint64_t share = 0;
  std::uint32_t function = 0;  // FunctionCode::shared
  Value arguments[kMaxArguments];
  Value result;
};

// A value that conflicts with the first one of a complete rule or function.
struct Conflict {
  std::size_t depth;  // of the frame that found it
  std::uint32_t place;
  Value value;
};

// A call of a nondeterministic builtin and what it gave.
struct RememberedCall {
  const BuiltinDecl* builtin;
  Value arguments;  // an array
  Value result;
};

struct EvalScratch::State {
  ~State();

  Arena arena{0, 64 * 1024};
  std::unique_ptr<Value[]> registers;
  std::size_t register_capacity = 0;
  std::unique_ptr<CallFrame[]> frames;
  std::size_t frame_capacity = 0;
  std::vector<Value> elements;  // stack of what collections are built from
  std::vector<Environment> environments;
  std::vector<Conflict> conflicts;
  std::vector<RememberedCall> calls;
  // What the evaluations of one review share: documents by FunctionCode::shared, and recent calls by their hash.
  static constexpr std::size_t kSharedCalls = 512;
  std::uint64_t share = 0;  // whose the documents are
  std::uint64_t last_share = 0;
  std::vector<Value> shared_documents;
  std::vector<std::uint8_t> shared_states;  // MemoState
  std::unique_ptr<SharedCall[]> shared_calls;
  PatternCache* patterns = nullptr;  // made by the first builtin that needs one
  void (*free_patterns)(PatternCache*) = nullptr;
};

class Machine {
 public:
  Machine(const ProgramCode& program, EvalScratch::State& state, Host& host, const EvalOptions& options);
  ~Machine();

  // Runs a function without arguments. False: error() says why. `result` is undefined when the document is.
  bool run(std::uint32_t function, const Value& input, const Value& base, Value& result);
  EvalError& error() noexcept { return error_; }

 private:
  friend struct Interpreter;

  Value* grow_registers(std::size_t needed);
  void grow_frames();
  void enter_environment(const Value& input, const Value& base);
  bool copy_environment();  // false: a bound was hit
  bool check_budget();      // false: error() is set
  bool fail(std::string code, std::string message, std::uint32_t place);
  bool fail_call_depth(const Instruction* at);
  // After a builtin returned undefined: false aborts.
  bool builtin_failed(const BuiltinDecl& builtin, const Instruction* at);
  void first_conflict(const Value& first, std::uint32_t first_place);
  void add_conflict(std::uint32_t place, const Value& value);
  bool raise_conflicts();
  SharedCall* shared_call(const FunctionCode& callee, const Value* arguments);
  Value call(const BuiltinDecl& builtin, const Value* arguments, std::uint32_t count);
  Value call_once(const BuiltinDecl& builtin, std::span<const Value> arguments);
  bool print(const Value& sets);
  void push_set(const Value& value, Value& mark);
  Value close_object(std::size_t mark, bool& conflict);
  Value close_entries(std::size_t mark, bool& conflict);
  Value base_path(std::uint32_t path) const;
  Value upsert(const Value& document, const Value* keys, std::size_t count, const Value& value);
  Value merge(const Value& a, const Value& b);
  Value union_keys(const Value& base, const Value& more);
  std::uint32_t place_of(const Instruction* at) const noexcept;

  const ProgramCode& program_;
  EvalScratch::State& state_;
  const EvalOptions& options_;
  const std::uint64_t share_;  // EvalOptions::share; 0 where errors must come up again in each evaluation
  BuiltinContext context_;
  Environment* environment_ = nullptr;
  std::uint32_t environment_index_ = 0;
  std::size_t depth_ = 0;    // calls active
  std::int64_t ticks_ = 0;   // until the next check
  std::uint64_t spent_ = 0;  // instructions (calls and loop steps) checked so far
  EvalError error_;
  EvalError first_builtin_error_;
};

}  // namespace portcullis::rego
