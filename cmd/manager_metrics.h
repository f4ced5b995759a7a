// The manager's metrics under Gatekeeper's names (docs/metrics.md).
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics/memory.h"
#include "base/metrics/metrics.h"
#include "cmd/constraint_metrics.h"

namespace portcullis::cmd {

class ManagerMetrics {
 public:
  void template_ingested(bool good, std::chrono::nanoseconds time);
  void set_templates(std::int64_t active, std::int64_t error, std::int64_t with_cel);
  void set_constraints(const std::string& action, bool active, std::int64_t number);
  void validation_request(std::string_view status, bool dry_run, std::chrono::nanoseconds time);
  void audit_started(double when);
  void audit_finished(double when, std::chrono::nanoseconds duration,
                      const std::map<std::string, std::uint64_t>& violations_by_action);
  void object_synced(double when, std::chrono::nanoseconds time);
  void set_synced(const std::string& kind, std::int64_t active, std::int64_t error, std::size_t bytes);
  void set_certificate_expiry(std::string_view certificate, std::int64_t when);  // "server" or "authority"
  void set_memory(const std::vector<metrics::MemoryKind>& kinds);
  void set_watching(std::size_t watched, std::size_t intended);

  // Null: off. Before anything else is called; lives as long as this.
  void show_constraints(const ConstraintMetrics* constraints) { constraints_ = constraints; }
  void set_build(const std::string& version);
  // The gauges that Gatekeeper shows from its start, for features that have nothing to count here: 0.
  void show_absent_features();

  std::string text() const;  // Prometheus text exposition
  static std::string content_type();

 private:
  // Looked up once, so that a request costs a few atomic additions.
  struct RequestSeries {
    std::string_view status;
    bool dry_run;
    std::once_flag once{};
    metrics::Counter* count = nullptr;
    metrics::Histogram* duration = nullptr;
  };
  RequestSeries& series_of(std::string_view status, bool dry_run);

  metrics::Registry& registry_ = metrics::global();
  const ConstraintMetrics* constraints_ = nullptr;
  std::atomic<bool> violations_shown_{false};
  std::array<RequestSeries, 8> requests_{{{"allow", false},
                                          {"allow", true},
                                          {"deny", false},
                                          {"deny", true},
                                          {"error", false},
                                          {"error", true},
                                          {"unknown", true},
                                          {"unknown", false}}};
};

}  // namespace portcullis::cmd
