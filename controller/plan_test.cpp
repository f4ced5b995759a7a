// The pure decisions of the controllers: CRDs, certificates, CA bundles, status aggregation.
#include "controller/certificate/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/text.h"
#include "controller/certificate/trust.h"
#include "controller/constraint_template/plan.h"
#include "controller/operations.h"
#include "controller/status/aggregator.h"
#include "engine/value/json.h"

namespace portcullis::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Kept until the program ends, so that tests can write values in one line.
const kube::Object& object(std::string_view json) {
  static std::deque<kube::Object> kept;
  kept.push_back(std::move(kube::Object::parse(json)).value());
  return kept.back();
}

TEST(Covers, WhatTheServerAddsIsNoDifference) {
  const kube::Object& desired = object(R"({"a": 1, "list": [{"x": 1}]})");
  EXPECT_TRUE(covers(object(R"({"a": 1, "list": [{"x": 1, "default": true}], "more": {}})").root(), desired.root()));
  EXPECT_FALSE(covers(object(R"({"a": 2, "list": [{"x": 1}]})").root(), desired.root()));
  EXPECT_FALSE(covers(object(R"({"a": 1, "list": [{"x": 1}, {"x": 1}]})").root(), desired.root()));
  EXPECT_FALSE(covers(object(R"({"list": [{"x": 1}]})").root(), desired.root()));
}

