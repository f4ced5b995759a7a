// Synced kinds against the fake API server: what data.inventory holds while kinds, exclusions and objects change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "controller/sync/reconcile.h"
#include "engine/value/json.h"
#include "kube/client/client.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::controller {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::set<std::string>;

const kube::GroupVersionKind kPod{"", "v1", "Pod"};
const kube::GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};
const kube::GroupVersionKind kNamespace{"", "v1", "Namespace"};
const kube::GroupVersionKind kThing{"x.io", "v1", "Thing"};

std::string object(const char* kind, const std::string& ns, const std::string& name, const char* more = "") {
  return std::string(R"({"apiVersion": "v1", "kind": ")") + kind + R"(", "metadata": {"namespace": ")" + ns +
         R"(", "name": ")" + name + R"(", "managedFields": [{"manager": "x"}])" + more + "}}";
}

class SyncTest : public testing::Test {
 protected:
  SyncTest() : client(kube::Client::create(io.context(), api.config()).value()) {}
  ~SyncTest() override {
    on_thread([this] { sync.reset(); });
    io.stop();
  }
  void on_thread(std::function<void()> what) {
    std::promise<void> done;
    net::post(io.context(), [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  void start(SyncOptions options = {}) {
    options.absent_retry = milliseconds(5);
    options.refused_retry = milliseconds(5);
    options.backoff = {milliseconds(1), milliseconds(5), 2.0, 0.0};
    SyncController::Events events;
    events.kinds_changed = [this] { ++kinds_changed; };
    events.counted = [this](const std::string& kind, std::int64_t active, std::int64_t error) {
      const std::lock_guard lock(mutex);
      counts[kind] = {active, error};
    };
    events.watching = [this](std::size_t watched, std::size_t intended) {
      const std::lock_guard lock(mutex);
      watching = {watched, intended};
    };
    on_thread([&] {
      sync = std::make_unique<SyncController>(*client, inventory, withheld, readiness, options, std::move(events));
    });
  }
  void want(const std::string& source, Kinds kinds) {
    on_thread([&] { sync->set_source(source, std::move(kinds)); });
  }
  void exclude(std::vector<std::string> namespaces) {
    const policy::ExclusionEntry entry{{"sync"}, std::move(namespaces)};
    on_thread([&] {
      sync->set_exclusions(
          std::make_shared<const policy::Exclusions>(std::span<const policy::ExclusionEntry>(&entry, 1)));
    });
  }
  static Names names(const policy::Inventory& of) {
    policy::CachedInventory mine;
    Names out;
    for (const Value& value : of.refresh(mine).objects()) {
      const std::string ns(
          value.path({"metadata", "namespace"}).is_string() ? value.path({"metadata", "namespace"}).as_string() : "");
      out.insert(std::string(value.string_or("kind")) + " " + ns + "/" +
                 std::string(value.path({"metadata", "name"}).as_string()));
    }
    return out;
  }
  bool has(const Names& wanted) {
    const bool reached = api.wait_for([&] { return names(inventory) == wanted; });
    EXPECT_EQ(names(inventory), wanted);
    return reached;
  }
  bool counted(const std::string& kind, std::int64_t active, std::int64_t error) {
    return api.wait_for([&] {
      const std::lock_guard lock(mutex);
      return counts[kind] == std::pair(active, error);
    });
  }
  std::string trouble(Kinds kinds) {
    std::string text;
    on_thread([&] {
      const SyncController::Trouble got = sync->trouble(kinds);
      text = got.pending ? "pending" : got.text;
    });
    return text;
  }

  test::FakeApi api;
  net::IoThread io{"control"};
  std::unique_ptr<kube::Client> client;
  policy::Inventory inventory, withheld;
  ReadinessTracker readiness;
  std::mutex mutex;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> counts;
  std::pair<std::size_t, std::size_t> watching;
  std::atomic<int> kinds_changed{0};
  std::unique_ptr<SyncController> sync;
};

TEST_F(SyncTest, FollowsTheKindsThatSomebodyAsksFor) {
  api.put(object("Pod", "a", "p1"));
  api.put(object("ConfigMap", "a", "m1"));
  start();
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p1"}));
  want("syncset/s", {kConfigMap, kPod});
  ASSERT_TRUE(has({"Pod a/p1", "ConfigMap a/m1"}));
  api.put(object("Pod", "b", "p2"));
  api.erase("", "configmaps", "a", "m1");
  ASSERT_TRUE(has({"Pod a/p1", "Pod b/p2"}));
  ASSERT_TRUE(counted("Pod", 2, 0));
  const std::size_t lists = api.count("GET", "/pods");
  want("config", {});  // the SyncSet still asks for Pods: neither lost nor listed again
  EXPECT_EQ(names(inventory), (Names{"Pod a/p1", "Pod b/p2"}));
  want("syncset/s", {kConfigMap});
  EXPECT_EQ(names(inventory), Names{});
  EXPECT_EQ(api.count("GET", "/pods"), lists);
  ASSERT_TRUE(counted("Pod", 0, 0));
  EXPECT_EQ(watching, (std::pair<std::size_t, std::size_t>{1, 1}));
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p1", "Pod b/p2"}));
}

TEST_F(SyncTest, KeepsWholeObjectsWithoutManagedFields) {
  api.put(object("Pod", "a", "p", R"(, "labels": {"x": "y"})"));
  start();
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p"}));
  policy::CachedInventory mine;
  const Value metadata =
      inventory.refresh(mine).data().path({"inventory", "namespace", "a", "v1", "Pod", "p", "metadata"});
  EXPECT_EQ(metadata.path({"labels", "x"}).as_string(), "y");
  EXPECT_FALSE(metadata.get("managedFields").defined());
}

TEST_F(SyncTest, WhatIsBeingDeletedIsGone) {
  api.put(object("Pod", "a", "p", R"(, "finalizers": ["x/y"])"));
  start();
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p"}));
  api.put(object("Pod", "a", "p", R"(, "finalizers": ["x/y"], "deletionTimestamp": "2026-01-01T00:00:00Z")"));
  ASSERT_TRUE(has({}));
}

TEST_F(SyncTest, ExclusionsTakeAwayAndGiveBackWithoutAGapForTheRest) {
  for (const char* ns : {"a", "b"}) api.put(object("Pod", ns, "p"));
  api.put(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})");
  start();
  exclude({"b"});
  want("config", {kNamespace, kPod});
  ASSERT_TRUE(has({"Namespace /a", "Pod a/p"}));
  exclude({"a"});
  EXPECT_EQ(names(inventory).count("Pod a/p"), 0u);
  EXPECT_EQ(names(inventory).count("Namespace /a"), 0u);
  ASSERT_TRUE(has({"Pod b/p"}));
  api.put(object("Pod", "a", "q"));
  exclude({});
  ASSERT_TRUE(has({"Namespace /a", "Pod a/p", "Pod a/q", "Pod b/p"}));
  EXPECT_EQ(withheld.size(), 0u);
  ASSERT_TRUE(counted("Pod", 3, 0));
}

TEST_F(SyncTest, ExcludedObjectsAreKeptApartForAuditFromTheCache) {
  for (const char* ns : {"a", "b"}) api.put(object("Pod", ns, "p"));
  SyncOptions options;
  options.keep_excluded = true;
  start(options);
  exclude({"b"});
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p"}));
  EXPECT_EQ(names(withheld), Names{"Pod b/p"});
  exclude({"a"});
  ASSERT_TRUE(has({"Pod b/p"}));
  ASSERT_TRUE(api.wait_for([&] { return names(withheld) == Names{"Pod a/p"}; }));
  want("config", {});
  EXPECT_EQ(withheld.size(), 0u);
}

TEST_F(SyncTest, AKindThatIsNotServedIsReportedNotWaitedForAndFoundLater) {
  start();
  want("config", {kPod, kThing});
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  ASSERT_TRUE(api.wait_for([&] { return trouble({kPod, kThing}) != "pending"; }));
  EXPECT_THAT(trouble({kPod, kThing}), HasSubstr("error establishing watches: error for gvk: x.io/v1, Kind=Thing: "));
  EXPECT_THAT(trouble({kPod, kThing}), HasSubstr("no matches for kind \"Thing\" in version \"x.io/v1\""));
  EXPECT_EQ(trouble({kPod}), "");
  EXPECT_THAT(readiness.problems(), ElementsAre(HasSubstr("data x.io/v1/Thing: no matches")));
  const int before = kinds_changed;
  api.serve({"x.io", "v1", "Thing", "things", false, {}, {}});
  api.put(R"({"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "t"}})");
  ASSERT_TRUE(has({"Thing /t"}));
  ASSERT_TRUE(api.wait_for([&] { return kinds_changed > before; }));
  EXPECT_EQ(trouble({kPod, kThing}), "");
  EXPECT_TRUE(readiness.problems().empty());
  api.unserve("x.io", "things");
  ASSERT_TRUE(has({}));
  ASSERT_TRUE(api.wait_for([&] { return trouble({kThing}) != ""; }));
}

