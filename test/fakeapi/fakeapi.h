// An API server in the test's own process: enough of Kubernetes' REST semantics for clients, reflectors and controllers
// (discovery, list with paging, watch with history and bookmarks, optimistic concurrency, status subresource,
// finalizers, CRDs that begin to be served), and faults on demand.
// Not there: schemas and admission, field managers (server-side apply merges), authorization.
// Threads: every member from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client/config.h"
#include "kube/core/resource.h"

namespace portcullis::test {

// Strikes requests whose method equals `method` (empty: any; "WATCH" for watches, which GET does not match) and whose
// path and query contain `target`.
struct Fault {
  std::string method{};
  std::string target{};
  int times = 1;                       // how many requests it strikes; -1: all
  int after = 0;                       // lets that many matching requests pass first
  std::chrono::milliseconds delay{0};  // before answering
  int status = 0;                      // not 0: answer with this status and a Status object …
  std::string reason{};                // … of this reason
  int retry_after = -1;                // seconds, for 429
  bool drop = false;                   // close the connection without an answer
  std::string body{};                  // not empty (with status 200): this text instead of the real answer
};

class FakeApi {
 public:
  FakeApi();
  ~FakeApi();
  FakeApi(const FakeApi&) = delete;
  FakeApi& operator=(const FakeApi&) = delete;

  kube::ClientConfig config() const;
  std::uint16_t port() const;
  // Stops listening and cuts everything; start() listens on the same port again. What is stored stays.
  void stop();
  void start();

  // --- What is served. Namespaces, Pods, Secrets, ConfigMaps, Services, Events, Deployments, CRDs, and the webhook
  // configurations are from the start. Creating a CRD serves its kinds (and marks it Established) unless told
  // otherwise.
  void serve(kube::ApiResource resource);
  void unserve(const std::string& group, const std::string& plural);  // objects of the kind go with it
  void set_establish_crds(bool on);
  void set_aggregated_discovery(bool on);

  // --- Objects, as some other client would change them. Text is JSON with apiVersion and kind.
  // Creates or replaces (whatever the resourceVersion in it). Returns the new resourceVersion.
  std::string put(std::string_view json);
  bool erase(const std::string& group, const std::string& plural, const std::string& ns, const std::string& name);
  // The stored JSON; nothing when absent.
  std::optional<std::string> get(const std::string& group, const std::string& plural, const std::string& ns,
                                 const std::string& name) const;
  std::vector<std::string> list(const std::string& group, const std::string& plural) const;

  // --- Faults.
  void add_fault(Fault fault);
  void clear_faults();
  void forget_history();  // watches and continue tokens from before now get 410
  void cut_watches();     // connections break
  void end_watches();     // regular end of the stream
  void send_bookmarks();  // to every open watch

  // --- What happened. Requests whose method equals `method` (empty: any; "WATCH") and whose target contains `target`.
  std::size_t count(const std::string& method, const std::string& target) const;
  std::size_t open_watches() const;
  std::optional<std::string> last_header(const std::string& name) const;
  // Waits until `condition` holds, looking again after every request and change. False after 10 seconds.
  template <typename Condition>
  bool wait_for(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::uint64_t seen = changes();
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      seen = wait_for_change(seen, std::chrono::milliseconds(20));
    }
    return true;
  }

 private:
  std::uint64_t changes() const;
  std::uint64_t wait_for_change(std::uint64_t since, std::chrono::milliseconds at_most) const;
  friend class WatchSource;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::test
