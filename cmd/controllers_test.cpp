// The controllers joined as the manager joins them, against the fake API server: Config, SyncSets, their data,
// statuses.
#include "cmd/controllers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "engine/value/json.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::cmd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kNs = "gatekeeper-system";

class ControllersTest : public testing::Test {
 protected:
  ControllersTest() {
    api.serve({"templates.gatekeeper.sh", "v1", "ConstraintTemplate", "constrainttemplates", false, {}, {"status"}});
    api.serve({"config.gatekeeper.sh", "v1alpha1", "Config", "configs", true, {}, {"status"}});
    api.serve({"syncset.gatekeeper.sh", "v1alpha1", "SyncSet", "syncsets", false, {}, {}});
    for (const controller::StatusKind& kind : controller::status_kinds()) api.serve(kind.resource());
    client = kube::Client::create(io.context(), api.config()).value();
    world = std::make_unique<controller::PolicyWorld>(io.context(), policy::DriverOptions{});
  }
  ~ControllersTest() override {
    if (controllers != nullptr) on_thread([this] { controllers->stop(); });
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
  void start(const std::vector<std::string>& operations = {}, const std::string& pod = "gk-0") {
    const controller::Operations wanted = controller::parse_operations(operations).value();
    const policy::PodIdentity identity{pod, kNs, "uid-of-" + pod, wanted.names()};
    controllers =
        std::make_unique<Controllers>(*client, *world, readiness, identity, wanted, controller::SyncOptions{}, events);
    on_thread([this] { controllers->start(); });
  }
  void put_config(const std::string& spec) {
    api.put(R"({"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config", "metadata": {"name": "config",
               "namespace": "gatekeeper-system"}, "spec": )" +
            spec + "}");
  }
  // What is at `path` of the stored object, as JSON; "" when it is not there.
  std::string field(const std::string& group, const std::string& plural, const std::string& name,
                    std::initializer_list<std::string_view> path) {
    const std::optional<std::string> text = api.get(group, plural, kNs, name);
    if (!text) return {};
    const kube::Object object = kube::Object::parse(*text).value();
    const Value value = object.root().path(path);
    return value.defined() ? to_json(value) : "";
  }
  std::string by_pod() { return field("config.gatekeeper.sh", "configs", "config", {"status", "byPod"}); }

  test::FakeApi api;
  net::IoThread io{"control"};
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<controller::PolicyWorld> world;
  controller::ReadinessTracker readiness;
  std::atomic<std::size_t> intended{0};  // kinds of constraints to watch; outlives what tells it
  ControllerEvents events;
  std::unique_ptr<Controllers> controllers;
};

TEST_F(ControllersTest, AConfigIsReadyOnceItsDataIs) {
  api.put(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"}})");
  api.put(R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "a"}})");
  put_config(R"({"sync": {"syncOnly": [{"version": "v1", "kind": "Pod"}]},
                 "match": [{"excludedNamespaces": ["kube-*"], "processes": ["webhook"]}],
                 "validation": {"traces": [{"user": "u", "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
                                            "dump": "All"}]}})");
  api.put(R"({"apiVersion": "syncset.gatekeeper.sh/v1alpha1", "kind": "SyncSet", "metadata": {"name": "s"},
             "spec": {"gvks": [{"version": "v1", "kind": "ConfigMap"}]}})");
  start();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(world->inventory().size(), 2u);
  EXPECT_TRUE(world->exclusions().load()->excluded(policy::Process::kWebhook, "kube-system"));
  ASSERT_TRUE(api.wait_for([&] { return !by_pod().empty() && by_pod() != "[]"; }));
  EXPECT_EQ(*world->traces().load(), (policy::Traces{{"u", {"apps", "v1", "Deployment"}, true}}));
  EXPECT_EQ(field("status.gatekeeper.sh", "configpodstatuses", "gk--0-gatekeeper--system-config",
                  {"metadata", "ownerReferences"}),
            R"([{"apiVersion":"v1","kind":"Pod","name":"gk-0","uid":"uid-of-gk-0"}])");
  EXPECT_THAT(by_pod(), HasSubstr(R"("id":"gk-0")"));
  EXPECT_THAT(by_pod(), HasSubstr(R"("observedGeneration":1)"));

  api.erase("config.gatekeeper.sh", "configs", kNs, "config");
  ASSERT_TRUE(api.wait_for([&] { return world->inventory().size() == 1; }));
  EXPECT_FALSE(world->exclusions().load()->excluded(policy::Process::kWebhook, "kube-system"));
  EXPECT_TRUE(world->traces().load()->empty());
  ASSERT_TRUE(api.wait_for([&] { return api.list("status.gatekeeper.sh", "configpodstatuses").empty(); }));
}

