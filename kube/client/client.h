// REST client of one API server. Every call takes a deadline; failures are Errors whose code says what to do
// (kube/core/object.h, status_error). 429 with Retry-After is waited out and retried within the deadline (a few times),
// then kThrottled. Nothing else is retried here: callers are level-based.
// Threads: the thread of `context` only (controllers of a process share one I/O thread); the objects it returns are
// immutable and may go anywhere.
// Lifetime: coroutines keep what they need; destroying the client cancels nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "kube/client/config.h"
#include "kube/core/discovery.h"
#include "kube/core/object.h"
#include "kube/core/resource.h"
#include "net/awaitable.h"

namespace boost::asio {
class io_context;
}

namespace portcullis::kube {

enum class PatchType : std::uint8_t {
  kMerge,  // application/merge-patch+json
  kJson,   // application/json-patch+json
  kApply,  // application/apply-patch+yaml: server-side apply (the body is JSON)
};

struct ClientOptions {
  std::string user_agent = "portcullis";
  std::size_t max_connections = 64;  // of requests; watches are not counted (net/http_client.h bounds them)
  std::uint32_t throttle_retries = 4;
  std::size_t max_body_bytes = 256u * 1024 * 1024;
};

// An open watch. next() gives one event {"type": …, "object": …} at a time.
class WatchStream {
 public:
  ~WatchStream();
  // An Object whose root is the event; root undefined at the regular end of the stream. kTimeout when nothing came
  // until `deadline` (call again), kUnavailable when cut, kInvalid for a line that is no JSON, kLimit for an endless
  // line.
  awaitable<Result<Object>> next(Deadline deadline);
  void close();

 private:
  friend class Client;
  struct Impl;
  explicit WatchStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Client {
 public:
  // kInvalid: a server URL or PEM text that cannot be used.
  static Result<std::unique_ptr<Client>> create(boost::asio::io_context& context, ClientConfig config,
                                                ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `ns` is empty for cluster-scoped resources.
  awaitable<Result<Object>> get(ApiResource resource, std::string ns, std::string name, Deadline deadline);
  // One page; pass continue_token of the last to get the next. kGone: the token has expired, start over.
  awaitable<Result<ListPage>> list(ApiResource resource, std::string ns, ListOptions options, Deadline deadline);
  // Bodies are the JSON of the object, with apiVersion and kind. create of an existing object: kConflict with
  // is_already_exists(error).
  awaitable<Result<Object>> create(ApiResource resource, std::string ns, std::string body, Deadline deadline,
                                   WriteOptions options = {});
  // The body's metadata.resourceVersion guards against lost updates: kConflict.
  awaitable<Result<Object>> update(ApiResource resource, std::string ns, std::string name, std::string body,
                                   Deadline deadline, WriteOptions options = {}, std::string subresource = {});
  awaitable<Result<Object>> update_status(ApiResource resource, std::string ns, std::string name, std::string body,
                                          Deadline deadline, WriteOptions options = {});
  awaitable<Result<Object>> patch(ApiResource resource, std::string ns, std::string name, PatchType type,
                                  std::string body, Deadline deadline, WriteOptions options = {},
                                  std::string subresource = {});
  // kNotFound when it is not there. `uid` and `resource_version`, when not empty, are preconditions (kConflict).
  awaitable<Result<void>> remove(ApiResource resource, std::string ns, std::string name, Deadline deadline,
                                 std::string uid = {}, std::string resource_version = {});

  awaitable<Result<std::unique_ptr<WatchStream>>> watch(ApiResource resource, std::string ns, WatchOptions options,
                                                        Deadline deadline);
  // The same by a ready-made target (kube/core/watch.h).
  awaitable<Result<ListPage>> list_at(std::string target, Deadline deadline);
  awaitable<Result<std::unique_ptr<WatchStream>>> watch_at(std::string target, Deadline deadline);

  // Every resource the server knows. Aggregated discovery where it is served (two requests), else one per group
  // version.
  awaitable<Result<Discovery>> discover(Deadline deadline);
  // The resources of one group version; kNotFound when it is not served.
  awaitable<Result<std::vector<ApiResource>>> discover_group_version(std::string group, std::string version,
                                                                     Deadline deadline);
  // The resource of one kind, from the cache of what was discovered, else by asking; kNotFound.
  awaitable<Result<ApiResource>> resource_of(GroupVersionKind gvk, Deadline deadline);
  // Forget cached resources (a CRD came, changed or went).
  void forget_discovery();

  // GET of any path, for /version, /readyz and the like: the body of a 200.
  awaitable<Result<std::string>> get_text(std::string path, Deadline deadline);

  const ClientConfig& config() const noexcept;
  boost::asio::io_context& context() noexcept;

 private:
  struct Impl;
  explicit Client(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::kube
