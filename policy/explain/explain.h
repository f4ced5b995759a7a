// Why a review ended as it did: which constraints looked at the object, which did not and on which field of spec.match,
// which rule on which line fired, and how long each took. Decisions come from Snapshot::review itself; only what it
// does not say is found out afterwards. A constraint that matches and has no violation shows as satisfied, also where
// the review ended before it (docs/compatibility.md, "Not there yet"). Cost: every constraint is looked at, and the
// templates of violated ones are compiled once per rule (RuleProbes keeps them). For people and logs, not for each
// request of a busy webhook.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/review/snapshot.h"

namespace portcullis::policy {

enum class Verdict : std::uint8_t {
  kViolated,    // matched, and found something
  kSatisfied,   // matched, and found nothing
  kNotMatched,  // some field of spec.match keeps the object out
  kFailed,      // matching or evaluating it was an error, which counts as a violation
  kNotAsked,    // not for this enforcement point or operation, or the namespace is left out by Config
};
std::string_view verdict_name(Verdict verdict) noexcept;

struct FiredRule {
  std::uint32_t line = 0;  // of the template's Rego
  std::string text;
};
struct ExplainedViolation {
  std::string message;
  std::string details;           // JSON
  std::vector<FiredRule> rules;  // empty: could not be told apart
};
struct MatchRefusal {
  std::string field;   // of spec.match
  std::string wanted;  // its JSON
  std::string found;
};

struct ExplainedConstraint {
  std::string kind;
  std::string name;
  std::string action;
  Verdict verdict = Verdict::kNotMatched;
  std::string reason;  // for kNotAsked and kFailed
  std::vector<MatchRefusal> refusals;
  std::vector<ExplainedViolation> violations;
  std::uint64_t run_time_ns = 0;  // of evaluation; 0 when there was none
};

struct Explanation {
  std::string subject;  // "v1 Pod shop/web"
  std::string operation;
  std::string exclusion;  // not empty: Config keeps the namespace out of this process, and nothing was evaluated
  std::string failure;    // the review as a whole failed
  AdmissionResponse response;
  std::uint64_t run_time_ns = 0;
  std::vector<ExplainedConstraint> constraints;  // by verdict, kind, name
  std::size_t left_out = 0;                      // constraints that did not match, beyond the bound
};

// The rules of templates, compiled one by one when first asked for. Keeps the last few templates. Threads: one at a
// time.
class RuleProbes {
 public:
  explicit RuleProbes(DriverOptions options = {}) : options_(options) {}
  const std::vector<ViolationRule>& rules_of(const TemplatePtr& constraint_template);

 private:
  static constexpr std::size_t kKept = 64;
  struct Entry {
    TemplatePtr constraint_template;
    std::vector<ViolationRule> rules;
  };
  DriverOptions options_;
  std::list<Entry> entries_;  // the last used first
};

struct ExplainOptions {
  ReviewOptions review;
  std::string exclusion;                 // see Explanation
  std::size_t max_not_matched = 10'000;  // constraints that did not match are listed up to here
  std::size_t max_violations = 1000;     // of one constraint, of which the rules are looked for
};

// `scratch` holds the review and is not reset. Threads: one for each scratch and probes.
Explanation explain(const Snapshot& snapshot, const Review& review, const InventoryVersion& inventory,
                    rego::EvalScratch& scratch, rego::Host& host, RuleProbes& probes, const ExplainOptions& options);
// The same of a result that is there already (with its times), as the webhook has it.
Explanation explain(const Snapshot& snapshot, const Review& review, const ReviewResult& result,
                    const InventoryVersion& inventory, rego::EvalScratch& scratch, rego::Host& host, RuleProbes& probes,
                    const ExplainOptions& options);

// For people, and for programs (one object, ended by a line feed).
std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation, bool indented = true);

}  // namespace portcullis::policy
