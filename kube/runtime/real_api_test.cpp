// Client and runtime on a real API server, named by PC_TEST_KUBECONFIG (an administrator's); skipped without it. Proves
// what the fake API server only imitates. Works on objects of its own and removes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "kube/client/client.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"
#include "net/blocking.h"
#include "net/io.h"
#include "net/io_thread.h"

namespace portcullis::kube {
namespace {

using testing::HasSubstr;

Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

constexpr const char* kCrd = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"clienttests.portcullis.test"},"spec":{"group":"portcullis.test","scope":"Cluster",
  "names":{"kind":"ClientTest","plural":"clienttests","singular":"clienttest","listKind":"ClientTestList"},
  "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
    "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})";

std::string thing(const std::string& name, const std::string& more = "") {
  return R"({"apiVersion":"portcullis.test/v1","kind":"ClientTest","metadata":{"name":")" + name + "\"" + more +
         R"(},"spec":{"size":1}})";
}

class RealApiTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PC_TEST_KUBECONFIG");
    if (path == nullptr) GTEST_SKIP() << "PC_TEST_KUBECONFIG is not set";
    Result<ClientConfig> config = load_kubeconfig(path);
    ASSERT_TRUE(config.ok()) << config.error().to_string();
    client = Client::create(io.context(), std::move(config).value()).value();
  }
  ~RealApiTest() override { io.stop(); }
  template <typename T>
  T wait(awaitable<T> coroutine) {
    return net::run_blocking(io.context(), std::move(coroutine));
  }
  void on_thread(std::function<void()> what) {
    std::promise<void> done;
    net::post(io.context(), [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    const Deadline end = soon();
    while (!condition()) {
      if (end.passed()) return false;
      std::this_thread::yield();
    }
    return true;
  }
  net::IoThread io{"kube"};
  std::unique_ptr<Client> client;
};

TEST_F(RealApiTest, WholeLifeOfAKind) {
  const Result<Discovery> found = wait(client->discover(soon()));
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  const ApiResource* crds = find_resource(found->resources, {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"});
  ASSERT_NE(crds, nullptr);
  EXPECT_TRUE(crds->has_subresource("status"));
  EXPECT_FALSE(crds->namespaced);
  EXPECT_GT(preferred_listable(found->resources).size(), 20u);

  const ApiResource things{"portcullis.test", "v1", "ClientTest", "clienttests", false, {}, {"status"}};
  auto store = std::make_shared<Store>();
  StoreWriter writer(store);
  ReflectorOptions options;
  options.absent_retry = std::chrono::milliseconds(50);
  options.watcher.page_size = 2;
  std::unique_ptr<Reflector> reflector;
  on_thread([&] {
    reflector = std::make_unique<Reflector>(*client, things, writer, options);
    net::spawn(io.context(), reflector->run(), "reflector");
  });

  static_cast<void>(wait(client->remove(*crds, "", "clienttests.portcullis.test", soon())));
  ASSERT_TRUE(eventually([&] {
    return wait(client->get(*crds, "", "clienttests.portcullis.test", soon())).error().code == Code::kNotFound;
  }));
  const Result<Object> crd = wait(client->create(*crds, "", kCrd, soon()));
  ASSERT_TRUE(crd.ok()) << crd.error().to_string();
  ASSERT_TRUE(eventually([&] {
    client->forget_discovery();
    return wait(client->resource_of(things.gvk(), soon())).ok();
  }));

  for (const char* name : {"a", "b", "c"}) {
    Result<Object> made;
    ASSERT_TRUE(eventually([&] {
      made = wait(client->create(things, "", thing(name), soon()));
      return made.ok();
    })) << made.error().to_string();
  }
  ASSERT_TRUE(eventually([&] { return store->size() == 3; }));
  EXPECT_TRUE(is_already_exists(wait(client->create(things, "", thing("a"), soon())).error()));

  ListOptions page;
  page.limit = 2;
  const Result<ListPage> first = wait(client->list(things, "", page, soon()));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->items().size(), 2u);
  EXPECT_EQ(first->remaining(), 1);
  page.continue_token = first->continue_token();
  EXPECT_EQ(wait(client->list(things, "", page, soon()))->items().size(), 1u);

  const Result<Object> status = wait(client->update_status(
      things, "", "a",
      R"({"apiVersion":"portcullis.test/v1","kind":"ClientTest","metadata":{"name":"a","resourceVersion":")" +
          std::string(store->get("a")->meta().resource_version()) + R"("},"status":{"seen":true}})",
      soon()));
  ASSERT_TRUE(status.ok()) << status.error().to_string();
  ASSERT_TRUE(eventually([&] { return store->get("a")->root().path({"status", "seen"}).is_true(); }));
  EXPECT_EQ(wait(client->update(things, "", "a", thing("a", R"(,"resourceVersion":"1")"), soon())).error().code,
            Code::kConflict);

  WriteOptions apply;
  apply.force = true;
  const Result<Object> applied = wait(client->patch(
      things, "", "b", PatchType::kApply,
      R"({"apiVersion":"portcullis.test/v1","kind":"ClientTest","metadata":{"name":"b"},"spec":{"size":2}})", soon(),
      apply));
  ASSERT_TRUE(applied.ok()) << applied.error().to_string();
  ASSERT_TRUE(eventually([&] { return store->get("b")->root().path({"spec", "size"}).as_integer() == 2; }));
  EXPECT_TRUE(
      wait(client->patch(things, "", "c", PatchType::kMerge, R"({"metadata":{"labels":{"x":"y"}}})", soon())).ok());
  EXPECT_TRUE(wait(client->patch(things, "", "c", PatchType::kJson,
                                 R"([{"op":"add","path":"/metadata/labels/z","value":"1"}])", soon()))
                  .ok());
  ASSERT_TRUE(eventually([&] { return store->get("c")->meta().label("z") == "1"; }));
  EXPECT_FALSE(store->get("c")->meta().metadata().get("managedFields").defined());

  ASSERT_TRUE(wait(client->remove(things, "", "a", soon())).ok());
  ASSERT_TRUE(eventually([&] { return store->get("a") == nullptr; }));

  WatchOptions old;
  old.resource_version = "1";
  Result<std::unique_ptr<WatchStream>> watch = wait(client->watch(things, "", old, soon()));
  if (watch.ok()) {
    const Result<Object> event = wait((*watch)->next(soon()));
    on_thread([&] { watch->reset(); });
    ASSERT_TRUE(event.ok());
  }

  ASSERT_TRUE(wait(client->remove(*crds, "", "clienttests.portcullis.test", soon())).ok());
  ASSERT_TRUE(eventually([&] { return store->size() == 0; }));
  on_thread([&] { reflector.reset(); });
}

TEST_F(RealApiTest, Refusals) {
  const ApiResource namespaces{"", "v1", "Namespace", "namespaces", false, {}, {"status"}};
  const Result<Object> invalid = wait(client->create(
      namespaces, "", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"Not_A_Name"}})", soon()));
  ASSERT_FALSE(invalid.ok());
  EXPECT_EQ(invalid.error().code, Code::kInvalid);
  EXPECT_THAT(invalid.error().message, HasSubstr("Invalid value"));
  ClientConfig stranger = client->config();
  stranger.token = "wrong";
  stranger.token_file.clear();
  stranger.client_certificate_pem.clear();
  stranger.client_key_pem.clear();
  const std::unique_ptr<Client> other = Client::create(io.context(), stranger).value();
  EXPECT_EQ(wait(other->get(namespaces, "", "default", soon())).error().code, Code::kDenied);
  EXPECT_TRUE(wait(client->get_text("/version", soon())).ok());
}

}  // namespace
}  // namespace portcullis::kube
