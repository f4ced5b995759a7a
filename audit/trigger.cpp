// Waiting for set times and for an annotation.
#include "audit/trigger.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "audit/lines.h"
#include "base/log.h"
#include "base/text.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::audit {

namespace {

// The wall clock may be set meanwhile: it is looked at again this often.
constexpr std::chrono::seconds kLongestSleep{30};

std::int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void say(std::string_view why) { log::info(kLogger, "audit is requested", {{"process", kProcess}, {"reason", why}}); }

}  // namespace

struct Triggers::Impl {
  Impl(kube::Client& c, kube::Periodic& t, TriggerOptions o) : client(c), timer(t), options(std::move(o)) {
    if (!options.now) options.now = &system_now;
  }

  static awaitable<void> wait_for_times(std::shared_ptr<Impl> self);
  static awaitable<void> run_reflector(std::shared_ptr<Impl> self);
  void watch_namespace(const std::shared_ptr<Impl>& self);
  void seen(const kube::ObjectPtr& ns);

  std::optional<std::int64_t> next_time(std::int64_t after) const {
    std::optional<std::int64_t> soonest;
    for (const Schedule& schedule : options.schedules) {
      const std::optional<std::int64_t> when = schedule.next(after);
      if (when && (!soonest || *when < *soonest)) soonest = when;
    }
    return soonest;
  }

  kube::Client& client;
  kube::Periodic& timer;
  TriggerOptions options;
  bool stopped = false;
  std::optional<std::string> last;  // the annotation's value; nothing before the Namespace was seen
  std::shared_ptr<kube::Store> store = std::make_shared<kube::Store>();
  std::unique_ptr<kube::StoreWriter> writer;
  std::unique_ptr<kube::Reflector> reflector;
};

Triggers::Triggers(kube::Client& client, kube::Periodic& timer, TriggerOptions options)
    : impl_(std::make_shared<Impl>(client, timer, std::move(options))) {}

Triggers::~Triggers() { impl_->stopped = true; }

void Triggers::start() {
  if (!impl_->options.schedules.empty()) {
    net::spawn(impl_->client.context(), Impl::wait_for_times(impl_), "audit schedule");
  }
  if (!impl_->options.annotation.empty()) impl_->watch_namespace(impl_);
}

void Triggers::stop() {
  impl_->stopped = true;
  if (impl_->reflector != nullptr) impl_->reflector->stop();
}

awaitable<void> Triggers::Impl::wait_for_times(std::shared_ptr<Impl> self) {
  std::int64_t from = self->options.now();
  for (;;) {
    const std::optional<std::int64_t> next = self->next_time(from);
    if (!next) {
      log::warning(kLogger, "the audit schedule has no time within ten years", {{"process", kProcess}});
      co_return;
    }
    log::debug(kLogger, "next set time of an audit", {{"process", kProcess}, {"at", text::rfc3339(*next)}});
    for (std::int64_t now = self->options.now(); now < *next; now = self->options.now()) {
      const std::chrono::seconds wait = std::min(kLongestSleep, std::chrono::seconds(*next - now));
      const Result<void> slept = co_await net::sleep_until(Deadline::after(wait));
      if (!slept.ok() || self->stopped) co_return;
    }
    say("set time");
    self->timer.now();
    from = std::max(*next, self->options.now());  // times that passed meanwhile are not made up for
  }
}

void Triggers::Impl::seen(const kube::ObjectPtr& ns) {
  const std::string value(ns == nullptr ? std::string_view() : ns->meta().annotation(options.annotation));
  if (last && *last != value && !value.empty()) {
    say("annotation");
    timer.now();
  }
  last = value;
}

awaitable<void> Triggers::Impl::run_reflector(std::shared_ptr<Impl> self) { co_await self->reflector->run(); }

void Triggers::Impl::watch_namespace(const std::shared_ptr<Impl>& self) {
  kube::StoreListener listener;
  // The reflector belongs to *this: it does not outlive it.
  listener.changed = [this](const std::string&, const kube::ObjectPtr&, const kube::ObjectPtr& after) { seen(after); };
  writer = std::make_unique<kube::StoreWriter>(store, std::move(listener));
  kube::ReflectorOptions watch;
  watch.watcher.field_selector = "metadata.name=" + options.own_namespace;
  watch.watcher.backoff.ceiling = std::chrono::seconds(10);
  watch.on_error = [](const Error& error) {
    log::error(kLogger, "watching the own namespace failed", {{"process", kProcess}, {"error", error.to_string()}});
  };
  reflector = std::make_unique<kube::Reflector>(client, policy::namespaces(), *writer, std::move(watch));
  net::spawn(client.context(), run_reflector(self), "audit requests");
}

}  // namespace portcullis::audit
