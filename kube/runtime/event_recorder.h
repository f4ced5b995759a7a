// Writes Kubernetes Events in the background. Whoever records one never waits: the queue is bounded, and what does not
// fit is dropped and counted.
// Threads: record() and stats() from any thread; start() and stop() on the client's thread. Lifetime: the client must
// outlive the recorder; stop() before the client's thread ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "kube/client/client.h"
#include "kube/runtime/event_correlator.h"

namespace portcullis::kube {

struct EventRecorderOptions {
  std::size_t capacity = 1000;
  EventLimits limits;
  std::uint32_t tries = 5;  // of one event, when the API server cannot be reached; the others wait meanwhile
  std::chrono::milliseconds first_retry{1000};  // doubles
};

struct EventRecorderStats {
  std::uint64_t recorded = 0;
  std::uint64_t dropped = 0;  // queue full, or the API server was out of reach for too long
  std::uint64_t skipped = 0;  // over the limit of its object
  std::uint64_t created = 0;
  std::uint64_t patched = 0;
  std::uint64_t rejected = 0;  // refused by the API server
  std::size_t queued = 0;
};

class EventRecorder {
 public:
  explicit EventRecorder(Client& client, EventRecorderOptions options = {});
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void start();
  void stop();  // what is queued is dropped
  void record(Event event);
  EventRecorderStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::kube
