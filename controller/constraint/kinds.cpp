// Starting and ending the watches.
#include "controller/constraint/kinds.h"

#include <chrono>

#include "base/log.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::controller {

struct ConstraintKinds::Watch {
  std::string kind;
  std::shared_ptr<kube::Store> store = std::make_shared<kube::Store>();
  std::unique_ptr<kube::StoreWriter> writer;
  std::unique_ptr<kube::Reflector> reflector;
};

ConstraintKinds::ConstraintKinds(kube::Client& client, Events events)
    : client_(client), events_(std::make_shared<const Events>(std::move(events))) {}

ConstraintKinds::~ConstraintKinds() { stop(); }

awaitable<void> ConstraintKinds::run(std::shared_ptr<Watch> watch) { co_await watch->reflector->run(); }

void ConstraintKinds::ensure(const std::string& kind) {
  if (watches_.contains(kind)) return;
  auto watch = std::make_shared<Watch>();
  watch->kind = kind;
  const std::weak_ptr<Watch> weak = watch;
  kube::StoreListener listener;
  listener.changed = [kind, events = events_](const std::string& key, const kube::ObjectPtr&, const kube::ObjectPtr&) {
    events->changed(kind, key);
  };
  listener.synced = [weak, events = events_] {
    if (const auto alive = weak.lock()) events->synced(alive->kind, alive->store->keys());
  };
  watch->writer = std::make_unique<kube::StoreWriter>(watch->store, std::move(listener));
  kube::ReflectorOptions options;
  options.absent_retry = std::chrono::milliseconds(1000);
  options.watcher.backoff.ceiling = std::chrono::seconds(10);
  options.on_error = [weak, events = events_](const Error& error) {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    if (alive->reflector->absent()) {
      events->absent(alive->kind);
    } else {
      log::debug("controller", "watching constraints failed",
                 {{"constraint_kind", alive->kind}, {"error", error.to_string()}});
    }
  };
  watch->reflector =
      std::make_unique<kube::Reflector>(client_, policy::constraints_of(kind), *watch->writer, std::move(options));
  watches_.emplace(kind, watch);
  net::spawn(client_.context(), run(watch), "watch " + kind);
}

void ConstraintKinds::drop(const std::string& kind) {
  const auto found = watches_.find(kind);
  if (found == watches_.end()) return;
  found->second->reflector->stop();
  watches_.erase(found);
  if (events_->dropped) events_->dropped();
}

void ConstraintKinds::nudge(const std::string& kind) {
  const auto found = watches_.find(kind);
  if (found != watches_.end()) found->second->reflector->nudge();
}

void ConstraintKinds::stop() {
  for (const auto& [kind, watch] : watches_) watch->reflector->stop();
  watches_.clear();
}

kube::ObjectPtr ConstraintKinds::get(const std::string& kind, std::string_view name) const {
  const auto found = watches_.find(kind);
  return found == watches_.end() ? nullptr : found->second->store->get(name);
}

std::vector<std::string> ConstraintKinds::names(const std::string& kind) const {
  const auto found = watches_.find(kind);
  return found == watches_.end() ? std::vector<std::string>{} : found->second->store->keys();
}

std::size_t ConstraintKinds::served() const {
  std::size_t number = 0;
  for (const auto& [kind, watch] : watches_) number += watch->reflector->absent() ? 0 : 1;
  return number;
}

std::vector<std::string> ConstraintKinds::kinds() const {
  std::vector<std::string> list;
  for (const auto& [kind, watch] : watches_) list.push_back(kind);
  return list;
}

}  // namespace portcullis::controller
