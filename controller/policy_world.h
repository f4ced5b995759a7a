// The policies as the controllers build them and everybody else reads them: one SnapshotBuilder, written on the
// controllers' thread, and the SnapshotCell that webhook and audit read. Bursts of changes are folded into one
// publication.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "kube/core/object.h"
#include "net/awaitable.h"
#include "policy/inventory/inventory.h"
#include "policy/match/exclusions.h"
#include "policy/review/snapshot.h"

namespace boost::asio {
class io_context;
}

namespace portcullis::controller {

class PolicyWorld {
 public:
  // Threads: everything but cell(), inventory(), withheld(), exclusions() and traces() on `context`'s thread.
  PolicyWorld(boost::asio::io_context& context, policy::DriverOptions options);
  ~PolicyWorld();

  policy::SnapshotBuilder& builder() noexcept { return builder_; }
  const policy::SnapshotCell& cell() const noexcept { return cell_; }  // any thread
  policy::Inventory& inventory() noexcept { return inventory_; }       // any thread
  // Objects of synced kinds in namespaces that Config excludes from `sync`: never part of data.inventory. Only kept for
  // audit from the cache, else empty. Any thread.
  policy::Inventory& withheld() noexcept { return withheld_; }
  // What Config excludes from which process; webhook and audit ask it before each review. Any thread.
  policy::ExclusionsCell& exclusions() noexcept { return exclusions_; }
  // Which requests Config wants traced. Any thread.
  policy::TracesCell& traces() noexcept { return traces_; }

  // Something was changed in builder(): a new Snapshot is published within 50 ms, at once when nothing was for longer.
  void changed();
  // Called on the controllers' thread after each publication.
  void on_publish(std::function<void(const policy::Snapshot&)> listener) { listener_ = std::move(listener); }
  // Everything that was changed is published. Any thread.
  bool settled() const noexcept { return !pending_.load(std::memory_order_acquire); }
  // Publishes what is outstanding now (start-up, tests).
  void flush();

 private:
  static awaitable<void> publish_later(std::shared_ptr<bool> alive, PolicyWorld* self);

  boost::asio::io_context& context_;
  policy::SnapshotBuilder builder_;
  policy::SnapshotCell cell_;
  policy::Inventory inventory_;
  policy::Inventory withheld_;
  policy::ExclusionsCell exclusions_;
  policy::TracesCell traces_;
  std::function<void(const policy::Snapshot&)> listener_;
  std::atomic<bool> pending_{false};
  std::chrono::steady_clock::time_point last_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace portcullis::controller