TEST_F(SyncTest, ReadinessWaitsForTheFirstWholeList) {
  api.put(object("Pod", "a", "p"));
  api.add_fault({.method = "GET", .target = "/api/v1/pods", .times = 2, .status = 500, .reason = "InternalError"});
  start();
  want("config", {kPod});
  EXPECT_THAT(readiness.missing(), ElementsAre("data v1/Pod: not listed yet"));
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(names(inventory), Names{"Pod a/p"});
}

TEST_F(SyncTest, AKindThatMayNotBeListedForLongIsNotWaitedFor) {
  api.add_fault({.method = "GET", .target = "/api/v1/pods", .times = -1, .status = 403, .reason = "Forbidden"});
  SyncOptions options;
  options.denied_patience = milliseconds(0);
  start(options);
  want("config", {kPod});
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_GE(api.count("GET", "/api/v1/pods"), 3u);
  EXPECT_THAT(trouble({kPod}), HasSubstr("error establishing watches"));
  api.clear_faults();
  api.put(object("Pod", "a", "p"));
  ASSERT_TRUE(has({"Pod a/p"}));
  EXPECT_EQ(trouble({kPod}), "");
}

TEST_F(SyncTest, RightsThatComeLateAreReportedAtOnceAndWaitedFor) {
  api.put(object("Pod", "a", "p"));
  api.add_fault({.method = "GET", .target = "/api/v1/pods", .times = -1, .status = 403, .reason = "Forbidden"});
  SyncOptions options;
  options.denied_patience = std::chrono::hours(1);
  start(options);
  want("config", {kPod});
  ASSERT_TRUE(api.wait_for([&] { return trouble({kPod}) != "" && trouble({kPod}) != "pending"; }));
  ASSERT_TRUE(api.wait_for([&] { return api.count("GET", "/api/v1/pods") >= 6; }));
  EXPECT_FALSE(readiness.satisfied());
  EXPECT_THAT(readiness.problems(), ElementsAre(HasSubstr("data v1/Pod")));
  api.clear_faults();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(names(inventory), Names{"Pod a/p"});
  EXPECT_TRUE(readiness.problems().empty());
}

