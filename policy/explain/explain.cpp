// From a review's result to what each constraint had to do with it.
#include "policy/explain/explain.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "engine/value/json.h"
#include "policy/review/review_input.h"

namespace portcullis::policy {

namespace {

std::string subject_of(const Review& review, const Value& object) {
  const ObjectKind kind = kind_of(object);
  std::string out = kind.kind.empty() ? std::string(review.kind) : kind.api_version() + " " + std::string(kind.kind);
  std::string name(name_of(object));
  if (name.empty()) name = std::string(review.display_name());
  std::string ns(namespace_of(object));
  if (ns.empty() && !kind.is_namespace()) ns = std::string(review.ns);
  out += ' ';
  if (!ns.empty()) out += ns + "/";
  return out + name;
}

class Explainer {
 public:
  Explainer(const Review& review, const ReviewResult& result, const InventoryVersion& inventory,
            rego::EvalScratch& scratch, rego::Host& host, RuleProbes& probes, const ExplainOptions& options)
      : review_(review), inventory_(inventory), scratch_(scratch), host_(host), probes_(probes), options_(options) {
    object_ = review.operation == Operation::kDelete ? review.old_object : review.object;
    ns_ = review.match_namespace;
    if (!ns_.defined() && !review.ns.empty()) ns_ = inventory.namespace_object(review.ns);
    for (const ConstraintTime& time : result.times) times_[time.constraint.get()] = time.run_time_ns;
    for (const Violation& violation : result.violations) violations_[violation.constraint.get()].push_back(&violation);
  }

  ExplainedConstraint explain(const LoadedConstraint& loaded, const ConstraintTemplate& constraint_template) {
    const Constraint& constraint = *loaded.constraint;
    ExplainedConstraint out;
    out.kind = constraint.kind;
    out.name = constraint.name;
    out.action = constraint.enforcement.action;
    if (!options_.exclusion.empty()) return not_asked(std::move(out), options_.exclusion);
    if (!constraint.enforcement.active_at(options_.review.point)) {
      return not_asked(std::move(out), "spec.scopedEnforcementActions does not name " +
                                           std::string(enforcement_point_name(options_.review.point)));
    }
    if (options_.review.point == EnforcementPoint::kWebhook &&
        !constraint_template.matches_operation(review_.operation_text)) {
      return not_asked(std::move(out), "the template's operations do not name " + std::string(review_.operation_text));
    }
    std::string error;
    const MatchOutcome outcome = loaded.match.matches(object_, review_.old_object, ns_, review_.source, error);
    if (outcome == MatchOutcome::kNo) return not_matched(std::move(out), loaded);
    if (const auto time = times_.find(&constraint); time != times_.end()) out.run_time_ns = time->second;
    const auto found = violations_.find(&constraint);
    if (found == violations_.end()) {
      out.verdict = Verdict::kSatisfied;
      return out;
    }
    for (const Violation* violation : found->second) {
      const bool went_wrong = violation->details == "null" && violation->message.find("_error: ") != std::string::npos;
      if (violation->details.empty() || went_wrong) {  // made by the review, not by a rule
        out.verdict = Verdict::kFailed;
        out.reason = violation->message;
        continue;
      }
      out.verdict = Verdict::kViolated;
      out.violations.push_back({violation->message, violation->details, {}});
    }
    if (!out.violations.empty()) out.verdict = Verdict::kViolated;
    return out;
  }

  void find_rules(ExplainedConstraint& explained, const LoadedConstraint& loaded, const TemplatePtr& from) {
    if (explained.violations.empty() || explained.violations.size() > options_.max_violations) return;
    const std::vector<ViolationRule>& rules = probes_.rules_of(from);
    if (rules.size() == 1) {  // it was that one
      for (ExplainedViolation& violation : explained.violations)
        violation.rules.push_back({rules[0].line, rules[0].text});
      return;
    }
    if (!input_.defined()) {
      Review with_object = review_;
      with_object.object = object_;
      input_ = make_review_input(scratch_.arena(), with_object);
    }
    for (const ViolationRule& rule : rules) {
      if (options_.review.limits.deadline.passed()) return;
      std::vector<Finding> findings;
      const CompiledConstraint alone{rule.alone, nullptr};
      const Result<void> evaluated = evaluate_constraint(alone, *loaded.constraint, input_, inventory_.data(), scratch_,
                                                         host_, options_.review.limits, findings);
      if (!evaluated.ok()) continue;
      for (const Finding& finding : findings) {
        const std::string details = to_json(finding.details);
        for (ExplainedViolation& violation : explained.violations) {
          if (violation.message == finding.message && violation.details == details)
            violation.rules.push_back({rule.line, rule.text});
        }
      }
    }
  }

