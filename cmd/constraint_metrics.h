// Metrics of each constraint (--constraint-metrics): how many violations it has, how often and how long it was
// evaluated. A series comes with the first fact about its constraint and goes with the constraint; constraints beyond
// the limit are not shown, but counted.
// Threads: any. Cost: a lock and a map lookup per constraint of a review.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "policy/review/result.h"

namespace portcullis::cmd {

class ConstraintMetrics {
 public:
  explicit ConstraintMetrics(std::size_t limit) : limit_(limit) {}

  // What a review of the webhook found (with times, see policy::ReviewOptions).
  void reviewed(const policy::ReviewResult& result);
  // What the last audit found of one constraint.
  void audited(const policy::Constraint& constraint, std::uint64_t violations);
  // Forgets every constraint that `exists` does not know, and until the next call takes in no facts about such: reviews
  // and audits that began before a constraint was deleted must not bring it back. `exists` is kept.
  void prune(std::function<bool(std::string_view kind, std::string_view name)> exists);

  std::string expose() const;

  struct Description {
    std::string_view name;
    std::string_view type;
    std::string_view labels;
    std::string_view help;
  };
  static std::span<const Description> descriptions();

 private:
  struct Series {
    std::string action;
    std::uint64_t violations = 0;  // of the last audit
    bool audited = false;
    std::uint64_t admission_violations = 0;
    std::uint64_t evaluations = 0;
    double seconds = 0;
  };
  using Key = std::pair<std::string, std::string>;  // kind, name
  Series* find(const policy::Constraint& constraint);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::map<Key, Series> series_;
  std::function<bool(std::string_view kind, std::string_view name)> exists_;  // null: all do
  std::uint64_t beyond_limit_ = 0;
};

}  // namespace portcullis::cmd
