// What one audit run found, per constraint, and how complete it was. No I/O.
// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/review/result.h"
#include "policy/review/snapshot.h"
#include "policy/status/status.h"

namespace portcullis::audit {

struct ConstraintReport {
  policy::ConstraintPtr constraint;
  policy::ViolationList violations;
};

class Report {
 public:
  // Every constraint of the snapshot gets an entry, so that constraints without violations are reported too.
  Report(const policy::Snapshot& snapshot, std::size_t violations_limit);

  // Adds what a review of `object` found.
  void add(const Value& object, const policy::ReviewResult& result);
  // A part that could not be looked at ("listing apps/v1, Kind=Deployment: …"). At most 100 are kept, all are counted.
  void incomplete(std::string what);

  const std::map<std::string, ConstraintReport>& constraints() const noexcept { return constraints_; }  // "Kind/name"
  const std::vector<std::string>& gaps() const noexcept { return gaps_; }
  std::uint64_t gap_count() const noexcept { return gap_count_; }
  std::uint64_t objects() const noexcept { return objects_; }
  std::uint64_t total() const noexcept { return total_; }  // violations
  // Violations by action label (deny, dryrun, warn, scoped, unrecognized): all five, zero included; nothing at all
  // where there are no templates.
  const std::map<std::string, std::uint64_t>& by_action() const noexcept { return by_action_; }

 private:
  std::map<std::string, ConstraintReport> constraints_;
  std::map<std::string, std::uint64_t> by_action_;
  std::vector<std::string> gaps_;
  std::uint64_t gap_count_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t objects_ = 0;
};

// Whether any constraint active at the audit point can match objects of this group and kind at all. Pure.
class KindFilter {
 public:
  explicit KindFilter(const policy::Snapshot& snapshot);
  bool wanted(std::string_view group, std::string_view kind) const;
  bool nothing() const noexcept { return !all_ && entries_.empty(); }

 private:
  bool all_ = false;
  std::vector<policy::Match::KindEntry> entries_;
};

}  // namespace portcullis::audit
