// The queue of Events and the coroutine that empties it.
#include "kube/runtime/event_recorder.h"

#include <deque>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "net/io.h"

namespace portcullis::kube {

namespace {

constexpr std::string_view kLogger = "events";
constexpr std::chrono::seconds kRequestTimeout{10};

ApiResource events() { return {"", "v1", "Event", "events", true, {}, {}}; }

bool worth_another_try(const Error& error) noexcept {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout || error.code == Code::kThrottled;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct EventRecorder::Impl : std::enable_shared_from_this<EventRecorder::Impl> {
  Impl(Client& c, EventRecorderOptions o) : client(c), options(o), correlator(o.limits), news(c.context()) {}

  static awaitable<void> run(std::shared_ptr<Impl> self);
  static awaitable<void> write(std::shared_ptr<Impl> self, EventCorrelator::Decision decision);
  static awaitable<Result<void>> attempt(std::shared_ptr<Impl> self, const EventCorrelator::Decision* decision);
  void finish(const EventCorrelator::Decision& decision, const Result<void>& result);

  bool take(Event& event) {
    const std::lock_guard lock(mutex);
    if (queue.empty()) {
      dropping = false;
      return false;
    }
    event = std::move(queue.front());
    queue.pop_front();
    return true;
  }

  Client& client;
  const EventRecorderOptions options;
  EventCorrelator correlator;
  net::Signal news;
  bool stopped = false;  // client's thread
  bool running = false;

  mutable std::mutex mutex;
  std::deque<Event> queue;
  bool dropping = false;  // since the queue was last empty
  EventRecorderStats stats;
};

EventRecorder::EventRecorder(Client& client, EventRecorderOptions options)
    : impl_(std::make_shared<Impl>(client, options)) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::start() {
  if (impl_->running) return;
  impl_->running = true;
  net::spawn(impl_->client.context(), Impl::run(impl_), "events");
}

void EventRecorder::stop() {
  impl_->stopped = true;
  impl_->news.notify_all();
}

void EventRecorder::record(Event event) {
  bool first_drop = false;
  bool first_in = false;
  {
    const std::lock_guard lock(impl_->mutex);
    ++impl_->stats.recorded;
    if (impl_->queue.size() >= impl_->options.capacity) {
      ++impl_->stats.dropped;
      first_drop = !std::exchange(impl_->dropping, true);
    } else {
      first_in = impl_->queue.empty();
      impl_->queue.push_back(std::move(event));
    }
  }
  if (first_drop) log::warning(kLogger, "the queue of Events is full: some are dropped");
  // Who finds something in the queue looks again before waiting: only the first has to wake it.
  if (first_in) net::post(impl_->client.context(), [impl = impl_] { impl->news.notify_one(); });
}

EventRecorderStats EventRecorder::stats() const {
  const std::lock_guard lock(impl_->mutex);
  EventRecorderStats out = impl_->stats;
  out.queued = impl_->queue.size();
  return out;
}

awaitable<void> EventRecorder::Impl::run(std::shared_ptr<Impl> self) {
  while (!self->stopped) {
    Event event;
    if (!self->take(event)) {
      static_cast<void>(co_await self->news.wait(Deadline::after(std::chrono::seconds(60))));
      continue;
    }
    EventCorrelator::Decision decision = self->correlator.correlate(event, now_ns());
    if (decision.action == EventCorrelator::Action::kSkip) {
      const std::lock_guard lock(self->mutex);
      ++self->stats.skipped;
      continue;
    }
    auto write_call = write(self, std::move(decision));
    co_await std::move(write_call);
  }
}

awaitable<void> EventRecorder::Impl::write(std::shared_ptr<Impl> self, EventCorrelator::Decision decision) {
  std::chrono::milliseconds delay = self->options.first_retry;
  for (std::uint32_t tries = 1;; ++tries) {
    auto attempt_call = attempt(self, &decision);
    const Result<void> result = co_await std::move(attempt_call);
    if (result.ok() || !worth_another_try(result.error()) || tries >= self->options.tries || self->stopped) {
      self->finish(decision, result);
      co_return;
    }
    const Result<void> slept = co_await net::sleep_until(Deadline::after(delay));
    if (!slept.ok()) co_return;
    delay *= 2;
  }
}

awaitable<Result<void>> EventRecorder::Impl::attempt(std::shared_ptr<Impl> self,
                                                     const EventCorrelator::Decision* decision) {
  if (decision->action == EventCorrelator::Action::kPatch) {
    auto patch_call = self->client.patch(events(), decision->ns, decision->name, PatchType::kMerge, decision->patch,
                                         Deadline::after(kRequestTimeout));
    const Result<Object> patched = co_await std::move(patch_call);
    if (patched.ok()) co_return ok();
    if (patched.error().code != Code::kNotFound) co_return patched.error();
    // Events expire; then it begins again.
  }
  auto create_call = self->client.create(events(), decision->ns, decision->body, Deadline::after(kRequestTimeout));
  const Result<Object> created = co_await std::move(create_call);
  if (!created.ok()) co_return created.error();
  co_return ok();
}

void EventRecorder::Impl::finish(const EventCorrelator::Decision& decision, const Result<void>& result) {
  const std::lock_guard lock(mutex);
  if (result.ok()) {
    ++(decision.action == EventCorrelator::Action::kPatch ? stats.patched : stats.created);
    return;
  }
  if (worth_another_try(result.error())) {
    ++stats.dropped;
  } else {
    ++stats.rejected;
    if (is_already_exists(result.error())) return;
  }
  log::error(kLogger, "could not write an Event",
             {{"namespace", decision.ns}, {"name", decision.name}, {"error", result.error().to_string()}});
}

}  // namespace portcullis::kube
