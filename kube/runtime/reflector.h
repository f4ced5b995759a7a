// Keeps an EventSink (a Store, the inventory) in step with one kind on the API server: list, watch, resume, relist on
// 410, bounded backoff. A kind that is not served (its CRD is missing) counts as an empty list and is tried again, so
// it may come and go. Threads: everything on the client's thread. Lifetime: client and sink are not touched once stop()
// has returned (or run() has ended).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "kube/client/client.h"
#include "kube/core/watch.h"
#include "net/awaitable.h"

namespace portcullis::kube {

struct ReflectorOptions {
  WatcherOptions watcher;
  std::chrono::nanoseconds list_timeout = std::chrono::seconds(60);  // per page
  std::chrono::nanoseconds watch_silence = std::chrono::minutes(6);  // nothing at all for that long: reconnect
  // How often an unserved kind is tried; more often at first and after a nudge(), since an API server may say that a
  // kind is established a moment before it serves it.
  std::chrono::milliseconds absent_retry{5000};
  // Called when a step failed, with the error; for logs and metrics.
  std::function<void(const Error& error)> on_error;
};

struct ReflectorStats {
  std::uint64_t lists = 0;
  std::uint64_t watches = 0;
  std::uint64_t events = 0;
  std::uint64_t errors = 0;
};

class Reflector {
 public:
  Reflector(Client& client, ApiResource resource, EventSink& sink, ReflectorOptions options = {});
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Runs until stop(). Call once.
  awaitable<void> run();
  // run() returns soon after; no event comes once stop() has returned. Idempotent. On the client's thread.
  void stop();
  // Try again now instead of at the end of a backoff (the CRD of the kind has just been established).
  void nudge();
  // Full list at the next opportunity.
  void resync();

  bool synced() const noexcept;  // a list has been completed (an unserved kind does not count)
  bool absent() const noexcept;  // the kind is not served now
  ReflectorStats stats() const noexcept;
  const ApiResource& resource() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::kube
