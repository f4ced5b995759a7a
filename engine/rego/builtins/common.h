// What the builtin families share: operand checks with OPA's messages, and result makers.
// Threads: any. Errors: recorded in the context; the caller then returns undefined.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/builtin.h"
#include "engine/value/value.h"

namespace portcullis::rego::builtins {

using Args = std::span<const Value>;

// Bytes that one builtin call may produce; what would be larger aborts the evaluation.
inline constexpr std::size_t kMaxResultBytes = std::size_t{256} << 20;

// The argument at `index` (from 0) as the named kind. nullopt: the error is in the context.
std::optional<std::string_view> string_operand(BuiltinContext& context, Args arguments, std::size_t index);
std::optional<std::int64_t> int_operand(BuiltinContext& context, Args arguments, std::size_t index);
bool number_operand(BuiltinContext& context, Args arguments, std::size_t index);
bool array_operand(BuiltinContext& context, Args arguments, std::size_t index);
bool object_operand(BuiltinContext& context, Args arguments, std::size_t index);
bool set_operand(BuiltinContext& context, Args arguments, std::size_t index);

// "operand <n> <message>" as an eval_type_error; `operand` counts from 1.
Value operand_error(BuiltinContext& context, int operand, std::string message);
// "operand <n> must be one of {a, b} but got <kind>".
Value operand_type_error(BuiltinContext& context, int operand, std::initializer_list<std::string_view> want,
                         const Value& got);
// "operand <n> must be array of strings but got array containing <kind>".
Value operand_element_error(BuiltinContext& context, int operand, const Value& composite, const Value& got,
                            std::string_view want);

// A number's text as an int64 the way OPA reads integer operands: a sign, digits, and zeros after a point.
std::optional<std::int64_t> plain_int(const Value& number);

inline Value text_result(BuiltinContext& context, std::string_view text) { return make_string(context.arena, text); }
// `argument` itself when it already has this text (no copy), else a new string.
Value text_or_argument(BuiltinContext& context, const Value& argument, std::string_view text);
// Aborts with OPA's wording for a call that ran out of its budget: "<name>: timed out before finishing".
Value out_of_budget(BuiltinContext& context, std::string_view name);

// A growing list of values whose first elements need no heap.
class ValueList {
 public:
  using value_type = Value;
  void push_back(const Value& value) {
    if (size_ < kInline) {
      inline_[size_++] = value;
      return;
    }
    if (heap_.empty()) heap_.assign(inline_, inline_ + kInline);
    heap_.push_back(value);
    ++size_;
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::span<const Value> view() const noexcept {
    return size_ <= kInline ? std::span<const Value>(inline_, size_) : std::span<const Value>(heap_);
  }

 private:
  static constexpr std::size_t kInline = 24;
  Value inline_[kInline];
  std::vector<Value> heap_;
  std::size_t size_ = 0;
};

// A vector that keeps its room from call to call, so that builtins take nothing from the heap in the steady state. Each
// thread has a few of every type, handed out as a stack: a Kept lives in a scope. What grew large is given back.
template <typename T>
class Kept {
 public:
  Kept() noexcept {
    if (depth()++ < kSpare) vector_.swap(spare(depth() - 1));
    vector_.clear();
  }
  ~Kept() {
    if (--depth() < kSpare && vector_.capacity() * sizeof(T) <= kMaxBytes) vector_.swap(spare(depth()));
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  std::vector<T>& operator*() noexcept { return vector_; }

 private:
  static constexpr std::size_t kSpare = 4;
  static constexpr std::size_t kMaxBytes = 16 * 1024;
  static std::size_t& depth() noexcept {
    static thread_local std::size_t value = 0;
    return value;
  }
  static std::vector<T>& spare(std::size_t at) noexcept {
    static thread_local std::vector<T> vectors[kSpare];
    return vectors[at];
  }

  std::vector<T> vector_;
};

// string_view::find in linear time, whatever is looked for.
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0) noexcept;

bool is_ascii(std::string_view text) noexcept;
std::size_t rune_count(std::string_view text) noexcept;

}  // namespace portcullis::rego::builtins