TEST(PlanCrd, CreatesUpdatesOrLeavesAlone) {
  const auto crd = [](const char* properties) -> const kube::Object& {
    return object(std::string(R"({"metadata": {"name": "x"}, "spec": {"versions": [{"name": "v1beta1", "schema":
        {"openAPIV3Schema": {"properties": )") +
                  properties + "}}}]}}");
  };
  const kube::Object& desired = crd(R"({"a": {"type": "string"}})");
  EXPECT_EQ(plan_crd(desired.root(), Value::undefined()).what, CrdPlan::Do::kCreate);
  EXPECT_EQ(plan_crd(desired.root(), desired.root()).what, CrdPlan::Do::kNothing);
  // A property that the template dropped must go from the server, too.
  const kube::Object& wider = crd(R"({"a": {"type": "string"}, "b": {"type": "string"}})");
  const CrdPlan plan = plan_crd(desired.root(), wider.root());
  EXPECT_EQ(plan.what, CrdPlan::Do::kUpdate);
  EXPECT_THAT(plan.body, Not(HasSubstr("\"b\"")));
}

TEST(Established, ReadsTheCondition) {
  EXPECT_TRUE(
      is_established(object(R"({"status": {"conditions": [{"type": "Established", "status": "True"}]}})").root()));
  EXPECT_FALSE(
      is_established(object(R"({"status": {"conditions": [{"type": "Established", "status": "False"}]}})").root()));
  EXPECT_FALSE(is_established(object("{}").root()));
}

class Certificates : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;
  static constexpr std::int64_t kYear = 365LL * 24 * 3600;
  CertificateNames names_{"gatekeeper-webhook-service.gatekeeper-system.svc", {"127.0.0.1"}};

  CertificateSet fresh() {
    return std::move(make_certificates({CertificatePlan::Do::kRenewAll, ""}, {}, {}, names_, kNow)).value();
  }
};

TEST_F(Certificates, AGoodSecretIsUsed) {
  const CertificateSet set = fresh();
  EXPECT_EQ(plan_certificates(set, {}, names_, kNow).what, CertificatePlan::Do::kUse);
}

TEST_F(Certificates, ADeletedSecretIsRestoredNotRenewed) {
  const CertificateSet set = fresh();
  EXPECT_EQ(plan_certificates({}, set, names_, kNow).what, CertificatePlan::Do::kRestore);
  EXPECT_EQ(plan_certificates({}, {}, names_, kNow).what, CertificatePlan::Do::kRenewAll);
}

TEST_F(Certificates, AnExpiringServerCertificateKeepsTheAuthority) {
  const CertificateSet set = fresh();
  const std::int64_t later = kNow + kYear - kLookaheadSeconds + 60;
  const CertificatePlan plan = plan_certificates(set, set, names_, later);
  ASSERT_EQ(plan.what, CertificatePlan::Do::kIssue) << plan.reason;
  const CertificateSet next = std::move(make_certificates(plan, set, set, names_, later)).value();
  EXPECT_EQ(next.authority.certificate_pem, set.authority.certificate_pem);
  EXPECT_EQ(plan_certificates(next, set, names_, later).what, CertificatePlan::Do::kUse);
}

TEST_F(Certificates, ANewWebhookHostMeansANewServerCertificate) {
  const CertificateSet set = fresh();
  names_.hosts = {"127.0.0.1", "webhook.example"};
  EXPECT_EQ(plan_certificates(set, set, names_, kNow).what, CertificatePlan::Do::kIssue);
}

TEST_F(Certificates, AnExpiringAuthorityRenewsEverything) {
  const CertificateSet set = fresh();
  EXPECT_EQ(plan_certificates(set, set, names_, kNow + 10 * kYear).what, CertificatePlan::Do::kRenewAll);
}

TEST(Injection, OnlyWhatDiffersIsWritten) {
  const kube::Object& configuration = object(
      R"({"webhooks": [{"name": "a", "clientConfig": {"url": "https://127.0.0.1:8443/v1/admit"}}, {"name": "b", "clientConfig": {"service": {}}}]})");
  net::AuthorityRequest request;
  request.now = 1'800'000'000;
  const std::string authority = net::make_authority(request).value().certificate_pem;
  TrustKeeper keeper;
  keeper.use(authority, request.now);
  const std::string body = plan_injection(configuration.root(), keeper, request.now);
  EXPECT_THAT(body, HasSubstr("\"caBundle\":\"" + text::base64_encode(authority) + "\""));
  EXPECT_EQ(plan_injection(object(body).root(), keeper, request.now), "");
  EXPECT_THAT(url_hosts(configuration.root()), ElementsAre("127.0.0.1"));
  EXPECT_THAT(
      url_hosts(
          object(
              R"({"webhooks": [{"clientConfig": {"url": "https://[::1]:1/x"}}, {"clientConfig": {"url": "https://h/x"}}]})")
              .root()),
      ElementsAre("::1", "h"));
}

TEST(StatusPatch, CopiesStatusesOfThisParentOnly) {
  const kube::Object& parent = object(R"({"metadata": {"uid": "u1", "name": "t"}})");
  const auto status = [](const char* id, const char* uid, const char* errors) {
    return std::make_shared<const kube::Object>(
        kube::Object::copy_of(object(std::string(R"({"status": {"id": ")") + id + R"(", "templateUID": ")" + uid +
                                     R"(", "errors": )" + errors + "}}")
                                  .root()));
  };
  const std::string patch = plan_status_patch(
      parent.root(), status_kind(StatusOf::kTemplate),
      {status("pod-b", "u1", "[]"), status("pod-a", "u1", R"([{"code": "c"}])"), status("old", "u0", "[]")});
  const kube::Object& written = object(patch);
  const auto by_pod = written.root().path({"status", "byPod"}).elements();
  ASSERT_EQ(by_pod.size(), 2u) << patch;
  EXPECT_EQ(by_pod[0].string_or("id"), "pod-a");
  EXPECT_TRUE(written.root().path({"status", "created"}).is_true());
  EXPECT_EQ(written.root().path({"metadata", "uid"}).as_string(), "u1");

  const std::string failed =
      plan_status_patch(parent.root(), status_kind(StatusOf::kTemplate), {status("pod-a", "u1", R"([{"code": "c"}])")});
  EXPECT_THAT(failed, HasSubstr(R"("created":false)"));  // there also when nothing was created yet
}

TEST(StatusPatch, AParentWithoutCreatedOnlyGetsTheList) {
  const kube::Object& parent = object(R"({"metadata": {"uid": "u1", "name": "config"}, "status": {"byPod": []}})");
  EXPECT_EQ(plan_status_patch(parent.root(), status_kind(StatusOf::kConfig), {}), "");
  const auto status = std::make_shared<const kube::Object>(
      kube::Object::copy_of(object(R"({"status": {"id": "p", "configUID": "u1"}})").root()));
  EXPECT_EQ(plan_status_patch(parent.root(), status_kind(StatusOf::kConfig), {status}),
            R"({"metadata":{"uid":"u1"},"status":{"byPod":[{"configUID":"u1","id":"p"}]}})");
  // The pod is gone, and with it its status: its entry goes, too.
  const kube::Object& before =
      object(R"({"metadata": {"uid": "u1"}, "status": {"byPod": [{"id": "p", "configUID": "u1"}]}})");
  EXPECT_EQ(plan_status_patch(before.root(), status_kind(StatusOf::kConfig), {}),
            R"({"metadata":{"uid":"u1"},"status":{"byPod":[]}})");
}

TEST(StatusKinds, ParentsByLabels) {
  const kube::Object& status = object(R"({"kind": "ConstraintPodStatus", "metadata": {"labels": {
      "internal.gatekeeper.sh/constraint-kind": "K8sFoo", "internal.gatekeeper.sh/constraint-name": "bar"}}})");
  const ParentKey key = parent_of(*find_status_kind("ConstraintPodStatus"), status.meta());
  EXPECT_EQ(key.text(), "1/K8sFoo/bar");
  const ParentKey again = ParentKey::parse(key.text());
  EXPECT_EQ(again.kind, "K8sFoo");
  EXPECT_EQ(again.name, "bar");
  EXPECT_EQ(again.of, StatusOf::kConstraint);
  EXPECT_EQ(ParentKey::parse("0//k8sfoo").name, "k8sfoo");
  EXPECT_EQ(find_status_kind("Pod"), nullptr);
}

TEST(Operations, NamesAndDefaults) {
  EXPECT_THAT(parse_operations({"webhook", "audit,status"}).value().names(), ElementsAre("audit", "status", "webhook"));
  EXPECT_EQ(parse_operations({}).value().names().size(), 7u);
  EXPECT_THAT(parse_operations({"nope"}).error().message, HasSubstr("operation nope is not a valid operation"));
}

}  // namespace
}  // namespace portcullis::controller
