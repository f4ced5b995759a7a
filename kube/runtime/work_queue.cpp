// The work queue, its workers and the periodic timer.
#include "kube/runtime/work_queue.h"

#include <deque>
#include <exception>
#include <map>
#include <random>
#include <unordered_map>

#include "base/deadline.h"
#include "base/log.h"
#include "net/io.h"

namespace portcullis::kube {

struct WorkQueue::Impl {
  using Clock = Deadline::Clock;
  using Delayed = std::multimap<Clock::time_point, std::string>;
  struct Entry {
    bool ready = false;
    bool active = false;
    bool again = false;  // became ready while active
    bool waits = false;
    Delayed::iterator waiting;  // valid when `waits`
    std::uint32_t failures = 0;
    bool unused() const noexcept { return !ready && !active && !again && !waits && failures == 0; }
  };

  Impl(boost::asio::io_context& context, WorkQueueOptions o) : options(std::move(o)), signal(context) {
    std::random_device seed;
    random.seed(seed());
  }

  void make_ready(const std::string& key, Entry& entry) {
    unwait(entry);
    if (entry.active) {
      entry.again = true;
    } else if (!entry.ready) {
      entry.ready = true;
      ready.push_back(key);
      signal.notify_one();
    }
  }
  void unwait(Entry& entry) {
    if (entry.waits) delayed.erase(entry.waiting);
    entry.waits = false;
  }
  Entry* entry_for(const std::string& key) {
    if (down) return nullptr;
    const auto found = entries.find(key);
    if (found != entries.end()) return &found->second;
    if (entries.size() >= options.max_keys) {
      ++refused;
      return nullptr;
    }
    return &entries[key];
  }
  void drop_if_unused(const std::string& key) {
    const auto found = entries.find(key);
    if (found != entries.end() && found->second.unused()) entries.erase(found);
  }
  bool wait_until(const std::string& key, Clock::time_point when) {
    Entry* entry = entry_for(key);
    if (entry == nullptr) return false;
    if (entry->ready || entry->again) return true;  // sooner than that
    if (entry->waits && entry->waiting->first <= when) return true;
    unwait(*entry);
    entry->waiting = delayed.emplace(when, key);
    entry->waits = true;
    if (entry->waiting == delayed.begin()) signal.notify_all();  // whoever waits for the earliest must look again
    return true;
  }
  void promote() {
    const auto now = Clock::now();
    while (!delayed.empty() && delayed.begin()->first <= now) {
      const std::string key = delayed.begin()->second;
      make_ready(key, entries.at(key));
    }
  }

  static awaitable<std::optional<std::string>> get(std::shared_ptr<Impl> self);

