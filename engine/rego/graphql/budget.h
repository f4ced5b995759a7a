// What work on one GraphQL document may cost, and how an error in one reads.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/arena.h"
#include "base/deadline.h"
#include "engine/rego/graphql/ast.h"

namespace portcullis::graphql {

// Depth of nested selections, values, types and fragments in fragments.
inline constexpr int kMaxDepth = 500;
// Steps of validation (comparisons of fields grow with the square of a selection).
inline constexpr std::uint64_t kMaxSteps = 5'000'000;

class Budget {
 public:
  Budget(Arena& a, Deadline d) : arena(a), deadline_(d) {}

  Arena& arena;

  // False once the work costs too much; it stays so and the caller unwinds.
  bool spend(std::uint64_t steps = 1) noexcept {
    steps_ += steps;
    if (steps_ >= check_at_) check();
    return !exhausted_;
  }
  bool exhausted() const noexcept { return exhausted_; }
  void exhaust() noexcept { exhausted_ = true; }

 private:
  void check() noexcept {
    check_at_ = steps_ + 1024;
    if (steps_ > kMaxSteps || arena.exceeded() || deadline_.passed()) exhausted_ = true;
  }
  Deadline deadline_;
  std::uint64_t steps_ = 0;
  std::uint64_t check_at_ = 1024;
  bool exhausted_ = false;
};

// "input:2:3: message", as the errors of a document read; a node without a text has -1:-1.
std::string located(const Position& position, std::string_view message);

}  // namespace portcullis::graphql