 private:
  static ExplainedConstraint not_asked(ExplainedConstraint out, std::string reason) {
    out.verdict = Verdict::kNotAsked;
    out.reason = std::move(reason);
    return out;
  }

  ExplainedConstraint not_matched(ExplainedConstraint out, const LoadedConstraint& loaded) const {
    out.verdict = Verdict::kNotMatched;
    const Value& subject = object_.defined() ? object_ : review_.old_object;
    for (Match::Refusal& refusal : loaded.match.refusals(subject, ns_, review_.source)) {
      const Value wanted = loaded.constraint->match.get(refusal.field);
      out.refusals.push_back(
          {std::string(refusal.field), wanted.defined() ? to_json(wanted) : std::string(), std::move(refusal.found)});
    }
    return out;
  }

  const Review& review_;
  const InventoryVersion& inventory_;
  rego::EvalScratch& scratch_;
  rego::Host& host_;
  RuleProbes& probes_;
  const ExplainOptions& options_;
  Value object_;
  Value ns_;
  Value input_;
  std::map<const Constraint*, std::uint64_t> times_;
  std::map<const Constraint*, std::vector<const Violation*>> violations_;
};

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kViolated: return "violated";
    case Verdict::kSatisfied: return "satisfied";
    case Verdict::kNotMatched: return "not matched";
    case Verdict::kFailed: return "failed";
    case Verdict::kNotAsked: return "not asked";
  }
  return "";
}

const std::vector<ViolationRule>& RuleProbes::rules_of(const TemplatePtr& constraint_template) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.constraint_template == constraint_template; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front().rules;
  }
  Result<std::vector<ViolationRule>> rules = compile_violation_rules(*constraint_template, options_);
  entries_.push_front({constraint_template, rules.ok() ? std::move(*rules) : std::vector<ViolationRule>{}});
  if (entries_.size() > kKept) entries_.pop_back();
  return entries_.front().rules;
}

Explanation explain(const Snapshot& snapshot, const Review& review, const ReviewResult& result,
                    const InventoryVersion& inventory, rego::EvalScratch& scratch, rego::Host& host, RuleProbes& probes,
                    const ExplainOptions& options) {
  Explanation out;
  const Value object = review.operation == Operation::kDelete ? review.old_object : review.object;
  out.subject = subject_of(review, object);
  out.operation = std::string(review.operation_text);
  out.exclusion = options.exclusion;
  out.failure = result.failure;
  out.response = options.exclusion.empty() ? admission_response(result, review.display_name())
                                           : plain_response(true, 200, options.exclusion);
  Explainer explainer(review, result, inventory, scratch, host, probes, options);
  std::size_t not_matched = 0;
  snapshot.for_each_constraint([&](const LoadedConstraint& loaded) {
    const LoadedTemplate* const from = snapshot.find_template(loaded.constraint->kind);
    if (from == nullptr) return;
    ExplainedConstraint one = explainer.explain(loaded, *from->constraint_template);
    const bool quiet = one.verdict == Verdict::kNotMatched || one.verdict == Verdict::kNotAsked;
    if (quiet && ++not_matched > options.max_not_matched) {
      ++out.left_out;
      return;
    }
    explainer.find_rules(one, loaded, from->constraint_template);
    out.constraints.push_back(std::move(one));
  });
  std::stable_sort(out.constraints.begin(), out.constraints.end(),
                   [](const ExplainedConstraint& a, const ExplainedConstraint& b) {
                     const auto rank = [](Verdict verdict) {
                       constexpr int kRank[] = {0, 2, 3, 1, 4};
                       return kRank[static_cast<std::size_t>(verdict)];
                     };
                     return rank(a.verdict) < rank(b.verdict);
                   });
  return out;
}

Explanation explain(const Snapshot& snapshot, const Review& review, const InventoryVersion& inventory,
                    rego::EvalScratch& scratch, rego::Host& host, RuleProbes& probes, const ExplainOptions& options) {
  ReviewResult result;
  std::uint64_t took = 0;
  if (options.exclusion.empty()) {
    ReviewOptions with_times = options.review;
    with_times.times = true;
    const auto began = std::chrono::steady_clock::now();
    result = snapshot.review(review, inventory, scratch, host, with_times);
    took = static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count());
  }
  Explanation out = explain(snapshot, review, result, inventory, scratch, host, probes, options);
  out.run_time_ns = took;
  return out;
}

}  // namespace portcullis::policy
