// Audit runs against the fake API server: what is reviewed, left out, counted, logged, told and written.
#include "audit/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <utility>

#include "audit/trigger.h"
#include "base/log.h"
#include "engine/value/json.h"
#include "kube/runtime/event_recorder.h"
#include "net/blocking.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "policy/model/resources.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::audit {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTemplate = R"({
  "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "needteam"},
  "spec": {"crd": {"spec": {"names": {"kind": "NeedTeam"}}},
    "targets": [{"target": "admission.k8s.gatekeeper.sh",
      "rego": "package x\nviolation[{\"msg\": msg}] { not input.review.object.metadata.labels.team; msg := sprintf(\"%v needs a team\", [input.review.object.metadata.name]) }"}]}})";
constexpr const char* kConstraint = R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedTeam",
  "metadata": {"name": "pods"}, "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}})";

std::string pod(const char* ns, const char* name, const char* labels = "{}") {
  return std::string(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":")") + ns + R"(","name":")" + name +
         R"(","labels":)" + labels + "}}";
}
std::string name_space(const char* name) {
  return std::string(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")") + name + "\"}}";
}

class AuditRun : public testing::Test {
 protected:
  AuditRun() : client(kube::Client::create(io.context(), api.config()).value()) {
    log::set_sink([this](std::string_view line) {
      const std::lock_guard lock(mutex);
      lines.emplace_back(line);
    });
    api.serve(policy::constraints_of("NeedTeam"));
    const Document constraint_template = Document::parse_json(kTemplate).value();
    EXPECT_TRUE(builder.set_template(constraint_template.root()).ok());
    const Document constraint = Document::parse_json(kConstraint).value();
    EXPECT_TRUE(builder.set_constraint(constraint.root()).ok());
    cell.publish(builder.build());
    api.put(kConstraint);
    for (const char* ns : {"a", "b"}) api.put(name_space(ns));
    api.put(pod("a", "p1"));
    api.put(pod("a", "p2", R"({"team":"x"})"));
    api.put(pod("b", "p3"));
  }
  ~AuditRun() override {
    on_thread([this] {
      if (triggers != nullptr) triggers->stop();
      if (timer != nullptr) timer->stop();
      if (recorder != nullptr) recorder->stop();
    });
    log::set_sink({});
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
  Auditor& auditor(AuditOptions options = {}) {
    AuditObserver observer;
    observer.finished = [this](double, std::chrono::nanoseconds, const Report& report) {
      by_action = report.by_action();
      ++runs;
    };
    observer.postponed = [this] {
      ++postponed;
      if (timer != nullptr) timer->again_after(std::chrono::milliseconds(1));
    };
    auditor_ = std::make_unique<Auditor>(*client, cell, inventory, host, std::move(options), std::move(observer),
                                         [this] { return ready.load(); });
    return *auditor_;
  }
  static awaitable<bool> tick(Auditor* auditor) {
    co_await auditor->tick();
    co_return true;
  }
  void run(AuditOptions options = {}) { net::run_blocking(io.context(), tick(&auditor(std::move(options)))); }
  std::string status() {
    const Document object =
        Document::parse_json(api.get("constraints.gatekeeper.sh", "needteam", "", "pods").value()).value();
    return to_json(object.root().get("status"));
  }
  std::vector<std::string> logged() {
    const std::lock_guard lock(mutex);
    return lines;
  }

  test::FakeApi api;
  net::IoThread io{"io"};
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<kube::EventRecorder> recorder;
  policy::SnapshotBuilder builder;
  policy::SnapshotCell cell;
  policy::Inventory inventory;
  rego::Host host;
  std::unique_ptr<Auditor> auditor_;
  std::unique_ptr<kube::Periodic> timer;
  std::unique_ptr<Triggers> triggers;
  std::map<std::string, std::uint64_t> by_action;
  std::atomic<int> runs{0};
  std::atomic<int> postponed{0};
  std::atomic<bool> ready{true};
  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST_F(AuditRun, AnEmptyActionCountsByItself) {
  std::string empty = kConstraint;
  empty.replace(empty.find("\"spec\": {"), 9, "\"spec\": {\"enforcementAction\": \"\", ");
  const Document constraint = Document::parse_json(empty).value();
  ASSERT_TRUE(builder.set_constraint(constraint.root()).ok());
  cell.publish(builder.build());
  run();
  EXPECT_EQ(by_action.at(""), 2u);
  EXPECT_EQ(by_action.at("deny"), 0u);
}

TEST_F(AuditRun, WritesWhatItFoundInDescendingOrder) {
  run();
  EXPECT_THAT(status(),
              HasSubstr(R"("totalViolations":2,"violations":[{"enforcementAction":"deny","group":"","kind":"Pod",)"
                        R"("message":"p3 needs a team","name":"p3","namespace":"b","version":"v1"},)"));
  EXPECT_EQ(by_action.at("deny"), 2u);
  EXPECT_EQ(by_action.size(), 5u);
  EXPECT_THAT(logged(), Contains(HasSubstr(R"("msg":"p1 needs a team")")));
  EXPECT_THAT(logged(), Contains(testing::AllOf(HasSubstr(R"("event_type":"constraint_audited")"),
                                                HasSubstr(R"("constraint_violations":"2")"))));
  EXPECT_THAT(logged(), Contains(testing::AllOf(HasSubstr(R"("event_type":"audit_finished")"),
                                                testing::ContainsRegex("\"duration\":\"[0-9.]+(ms|s)\""))));
}

TEST_F(AuditRun, LeavesOutWhatConfigExempts) {
  AuditOptions options;
  options.excluded = [](std::string_view ns) { return ns == "b"; };
  run(options);
  EXPECT_THAT(status(), HasSubstr(R"("totalViolations":1)"));
}

TEST_F(AuditRun, LooksUpANamespaceThatTheListDidNotHave) {
  test::Fault empty;
  empty.method = "GET";
  empty.target = "/api/v1/namespaces?";
  empty.status = 200;
  empty.body = R"({"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]})";
  api.add_fault(empty);
  api.erase("", "namespaces", "", "b");
  run();
  EXPECT_THAT(status(), HasSubstr(R"("totalViolations":1)"));
  EXPECT_THAT(logged(),
              Contains(testing::AllOf(HasSubstr("Unable to look up object namespace"), HasSubstr(R"("objNs":"b")"))));
}

