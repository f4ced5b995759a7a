// The audit's log lines and Events, with Gatekeeper's keys and words.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/report.h"
#include "engine/value/value.h"
#include "policy/review/result.h"

namespace portcullis::kube {
class EventRecorder;
}

namespace portcullis::audit {

// "controller", and the process that every line names.
inline constexpr std::string_view kLogger = "controller";
inline constexpr std::string_view kProcess = "audit";

void log_violation(const Value& object, const policy::Violation& violation, const std::string& audit_id);
// "audit results for constraint"; only for constraints with violations.
void log_constraint(const ConstraintReport& report, const std::string& audit_id);
void log_stats(const policy::ReviewResult& result, bool from_cache, const std::string& audit_id);

struct EventOptions {
  kube::EventRecorder* recorder = nullptr;  // null: no Events
  bool in_involved_namespace = false;
  std::string own_namespace = "gatekeeper-system";
};
void emit_event(const EventOptions& options, const Value& object, const policy::Violation& violation,
                const std::string& audit_id);

}  // namespace portcullis::audit
