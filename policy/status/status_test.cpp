#include "policy/status/status.h"

#include <gtest/gtest.h>

#include "engine/value/json.h"

namespace portcullis::policy {
namespace {

TEST(PodStatusName, DoublesDashes) {
  const std::string_view good[] = {"a-b", "c"};
  EXPECT_EQ(*pod_status_name(good), "a--b-c");
  const std::string_view empty[] = {"a", ""};
  EXPECT_FALSE(pod_status_name(empty).ok());
  const std::string_view dash[] = {"-a"};
  EXPECT_FALSE(pod_status_name(dash).ok());
}

TEST(PodStatus, ConstraintObject) {
  PodIdentity pod{"gk-0", "gatekeeper-system", "pod-uid", {"audit", "webhook"}};
  ConstraintPodStatus status;
  status.constraint_kind = "NeedLabel";
  status.constraint_name = "c-1";
  status.template_name = "needlabel";
  status.constraint_uid = "u";
  status.observed_generation = 2;
  status.errors = {{"", "could not cache constraint: x"}};
  const Result<Document> object = make_constraint_pod_status(pod, status);
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->root().get("metadata").string_or("name"), "gk--0-needlabel-c--1");
  EXPECT_EQ(to_json(object->root().get("status")),
            R"({"constraintUID":"u","errors":[{"code":"","message":"could not cache constraint: x"}],"id":"gk-0",)"
            R"("observedGeneration":2,"operations":["audit","webhook"]})");
  EXPECT_EQ(to_json(object->root().path({"metadata", "labels"})),
            R"({"internal.gatekeeper.sh/constraint-kind":"NeedLabel","internal.gatekeeper.sh/constraint-name":"c-1",)"
            R"("internal.gatekeeper.sh/constrainttemplate-name":"needlabel","internal.gatekeeper.sh/pod":"gk-0"})");
}

TEST(PodStatus, ConfigObject) {
  const PodIdentity pod{"gk-0", "gatekeeper-system", "pod-uid", {"audit", "webhook"}};
  const ConfigPodStatus status{"gatekeeper-system", "config", "u", 3, {"error establishing watches: x"}};
  const Result<Document> object = make_config_pod_status(pod, status);
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->root().get("metadata").string_or("name"), "gk--0-gatekeeper--system-config");
  EXPECT_EQ(to_json(object->root().get("status")),
            R"({"configUID":"u","errors":[{"message":"error establishing watches: x"}],"id":"gk-0",)"
            R"("observedGeneration":3,"operations":["audit","webhook"]})");
  EXPECT_EQ(to_json(object->root().path({"metadata", "labels"})),
            R"({"internal.gatekeeper.sh/config-name":"config","internal.gatekeeper.sh/pod":"gk-0"})");
  EXPECT_EQ(object->root().path({"metadata", "ownerReferences"}).elements()[0].string_or("uid"), "pod-uid");
}

TEST(ByPod, KeepsTheLiveParentsOnlySortedById) {
  Result<Document> list = Document::parse_json(R"([{"status": {"id": "b", "constraintUID": "u"}},
      {"status": {"id": "a", "constraintUID": "u", "errors": [{"message": "x"}]}}, {"status": {"id": "0", "constraintUID": "old"}}])");
  ASSERT_TRUE(list.ok());
  Arena arena;
  const Value by_pod = aggregate_by_pod(arena, list->root().elements(), "constraintUID", "u");
  ASSERT_EQ(by_pod.size(), 2u);
  EXPECT_EQ(by_pod.elements()[0].string_or("id"), "a");
  EXPECT_TRUE(any_without_errors(by_pod));
}

TEST(Audit, SmallestViolationsInDescendingOrder) {
  ViolationList list(2);
  for (const char* name : {"c", "a", "d", "b"}) {
    AuditViolation violation;
    violation.kind = "Pod";
    violation.name = name;
    violation.message = "m";
    violation.enforcement_action = "deny";
    list.add(violation);
  }
  EXPECT_EQ(list.total(), 4u);
  Arena arena;
  const Value status = audit_status(arena, "2026-01-01T00:00:00Z", list);
  EXPECT_EQ(status.get("violations").elements()[0].string_or("name"), "b");
  EXPECT_EQ(status.get("violations").elements()[1].string_or("name"), "a");

  Result<Document> old = Document::parse_json(R"({"byPod": [], "violations": [1], "totalViolations": 9})");
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(to_json(merge_audit_status(arena, old->root(), audit_status(arena, "t", ViolationList(5)))),
            R"({"auditTimestamp":"t","byPod":[],"totalViolations":0})");
}

TEST(Audit, TruncatesBytes) {
  EXPECT_EQ(truncate_message(std::string(256, 'a')), std::string(256, 'a'));
  EXPECT_EQ(truncate_message(std::string(257, 'a')), std::string(253, 'a') + "...");
  EXPECT_EQ(truncate_message(std::string(252, 'a') + "\xC3\xA9" + std::string(20, 'b')),
            std::string(252, 'a') + "\xEF\xBF\xBD...");
}

}  // namespace
}  // namespace portcullis::policy
