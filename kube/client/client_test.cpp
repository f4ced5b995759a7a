// The client against the fake API server.
#include "kube/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "net/blocking.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::kube {
namespace {

using testing::HasSubstr;

Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

ApiResource namespaces() { return {"", "v1", "Namespace", "namespaces", false, {}, {"status"}}; }
ApiResource pods() { return {"", "v1", "Pod", "pods", true, {}, {"status"}}; }

std::string pod(const std::string& name, const std::string& more = "") {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"n","name":")" + name + "\"" + more + "}}";
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() { connect(api.config()); }
  ~ClientTest() override { io.stop(); }
  void connect(ClientConfig config, ClientOptions options = {}) {
    client = Client::create(io.context(), std::move(config), options).value();
  }
  template <typename T>
  T wait(awaitable<T> coroutine) {
    return net::run_blocking(io.context(), std::move(coroutine));
  }

  test::FakeApi api;
  net::IoThread io{"client"};
  std::unique_ptr<Client> client;
};

TEST_F(ClientTest, CreateGetUpdateDelete) {
  const Result<Object> made = wait(client->create(pods(), "n", pod("a"), soon()));
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  EXPECT_EQ(made->meta().name(), "a");
  EXPECT_TRUE(is_already_exists(wait(client->create(pods(), "n", pod("a"), soon())).error()));

  const Result<Object> got = wait(client->get(pods(), "n", "a", soon()));
  ASSERT_TRUE(got.ok());
  const std::string version(got->meta().resource_version());
  const std::string body = pod("a", R"(,"labels":{"x":"y"},"resourceVersion":")" + version + "\"");
  const Result<Object> updated = wait(client->update(pods(), "n", "a", body, soon()));
  ASSERT_TRUE(updated.ok()) << updated.error().to_string();
  EXPECT_EQ(updated->meta().label("x"), "y");
  EXPECT_EQ(wait(client->update(pods(), "n", "a", body, soon())).error().code, Code::kConflict);

  EXPECT_EQ(wait(client->remove(pods(), "n", "a", soon(), "wrong-uid")).error().code, Code::kConflict);
  EXPECT_TRUE(wait(client->remove(pods(), "n", "a", soon())).ok());
  EXPECT_EQ(wait(client->remove(pods(), "n", "a", soon())).error().code, Code::kNotFound);
  EXPECT_EQ(wait(client->get(pods(), "n", "a", soon())).error().code, Code::kNotFound);
}

TEST_F(ClientTest, StatusIsASubresource) {
  ASSERT_TRUE(wait(client->create(pods(), "n", pod("a"), soon())).ok());
  const std::string body =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"},"status":{"phase":"Running"}})";
  const Result<Object> plain = wait(client->update(pods(), "n", "a", body, soon()));
  ASSERT_TRUE(plain.ok());
  EXPECT_FALSE(plain->root().get("status").defined());
  const Result<Object> status = wait(client->update_status(pods(), "n", "a", body, soon()));
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->root().get("status").string_or("phase"), "Running");
}

