#include "policy/review/snapshot.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "engine/value/json.h"
#include "policy/review/review_input.h"

namespace portcullis::policy {
namespace {

std::string target_error(std::string_view message) {
  return std::string(kTargetName) + ": " + std::string(message) + "\n";
}

// One review under way: what stays the same for every constraint, and what was found so far.
class Run {
 public:
  Run(const Review& review, const InventoryVersion& inventory, rego::EvalScratch& scratch, rego::Host& host,
      const ReviewOptions& options, ReviewResult& result)
      : review_(review),
        inventory_(inventory),
        scratch_(scratch),
        host_(host),
        options_(options),
        result_(result),
        data_(inventory.data()) {
    object_ = review.operation == Operation::kDelete ? review.old_object : review.object;
    ns_ = review.match_namespace;
    if (!ns_.defined() && !review.ns.empty()) ns_ = inventory.namespace_object(review.ns);
  }

  const Value& object() const noexcept { return object_; }
  bool stopped() const noexcept { return stopped_; }

  // All constraints of one template that may match.
  void run_set(const TemplateSet& set, std::string_view kind, std::string_view old_kind, bool everything) {
    const ConstraintTemplate& constraint_template = *set.loaded->constraint_template;
    if (options_.point == EnforcementPoint::kWebhook &&
        !constraint_template.matches_operation(review_.operation_text)) {
      return;
    }
    const std::size_t first = result_.violations.size();
    error_.clear();
    evaluated_ = 0;
    share_ = set.constraint_count > 1 ? scratch_.new_share() : 0;
    std::chrono::steady_clock::time_point start;
    if (options_.stats) start = std::chrono::steady_clock::now();
    for_each(set, kind, old_kind, everything, [this](const LoadedConstraint& loaded) { consider(loaded); });
    if (!error_.empty()) {
      // A run-time error speaks for every constraint of the kind that matched, as if they had run in one query.
      result_.violations.resize(first);
      for_each(set, kind, old_kind, everything, [this](const LoadedConstraint& loaded) { reject(loaded); });
    }
    if (options_.stats && evaluated_ > 0) add_stats(constraint_template.kind, start);
  }

 private:
  template <typename F>
  static void for_each(const TemplateSet& set, std::string_view kind, std::string_view old_kind, bool everything,
                       F&& f) {
    if (everything) {
      for (const auto& segment : set.segments) {
        for (const auto& loaded : segment->constraints) f(*loaded);
      }
      return;
    }
    set.segment_kinds.for_each(kind, old_kind, [&](std::uint32_t at) {
      const ConstraintSegment& segment = *set.segments[at];
      segment.kinds.for_each(kind, old_kind, [&](std::uint32_t id) { f(*segment.constraints[id]); });
    });
  }

  MatchOutcome match(const LoadedConstraint& loaded) {
    if (!loaded.constraint->enforcement.active_at(options_.point)) return MatchOutcome::kNo;
    return loaded.match.matches(object_, review_.old_object, ns_, review_.source, match_error_);
  }

  void consider(const LoadedConstraint& loaded) {
    if (stopped_) return;
    const MatchOutcome outcome = match(loaded);
    if (outcome == MatchOutcome::kError) autoreject(loaded);
    if (outcome == MatchOutcome::kYes) {
      ++evaluated_;
      if (error_.empty()) evaluate(loaded);
    }
  }

  void reject(const LoadedConstraint& loaded) {
    const MatchOutcome outcome = match(loaded);
    if (outcome == MatchOutcome::kError) autoreject(loaded);
    if (outcome == MatchOutcome::kYes) add(loaded, error_, "null");
  }

  void autoreject(const LoadedConstraint& loaded) { add(loaded, "unable to match constraints: " + match_error_, ""); }

  void evaluate(const LoadedConstraint& loaded) {
    if (!options_.times) return evaluate_untimed(loaded);
    const auto start = std::chrono::steady_clock::now();
    evaluate_untimed(loaded);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    result_.times.push_back({loaded.constraint, static_cast<std::uint64_t>(took.count())});
  }

  void evaluate_untimed(const LoadedConstraint& loaded) {
    if (!input_.defined()) input_ = make_review_input(scratch_.arena(), with_object());
    findings_.clear();
    Result<void> evaluated = evaluate_constraint(loaded.compiled, *loaded.constraint, input_, data_, scratch_, host_,
                                                 options_.limits, findings_, &inventory_, share_);
    for (const Finding& finding : findings_) add(loaded, std::string(finding.message), to_json(finding.details));
    if (evaluated.ok()) return;
    switch (evaluated.error().code) {
      case Code::kUnsupported: fail(evaluated.error().message, Code::kInvalid); break;
      case Code::kTimeout:
        fail("deadline passed while evaluating " + loaded.constraint->kind + " " + loaded.constraint->name,
             Code::kTimeout);
        stopped_ = true;
        break;
      default:
        error_ = evaluated.error().message;
        if (error_.empty()) error_ = "evaluation failed";
    }
  }

  Review with_object() const {
    Review out = review_;
    out.object = object_;
    return out;
  }

