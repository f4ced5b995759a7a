// The loop that does what a Watcher says.
#include "kube/runtime/reflector.h"

#include <algorithm>
#include <random>

#include "net/io.h"

namespace portcullis::kube {

namespace {
// A watch that ends sooner than this without an event is a failure, or a broken server would be asked without pause.
constexpr std::chrono::seconds kShortWatch{1};
constexpr std::chrono::milliseconds kFirstAbsent{50};
}  // namespace

struct Reflector::Impl {
  Impl(Client& c, ApiResource resource, EventSink& s, ReflectorOptions o)
      : client(c), sink(s), options(std::move(o)), watcher(std::move(resource), options.watcher), wake(c.context()) {
    std::random_device seed;
    random.seed(seed());
  }

  static awaitable<void> run(std::shared_ptr<Impl> self);
  static awaitable<void> list(std::shared_ptr<Impl> self, std::string target);
  static awaitable<void> watch(std::shared_ptr<Impl> self, std::string target);
  static awaitable<void> read_events(std::shared_ptr<Impl> self);
  void failed(const Error& error) {
    ++stats.errors;
    if (options.on_error) options.on_error(error);
  }
  double dice() { return std::uniform_real_distribution<double>(0.0, 1.0)(random); }

  Client& client;   // not touched once stopped
  EventSink& sink;  // the same
  ReflectorOptions options;
  Watcher watcher;
  net::Signal wake;
  std::unique_ptr<WatchStream> stream;
  std::minstd_rand random;
  ReflectorStats stats;
  bool stopped = false;
  bool synced = false;
  bool resync_wanted = false;
  bool nudged = false;
  std::uint32_t absent_tries = 0;  // since the kind was last said to be there, or began to be missing
};

awaitable<void> Reflector::Impl::run(std::shared_ptr<Impl> self) {
  while (!self->stopped) {
    if (self->resync_wanted) self->watcher.resync();
    self->resync_wanted = false;
    Watcher::Step step = self->watcher.next(self->dice());
    if (self->watcher.absent()) {
      step.wait = std::min(self->options.absent_retry, kFirstAbsent * (1 << std::min(self->absent_tries, 16u)));
      ++self->absent_tries;
    } else {
      self->absent_tries = 0;
    }
    if (step.wait.count() > 0 && !self->nudged) {
      const bool woken = co_await self->wake.wait(Deadline::after(step.wait));
      static_cast<void>(woken);
      if (self->stopped) break;
      if (self->resync_wanted) continue;
    }
    self->nudged = false;
    if (step.what == Watcher::Step::Do::kList) {
      co_await list(self, std::move(step.target));
    } else {
      co_await watch(self, std::move(step.target));
    }
  }
}

awaitable<void> Reflector::Impl::list(std::shared_ptr<Impl> self, std::string target) {
  ++self->stats.lists;
  const Deadline deadline = Deadline::after(self->options.list_timeout);
  Result<ListPage> page = co_await self->client.list_at(std::move(target), deadline);
  if (self->stopped) co_return;
  if (!page.ok()) {
    self->watcher.on_list_error(page.error(), self->sink);
    self->failed(page.error());
    co_return;
  }
  self->watcher.on_page(*page, self->sink);
  self->stats.events += page->items().size();
  if (self->watcher.state() == Watcher::State::kListed) self->synced = true;
}

awaitable<void> Reflector::Impl::watch(std::shared_ptr<Impl> self, std::string target) {
  ++self->stats.watches;
  const Deadline deadline = Deadline::after(self->options.list_timeout);
  Result<std::unique_ptr<WatchStream>> opened = co_await self->client.watch_at(std::move(target), deadline);
  if (self->stopped) co_return;
  if (!opened.ok()) {
    self->watcher.on_watch_end(&opened.error());
    self->failed(opened.error());
    co_return;
  }
  self->stream = std::move(*opened);
  self->watcher.on_watch_open();
  co_await read_events(self);
  self->stream.reset();
}

awaitable<void> Reflector::Impl::read_events(std::shared_ptr<Impl> self) {
  const auto begun = Deadline::Clock::now();
  std::uint64_t events = 0;
  while (!self->resync_wanted) {
    Result<Object> event = co_await self->stream->next(Deadline::after(self->options.watch_silence));
    if (self->stopped || self->resync_wanted) co_return;
    if (!event.ok()) {
      self->watcher.on_watch_end(&event.error());
      self->failed(event.error());
      co_return;
    }
    if (!event->root().defined()) {
      const bool too_soon = events == 0 && Deadline::Clock::now() - begun < kShortWatch;
      const Error short_watch = make_error(Code::kUnavailable, "the server ended the watch at once");
      self->watcher.on_watch_end(too_soon ? &short_watch : nullptr);
      if (too_soon) self->failed(short_watch);
      co_return;
    }
    ++events;
    ++self->stats.events;
    if (!self->watcher.on_watch_event(event->root(), self->sink)) {
      self->failed(self->watcher.last_error());
      co_return;
    }
    if (self->stopped) co_return;
    if (events % 64 == 0) co_await net::yield();  // a burst must not starve the thread
  }
}

Reflector::Reflector(Client& client, ApiResource resource, EventSink& sink, ReflectorOptions options)
    : impl_(std::make_shared<Impl>(client, std::move(resource), sink, std::move(options))) {}

Reflector::~Reflector() { stop(); }

awaitable<void> Reflector::run() { return Impl::run(impl_); }

void Reflector::stop() {
  impl_->stopped = true;
  if (impl_->stream) impl_->stream->close();
  impl_->wake.notify_all();
}

void Reflector::nudge() {
  impl_->nudged = true;
  impl_->absent_tries = 0;
  impl_->wake.notify_all();
}

void Reflector::resync() {
  impl_->resync_wanted = true;
  if (impl_->stream) impl_->stream->close();
  nudge();
}

bool Reflector::synced() const noexcept { return impl_->synced; }
bool Reflector::absent() const noexcept { return impl_->watcher.absent(); }
ReflectorStats Reflector::stats() const noexcept { return impl_->stats; }
const ApiResource& Reflector::resource() const noexcept { return impl_->watcher.resource(); }

}  // namespace portcullis::kube
