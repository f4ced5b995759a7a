// The inside of the fake API server, shared by its two halves: what is stored (objects.cpp) and how it is served
// (fakeapi.cpp).
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "net/http_server.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::test {

using Json = nlohmann::json;
using net::HttpRequest;
using net::HttpResponse;

struct Stored {
  std::uint64_t version = 0;
  std::string type;        // ADDED, MODIFIED, DELETED
  std::string collection;  // group/plural
  Json object;
};

struct Address {
  kube::ApiResource resource;
  std::string ns;
  std::string name;
  std::string subresource;
  std::string collection() const { return resource.group + "/" + resource.plural; }
};

HttpResponse status_response(int code, const std::string& reason, const std::string& message);
HttpResponse object_response(int code, const Json& object);
std::string text_of(const Json& object, const char* key);
Json& metadata_of(Json& object);
std::string key_of(const Json& object);
// "a=b,c!=d,e,!f": what tests use of the selector language.
bool labels_match(const std::string& selector, const Json& object);
bool fields_match(const std::string& selector, const Json& object);
std::vector<kube::ApiResource> builtin_kinds();
std::vector<std::string> split_path(std::string_view path);
std::string parameter(const HttpRequest& request, std::string_view name);  // "" when absent

struct FakeApi::Impl : net::HttpHandler, std::enable_shared_from_this<FakeApi::Impl> {
  Impl() : resources(builtin_kinds()), signal(pool.at(0).context()) {}

  awaitable<HttpResponse> handle(HttpRequest request) override;
  HttpResponse answer(const HttpRequest& request);
  HttpResponse discovery(const HttpRequest& request, const std::vector<std::string>& parts);
  Json aggregated(bool core) const;
  std::optional<Address> find(std::string_view path) const;
  HttpResponse list_or_watch(const HttpRequest& request, const Address& at, bool watch);
  HttpResponse write(const HttpRequest& request, const Address& at);
  HttpResponse create(Json object, const Address& at, bool dry_run);
  HttpResponse replace(Json object, const Address& at, bool dry_run);
  HttpResponse remove(const HttpRequest& request, const Address& at);
  std::optional<Fault> strike(const HttpRequest& request, bool watch);
  void note(const HttpRequest& request, bool watch);

  // With `mutex` held.
  std::string store(const std::string& collection, Json object, const char* type);
  void drop(const std::string& collection, const std::string& key);
  void crd_changed(Json& crd, bool gone);
  void changed() {
    ++change_count;
    change.notify_all();
    // Weakly: what is still queued when the pool stops must not keep its owner.
    net::post(pool.at(0).context(), [weak = weak_from_this()] {
      if (const std::shared_ptr<Impl> self = weak.lock()) self->signal.notify_all();
    });
  }
  static Json in_version(Json object, const kube::ApiResource& resource) {
    object["apiVersion"] = resource.api_version();
    object["kind"] = resource.kind;
    return object;
  }

  net::IoPool pool{1, "fakeapi"};
  std::unique_ptr<net::HttpServer> server;
  std::uint16_t port = 0;

  mutable std::mutex mutex;
  mutable std::condition_variable change;
  std::uint64_t change_count = 0;
  std::vector<kube::ApiResource> resources;
  std::map<std::string, std::map<std::string, Json>> objects;  // collection -> "ns/name" -> object
  std::vector<Stored> history;
  std::uint64_t version = 100;
  std::uint64_t forgotten = 0;  // history up to here is gone
  std::uint64_t names = 0;
  bool establish_crds = true;
  bool aggregated_discovery = true;
  std::vector<Fault> faults;
  std::vector<std::pair<std::string, std::string>> log;  // method, target
  net::Headers last_headers;
  std::size_t watches = 0;
  bool down = false;
  std::uint64_t cut = 0, ended = 0, bookmarks = 0;  // generations: a watch compares with what it began with

  net::Signal signal;  // on the server's thread
};

}  // namespace portcullis::test