TEST_F(ControllersTest, AKindWhoseTemplateWentIsNoLongerCountedAsWatched) {
  events.on_watching = [&](std::size_t, std::size_t wanted) { intended = wanted; };
  api.put(R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k"},
             "spec": {"crd": {"spec": {"names": {"kind": "K"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh",
             "rego": "package k\nviolation[{\"msg\": \"x\"}] { true }"}]}})");
  start();
  ASSERT_TRUE(api.wait_for([&] { return intended == 1; }));
  api.erase("templates.gatekeeper.sh", "constrainttemplates", "", "k");
  ASSERT_TRUE(api.wait_for([&] { return intended == 0; }));
}

TEST_F(ControllersTest, AKindThatIsNotServedIsInTheStatusUntilItIs) {
  put_config(R"({"sync": {"syncOnly": [{"group": "x.io", "version": "v1", "kind": "Thing"}]}})");
  start();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find("error establishing watches") != std::string::npos; }));
  EXPECT_THAT(readiness.problems(), ElementsAre(HasSubstr("data x.io/v1/Thing")));
  put_config(R"({"sync": {"syncOnly": []}})");
  ASSERT_TRUE(api.wait_for([&] { return !by_pod().empty() && by_pod().find("errors") == std::string::npos; }));
}

TEST_F(ControllersTest, StatusesOfPodsThatAreGoneLeaveByPod) {
  put_config("{}");
  start();
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find("gk-0") != std::string::npos; }));
  const std::string uid = field("config.gatekeeper.sh", "configs", "config", {"metadata", "uid"});
  api.put(R"({"apiVersion": "status.gatekeeper.sh/v1beta1", "kind": "ConfigPodStatus", "metadata": {
      "name": "gone-gatekeeper--system-config", "namespace": "gatekeeper-system", "labels": {
      "internal.gatekeeper.sh/config-name": "config", "internal.gatekeeper.sh/pod": "gone"}},
      "status": {"id": "gone", "configUID": )" +
          uid + "}}");
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find("gone") != std::string::npos; }));
  // The API server's garbage collection takes what a pod that is gone owned.
  api.erase("status.gatekeeper.sh", "configpodstatuses", kNs, "gone-gatekeeper--system-config");
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find("gone") == std::string::npos; }));
  EXPECT_THAT(by_pod(), HasSubstr("gk-0"));
}

TEST_F(ControllersTest, AnotherConfigIsIgnored) {
  api.put(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"}})");
  api.put(R"({"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config", "metadata": {"name": "other",
             "namespace": "gatekeeper-system"}, "spec": {"sync": {"syncOnly": [{"version": "v1", "kind": "Pod"}]}}})");
  start();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(world->inventory().size(), 0u);
  EXPECT_TRUE(api.list("status.gatekeeper.sh", "configpodstatuses").empty());
}

TEST_F(ControllersTest, AnotherConfigsStatusIsLeftAlone) {
  put_config("{}");
  const auto put_other = [this](const char* label) {
    api.put(R"({"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config", "metadata": {"name": "other",
               "namespace": "gatekeeper-system", "labels": {"x": ")" +
            std::string(label) + R"("}}, "spec": {}})");
  };
  put_other("first");
  start();
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find("gk-0") != std::string::npos; }));
  put_other("second");  // is looked at before the next version of the Config, which follows it in the same watch
  put_config(R"({"match": [{"excludedNamespaces": ["x"], "processes": ["webhook"]}]})");
  ASSERT_TRUE(api.wait_for([&] { return by_pod().find(R"("observedGeneration":2)") != std::string::npos; }));
  EXPECT_EQ(api.count("PATCH", "/configs/other"), 0u);
}

TEST_F(ControllersTest, MissingKindsOfOurOwnAreNotWaitedFor) {
  api.unserve("config.gatekeeper.sh", "configs");
  api.unserve("syncset.gatekeeper.sh", "syncsets");
  start();
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_THAT(readiness.problems(), ElementsAre("Config: the cluster does not serve this kind",
                                                "SyncSet: the cluster does not serve this kind"));
}

TEST_F(ControllersTest, APodThatEvaluatesNothingKeepsNothing) {
  api.put(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"}})");
  put_config(R"({"sync": {"syncOnly": [{"version": "v1", "kind": "Pod"}]},
                 "match": [{"excludedNamespaces": ["x"], "processes": ["mutation-webhook"]}]})");
  start({"mutation-webhook"});
  ASSERT_TRUE(api.wait_for([&] { return readiness.satisfied(); }));
  EXPECT_EQ(world->inventory().size(), 0u);
  EXPECT_TRUE(world->exclusions().load()->excluded(policy::Process::kMutation, "x"));
  EXPECT_EQ(api.count("", "constrainttemplates"), 0u);
}

}  // namespace
}  // namespace portcullis::cmd
