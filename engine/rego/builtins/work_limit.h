// A bound on the steps of one builtin call whose cost can outgrow its arguments.
// Threads: one at a time.
#pragma once

#include <cstdint>

#include "engine/rego/eval/builtin.h"

namespace portcullis::rego::builtins {

class WorkLimit {
 public:
  WorkLimit(BuiltinContext& context, std::uint64_t most) : context_(context), most_(most) {}

  // False once there were too many steps, or the evaluation's deadline or memory ran out. It stays so: callers unwind.
  bool spend(std::uint64_t steps = 1) {
    steps_ += steps;
    if (steps_ >= check_at_) {
      check_at_ = steps_ + kInterval;
      if (steps_ > most_ || context_.over_budget()) exhausted_ = true;
    }
    return !exhausted_;
  }
  bool exhausted() const noexcept { return exhausted_; }
  void exhaust() noexcept { exhausted_ = true; }

 private:
  static constexpr std::uint64_t kInterval = 512;
  BuiltinContext& context_;
  std::uint64_t most_;
  std::uint64_t steps_ = 0;
  std::uint64_t check_at_ = kInterval;
  bool exhausted_ = false;
};

}  // namespace portcullis::rego::builtins