TEST_F(AuditRun, ANamespaceThatCannotBeLookedUpIsAGap) {
  test::Fault fault;
  fault.method = "GET";
  fault.target = "/api/v1/namespaces?";
  fault.status = 200;
  fault.body = R"({"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]})";
  api.add_fault(fault);
  fault.target = "/api/v1/namespaces/b";
  fault.status = 500;
  fault.body.clear();
  fault.times = -1;
  api.add_fault(fault);
  run();
  EXPECT_THAT(status(), HasSubstr(R"("totalViolations":1)"));
  EXPECT_THAT(logged(), Contains(HasSubstr("audit is incomplete: namespace b: ")));
  EXPECT_THAT(logged(), Contains(testing::AllOf(HasSubstr("audit_finished"), HasSubstr(R"("gaps":1)"))));
}

// A policy that looks into data.inventory sees the state that is audited, whatever comes in meanwhile.
TEST_F(AuditRun, FromCacheSeesOneState) {
  const Document constraint_template = Document::parse_json(R"({
    "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "alone"},
    "spec": {"crd": {"spec": {"names": {"kind": "Alone"}}},
      "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": "package x\nviolation[{\"msg\": \"sees a later one\"}] { data.inventory.namespace.a.v1.Pod.later }"}]}})")
                                           .value();
  ASSERT_TRUE(builder.set_template(constraint_template.root()).ok());
  const Document constraint =
      Document::parse_json(
          R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Alone", "metadata": {"name": "alone"}})")
          .value();
  ASSERT_TRUE(builder.set_constraint(constraint.root()).ok());
  cell.publish(builder.build());
  const Document first = Document::parse_json(pod("a", "first")).value();
  const Document later = Document::parse_json(pod("a", "later")).value();
  ASSERT_TRUE(inventory.upsert(first.root()).ok());
  AuditOptions options;
  options.from_cache = true;
  options.excluded = [&](std::string_view) {  // asked before each review: after the run has begun
    EXPECT_TRUE(inventory.upsert(later.root()).ok());
    return false;
  };
  run(options);
  EXPECT_EQ(inventory.size(), 2u);
  EXPECT_EQ(by_action.at("deny"), 1u);  // "first needs a team"
  EXPECT_THAT(logged(), Not(Contains(HasSubstr("sees a later one"))));
}

