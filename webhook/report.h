// What a review leaves behind besides its answer: log lines, Events, statistics and traces.
// Threads: any; immutable. Lifetime: the recorder must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/model/sync.h"
#include "policy/review/result.h"
#include "policy/review/review.h"
#include "policy/review/snapshot.h"

namespace portcullis::kube {
class EventRecorder;
}

namespace portcullis::webhook {

struct ReportOptions {
  bool log_denies = false;
  bool log_stats = false;
  kube::EventRecorder* events = nullptr;  // null: no Events
  bool events_in_involved_namespace = false;
  std::string own_namespace = "gatekeeper-system";

  bool any() const noexcept { return log_denies || events != nullptr; }
};

// One log line and one Event per violation and action. A constraint whose action is unknown has neither: an error line
// says so.
void report_violations(const ReportOptions& options, const policy::Review& review, const policy::ReviewResult& result);

// "admission review request stats"; nothing when no template was evaluated.
void log_review_stats(const policy::Review& review, const policy::ReviewResult& result, bool tracing);

enum class Trace : std::uint8_t { kOff, kTrace, kTraceAndDump };
// What Config's spec.validation.traces asks for.
Trace trace_of(const policy::Traces& traces, const policy::Review& review);

// The text that Config's spec.validation.traces asks for. There is no step-by-step trace of evaluation in it: it names
// the templates that ran, how long they took, and the results.
std::string trace_text(const policy::ReviewResult& result);
// With `dump: All`: what is loaded, as JSON.
std::string dump_text(const policy::Snapshot& snapshot);

}  // namespace portcullis::webhook