  void fail(std::string_view message, Code code) {
    if (result_.failed()) return;
    result_.failure = target_error(std::string(kRegoEngine) + ": " + std::string(message) + "\n");
    result_.failure_code = code;
  }

  void add(const LoadedConstraint& loaded, std::string message, std::string details) {
    Violation violation;
    violation.constraint = loaded.constraint;
    violation.message = std::move(message);
    violation.details = std::move(details);
    if (loaded.constraint->enforcement.scoped) {
      violation.scoped_actions = &loaded.constraint->enforcement.scoped_actions(options_.point);
    }
    result_.violations.push_back(std::move(violation));
  }

  void add_stats(const std::string& kind, std::chrono::steady_clock::time_point start) {
    const auto elapsed = std::chrono::steady_clock::now() - start;
    result_.stats.push_back(
        {kind, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()),
         evaluated_});
  }

  const Review& review_;
  const InventoryVersion& inventory_;
  rego::EvalScratch& scratch_;
  rego::Host& host_;
  const ReviewOptions& options_;
  ReviewResult& result_;
  Value data_;
  Value object_;
  Value ns_;
  Value input_;
  std::vector<Finding> findings_;
  std::string match_error_;
  std::string error_;  // run-time error of the template at hand
  std::uint64_t evaluated_ = 0;
  std::uint64_t share_ = 0;  // for what the constraints of the template at hand have in common
  bool stopped_ = false;
};

void sort_violations(std::vector<Violation>& violations) {
  // They come in order of kind, name and details; that order stays among equals.
  std::stable_sort(violations.begin(), violations.end(), [](const Violation& a, const Violation& b) {
    if (a.action() != b.action()) return a.action() < b.action();
    return a.message < b.message;
  });
}

}  // namespace

ReviewResult Snapshot::review(const Review& review, const InventoryVersion& inventory, rego::EvalScratch& scratch,
                              rego::Host& host, const ReviewOptions& options) const {
  ReviewResult result;
  if (review.operation == Operation::kDelete && !review.old_object.defined()) {
    result.failure = target_error("target.HandleReview failed for target \"" + std::string(kTargetName) +
                                  "\": oldObject cannot be nil for DELETE operations");
    return result;
  }
  Run run(review, inventory, scratch, host, options, result);
  const std::string_view kind = kind_of(run.object()).kind;
  const std::string_view old_kind = kind_of(review.old_object).kind;
  // An object without a kind, or none at all, is an error of every constraint that has a match.
  const bool everything = (kind.empty() && (run.object().defined() || !review.old_object.defined())) ||
                          (old_kind.empty() && review.old_object.defined());
  if (everything) {
    for (const auto& set : sets_) {
      run.run_set(*set, {}, {}, true);
      if (run.stopped()) break;
    }
  } else {
    set_kinds_.for_each(kind, old_kind, [&](std::uint32_t at) {
      if (!run.stopped()) run.run_set(*sets_[at], kind, old_kind, false);
    });
  }
  if (result.violations.size() > 1) sort_violations(result.violations);
  return result;
}

void Snapshot::for_each_constraint(const std::function<void(const LoadedConstraint&)>& f) const {
  for (const auto& set : sets_) {
    for (const auto& segment : set->segments) {
      for (const auto& loaded : segment->constraints) f(*loaded);
    }
  }
}

void Snapshot::for_each_template(const std::function<void(const LoadedTemplate&)>& f) const {
  for (const auto& set : sets_) f(*set->loaded);
}

const LoadedTemplate* Snapshot::find_template(std::string_view kind) const noexcept {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  };
  for (const auto& set : sets_) {
    const std::string& own = set->loaded->constraint_template->kind;
    if (std::equal(own.begin(), own.end(), kind.begin(), kind.end(), same)) return set->loaded.get();
  }
  return nullptr;
}

const LoadedConstraint* Snapshot::find_constraint(std::string_view kind, std::string_view name) const noexcept {
  for (const auto& set : sets_) {
    if (set->loaded->constraint_template->kind != kind) continue;
    for (const auto& segment : set->segments) {
      if (segment->constraints.back()->constraint->name < name) continue;
      for (const auto& loaded : segment->constraints) {
        if (loaded->constraint->name == name) return loaded.get();
      }
      return nullptr;
    }
  }
  return nullptr;
}

SnapshotCell::SnapshotCell() : snapshot_(std::make_shared<const Snapshot>()) {}

void SnapshotCell::publish(std::shared_ptr<const Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_.swap(snapshot);  // the old one is released outside the evaluation threads' way
  version_.fetch_add(1, std::memory_order_release);
}

const Snapshot& SnapshotCell::refresh(CachedSnapshot& mine) const {
  if (mine.version != version_.load(std::memory_order_acquire) || !mine.snapshot) {
    const std::lock_guard lock(mutex_);
    mine.version = version_.load(std::memory_order_relaxed);
    mine.snapshot = snapshot_;
  }
  return *mine.snapshot;
}

std::shared_ptr<const Snapshot> SnapshotCell::load() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

}  // namespace portcullis::policy
