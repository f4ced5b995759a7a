// One watch per kind of constraint. A kind comes with its template and goes with it; that its CRD is not served yet is
// nothing special.
// Threads: the client's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client/client.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"

namespace portcullis::controller {

class ConstraintKinds {
 public:
  struct Events {
    // A constraint appeared, changed or went.
    std::function<void(const std::string& kind, const std::string& name)> changed;
    // The first list of a kind is complete.
    std::function<void(const std::string& kind, const std::vector<std::string>& names)> synced;
    // The API server does not serve the kind (now).
    std::function<void(const std::string& kind)> absent;
    // A kind is no longer watched. May be null.
    std::function<void()> dropped{};
  };

  ConstraintKinds(kube::Client& client, Events events);
  ~ConstraintKinds();  // stop()

  void ensure(const std::string& kind);  // starts the watch when there is none
  void drop(const std::string& kind);    // stops it; no event follows
  void nudge(const std::string& kind);   // its CRD has just been established: look again now
  void stop();

  kube::ObjectPtr get(const std::string& kind, std::string_view name) const;  // null when absent
  std::vector<std::string> names(const std::string& kind) const;
  std::vector<std::string> kinds() const;
  std::size_t served() const;  // how many of them the API server serves now

 private:
  struct Watch;
  static awaitable<void> run(std::shared_ptr<Watch> watch);

  kube::Client& client_;
  std::shared_ptr<const Events> events_;
  std::map<std::string, std::shared_ptr<Watch>, std::less<>> watches_;
};

}  // namespace portcullis::controller
