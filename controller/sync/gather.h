// The objects of one synced kind: takes a watch's events and keeps the inventory in step with them.
// Threads: the controllers' thread writes; the inventory may be read from anywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "controller/sync/plan.h"
#include "kube/core/watch.h"
#include "policy/inventory/inventory.h"

namespace portcullis::controller {

// What the objects of all kinds share.
struct SyncTarget {
  policy::Inventory& inventory;
  policy::Inventory* withheld = nullptr;  // objects of excluded namespaces go there; null: nowhere
  // Bound of both together; 0: none. What does not fit is refused; an object that grows beyond it is taken out, for a
  // policy must not read what is no longer so.
  std::size_t max_bytes = 0;
  std::shared_ptr<const policy::Exclusions> exclusions;

  std::size_t used() const noexcept { return inventory.memory() + (withheld == nullptr ? 0 : withheld->memory()); }
};

class SyncedObjects final : public kube::EventSink {
 public:
  struct Events {
    std::function<void(std::chrono::nanoseconds time)> taken_in;  // one object was added, replaced or removed
    std::function<void()> listed;                                 // a whole list is in
    std::function<void()> changed;                                // counts may have changed; not during a list
  };
  // `target` outlives it.
  SyncedObjects(kube::GroupVersionKind kind, const SyncTarget& target, Events events);
  ~SyncedObjects() override;  // what it kept stays: clear() first when the kind is not wanted any more

  void on_event(kube::EventType type, const Value& object) override;
  // The target's exclusions were replaced. True: a relist is needed to bring objects in that were left out.
  bool exclusions_changed();
  // Takes everything of the kind out of the inventory.
  void clear();

  std::size_t kept() const noexcept { return kept_; }
  std::size_t refused() const noexcept { return refused_; }
  // Why an object was refused, the last time one was; empty when none is now.
  const std::string& problem() const noexcept { return problem_; }

 private:
  void take(const Value& object, bool listed);
  void forget(std::string_view key);
  void remove_from(KeptObject::State state, std::string_view key);
  Result<void> store(const Value& object, KeptObject::State wanted);
  void count(KeptObject::State state, int by) noexcept;

  const kube::GroupVersionKind kind_;
  const std::string api_version_;
  const bool are_namespaces_;
  const SyncTarget& target_;
  Events events_;
  KeptObjects objects_;
  std::unordered_set<std::string> incoming_;  // between kInit and kInitDone
  std::size_t kept_ = 0;
  std::size_t refused_ = 0;
  std::string problem_;
};

}  // namespace portcullis::controller
