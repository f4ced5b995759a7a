// A queue of keys for reconcilers. A key that is queued already is not queued again; a key that is being worked on is
// queued again when it is done, so the same key is never worked on twice at once. Failures are retried with exponential
// backoff per key.
// Threads: the thread of `context` only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "kube/core/watch.h"
#include "net/awaitable.h"

namespace boost::asio {
class io_context;
}

namespace portcullis::kube {

struct WorkQueueOptions {
  std::string name = "queue";
  std::size_t max_keys = 1u << 20;  // add() of a further key is refused and counted
  BackoffOptions backoff{std::chrono::milliseconds(5), std::chrono::milliseconds(60000), 2.0, 0.1};
};

struct WorkQueueStats {
  std::uint64_t added = 0;
  std::uint64_t retried = 0;
  std::uint64_t refused = 0;
  std::size_t depth = 0;    // ready
  std::size_t delayed = 0;  // waiting for their time
  std::size_t active = 0;   // being worked on
};

class WorkQueue {
 public:
  WorkQueue(boost::asio::io_context& context, WorkQueueOptions options = {});
  ~WorkQueue();  // shuts down
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Ready now, even when it waits for a retry (news about a key is worth a try at once). False when refused.
  bool add(std::string key);
  // Ready after `delay`; an earlier time that is set already stays.
  bool add_after(std::string key, std::chrono::milliseconds delay);
  // Ready after the key's backoff, which grows with each call until forget().
  bool retry(std::string key);
  void forget(const std::string& key);
  std::uint32_t failures(const std::string& key) const;

  // The next key, or nothing once shut down. done(key) must follow.
  awaitable<std::optional<std::string>> get();
  void done(const std::string& key);

  // Waiting get()s return nothing; add() is refused.
  void shut_down();
  WorkQueueStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// What a reconciler does with one key. Level-based: it looks up the present state and makes the world match; it is told
// nothing about what changed. An Error means retry with backoff, except kInvalid and kUnsupported, which wait for the
// next change; kConflict is retried without a log line.
struct Reconciled {
  std::optional<std::chrono::milliseconds> again_after;
};
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual awaitable<Result<Reconciled>> reconcile(std::string key) = 0;
};

struct ControllerOptions {
  std::string name = "controller";
  // Called for each failed reconcile that will be logged or counted.
  std::function<void(const std::string& key, const Error& error)> on_error;
};
// One worker: takes keys until the queue shuts down. Spawn as many as should run side by side. Queue and reconciler
// outlive it: after shut_down() a worker ends when its reconcile() has.
awaitable<void> run_worker(WorkQueue& queue, Reconciler& reconciler, ControllerOptions options);

// Calls tick() every `interval` (measured from start to start), first after one interval. A tick that takes longer is
// followed at once by the next; ticks never overlap.
class Ticker {
 public:
  virtual ~Ticker() = default;
  virtual awaitable<void> tick() = 0;
};
class Periodic {
 public:
  Periodic(boost::asio::io_context& context, Ticker& ticker, std::chrono::nanoseconds interval);
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;
  awaitable<void> run();  // until stop()
  void stop();
  void now();  // tick as soon as possible instead of at the next interval
  // Tick after `delay` unless one is due sooner; also from within a tick that could not do its work.
  void again_after(std::chrono::nanoseconds delay);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::kube
