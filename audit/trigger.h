// What starts an audit besides its interval: set times, and an annotation on the own Namespace.
// Threads: the thread of `context`. Lifetime: the timer must outlive the coroutines, which end with stop() or their
// context.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/schedule.h"
#include "kube/client/client.h"
#include "kube/runtime/work_queue.h"
#include "net/awaitable.h"

namespace portcullis::audit {

struct TriggerOptions {
  std::vector<Schedule> schedules;
  // A new value of this annotation of the Namespace starts an audit; what it says at start, and its removal, do not.
  // Empty: off.
  std::string annotation;
  std::string own_namespace = "gatekeeper-system";
  std::function<std::int64_t()> now;  // Unix seconds; null: the system's clock
};

class Triggers {
 public:
  Triggers(kube::Client& client, kube::Periodic& timer, TriggerOptions options);
  ~Triggers();
  Triggers(const Triggers&) = delete;
  Triggers& operator=(const Triggers&) = delete;

  void start();
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::audit
