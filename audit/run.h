// The audit: on an interval, every object of every kind that some constraint can match is listed in pages and reviewed;
// then the constraints' statuses are written. It has a thread, a client and a scratch of its own and yields between
// objects, so that admission never waits for it.
// Threads: everything on the client's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/report.h"
#include "engine/rego/eval/program.h"
#include "kube/client/client.h"
#include "kube/runtime/work_queue.h"
#include "policy/inventory/inventory.h"
#include "policy/review/snapshot.h"

namespace portcullis::audit {

struct AuditOptions {
  std::size_t violations_limit = 20;
  std::uint32_t chunk_size = 500;  // 0: one page
  rego::EvalLimits limits;         // of each constraint on each object
  std::chrono::nanoseconds object_timeout = std::chrono::seconds(10);
};

// Seconds since the epoch, for the metrics' gauges.
struct AuditObserver {
  std::function<void(double when)> started;
  std::function<void(double when, std::chrono::nanoseconds duration, const Report& report)> finished;
};

class Auditor final : public kube::Ticker {
 public:
  // `ready` says whether policies are loaded; a run before that waits for the next interval.
  Auditor(kube::Client& client, const policy::SnapshotCell& cell, const policy::Inventory& inventory, rego::Host& host,
          AuditOptions options, AuditObserver observer, std::function<bool()> ready);

  // One run.
  awaitable<void> tick() override;
  void stop() noexcept { stopping_ = true; }

 private:
  awaitable<Result<void>> load_namespaces(std::string audit_id);
  awaitable<void> audit_kind(kube::ApiResource resource, Report* report, std::string audit_id);
  void review(const Value& object, const kube::ApiResource& resource, Report& report, const std::string& audit_id);
  void log_violation(const Value& object, const policy::Violation& violation, const std::string& audit_id) const;
  awaitable<void> write_statuses(const Report* report, std::string timestamp, std::string audit_id);

  kube::Client& client_;
  const policy::SnapshotCell& cell_;
  const policy::Inventory& inventory_;
  rego::Host& host_;
  AuditOptions options_;
  AuditObserver observer_;
  std::function<bool()> ready_;
  bool stopping_ = false;

  rego::EvalScratch scratch_;
  std::shared_ptr<const policy::Snapshot> snapshot_;  // of the current run
  policy::CachedInventory cached_inventory_;
  std::map<std::string, std::shared_ptr<const kube::Object>, std::less<>> namespaces_;  // of the current run
};

}  // namespace portcullis::audit
