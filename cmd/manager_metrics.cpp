// Facts of the manager to series of families.
#include "cmd/manager_metrics.h"

#include "base/metrics/metrics.h"

namespace portcullis::cmd {

using metrics::Family;

namespace {
double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }
}  // namespace

void ManagerMetrics::template_ingested(bool good, std::chrono::nanoseconds time) {
  const std::string_view status = good ? "active" : "error";
  registry_.counter(Family::kTemplateIngestionCount, {status}).add();
  registry_.histogram(Family::kTemplateIngestionDuration, {status}).observe(seconds(time));
}

void ManagerMetrics::set_templates(std::int64_t active, std::int64_t error, std::int64_t with_cel) {
  registry_.gauge(Family::kConstraintTemplates, {"active"}).set(static_cast<double>(active));
  registry_.gauge(Family::kConstraintTemplates, {"error"}).set(static_cast<double>(error));
  registry_.gauge(Family::kConstraintTemplatesWithCel).set(static_cast<double>(with_cel));
}

void ManagerMetrics::set_constraints(const std::string& action, bool active, std::int64_t number) {
  registry_.gauge(Family::kConstraints, {action, active ? "active" : "error"}).set(static_cast<double>(number));
}

ManagerMetrics::RequestSeries& ManagerMetrics::series_of(std::string_view status, bool dry_run) {
  for (RequestSeries& series : requests_) {
    if (series.status == status && series.dry_run == dry_run) return series;
  }
  return requests_.back();
}

void ManagerMetrics::validation_request(std::string_view status, bool dry_run, std::chrono::nanoseconds time) {
  RequestSeries& series = series_of(status, dry_run);
  std::call_once(series.once, [&] {  // a family appears with its first use
    series.count = &registry_.counter(Family::kValidationRequestCount, {dry_run ? "true" : "false", series.status});
    series.duration = &registry_.histogram(Family::kValidationRequestDuration, {series.status});
  });
  series.count->add();
  series.duration->observe(seconds(time));
}

void ManagerMetrics::audit_started(double when) { registry_.gauge(Family::kAuditLastRunTime).set(when); }

void ManagerMetrics::audit_finished(double when, std::chrono::nanoseconds duration,
                                    const std::map<std::string, std::uint64_t>& violations_by_action) {
  registry_.gauge(Family::kAuditLastRunEndTime).set(when);
  registry_.histogram(Family::kAuditDuration).observe(seconds(duration));
  if (violations_by_action.empty() && violations_shown_) {  // the last template went: nothing is violated any more
    for (const std::string_view action : {"deny", "dryrun", "scoped", "unrecognized", "warn"}) {
      registry_.gauge(Family::kViolations, {action}).set(0);
    }
  }
  for (const auto& [action, number] : violations_by_action) {
    violations_shown_ = true;
    registry_.gauge(Family::kViolations, {action}).set(static_cast<double>(number));
  }
}

void ManagerMetrics::set_build(const std::string& version) { registry_.gauge(Family::kBuildInfo, {version}).set(1); }

void ManagerMetrics::show_absent_features() {
  for (const std::string_view status : {"active", "error"}) {
    for (const Family family : {Family::kVaps, Family::kVapBindings, Family::kMutators}) {
      registry_.gauge(family, {status}).set(0);
    }
  }
  registry_.gauge(Family::kMutatorConflicting).set(0);
}

std::string ManagerMetrics::text() const {
  std::string out = registry_.expose();
  if (constraints_ != nullptr) out += constraints_->expose();
  return out;
}
void ManagerMetrics::object_synced(double when, std::chrono::nanoseconds time) {
  registry_.gauge(Family::kSyncLastRunTime).set(when);
  registry_.histogram(Family::kSyncDuration).observe(seconds(time));
}

void ManagerMetrics::set_synced(const std::string& kind, std::int64_t active, std::int64_t error, std::size_t bytes) {
  registry_.gauge(Family::kSync, {kind, "active"}).set(static_cast<double>(active));
  registry_.gauge(Family::kSync, {kind, "error"}).set(static_cast<double>(error));
  registry_.gauge(Family::kInventoryBytes).set(static_cast<double>(bytes));
}

void ManagerMetrics::set_memory(const std::vector<metrics::MemoryKind>& kinds) {
  for (const metrics::MemoryKind& kind : kinds) {
    registry_.gauge(Family::kMemoryBytes, {kind.kind}).set(static_cast<double>(kind.bytes));
  }
}

void ManagerMetrics::set_certificate_expiry(std::string_view certificate, std::int64_t when) {
  registry_.gauge(Family::kCertificateExpiry, {certificate}).set(static_cast<double>(when));
}

void ManagerMetrics::set_watching(std::size_t watched, std::size_t intended) {
  registry_.gauge(Family::kWatchedGvk).set(static_cast<double>(watched));
  registry_.gauge(Family::kIntendedGvk).set(static_cast<double>(intended));
}

std::string ManagerMetrics::content_type() { return std::string(metrics::kContentType); }

}  // namespace portcullis::cmd