TEST_F(AuditRun, FromCacheAsksTheServerForNothingButStatuses) {
  for (const char* text : {R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a","name":"cached"}})"}) {
    const Document object = Document::parse_json(text).value();
    ASSERT_TRUE(inventory.upsert(object.root()).ok());
  }
  AuditOptions options;
  options.from_cache = true;
  options.log_stats = true;
  run(options);
  EXPECT_THAT(status(),
              HasSubstr(R"("totalViolations":1,"violations":[{"enforcementAction":"deny","group":"","kind":"Pod",)"
                        R"("message":"cached needs a team")"));
  EXPECT_EQ(api.count("GET", "/pods"), 0u);
  EXPECT_THAT(logged(), Contains(testing::AllOf(
                            HasSubstr(R"("event_type":"audit_cache_stats")"),
                            HasSubstr(R"("execution_stats":[{"scope":"template","statsFor":"NeedTeam","stats":)"))));
}

TEST_F(AuditRun, EventsGoToTheOwnNamespaceOrTheObjects) {
  recorder = std::make_unique<kube::EventRecorder>(*client);
  on_thread([this] { recorder->start(); });
  AuditOptions options;
  options.events.recorder = recorder.get();
  run(options);
  ASSERT_TRUE(api.wait_for([&] { return api.list("", "events").size() == 2; }));
  EXPECT_THAT(api.list("", "events"),
              Contains(testing::AllOf(
                  HasSubstr(R"("namespace":"gatekeeper-system")"), HasSubstr(R"("uid":"Pod/a/p1/NeedTeam//pods")"),
                  HasSubstr(R"("message":"Resource Namespace: a, Constraint: pods, Message: p1 needs a team")"))));
  options.events.in_involved_namespace = true;
  run(options);
  ASSERT_TRUE(api.wait_for([&] { return api.list("", "events").size() == 4; }));
  EXPECT_THAT(api.list("", "events"),
              Contains(testing::AllOf(
                  HasSubstr(R"("involvedObject":{"kind":"Pod","name":"p1","namespace":"a","resourceVersion":")"),
                  HasSubstr(R"("message":"Constraint: pods, Message: p1 needs a team")"))));
}

TEST_F(AuditRun, WithoutTemplatesThereIsNothingToCount) {
  builder.remove_template("needteam");
  cell.publish(builder.build());
  run();
  EXPECT_TRUE(by_action.empty());
  EXPECT_THAT(logged(), Contains(HasSubstr("no constraint is found with apiversion")));
}

TEST_F(AuditRun, TheAnnotationOfTheOwnNamespaceStartsARun) {
  const auto annotated = [](const char* value) {
    return std::string(
               R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"own","annotations":{"portcullis/audit":")") +
           value + R"("}}})";
  };
  api.put(annotated("old"));
  timer = std::make_unique<kube::Periodic>(io.context(), auditor(), std::chrono::hours(1));
  TriggerOptions options;
  options.annotation = "portcullis/audit";
  options.own_namespace = "own";
  triggers = std::make_unique<Triggers>(*client, *timer, std::move(options));
  on_thread([this] {
    net::spawn(io.context(), timer->run(), "timer");
    triggers->start();
  });
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  EXPECT_EQ(runs, 0);
  api.put(annotated("new"));
  ASSERT_TRUE(api.wait_for([&] { return runs == 1; }));
}

TEST_F(AuditRun, ARequestThatComesTooSoonIsRememberedUntilPoliciesAreLoaded) {
  ready = false;
  timer = std::make_unique<kube::Periodic>(io.context(), auditor(), std::chrono::hours(1));
  on_thread([this] {
    net::spawn(io.context(), timer->run(), "timer");
    timer->now();
  });
  ASSERT_TRUE(api.wait_for([&] { return postponed >= 3; }));
  EXPECT_EQ(runs, 0);
  ready = true;
  ASSERT_TRUE(api.wait_for([&] { return runs == 1; }));
  const auto lines_now = logged();
  EXPECT_EQ(std::count_if(lines_now.begin(), lines_now.end(),
                          [](const std::string& line) { return line.find("audit is postponed") != line.npos; }),
            1);
}

TEST_F(AuditRun, ASetTimeStartsARun) {
  timer = std::make_unique<kube::Periodic>(io.context(), auditor(), std::chrono::hours(1));
  TriggerOptions options;
  options.schedules.push_back(Schedule::parse("0 0 31 2 *", "").value());  // never
  options.schedules.push_back(Schedule::parse("* * * * *", "").value());
  options.now = [first = true]() mutable -> std::int64_t { return std::exchange(first, false) ? 59 : 60; };
  triggers = std::make_unique<Triggers>(*client, *timer, std::move(options));
  on_thread([this] {
    net::spawn(io.context(), timer->run(), "timer");
    triggers->start();
  });
  ASSERT_TRUE(api.wait_for([&] { return runs == 1; }));
}

}  // namespace
}  // namespace portcullis::audit