TEST_F(ClientTest, Patches) {
  ASSERT_TRUE(wait(client->create(pods(), "n", pod("a"), soon())).ok());
  const auto label = [&](PatchType type, std::string name, std::string body) {
    const Result<Object> got = wait(client->patch(pods(), "n", std::move(name), type, std::move(body), soon()));
    return got.ok() ? std::string(got->meta().label("x")) : got.error().to_string();
  };
  EXPECT_EQ(label(PatchType::kMerge, "a", R"({"metadata":{"labels":{"x":"1"}}})"), "1");
  EXPECT_EQ(label(PatchType::kJson, "a", R"([{"op":"replace","path":"/metadata/labels/x","value":"2"}])"), "2");
  EXPECT_EQ(label(PatchType::kApply, "b", pod("b", R"(,"labels":{"x":"3"})")), "3");
  EXPECT_EQ(api.last_header("Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(api.count("PATCH", "fieldManager=portcullis"), 3u);
}

TEST_F(ClientTest, ListsInPages) {
  for (const char* name : {"a", "b", "c", "d", "e"}) api.put(pod(name));
  ListOptions options;
  options.limit = 2;
  std::string names;
  int pages = 0;
  do {
    const Result<ListPage> page = wait(client->list(pods(), "", options, soon()));
    ASSERT_TRUE(page.ok()) << page.error().to_string();
    for (const Value& item : page->items()) {
      names += Meta(item).name();
      EXPECT_EQ(Meta(item).kind(), "Pod");
    }
    options.continue_token = page->continue_token();
    ++pages;
  } while (!options.continue_token.empty());
  EXPECT_EQ(names, "abcde");
  EXPECT_EQ(pages, 3);
  options.continue_token = "1:n/a";
  api.forget_history();
  EXPECT_EQ(wait(client->list(pods(), "", options, soon())).error().code, Code::kGone);
}

TEST_F(ClientTest, FailuresBecomeCodes) {
  struct Case {
    int status;
    const char* reason;
    Code code;
  };
  for (const Case& c : {Case{401, "Unauthorized", Code::kDenied}, Case{403, "Forbidden", Code::kDenied},
                        Case{500, "InternalError", Code::kUnavailable}, Case{422, "Invalid", Code::kInvalid},
                        Case{410, "Expired", Code::kGone}, Case{504, "Timeout", Code::kTimeout}}) {
    api.add_fault({.target = "/pods", .status = c.status, .reason = c.reason});
    const Result<ListPage> got = wait(client->list(pods(), "", {}, soon()));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, c.code) << c.status;
    EXPECT_THAT(got.error().to_string(), HasSubstr("GET /api/v1/pods: "));
    EXPECT_THAT(got.error().to_string(), HasSubstr("injected fault"));
    EXPECT_EQ(is_forbidden(got.error()), c.status == 403) << c.status;
  }
  api.add_fault({.target = "/pods", .times = -1, .drop = true});
  EXPECT_EQ(wait(client->list(pods(), "", {}, soon())).error().code, Code::kUnavailable);
  api.clear_faults();
  api.add_fault({.target = "/pods", .body = "<html>not json</html>"});
  EXPECT_EQ(wait(client->list(pods(), "", {}, soon())).error().code, Code::kInvalid);
}

TEST_F(ClientTest, SlowServerMeetsTheDeadline) {
  api.add_fault({.target = "/pods", .delay = std::chrono::milliseconds(300)});
  const Deadline deadline = Deadline::after(std::chrono::milliseconds(30));
  EXPECT_EQ(wait(client->list(pods(), "", {}, deadline)).error().code, Code::kTimeout);
}

TEST_F(ClientTest, ThrottlingIsWaitedOutWithinTheDeadline) {
  api.add_fault({.target = "/pods", .times = 2, .status = 429, .reason = "TooManyRequests", .retry_after = 0});
  EXPECT_TRUE(wait(client->list(pods(), "", {}, soon())).ok());
  EXPECT_EQ(api.count("GET", "/pods"), 3u);
  api.add_fault({.target = "/pods", .times = -1, .status = 429, .reason = "TooManyRequests", .retry_after = 0});
  EXPECT_EQ(wait(client->list(pods(), "", {}, soon())).error().code, Code::kThrottled);
  api.clear_faults();
  api.add_fault({.target = "/pods", .times = -1, .status = 429, .reason = "TooManyRequests", .retry_after = 3600});
  EXPECT_EQ(wait(client->list(pods(), "", {}, soon())).error().code, Code::kThrottled);  // at once: no point in waiting
}

TEST_F(ClientTest, Discovers) {
  for (const bool aggregated : {true, false}) {
    api.set_aggregated_discovery(aggregated);
    const Result<Discovery> found = wait(client->discover(soon()));
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    const ApiResource* deployment = find_resource(found->resources, {"apps", "v1", "Deployment"});
    ASSERT_NE(deployment, nullptr);
    EXPECT_TRUE(deployment->has_subresource("status"));
    EXPECT_NE(find_resource(found->resources, {"", "v1", "Pod"}), nullptr);
  }
  EXPECT_EQ(wait(client->resource_of({"x.io", "v1", "Thing"}, soon())).error().code, Code::kNotFound);
  api.serve({"x.io", "v1", "Thing", "things", false, {}, {}});
  const Result<ApiResource> thing = wait(client->resource_of({"x.io", "v1", "Thing"}, soon()));
  ASSERT_TRUE(thing.ok()) << thing.error().to_string();
  EXPECT_EQ(thing->plural, "things");
  api.unserve("x.io", "things");
  EXPECT_TRUE(wait(client->resource_of({"x.io", "v1", "Thing"}, soon())).ok());  // remembered
  client->forget_discovery();
  EXPECT_FALSE(wait(client->resource_of({"x.io", "v1", "Thing"}, soon())).ok());
}

TEST_F(ClientTest, OneFailingGroupDoesNotHideTheOthers) {
  api.set_aggregated_discovery(false);
  api.add_fault({.target = "/apis/apps/v1", .status = 503, .reason = "ServiceUnavailable"});
  const Result<Discovery> found = wait(client->discover(soon()));
  ASSERT_TRUE(found.ok());
  EXPECT_NE(find_resource(found->resources, {"", "v1", "Pod"}), nullptr);
  ASSERT_EQ(found->failed.size(), 1u);
  EXPECT_EQ(found->failed[0].group, "apps");
}

TEST_F(ClientTest, Watches) {
  const std::string version = api.put(pod("a"));
  WatchOptions options;
  options.resource_version = version;
  Result<std::unique_ptr<WatchStream>> opened = wait(client->watch(pods(), "", options, soon()));
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  WatchStream& stream = **opened;
  api.put(pod("b"));
  const Result<Object> added = wait(stream.next(soon()));
  ASSERT_TRUE(added.ok()) << added.error().to_string();
  EXPECT_EQ(added->root().string_or("type"), "ADDED");
  EXPECT_EQ(Meta(added->root().get("object")).name(), "b");
  EXPECT_EQ(wait(stream.next(Deadline::after(std::chrono::milliseconds(20)))).error().code, Code::kTimeout);
  api.erase("", "pods", "n", "b");
  EXPECT_EQ(wait(stream.next(soon()))->root().string_or("type"), "DELETED");  // the stream went on after the timeout
  api.cut_watches();
  EXPECT_EQ(wait(stream.next(soon())).error().code, Code::kUnavailable);

  opened = wait(client->watch(pods(), "", options, soon()));
  api.end_watches();
  Object last;
  do {
    Result<Object> next = wait((*opened)->next(soon()));
    ASSERT_TRUE(next.ok());
    last = std::move(next).value();
  } while (last.root().defined());
  api.add_fault({.method = "WATCH", .status = 410, .reason = "Expired"});
  EXPECT_EQ(wait(client->watch(pods(), "", options, soon())).error().code, Code::kGone);
}

TEST_F(ClientTest, TokenFileIsSent) {
  const std::string path = testing::TempDir() + "portcullis-token-" + std::to_string(getpid());
  std::ofstream(path) << "secret\n";
  ClientConfig config = api.config();
  config.token_file = path;
  connect(config);
  ASSERT_TRUE(wait(client->list(pods(), "", {}, soon())).ok());
  EXPECT_EQ(api.last_header("Authorization"), "Bearer secret");
  std::ofstream(path) << "rotated";
  ASSERT_TRUE(wait(client->list(pods(), "", {}, soon())).ok());
  EXPECT_EQ(api.last_header("Authorization"), "Bearer secret");  // not read for each request
  api.add_fault({.target = "/pods", .status = 401, .reason = "Unauthorized"});
  ASSERT_TRUE(wait(client->list(pods(), "", {}, soon())).ok());  // but at once when it is refused
  EXPECT_EQ(api.last_header("Authorization"), "Bearer rotated");
  std::remove(path.c_str());
}

TEST_F(ClientTest, RestartedServerIsFoundAgain) {
  ASSERT_TRUE(wait(client->list(namespaces(), "", {}, soon())).ok());
  api.stop();
  EXPECT_EQ(wait(client->list(namespaces(), "", {}, soon())).error().code, Code::kUnavailable);
  api.start();
  EXPECT_TRUE(wait(client->list(namespaces(), "", {}, soon())).ok());
}

TEST_F(ClientTest, BadConfigIsRefused) {
  ClientConfig config;
  config.server = "nowhere";
  EXPECT_EQ(Client::create(io.context(), config).error().code, Code::kInvalid);
  config.server = "https://127.0.0.1";
  config.ca_pem = "rubbish";
  EXPECT_EQ(Client::create(io.context(), config).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace portcullis::kube
