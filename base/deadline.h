// A point in time after which work is pointless. Passed by value through everything that waits or computes.
#pragma once

#include <chrono>

namespace portcullis {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline never() noexcept { return Deadline(Clock::time_point::max()); }
  static Deadline after(Clock::duration span) noexcept { return Deadline(Clock::now() + span); }
  static Deadline at(Clock::time_point when) noexcept { return Deadline(when); }

  bool passed() const noexcept { return when_ != Clock::time_point::max() && Clock::now() >= when_; }
  bool is_never() const noexcept { return when_ == Clock::time_point::max(); }
  Clock::time_point when() const noexcept { return when_; }
  // Never negative; Clock::duration::max() for never().
  Clock::duration remaining() const noexcept {
    if (is_never()) return Clock::duration::max();
    const auto now = Clock::now();
    return now >= when_ ? Clock::duration::zero() : when_ - now;
  }
  Deadline sooner(Deadline other) const noexcept { return other.when_ < when_ ? other : *this; }

 private:
  explicit Deadline(Clock::time_point when) noexcept : when_(when) {}
  Clock::time_point when_;
};

}  // namespace portcullis
