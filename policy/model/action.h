// Enforcement actions and enforcement points of constraints (deny, warn, dryrun, scoped).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::policy {

enum class EnforcementPoint : std::uint8_t { kWebhook, kAudit, kGator, kVap };
inline constexpr std::size_t kEnforcementPoints = 4;

// "validation.gatekeeper.sh", "audit.gatekeeper.sh", "gator.gatekeeper.sh", "vap.k8s.io".
std::string_view enforcement_point_name(EnforcementPoint point) noexcept;
std::optional<EnforcementPoint> parse_enforcement_point(std::string_view name) noexcept;

// What a constraint asks for. Threads: immutable once decoded.
struct Enforcement {
  std::string action = "deny";  // as written; "deny" when absent, "" when written as ""
  bool scoped = false;          // action == "scoped": only then are the lists below used
  // Actions at each enforcement point, in the order written, without duplicates.
  std::array<std::vector<std::string>, kEnforcementPoints> at;

  // Whether the constraint is evaluated at `point` at all.
  bool active_at(EnforcementPoint point) const noexcept {
    return !scoped || !at[static_cast<std::size_t>(point)].empty();
  }
  const std::vector<std::string>& scoped_actions(EnforcementPoint point) const noexcept {
    return at[static_cast<std::size_t>(point)];
  }
  // Whether a violation at `point` has `wanted` among its actions.
  bool has_action(EnforcementPoint point, std::string_view wanted) const noexcept;
};

// Reads spec.enforcementAction and spec.scopedEnforcementActions as the engine does: unknown actions are kept.
// Errors (kInvalid), with Gatekeeper's texts: "invalid Constraint: invalid spec.enforcementAction", "missing required
// field: spec.scopedEnforcementActions must be defined", "scopedEnforcementActions value must be a [{…}]".
Result<Enforcement> decode_enforcement(const Value& constraint);

// The stricter check of webhook and controllers (never of the command line): unknown actions and points are errors.
// `quote_value` true: the unknown action is named as it was written (webhook); false: "unrecognized" (pod status).
Result<void> validate_enforcement(const Value& constraint, bool quote_value);

// The label of metrics and audit counts: deny, dryrun, warn, scoped, unrecognized ("" counts as deny).
std::string_view action_label(std::string_view action) noexcept;

}  // namespace portcullis::policy
