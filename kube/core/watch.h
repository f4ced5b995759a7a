// List-then-watch as a state machine without I/O: the caller does what next() says and reports what came of it.
//
//   kEmpty ──list──► kListing ──last page──► kListed ──watch──► kWatching ──┐ end of stream: kListed (resume)
//     ▲ 410, 404 or a resync                                                │
//     └────────────────────────────────────────────────────────────────────┘
// Any failure goes through a wait whose length grows with the failures in a row (bounded, with jitter).
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/value/value.h"
#include "kube/core/object.h"
#include "kube/core/resource.h"

namespace portcullis::kube {

// What a consumer sees. Between kInit and kInitDone come all objects that exist; what was known before and does not
// come is gone. A store swaps at kInitDone, so that readers never see half a list.
enum class EventType : std::uint8_t { kInit, kInitApply, kInitDone, kApply, kDelete };

// Receives the events of one watcher, in order.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // `object` is undefined for kInit and kInitDone, and lives only during the call.
  virtual void on_event(EventType type, const Value& object) = 0;
};

struct BackoffOptions {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds ceiling{30000};
  double factor = 2.0;
  double jitter = 0.2;  // each delay is multiplied by a random number in [1 - jitter, 1 + jitter]
};
// Delay after `failures` failures in a row (1 = first). `random` in [0, 1). Pure.
std::chrono::milliseconds backoff_delay(const BackoffOptions& options, std::uint32_t failures, double random) noexcept;

struct WatcherOptions {
  std::string ns;  // empty: all
  std::string label_selector;
  std::string field_selector;
  std::uint32_t page_size = 500;
  std::uint32_t watch_seconds = 290;
  BackoffOptions backoff;
};

class Watcher {
 public:
  enum class State : std::uint8_t {
    kEmpty,     // nothing known: list from the start
    kListing,   // some pages of a list read, more to come
    kListed,    // everything listed up to resource_version(): (re)start the watch there
    kWatching,  // a watch is open
  };
  struct Step {
    enum class Do : std::uint8_t { kList, kWatch } what = Do::kList;
    std::chrono::milliseconds wait{0};  // before it
    std::string target;                 // path and query for the request
  };

  Watcher(ApiResource resource, WatcherOptions options);

  // `random` in [0, 1), for the jitter.
  Step next(double random) const;

  void on_page(const ListPage& page, EventSink& sink);
  // A kind that turns out not to be served (404) empties the sink when it held something.
  void on_list_error(const Error& error, EventSink& sink);
  void on_watch_open() noexcept;
  // One event of the stream: {"type": …, "object": …}. False: the stream is to be closed, then call next().
  bool on_watch_event(const Value& event, EventSink& sink);
  // The stream ended: regularly (`error` null: the server's timeout) or not.
  void on_watch_end(const Error* error);
  // Forget the position; the next step is a full list.
  void resync() noexcept;

  State state() const noexcept { return state_; }
  const std::string& resource_version() const noexcept { return resource_version_; }
  std::uint32_t failures() const noexcept { return failures_; }
  // The kind is not served (404 on list): its CRD does not exist (yet, or any more).
  bool absent() const noexcept { return absent_; }
  const Error& last_error() const noexcept { return last_error_; }
  const ApiResource& resource() const noexcept { return resource_; }

 private:
  void fail(const Error& error);

  ApiResource resource_;
  WatcherOptions options_;
  State state_ = State::kEmpty;
  std::string resource_version_;
  std::string continue_token_;
  std::uint32_t failures_ = 0;
  bool absent_ = false;
  bool populated_ = false;     // the sink was told of a list that it still holds
  std::uint32_t relists_ = 0;  // lists forced by 410 since the last event of a watch
  Error last_error_;
};

}  // namespace portcullis::kube
