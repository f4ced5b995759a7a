// The audit: on an interval, every object of every kind that some constraint can match is listed in pages and reviewed;
// then the constraints' statuses are written. Or the synced objects are reviewed instead, without asking the API
// server. It has a thread, a client and a scratch of its own and yields between objects, so that admission never waits
// for it.
// Threads: everything on the client's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/lines.h"
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
  bool from_cache = false;         // review what is synced (the inventory) instead of listing
  bool log_stats = false;
  EventOptions events;
  rego::EvalLimits limits;  // of each constraint on each object
  std::chrono::nanoseconds object_timeout = std::chrono::seconds(10);
  // Whether Config exempts a namespace from audit. Any thread; null: none is.
  std::function<bool(std::string_view ns)> excluded;
  // Audit from the cache also reviews these: synced objects of namespaces that Config excludes from `sync`, which are
  // not part of data.inventory. Null: there are none.
  const policy::Inventory* withheld = nullptr;
};

// Seconds since the epoch, for the metrics' gauges.
struct AuditObserver {
  std::function<void(double when)> started;
  std::function<void(double when, std::chrono::nanoseconds duration, const Report& report)> finished;
  // A run was due while policies were still being loaded: whoever times the runs tries again soon.
  std::function<void()> postponed;
};

class Auditor final : public kube::Ticker {
 public:
  // `ready` says whether policies are loaded; a run before that is postponed.
  Auditor(kube::Client& client, const policy::SnapshotCell& cell, const policy::Inventory& inventory, rego::Host& host,
          AuditOptions options, AuditObserver observer, std::function<bool()> ready);

  // One run.
  awaitable<void> tick() override;
  void stop() noexcept { stopping_ = true; }

 private:
  awaitable<void> collect(Report* report);
  awaitable<void> audit_cluster(Report* report);
  awaitable<void> audit_cache(Report* report);
  awaitable<Result<void>> load_namespaces();
  awaitable<void> audit_kind(kube::ApiResource resource, Report* report);
  // The Namespace from the list made at the beginning of the run, or from the API server when it is younger.
  // One that cannot be had for another reason than that it is gone is a gap in the report.
  awaitable<bool> find_namespace(std::string name, Report* report);
  bool excluded(const Value& object) const;
  void review(const Value& object, const Value& ns, const policy::InventoryVersion& inventory, Report& report);
  awaitable<void> write_statuses(const Report* report);

  kube::Client& client_;
  const policy::SnapshotCell& cell_;
  const policy::Inventory& inventory_;
  rego::Host& host_;
  AuditOptions options_;
  AuditObserver observer_;
  std::function<bool()> ready_;
  bool stopping_ = false;
  bool postponed_ = false;

  rego::EvalScratch scratch_;
  policy::CachedInventory cached_inventory_;
  // Of the current run.
  std::string audit_id_;  // when it began
  std::shared_ptr<const policy::Snapshot> snapshot_;
  std::map<std::string, std::shared_ptr<const kube::Object>, std::less<>> namespaces_;  // null: there is none
};

}  // namespace portcullis::audit
