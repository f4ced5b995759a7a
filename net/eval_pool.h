// Threads for evaluations that would keep an I/O thread too long. A hand-over costs about as much as a typical review,
// so only what exceeds the I/O thread's budget comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/error.h"
#include "net/awaitable.h"

namespace portcullis::net {

struct EvalPoolStats {
  std::size_t queued = 0;
  std::size_t running = 0;
  std::uint64_t finished = 0;
  std::uint64_t refused = 0;  // queue full
  std::uint64_t late = 0;     // deadline passed in the queue
};

// Threads: run() from any I/O thread; stop() and stats() from any.
// Lifetime: outlives the coroutines that wait in run().
class EvalPool {
 public:
  EvalPool(std::size_t threads, std::size_t max_queued, const std::string& name = "eval");
  ~EvalPool();  // stop()
  EvalPool(const EvalPool&) = delete;
  EvalPool& operator=(const EvalPool&) = delete;

  std::size_t size() const noexcept;  // threads; the worker numbers are below it

  // Runs `task(worker)` on a pool thread; the caller goes on, on its own I/O thread, when it has ended, so the task may
  // refer to the caller's frame. The worker's number picks scratch memory that one task at a time uses.
  // Not run at all: kThrottled (queue full), kTimeout (`deadline` passed before its turn), kCancelled (stopping).
  // The task must not throw; it bounds itself by its own deadline.
  awaitable<Result<void>> run(std::function<void(std::size_t worker)> task, Deadline deadline);

  // Tasks that run end, those that wait are cancelled. Idempotent.
  void stop();
  EvalPoolStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::net