TEST_F(SyncTest, A401IsNeverFinal) {
  api.put(object("Pod", "a", "p"));
  api.add_fault({.method = "GET", .target = "/api/v1/pods", .times = -1, .status = 401, .reason = "Unauthorized"});
  SyncOptions options;
  options.denied_patience = milliseconds(0);
  start(options);
  want("config", {kPod});
  ASSERT_TRUE(api.wait_for([&] { return api.count("GET", "/api/v1/pods") >= 6; }));
  EXPECT_FALSE(readiness.satisfied());
  EXPECT_EQ(trouble({kPod}), "");
  api.clear_faults();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(names(inventory), Names{"Pod a/p"});
}

TEST_F(SyncTest, RelistsFindWhatWasMissed) {
  for (const char* name : {"p", "q"}) api.put(object("Pod", "a", name));
  start();
  want("config", {kPod});
  ASSERT_TRUE(has({"Pod a/p", "Pod a/q"}));
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  api.add_fault({.method = "WATCH", .target = "/pods", .times = 1, .delay = milliseconds(20)});
  api.cut_watches();
  api.erase("", "pods", "a", "p");
  api.put(object("Pod", "a", "r"));
  api.forget_history();
  ASSERT_TRUE(has({"Pod a/q", "Pod a/r"}));
}

// Objects that are empty at first and filled later must not get past the bound either.
TEST_F(SyncTest, TheBoundHoldsForWhatGrowsAndIsTriedAgainWhenThereIsRoom) {
  const std::string filled = R"(, "annotations": {"x": ")" + std::string(64 << 10, 'x') + "\"}";
  policy::Inventory scale;
  const Document one = Document::parse_json(object("ConfigMap", "a", "m1", filled.c_str())).value();
  ASSERT_TRUE(scale.upsert(one.root()).ok());
  SyncOptions options;
  options.max_bytes = scale.memory() * 5 / 2;  // two of them and some small ones
  for (const char* name : {"m1", "m2", "m3"}) api.put(object("ConfigMap", "a", name));
  start(options);
  want("config", {kConfigMap});
  ASSERT_TRUE(counted("ConfigMap", 3, 0));
  for (const char* name : {"m1", "m2", "m3"}) api.put(object("ConfigMap", "a", name, filled.c_str()));
  ASSERT_TRUE(counted("ConfigMap", 2, 1));
  EXPECT_LE(inventory.memory(), options.max_bytes);
  EXPECT_EQ(names(inventory), (Names{"ConfigMap a/m1", "ConfigMap a/m2"}));  // not as m3 was before
  EXPECT_THAT(readiness.problems(), ElementsAre(HasSubstr("bytes for synced objects is reached")));
  api.erase("", "configmaps", "a", "m1");
  ASSERT_TRUE(has({"ConfigMap a/m2", "ConfigMap a/m3"}));
  ASSERT_TRUE(counted("ConfigMap", 2, 0));
  EXPECT_TRUE(api.wait_for([&] { return readiness.problems().empty(); }));
}

TEST_F(SyncTest, ReadersSeeWholeStatesWhileEverythingChanges) {
  start();
  want("config", {kPod});
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  std::atomic<bool> done{false};
  std::thread reader([&] {
    policy::CachedInventory mine;
    while (!done) {
      for (const Value& value : inventory.refresh(mine).objects()) EXPECT_EQ(value.string_or("kind"), "Pod");
    }
  });
  for (int i = 0; i < 50; ++i) {
    api.put(object("Pod", i % 2 == 0 ? "a" : "b", "p" + std::to_string(i % 7)));
    if (i % 10 == 0) exclude({i % 20 == 0 ? "a" : "b"});
  }
  exclude({});
  api.erase("", "pods", "a", "p0");
  EXPECT_TRUE(api.wait_for([&] { return inventory.size() == 13; }));
  done = true;
  reader.join();
}

}  // namespace
}  // namespace portcullis::controller
