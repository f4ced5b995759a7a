// Keeps data.inventory in step with the cluster: one watch per kind that Config or a SyncSet asks for. Kinds come and
// go without disturbing the others; a kind that the cluster does not serve is reported and looked for again.
// Threads: the controllers' thread. Lifetime: client, inventory and tracker outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/readiness.h"
#include "controller/sync/gather.h"
#include "controller/sync/plan.h"
#include "kube/client/client.h"

namespace portcullis::controller {

struct SyncOptions {
  std::size_t max_bytes = std::size_t{1} << 30;  // of all synced objects; 0: no bound
  bool keep_excluded = false;                    // for audit from the cache: PolicyWorld::withheld()
  std::chrono::milliseconds absent_retry{2000};  // how often a kind that is not served is looked for
  // How long the API server must have gone on saying 403 before readiness stops waiting for a kind: rights that are
  // just being granted come late, and a pod that is ready without its data admits what it should refuse.
  std::chrono::milliseconds denied_patience{30000};
  // After memory came free, kinds with refused objects are listed again, at most once in this time.
  std::chrono::milliseconds refused_retry{30000};
  kube::BackoffOptions backoff{std::chrono::milliseconds(200), std::chrono::milliseconds(10000), 2.0, 0.2};
};

class SyncController {
 public:
  struct Events {
    // The state of some kind changed: what trouble() says may have changed.
    std::function<void()> kinds_changed;
    // For metrics. Kinds of different groups with one name count together.
    std::function<void(const std::string& kind, std::int64_t active, std::int64_t error)> counted;
    std::function<void(std::chrono::nanoseconds time)> taken_in;
    std::function<void(std::size_t watched, std::size_t intended)> watching;
  };

  SyncController(kube::Client& client, policy::Inventory& inventory, policy::Inventory& withheld,
                 ReadinessTracker& readiness, SyncOptions options, Events events);
  ~SyncController();  // stop()

  // What one source ("config", "syncset/NAME") asks for from now on. The objects of kinds that nobody asks for any more
  // are gone from the inventory when it returns.
  void set_source(const std::string& source, Kinds kinds);
  void set_exclusions(std::shared_ptr<const policy::Exclusions> exclusions);

  struct Trouble {
    bool pending = false;  // some kind is still being looked up: the text is not final
    std::string text;      // as Gatekeeper words it; empty: every kind is watched
  };
  Trouble trouble(const Kinds& kinds) const;

  std::size_t intended() const noexcept { return sources_.size(); }
  std::size_t watched() const;  // kinds that are served and watched
  void stop();

 private:
  struct Watched;
  static awaitable<void> run(std::shared_ptr<Watched> watched);
  static awaitable<Result<kube::ApiResource>> find(std::shared_ptr<Watched> watched);
  static void failed(Watched& watched, const Error& error);
  static bool worth_waiting_for(Watched& watched, const Error& error);
  static void mended(Watched& watched);
  void add(const kube::GroupVersionKind& kind);
  void remove(const kube::GroupVersionKind& kind);
  void count(const std::string& kind) const;
  void state_changed();
  void memory_changed();
  static awaitable<void> list_refused_later(SyncController* self, std::shared_ptr<bool> alive,
                                            std::chrono::milliseconds delay);

  kube::Client& client_;
  ReadinessTracker& readiness_;
  const SyncOptions options_;
  Events events_;
  SyncTarget target_;
  SyncSources sources_;
  std::map<kube::GroupVersionKind, std::shared_ptr<Watched>> watched_;
  std::size_t used_ = 0;          // memory when last looked at
  bool refused_waiting_ = false;  // list_refused_later() is under way
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace portcullis::controller