  WorkQueueOptions options;
  net::Signal signal;
  std::deque<std::string> ready;
  Delayed delayed;
  std::unordered_map<std::string, Entry> entries;
  std::minstd_rand random;
  bool down = false;
  std::size_t active = 0;
  std::uint64_t added = 0, retried = 0, refused = 0;
};

awaitable<std::optional<std::string>> WorkQueue::Impl::get(std::shared_ptr<Impl> self) {
  for (;;) {
    if (self->down) co_return std::nullopt;
    self->promote();
    if (!self->ready.empty()) {
      std::string key = std::move(self->ready.front());
      self->ready.pop_front();
      Entry& entry = self->entries.at(key);
      entry.ready = false;
      entry.active = true;
      ++self->active;
      co_return std::optional<std::string>(std::move(key));
    }
    const Deadline until = self->delayed.empty() ? Deadline::never() : Deadline::at(self->delayed.begin()->first);
    const bool notified = co_await self->signal.wait(until);
    static_cast<void>(notified);
  }
}

WorkQueue::WorkQueue(boost::asio::io_context& context, WorkQueueOptions options)
    : impl_(std::make_shared<Impl>(context, std::move(options))) {}

WorkQueue::~WorkQueue() { shut_down(); }

bool WorkQueue::add(std::string key) {
  Impl::Entry* entry = impl_->entry_for(key);
  if (entry == nullptr) return false;
  ++impl_->added;
  impl_->make_ready(key, *entry);
  return true;
}

bool WorkQueue::add_after(std::string key, std::chrono::milliseconds delay) {
  return impl_->wait_until(key, Impl::Clock::now() + delay);
}

bool WorkQueue::retry(std::string key) {
  Impl::Entry* entry = impl_->entry_for(key);
  if (entry == nullptr) return false;
  if (entry->failures < UINT32_MAX) ++entry->failures;
  ++impl_->retried;
  const double dice = std::uniform_real_distribution<double>(0.0, 1.0)(impl_->random);
  return impl_->wait_until(key, Impl::Clock::now() + backoff_delay(impl_->options.backoff, entry->failures, dice));
}

void WorkQueue::forget(const std::string& key) {
  const auto found = impl_->entries.find(key);
  if (found == impl_->entries.end()) return;
  found->second.failures = 0;
  impl_->drop_if_unused(key);
}

std::uint32_t WorkQueue::failures(const std::string& key) const {
  const auto found = impl_->entries.find(key);
  return found == impl_->entries.end() ? 0 : found->second.failures;
}

awaitable<std::optional<std::string>> WorkQueue::get() { return Impl::get(impl_); }

void WorkQueue::done(const std::string& key) {
  const auto found = impl_->entries.find(key);
  if (found == impl_->entries.end() || !found->second.active) return;
  found->second.active = false;
  --impl_->active;
  if (std::exchange(found->second.again, false) && !impl_->down) impl_->make_ready(key, found->second);
  impl_->drop_if_unused(key);
}

void WorkQueue::shut_down() {
  impl_->down = true;
  impl_->signal.notify_all();
}

WorkQueueStats WorkQueue::stats() const {
  WorkQueueStats stats;
  stats.added = impl_->added;
  stats.retried = impl_->retried;
  stats.refused = impl_->refused;
  stats.depth = impl_->ready.size();
  stats.delayed = impl_->delayed.size();
  stats.active = impl_->active;
  return stats;
}

namespace {

awaitable<Result<Reconciled>> guarded(Reconciler& reconciler, std::string key) {
  std::string failure;
  try {
    Result<Reconciled> result = co_await reconciler.reconcile(std::move(key));
    co_return result;
  } catch (const std::exception& thrown) {
    failure = thrown.what();
  }
  co_return make_error(Code::kBug, "exception in a reconciler: " + failure);
}

}  // namespace

awaitable<void> run_worker(WorkQueue& queue, Reconciler& reconciler, ControllerOptions options) {
  for (;;) {
    const std::optional<std::string> key = co_await queue.get();
    if (!key) co_return;
    std::string copy = *key;
    const Result<Reconciled> result = co_await guarded(reconciler, std::move(copy));
    if (result.ok()) {
      queue.forget(*key);
      if (result->again_after) queue.add_after(*key, *result->again_after);
    } else if (result.error().code == Code::kCancelled) {
      queue.forget(*key);  // we are stopping
    } else {
      const Code code = result.error().code;
      if (code == Code::kInvalid || code == Code::kUnsupported) {
        queue.forget(*key);
      } else {
        queue.retry(*key);
      }
      if (code != Code::kConflict && options.on_error) options.on_error(*key, result.error());
    }
    queue.done(*key);
  }
}

struct Periodic::Impl {
  Impl(boost::asio::io_context& context, Ticker& t, std::chrono::nanoseconds i)
      : ticker(t), interval(i), wake(context), next(Deadline::after(i)) {}
  static awaitable<void> run(std::shared_ptr<Impl> self);
  Ticker& ticker;  // not touched once stopped
  std::chrono::nanoseconds interval;
  net::Signal wake;
  Deadline next;
  bool stopped = false;
  bool at_once = false;
};

awaitable<void> Periodic::Impl::run(std::shared_ptr<Impl> self) {
  self->next = Deadline::after(self->interval);
  while (!self->stopped) {
    if (!self->at_once && !self->next.passed()) {
      const bool woken = co_await self->wake.wait(self->next);
      if (self->stopped) break;
      if (woken && !self->at_once) continue;
    }
    self->at_once = false;
    self->next = Deadline::after(self->interval);
    co_await self->ticker.tick();
  }
}

Periodic::Periodic(boost::asio::io_context& context, Ticker& ticker, std::chrono::nanoseconds interval)
    : impl_(std::make_shared<Impl>(context, ticker, interval)) {}
Periodic::~Periodic() { stop(); }
awaitable<void> Periodic::run() { return Impl::run(impl_); }
void Periodic::stop() {
  impl_->stopped = true;
  impl_->wake.notify_all();
}
void Periodic::again_after(std::chrono::nanoseconds delay) {
  impl_->next = impl_->next.sooner(Deadline::after(delay));
  impl_->wake.notify_all();
}
void Periodic::now() {
  impl_->at_once = true;
  impl_->wake.notify_all();
}

}  // namespace portcullis::kube
