// Series per constraint and their exposition.
#include "cmd/constraint_metrics.h"

#include <utility>

#include "base/metrics/metrics.h"
#include "base/text.h"

namespace portcullis::cmd {

namespace {

constexpr std::string_view kLabels = "constraint_kind,constraint_name,enforcement_action";
constexpr ConstraintMetrics::Description kDescriptions[] = {
    {"portcullis_constraint_violations", "gauge", kLabels, "Violations of the constraint that the last audit found"},
    {"portcullis_constraint_admission_violations_total", "counter", kLabels,
     "Violations of the constraint that admission reviews found"},
    {"portcullis_constraint_evaluations_total", "counter", kLabels,
     "Admission reviews in which the constraint was evaluated"},
    {"portcullis_constraint_evaluation_seconds_total", "counter", kLabels,
     "Time that evaluating the constraint in admission reviews took, in seconds"},
    {"portcullis_constraint_metrics_beyond_limit_total", "counter", "",
     "Facts about constraints that are not shown because of --constraint-metrics-limit"}};

// Label values: backslash, quote and line feed are escaped.
std::string label_value(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

std::span<const ConstraintMetrics::Description> ConstraintMetrics::descriptions() { return kDescriptions; }

ConstraintMetrics::Series* ConstraintMetrics::find(const policy::Constraint& constraint) {
  const auto found = series_.find(Key(constraint.kind, constraint.name));
  if (found != series_.end()) {
    found->second.action = policy::action_label(constraint.enforcement.action);
    return &found->second;
  }
  if (exists_ && !exists_(constraint.kind, constraint.name)) return nullptr;
  if (series_.size() >= limit_) {
    ++beyond_limit_;
    return nullptr;
  }
  Series& made = series_[Key(constraint.kind, constraint.name)];
  made.action = policy::action_label(constraint.enforcement.action);
  return &made;
}

void ConstraintMetrics::reviewed(const policy::ReviewResult& result) {
  const std::lock_guard lock(mutex_);
  for (const policy::ConstraintTime& time : result.times) {
    Series* const series = find(*time.constraint);
    if (series == nullptr) continue;
    ++series->evaluations;
    series->seconds += static_cast<double>(time.run_time_ns) / 1e9;
  }
  for (const policy::Violation& violation : result.violations) {
    Series* const series = find(*violation.constraint);
    if (series != nullptr) ++series->admission_violations;
  }
}

void ConstraintMetrics::audited(const policy::Constraint& constraint, std::uint64_t violations) {
  const std::lock_guard lock(mutex_);
  Series* const series = find(constraint);
  if (series == nullptr) return;
  series->violations = violations;
  series->audited = true;
}

void ConstraintMetrics::prune(std::function<bool(std::string_view, std::string_view)> exists) {
  const std::lock_guard lock(mutex_);
  std::swap(exists_, exists);  // what the old one held goes after the lock
  std::erase_if(series_, [&](const auto& entry) { return !exists_(entry.first.first, entry.first.second); });
}

std::string ConstraintMetrics::expose() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (std::size_t i = 0; i < std::size(kDescriptions); ++i) {
    const Description& family = kDescriptions[i];
    std::string samples;
    const auto sample = [&](const std::string& labels, double value) {
      samples += std::string(family.name) + labels + " ";
      metrics::append_go_float(samples, value);
      samples += '\n';
    };
    if (family.labels.empty()) {
      sample("", static_cast<double>(beyond_limit_));
    } else {
      for (const auto& [key, series] : series_) {
        if (i == 0 && !series.audited) continue;
        const double values[] = {static_cast<double>(series.violations),
                                 static_cast<double>(series.admission_violations),
                                 static_cast<double>(series.evaluations), series.seconds};
        sample("{constraint_kind=" + label_value(key.first) + ",constraint_name=" + label_value(key.second) +
                   ",enforcement_action=" + label_value(series.action) + "}",
               values[i]);
      }
    }
    if (samples.empty()) continue;
    out += "# HELP " + std::string(family.name) + " " + std::string(family.help) + "\n# TYPE " +
           std::string(family.name) + " " + std::string(family.type) + "\n" + samples;
  }
  return out;
}

}  // namespace portcullis::cmd
