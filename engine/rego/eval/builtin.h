// What a builtin is. Families declare constexpr tables of BuiltinDecl (engine/rego/builtins/*.cpp); the registry joins
// them; compiler, type checker, capabilities and docs read the same tables. No static registration.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/deadline.h"
#include "engine/value/value.h"

namespace portcullis::rego {

// What evaluation may ask of the outside. The pure engine has no clock, randomness, environment or network of its own.
// Threads: implementations are called from whatever thread evaluates.
class Host {
 public:
  virtual ~Host() = default;
  virtual std::int64_t now_ns() { return 0; }                             // wall clock, Unix nanoseconds
  virtual std::uint64_t random_seed() { return 0; }                       // rand.*, uuid
  virtual void print(std::string_view line) { static_cast<void>(line); }  // print(), with location prefix if any
  // internal.test_case(): a case of a test rule begins; `path` is an array of its keys.
  virtual void test_case(const Value& path) { static_cast<void>(path); }
  // opa.runtime(): an object in `arena`; undefined: builtin is off.
  virtual Value runtime(Arena& arena) {
    static_cast<void>(arena);
    return Value::undefined();
  }
  // http.send, net.lookup_ip_addr, external_data: undefined plus an error text means "off" or "failed".
  virtual Value call_out(std::string_view builtin, Arena& arena, std::span<const Value> arguments, std::string& error) {
    static_cast<void>(arena);
    static_cast<void>(arguments);
    error = std::string(builtin) + " is not enabled here";
    return Value::undefined();
  }
};

class PatternCache;  // compiled regexes and globs, bounded, per EvalScratch; engine/rego/builtins/pattern_cache.h

// Handed to every builtin call. Results are built in `arena` and may share what the arguments point at.
class BuiltinContext {
 public:
  BuiltinContext(Arena& a, Host& h) : arena(a), host(h) {}

  Arena& arena;
  Host& host;
  Deadline deadline = Deadline::never();
  // Kept by the EvalScratch from evaluation to evaluation. Null at first: the builtin that needs one makes it and sets
  // both members; the scratch calls free_patterns when it dies.
  PatternCache* patterns = nullptr;
  void (*free_patterns)(PatternCache*) = nullptr;
  // Stable within one evaluation: time.now_ns() returns the same value throughout (OPA semantics).
  std::int64_t now_ns = 0;
  // State a builtin keeps for one evaluation (rand, uuid memo, http cache): keyed by an address the builtin owns.
  // Null when the evaluation keeps none.
  void* evaluation_state = nullptr;
  // Where OPA says a called builtin may stop early because a budget ran out. A builtin whose cost is not bounded by the
  // size of its arguments must call it regularly and return undefined when it says true.
  bool over_budget() noexcept { return arena.exceeded() || deadline.passed(); }

  // Records an error and returns undefined: in non-strict evaluation the call is undefined, in strict mode the query
  // fails with "eval_builtin_error: <name>: <message>".
  Value fail(std::string message);
  // "eval_type_error: <name>: operand <n> must be <want> but got <kind>" (n counts from 1).
  Value fail_operand(int operand, std::string_view want, const Value& got);
  // Errors that abort evaluation even in non-strict mode (OPA's topdown.Halt): cancelled, limits.
  Value abort(std::string message);

  bool failed() const noexcept { return !error.empty(); }
  std::string error;           // message without "<name>: "
  bool error_is_type = false;  // eval_type_error rather than eval_builtin_error
  bool error_aborts = false;
};

using BuiltinFunction = Value (*)(BuiltinContext& context, std::span<const Value> arguments);

enum BuiltinFlag : std::uint8_t {
  kPure = 0,              // same arguments, same result: may be folded and shared
  kNondeterministic = 1,  // rand, time.now_ns, uuid, http.send …: never folded
  kRelation = 2,          // returns a set of results to iterate over (walk)
  kDeprecated = 4,        // refused in v1/strict: "deprecated built-in function calls in expression: …"
  kCompilerOnly = 8,      // rewritten by the compiler (print, internal.print); no function
};

struct BuiltinDecl {
  std::string_view name;
  std::array<std::string_view, 6> arguments;  // types in the text form of type.h; unused ones are empty
  std::string_view result;                    // empty: none (print)
  BuiltinFunction function = nullptr;
  std::uint8_t flags = kPure;
  std::string_view infix = {};  // "+", "==", … for messages
  bool variadic = false;        // the last argument type may repeat
};

// All builtins of the program, and what an evaluation may not use (--disable-opa-builtin, capabilities).
class BuiltinRegistry {
 public:
  struct Entry {
    const BuiltinDecl* decl;
    std::uint32_t index;
    bool disabled = false;
  };
  explicit BuiltinRegistry(std::span<const std::span<const BuiltinDecl>> families);

  // Null when there is none of that name or it is disabled.
  const Entry* find(std::string_view name) const noexcept;
  const Entry& at(std::uint32_t index) const noexcept { return entries_[index]; }
  std::span<const Entry> entries() const noexcept { return entries_; }
  void disable(std::string_view name);

 private:
  std::vector<Entry> entries_;  // sorted by name
};

}  // namespace portcullis::rego
