// Collecting violations, and which kinds are worth listing.
#include "audit/report.h"

#include <algorithm>

#include "policy/model/action.h"
#include "policy/model/object.h"

namespace portcullis::audit {

namespace {

constexpr std::size_t kKeptGaps = 100;

bool names(const std::vector<std::string>& list, std::string_view candidate) {
  return list.empty() || std::any_of(list.begin(), list.end(),
                                     [&](const std::string& entry) { return entry == "*" || entry == candidate; });
}

}  // namespace

Report::Report(const policy::Snapshot& snapshot, std::size_t violations_limit) {
  if (snapshot.template_count() == 0) return;
  for (const char* action : {"deny", "dryrun", "scoped", "unrecognized", "warn"}) by_action_[action] = 0;
  snapshot.for_each_constraint([&](const policy::LoadedConstraint& loaded) {
    constraints_.emplace(loaded.constraint->kind + "/" + loaded.constraint->name,
                         ConstraintReport{loaded.constraint, policy::ViolationList(violations_limit)});
  });
}

void Report::add(const Value& object, const policy::ReviewResult& result) {
  ++objects_;
  if (result.violations.empty()) return;
  const policy::ObjectKind kind = policy::kind_of(object);
  for (const policy::Violation& found : result.violations) {
    const auto entry = constraints_.find(found.constraint->kind + "/" + found.constraint->name);
    if (entry == constraints_.end()) continue;
    policy::AuditViolation violation;
    violation.group = kind.group;
    violation.version = kind.version;
    violation.kind = kind.kind;
    violation.ns = policy::namespace_of(object);
    violation.name = policy::name_of(object);
    violation.message = found.message;
    violation.enforcement_action = found.action();
    if (found.scoped_actions != nullptr) violation.enforcement_actions = *found.scoped_actions;
    entry->second.violations.add(std::move(violation));
    ++total_;
    // An empty action is taken by nobody, and counts by itself.
    ++by_action_[found.action().empty() ? std::string() : std::string(policy::action_label(found.action()))];
  }
}

void Report::incomplete(std::string what) {
  ++gap_count_;
  if (gaps_.size() < kKeptGaps) gaps_.push_back(std::move(what));
}

KindFilter::KindFilter(const policy::Snapshot& snapshot) {
  snapshot.for_each_constraint([&](const policy::LoadedConstraint& loaded) {
    if (!loaded.constraint->enforcement.active_at(policy::EnforcementPoint::kAudit)) return;
    const auto& kinds = loaded.match.kinds();
    if (kinds.empty()) all_ = true;
    entries_.insert(entries_.end(), kinds.begin(), kinds.end());
  });
}

bool KindFilter::wanted(std::string_view group, std::string_view kind) const {
  return all_ || std::any_of(entries_.begin(), entries_.end(), [&](const policy::Match::KindEntry& entry) {
           return names(entry.groups, group) && names(entry.kinds, kind);
         });
}

}  // namespace portcullis::audit
