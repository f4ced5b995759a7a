// The watches of synced kinds.
#include "controller/sync/reconcile.h"

#include <utility>

#include "base/log.h"
#include "kube/core/object.h"
#include "kube/runtime/reflector.h"
#include "net/io.h"

namespace portcullis::controller {

namespace {

constexpr std::chrono::seconds kLookupTimeout{20};
constexpr std::uint32_t kDeniedTries = 3;  // at least, before readiness stops waiting

// Errors that are reported at once: waiting alone mends none of them. Others pass, a 401 included.
bool is_reported(const Error& error) noexcept {
  return error.code == Code::kNotFound || error.code == Code::kUnsupported || kube::is_forbidden(error);
}

}  // namespace

// Lives on while its coroutine does; `owner` is not touched once stopped.
struct SyncController::Watched {
  Watched(SyncController& o, kube::GroupVersionKind k)
      : owner(o), kind(std::move(k)), group(data_group(kind)), wake(o.client_.context()) {}

  SyncController& owner;
  const kube::GroupVersionKind kind;
  const std::string group;
  net::Signal wake;
  std::unique_ptr<SyncedObjects> objects;
  std::unique_ptr<kube::Reflector> reflector;
  bool looking = true;  // no answer of the API server about the kind yet
  std::string why;      // it cannot be watched; empty: no trouble known
  bool stopped = false;
  std::uint32_t denied = 0;  // 403 in a row
  Deadline::Clock::time_point denied_since{};
};

SyncController::SyncController(kube::Client& client, policy::Inventory& inventory, policy::Inventory& withheld,
                               ReadinessTracker& readiness, SyncOptions options, Events events)
    : client_(client),
      readiness_(readiness),
      options_(options),
      events_(std::move(events)),
      target_{inventory, options.keep_excluded ? &withheld : nullptr, options.max_bytes,
              std::make_shared<const policy::Exclusions>()} {}

SyncController::~SyncController() { stop(); }

void SyncController::stop() {
  *alive_ = false;
  for (const auto& [kind, watched] : watched_) {
    watched->stopped = true;
    if (watched->reflector) watched->reflector->stop();
    watched->wake.notify_all();
  }
}

void SyncController::set_source(const std::string& source, Kinds kinds) {
  const SyncSources::Change change = sources_.set(source, std::move(kinds));
  for (const kube::GroupVersionKind& kind : change.added) add(kind);
  for (const kube::GroupVersionKind& kind : change.removed) remove(kind);
  if (events_.watching && !(change.added.empty() && change.removed.empty())) events_.watching(watched(), intended());
}

void SyncController::set_exclusions(std::shared_ptr<const policy::Exclusions> exclusions) {
  target_.exclusions = std::move(exclusions);
  for (const auto& [kind, watched] : watched_) {
    if (watched->objects->exclusions_changed() && watched->reflector) watched->reflector->resync();
  }
}

void SyncController::add(const kube::GroupVersionKind& kind) {
  const auto watched = std::make_shared<Watched>(*this, kind);
  SyncedObjects::Events events;
  events.taken_in = events_.taken_in;
  events.listed = [w = watched.get()] {
    w->owner.readiness_.set_members(w->group, {});
    mended(*w);
  };
  events.changed = [w = watched.get()] {
    w->owner.count(w->kind.kind);
    w->owner.memory_changed();
    const std::string& problem = w->objects->problem();
    if (w->why.empty()) w->owner.readiness_.note(w->group, problem);
  };
  watched->objects = std::make_unique<SyncedObjects>(kind, target_, std::move(events));
  watched_.emplace(kind, watched);
  readiness_.expect_group(watched->group);
  net::spawn(client_.context(), run(watched), "sync " + kind.to_string());
}

void SyncController::remove(const kube::GroupVersionKind& kind) {
  const auto found = watched_.find(kind);
  if (found == watched_.end()) return;
  const std::shared_ptr<Watched> watched = found->second;
  watched->stopped = true;
  if (watched->reflector) watched->reflector->stop();
  watched->wake.notify_all();
  watched->objects->clear();
  watched_.erase(found);
  count(kind.kind);
  readiness_.drop_group(watched->group);
  readiness_.note(watched->group, {});
}

void SyncController::state_changed() {
  if (events_.watching) events_.watching(watched(), intended());
  if (events_.kinds_changed) events_.kinds_changed();
}

// Whether readiness goes on waiting for the kind.
bool SyncController::worth_waiting_for(Watched& watched, const Error& error) {
  if (!kube::is_forbidden(error)) {
    watched.denied = 0;
    return !is_reported(error);
  }
  const auto now = Deadline::Clock::now();
  if (watched.denied++ == 0) watched.denied_since = now;
  return watched.denied < kDeniedTries || now - watched.denied_since < watched.owner.options_.denied_patience;
}

void SyncController::failed(Watched& watched, const Error& error) {
  if (!worth_waiting_for(watched, error)) watched.owner.readiness_.drop_group(watched.group);
  if (!is_reported(error)) {
    if (error.code == Code::kDenied) {
      log::warning("controller", "watching for sync failed", {{"kind", watched.group}, {"error", error.to_string()}});
    } else {
      log::debug("controller", "watching for sync failed", {{"kind", watched.group}, {"error", error.to_string()}});
    }
    return;
  }
  const std::string why = error.code == Code::kNotFound ? "no matches for kind \"" + watched.kind.kind +
                                                              "\" in version \"" + watched.kind.api_version() + "\""
                                                        : error.message;
  watched.looking = false;
  if (watched.why == why) return;
  watched.why = why;
  watched.owner.readiness_.note(watched.group, why);
  log::error("controller", "a kind cannot be kept for data.inventory",
             {{"metaKind", std::string_view("Sync")},
              {"resource_api_version", watched.kind.api_version()},
              {"resource_kind", watched.kind.kind},
              {"error", why}});
  watched.owner.state_changed();
}

void SyncController::mended(Watched& watched) {
  const bool news = watched.looking || !watched.why.empty();
  watched.looking = false;
  watched.why.clear();
  watched.denied = 0;
  if (!news) return;
  watched.owner.readiness_.note(watched.group, {});
  watched.owner.state_changed();
}

void SyncController::memory_changed() {
  const std::size_t before = std::exchange(used_, target_.used());
  if (used_ >= before || target_.max_bytes == 0 || refused_waiting_) return;
  refused_waiting_ = true;
  net::spawn(client_.context(), list_refused_later(this, alive_, options_.refused_retry), "sync refused objects");
}

// What was freed until then is there for all that was refused; one list serves many changes.
awaitable<void> SyncController::list_refused_later(SyncController* self, std::shared_ptr<bool> alive,
                                                   std::chrono::milliseconds delay) {
  const Result<void> slept = co_await net::sleep_until(Deadline::after(delay));
  if (!slept.ok() || !*alive) co_return;
  self->refused_waiting_ = false;
  for (const auto& [kind, watched] : self->watched_) {
    if (watched->objects->refused() > 0 && watched->reflector) watched->reflector->resync();
  }
}

awaitable<Result<kube::ApiResource>> SyncController::find(std::shared_ptr<Watched> watched) {
  auto found_call = watched->owner.client_.resource_of(watched->kind, Deadline::after(kLookupTimeout));
  Result<kube::ApiResource> found = co_await std::move(found_call);
  if (found.ok() && !(found->can("list") && found->can("watch"))) {
    co_return make_error(Code::kUnsupported, "the cluster does not let this kind be listed and watched");
  }
  co_return found;
}

awaitable<void> SyncController::run(std::shared_ptr<Watched> watched) {
  std::uint32_t failures = 0;
  while (!watched->stopped) {
    auto found_call = find(watched);
    const Result<kube::ApiResource> found = co_await std::move(found_call);
    if (watched->stopped) co_return;
    if (!found.ok()) {
      failed(*watched, found.error());
      const SyncOptions& how = watched->owner.options_;
      const std::chrono::milliseconds wait =
          is_reported(found.error()) ? how.absent_retry : kube::backoff_delay(how.backoff, ++failures, 0.5);
      const bool woken = co_await watched->wake.wait(Deadline::after(wait));
      static_cast<void>(woken);
      continue;
    }
    mended(*watched);
    kube::ReflectorOptions options;
    options.absent_retry = watched->owner.options_.absent_retry;
    options.watcher.backoff = watched->owner.options_.backoff;
    options.on_error = [w = watched.get()](const Error& error) {
      if (!w->stopped) failed(*w, error);
    };
    watched->reflector = std::make_unique<kube::Reflector>(watched->owner.client_, *found, *watched->objects, options);
    co_await watched->reflector->run();
  }
}

SyncController::Trouble SyncController::trouble(const Kinds& kinds) const {
  Trouble trouble;
  std::vector<KindTrouble> list;
  for (const kube::GroupVersionKind& kind : kinds) {
    const auto found = watched_.find(kind);
    if (found == watched_.end()) continue;
    trouble.pending = trouble.pending || found->second->looking;
    if (!found->second->why.empty()) list.push_back({kind, found->second->why});
  }
  trouble.text = watch_errors(list);
  return trouble;
}

std::size_t SyncController::watched() const {
  std::size_t number = 0;
  for (const auto& [kind, watched] : watched_) {
    if (!watched->looking && watched->why.empty()) ++number;
  }
  return number;
}

void SyncController::count(const std::string& kind) const {
  if (!events_.counted) return;
  std::size_t active = 0;
  std::size_t error = 0;
  for (const auto& [gvk, watched] : watched_) {
    if (gvk.kind != kind) continue;
    active += watched->objects->kept();
    error += watched->objects->refused();
  }
  events_.counted(kind, static_cast<std::int64_t>(active), static_cast<std::int64_t>(error));
}

}  // namespace portcullis::controller
