// /v1/admit and /v1/admitlabel. A review is decoded, matched, evaluated and answered on the I/O thread that read it;
// only a Namespace that the store does not have makes a request wait (for the API server). Threads: the webhook
// server's I/O threads, one call at a time per thread; each has its own scratch and its own view of snapshot and
// inventory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "engine/rego/eval/program.h"
#include "kube/core/object.h"
#include "kube/runtime/store.h"
#include "net/http_server.h"
#include "policy/inventory/inventory.h"
#include "policy/review/snapshot.h"
#include "webhook/report.h"

namespace portcullis::webhook {

inline constexpr std::size_t kMaxBody = 7340032;  // a body of this size is already too large, as in Gatekeeper

// Borrowed for the time of the call.
struct Explained {
  const policy::Snapshot& snapshot;
  const policy::Review& review;
  const policy::ReviewResult& result;  // with times
  const policy::InventoryVersion& inventory;
  rego::EvalScratch& scratch;  // holds the review
  rego::Host& host;
  const rego::EvalLimits& limits;
  std::string_view exclusion;
};

struct AdmitOptions {
  std::string own_namespace = "gatekeeper-system";
  std::vector<std::string> exempt_namespaces;
  std::vector<std::string> exempt_prefixes;
  std::vector<std::string> exempt_suffixes;
  bool validate_enforcement_action = true;
  bool serve_admit = true;  // operation webhook; /v1/admitlabel is there with or without it
  ReportOptions report;     // its own_namespace is overwritten with the one above
  rego::EvalLimits limits;  // of each constraint; the deadline comes from the request
  // Whether Config exempts a namespace from the webhook. Any thread; null: none is.
  std::function<bool(std::string_view ns)> excluded;
  // Whether Config asks for a trace of this request. Any thread; null: never.
  std::function<Trace(const policy::Review& review)> trace;
  // Not null: told of every request that policies were asked about, after its review, to explain it; `exclusion` says
  // why they were not asked (Config leaves the namespace out). Any thread; takes part of the request's time.
  std::function<void(const Explained& explained)> explain{};
  // False while policies that existed at start are not loaded: reviews are then answered with HTTP 503, which the API
  // server treats by the webhook's failurePolicy, instead of admitting what a policy would deny. Asked until it is true
  // once. Any thread; null: always ready.
  std::function<bool()> ready;
};

// What happened to one request, for metrics: "allow", "deny", "error", "unknown".
struct AdmitObserver {
  std::function<void(std::string_view status, bool dry_run, std::chrono::nanoseconds time)> reviewed;
  // Not null: every review result, with the time of each constraint.
  std::function<void(const policy::ReviewResult& result)> result{};
};

class AdmitHandler final : public net::HttpHandler {
 public:
  // Fetches a Namespace that the store does not have. Called on an I/O thread; awaits.
  using FetchNamespace = std::function<awaitable<Result<kube::Object>>(std::string name, Deadline deadline)>;

  AdmitHandler(AdmitOptions options, const policy::SnapshotCell& cell, const policy::Inventory& inventory,
               std::shared_ptr<const kube::Store> namespaces, FetchNamespace fetch, rego::Host& host,
               AdmitObserver observer);
  ~AdmitHandler() override;

  bool handle_now(net::HttpRequest& request, net::HttpResponse& response) override;
  awaitable<net::HttpResponse> handle(net::HttpRequest request) override;
  net::HttpResponse reject(net::Reject why, const net::HttpRequest& request) override;

  // What evaluations keep between requests, as of the last request of each thread. Any thread.
  std::size_t memory() const;

 private:
  struct Worker;
  struct Outcome;
  Worker& worker();
  bool admit(net::HttpRequest& request, net::HttpResponse& response, const Value* fetched_namespace,
             const std::string* namespace_error, std::string* wanted_namespace);
  void label(net::HttpRequest& request, net::HttpResponse& response);
  bool ready();
  void evaluate(Worker& worker, policy::Review& review, const net::HttpRequest& request, Outcome& outcome);
  bool excluded(const policy::Review& review) const;
  bool may_carry_ignore_label(std::string_view name) const;

  const AdmitOptions options_;
  const std::string own_user_;
  const policy::SnapshotCell& cell_;
  const policy::Inventory& inventory_;
  std::shared_ptr<const kube::Store> namespaces_;
  FetchNamespace fetch_;
  rego::Host& host_;
  AdmitObserver observer_;
  std::atomic<bool> ready_{false};
  const std::uint64_t id_;
  mutable std::mutex mutex_;
  std::map<std::thread::id, std::unique_ptr<Worker>> workers_;
};

}  // namespace portcullis::webhook
