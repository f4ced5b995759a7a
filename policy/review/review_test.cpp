#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "policy/review/review_input.h"
#include "policy/review/snapshot.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

std::string template_json(std::string_view kind, std::string_view rego, std::string_view more = {}) {
  std::string name;
  for (const char c : kind) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string source;
  append_json(source, Value::string(rego));
  return R"({"apiVersion": "templates.gatekeeper.sh/v1beta1", "kind": "ConstraintTemplate", "metadata": {"name": ")" +
         name + R"("}, "spec": {"crd": {"spec": {"names": {"kind": ")" + std::string(kind) +
         R"("}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": )" + source + std::string(more) +
         "}]}}";
}

std::string constraint_json(std::string_view kind, std::string_view name, std::string_view spec = "{}") {
  return R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": ")" + std::string(kind) +
         R"(", "metadata": {"name": ")" + std::string(name) + R"("}, "spec": )" + std::string(spec) + "}";
}

constexpr std::string_view kName = R"(package n
violation[{"msg": msg}] { msg := sprintf("%v %v", [input.parameters.p, input.review.object.metadata.name]) })";

class Fixture : public ::testing::Test {
 protected:
  void add_template(const std::string& json) {
    const Document document = parse(json);
    const Result<TemplateChange> added = builder_.set_template(document.root());
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  void add_constraint(const std::string& json) {
    const Document document = parse(json);
    const auto added = builder_.set_constraint(document.root());
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  ReviewResult admit(const std::string& request, EnforcementPoint point = EnforcementPoint::kWebhook) {
    snapshot_ = builder_.build();
    scratch_.reset();
    body_ = R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": )" + request + "}";
    const Result<Review> review = decode_admission_review(body_, scratch_);
    EXPECT_TRUE(review.ok()) << review.error().message;
    ReviewOptions options;
    options.point = point;
    return snapshot_->review(*review, inventory_.refresh(cached_), scratch_, host_, options);
  }
  static std::vector<std::string> messages(const ReviewResult& result) {
    std::vector<std::string> out;
    for (const Violation& violation : result.violations)
      out.push_back(violation.constraint->name + ": " + violation.message);
    return out;
  }

  SnapshotBuilder builder_;
  Inventory inventory_;
  CachedInventory cached_;
  rego::EvalScratch scratch_;
  rego::Host host_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::string body_;
};

using Strings = std::vector<std::string>;
constexpr const char* kPod =
    R"({"uid": "u", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "name": "p",
    "namespace": "web", "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "web"}}})";

TEST_F(Fixture, DenyWarnDryrunAndScopedMakeTheAnswer) {
  add_template(template_json("N", kName));
  add_constraint(constraint_json("N", "deny-it", R"({"parameters": {"p": "d"}})"));
  add_constraint(constraint_json("N", "dry", R"({"enforcementAction": "dryrun", "parameters": {"p": "x"}})"));
  add_constraint(constraint_json("N", "warn-it", R"({"enforcementAction": "warn", "parameters": {"p": "w"}})"));
  add_constraint(constraint_json(
      "N", "both", R"({"enforcementAction": "scoped", "parameters": {"p": "s"}, "scopedEnforcementActions": [
      {"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}, {"action": "warn", "enforcementPoints": [{"name": "*"}]}]})"));
  add_constraint(constraint_json("N", "elsewhere", R"({"enforcementAction": "scoped", "scopedEnforcementActions": [
      {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]})"));
  const ReviewResult result = admit(kPod);
  EXPECT_EQ(messages(result), (Strings{"deny-it: d p", "dry: x p", "both: s p", "warn-it: w p"}));
  const AdmissionResponse response = admission_response(result, "p");
  EXPECT_EQ(
      encode_admission_response("admission.k8s.io/v1", "AdmissionReview", "u", response),
      R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"u","allowed":false,"status":)"
      R"({"metadata":{},"message":"[deny-it] d p\n[both] s p","reason":"Forbidden","code":403},)"
      R"("warnings":["[both] s p","[warn-it] w p"]}})"
      "\n");
}

TEST_F(Fixture, OneBrokenPolicyHarmsNoOther) {
  add_template(template_json("N", kName));
  add_template(template_json("Conflict", R"(package c
violation[{"msg": m}] { m := f(1) }
f(x) = "a" { x == 1 }
f(x) = "b" { x == 1 })"));
  add_template(template_json("Number", R"(package x
violation[{"msg": input.review.object.metadata.labels}] { true })"));
  add_constraint(constraint_json("N", "fine", R"({"parameters": {"p": "d"}})"));
  add_constraint(constraint_json("Conflict", "one"));
  add_constraint(constraint_json("Conflict", "two"));
  add_constraint(constraint_json("Number", "three"));
  const ReviewResult conflict = admit(kPod);
  ASSERT_EQ(conflict.violations.size(), 3u);
  EXPECT_FALSE(conflict.failed());
  EXPECT_EQ(conflict.violations[2].constraint->name, "two");
  EXPECT_EQ(conflict.violations[2].details, "null");
  EXPECT_NE(conflict.violations[1].message.find("eval_conflict_error"), std::string::npos);

  const ReviewResult failed =
      admit(R"({"operation": "CREATE", "object": {"kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}}})");
  EXPECT_EQ(
      failed.failure,
      "admission.k8s.gatekeeper.sh: Rego: extracting message binding: .msg accessor error: map[a:b] is of the type "
      "map[string]interface {}, expected string\n\n");
  EXPECT_EQ(failed.violations.size(), 3u);  // the others keep theirs
  EXPECT_EQ(admission_response(failed, "p").code, 500);
}

TEST_F(Fixture, DeleteSeesTheOldObject) {
  add_template(template_json("N", kName));
  add_constraint(constraint_json("N", "c", R"({"match": {"kinds": [{"kinds": ["Pod"]}]}, "parameters": {"p": "d"}})"));
  EXPECT_EQ(messages(admit(R"({"operation": "DELETE", "oldObject": {"kind": "Pod", "metadata": {"name": "gone"}}})")),
            (Strings{"c: d gone"}));
  EXPECT_EQ(
      admit(R"({"operation": "DELETE", "object": {"kind": "Pod"}})").failure,
      "admission.k8s.gatekeeper.sh: target.HandleReview failed for target \"admission.k8s.gatekeeper.sh\": oldObject "
      "cannot be nil for DELETE operations\n");
  EXPECT_EQ(messages(admit(R"({"operation": "UPDATE", "object": {"kind": "Job", "metadata": {"name": "j"}},
      "oldObject": {"kind": "Pod", "metadata": {"name": "before"}}})")),
            (Strings{"c: d j"}));
  EXPECT_EQ(
      messages(admit(R"({"operation": "CONNECT"})")),
      (Strings{"c: unable to match constraints: invalid request object: neither object nor old object are defined"}));
}

TEST_F(Fixture, OperationsOfATemplateCountForTheWebhookOnly) {
  add_template(template_json("N", kName, R"(, "operations": ["DELETE"])"));
  add_constraint(constraint_json("N", "c", R"({"parameters": {"p": "d"}})"));
  EXPECT_TRUE(admit(kPod).violations.empty());
  EXPECT_EQ(admit(kPod, EnforcementPoint::kAudit).violations.size(), 1u);
}

TEST_F(Fixture, InputHasGatekeepersShape) {
  add_template(template_json("Show", R"(package s
violation[{"msg": msg}] { msg := json.marshal(input) })"));
  add_constraint(constraint_json("Show", "c", R"({"parameters": {"n": 1000000}})"));
  EXPECT_EQ(
      messages(admit(
          R"({"uid": "u", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "dryRun": false,
      "userInfo": {"username": "bob", "extra": null, "other": 1}, "object": {"kind": "Pod", "metadata": {"name": "p"}, "n": 1000000}, "more": 1})")),
      (Strings{
          R"(c: {"parameters":{"n":1000000},"review":{"dryRun":false,"kind":{"group":"","kind":"Pod","version":"v1"},)"
          R"("namespaceObject":{},"object":{"kind":"Pod","metadata":{"name":"p"},"n":1e+06},"oldObject":null,)"
          R"("operation":"CREATE","options":null,"resource":{"group":"","resource":"","version":""},"uid":"u",)"
          R"("userInfo":{"username":"bob"}}})"}));
}

TEST_F(Fixture, NumbersReachPoliciesAsGoLeavesThem) {
  add_template(template_json("Show", R"(package s
violation[{"msg": msg}] { msg := sprintf("%v %v", [input.review.object.spec, input.parameters]) })"));
  add_constraint(constraint_json("Show", "c", R"({"parameters": {"n": 1000000, "f": 1.50}})"));
  const Document object =
      parse(R"({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"n": 1000000, "f": 1.50, "small": 5}})");
  snapshot_ = builder_.build();
  const ReviewResult result = snapshot_->review(review_of_object(object.root(), Source::kOriginal),
                                                inventory_.refresh(cached_), scratch_, host_, {});
  EXPECT_EQ(messages(result), (Strings{R"(c: {"f": 1.5, "n": 1e+06, "small": 5} {"f": 1.5, "n": 1000000})"}));
}

TEST_F(Fixture, BuilderKeepsTheLastGoodState) {
  add_template(template_json("N", kName));
  add_constraint(constraint_json("N", "c", R"({"parameters": {"p": "d"}})"));
  const Document broken = parse(template_json("N", "package n\nviolation[{\"msg\": x}] { y }"));
  const Result<TemplateChange> change = builder_.set_template(broken.root());
  ASSERT_FALSE(change.ok());
  EXPECT_NE(change.error().message.find("unable to compile modules"), std::string::npos);
  EXPECT_EQ(messages(admit(kPod)), (Strings{"c: d p"}));

  const Document same = parse(constraint_json("N", "c", R"({"parameters": {"p": "d"}})"));
  EXPECT_FALSE(builder_.set_constraint(same.root())->changed);
  EXPECT_TRUE(builder_.remove_constraint("N", "c"));
  EXPECT_FALSE(builder_.remove_constraint("N", "c"));
  EXPECT_TRUE(builder_.remove_template("n"));
  EXPECT_EQ(builder_.set_constraint(same.root()).error().code, Code::kNotFound);
}

TEST_F(Fixture, ManyConstraintsShareSegments) {
  add_template(template_json("N", kName));
  for (int i = 0; i < 1000; ++i) {
    add_constraint(constraint_json(
        "N", "c" + std::to_string(i),
        R"({"match": {"kinds": [{"kinds": ["K)" + std::to_string(i % 50) + R"("]}]}, "parameters": {"p": "d"}})"));
  }
  const ReviewResult result = admit(R"({"operation": "CREATE", "object": {"kind": "K7", "metadata": {"name": "p"}}})");
  EXPECT_EQ(result.violations.size(), 20u);
  EXPECT_EQ(snapshot_->constraint_count(), 1000u);
  EXPECT_NE(snapshot_->find_constraint("N", "c999"), nullptr);
  const auto before = snapshot_;
  EXPECT_TRUE(builder_.remove_constraint("N", "c7"));
  EXPECT_EQ(admit(R"({"operation": "CREATE", "object": {"kind": "K7", "metadata": {"name": "p"}}})").violations.size(),
            19u);
  EXPECT_NE(before->find_constraint("N", "c7"), nullptr);
  EXPECT_EQ(snapshot_->find_constraint("N", "c7"), nullptr);
}

TEST_F(Fixture, SteadyStateTouchesNoHeap) {
  add_template(template_json("N", R"(package n
violation[{"msg": "x"}] { input.review.object.metadata.labels[k]; k == input.parameters.p })"));
  add_constraint(constraint_json("N", "c", R"({"match": {"kinds": [{"kinds": ["Pod"]}]}, "parameters": {"p": "d"}})"));
  EXPECT_TRUE(admit(kPod).violations.empty());
  EXPECT_TRUE(admit(kPod).violations.empty());
  const std::uint64_t before = scratch_.arena().heap_allocations();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(admit(kPod).violations.empty());
  EXPECT_EQ(scratch_.arena().heap_allocations(), before);
}

TEST(Decode, WhatIsNoReview) {
  rego::EvalScratch scratch;
  for (const std::string_view body : {"", "{", "[1]", "5", "{} {}", R"({"request": 5})", R"({"request": {"uid": 5}})",
                                      R"({"request": {"kind": "Pod"}})", R"({"request": {"dryRun": "no"}})"}) {
    scratch.reset();
    const Result<Review> review = decode_admission_review(body, scratch);
    EXPECT_FALSE(review.ok()) << body;
  }
  for (const std::string_view body : {"{}", "null", R"({"request": null})", "\xEF\xBB\xBF {\"kind\": \"x\"} \n"}) {
    scratch.reset();
    EXPECT_TRUE(decode_admission_review(body, scratch).ok()) << body;
  }
}

TEST(Decode, SaysWhatGosDecoderSays) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "couldn't get version/kind; json parse error: unexpected end of JSON input"},
      {R"({"request": 5})",
       "json: cannot unmarshal number into Go struct field unversionedAdmissionReview.AdmissionReview.request of type "
       "v1.AdmissionRequest"},
      {R"({"request": {"uid": 5}})",
       "json: cannot unmarshal number into Go struct field AdmissionRequest.AdmissionReview.request.uid of type "
       "types.UID"},
  };
  rego::EvalScratch scratch;
  for (const auto& [body, text] : cases) {
    scratch.reset();
    EXPECT_EQ(decode_admission_review(body, scratch).error().message, text);
  }
}

TEST(Decode, AReviewWithoutAnyTypeIsAnsweredAsOne) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"null", "admission.k8s.io/v1", "AdmissionReview"},
      {"{}", "admission.k8s.io/v1", "AdmissionReview"},
      {R"({"kind": "Other"})", "", "Other"},
      {R"({"kind": "Other", "apiVersion": "x/v1"})", "x/v1", "Other"}};
  rego::EvalScratch scratch;
  for (const auto& [body, version, kind] : cases) {
    scratch.reset();
    const Review review = decode_admission_review(body, scratch).value();
    EXPECT_EQ(review.api_version, version) << body;
    EXPECT_EQ(review.review_kind, kind) << body;
  }
}

TEST(Cell, ReadersFollowPublications) {
  SnapshotCell cell;
  SnapshotBuilder builder;
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) cell.publish(builder.build());
  });
  CachedSnapshot mine;
  std::uint64_t last = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t number = cell.refresh(mine).number();
    EXPECT_GE(number, last);
    last = number;
  }
  writer.join();
  EXPECT_EQ(cell.refresh(mine).number(), 200u);
}

// A policy that looks for other objects with the same value finds the same ones by an index as by a walk.
TEST_F(Fixture, InventoryJoinsByIndexAndByWalkAgree) {
  constexpr std::string_view kUnique = R"(package u
identical(obj, review) {
  obj.metadata.namespace == review.object.metadata.namespace
  obj.metadata.name == review.object.metadata.name
}
violation[{"msg": msg, "details": {"where": [ns, version]}}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[ns][version]["Ingress"][name]
  re_match("^networking.k8s.io/.+$", version)
  not identical(other, input.review)
  other.spec.rules[_].host == host
  msg := sprintf("%v is taken by %v", [host, name])
}
violation[{"msg": msg}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.cluster[_]["Class"][name].spec.host
  other == host
  msg := sprintf("%v is the host of class %v", [other, name])
})";
  add_template(template_json("Unique", kUnique));
  add_constraint(constraint_json("Unique", "c"));
  const auto ingress = [](int i, int host, int second) {
    return R"({"apiVersion": ")" + std::string(i % 7 == 0 ? "extensions/v1" : "networking.k8s.io/v1") +
           R"(", "kind": "Ingress", "metadata": {"name": "i)" + std::to_string(i) + R"(", "namespace": "n)" +
           std::to_string(i % 5) + R"("}, "spec": {"rules": [{"host": "h)" + std::to_string(host) +
           R"("}, {"host": "h)" + std::to_string(second) + R"("}]}})";
  };
  const auto put = [this](const std::string& text) {
    const Document document = parse(text);
    ASSERT_TRUE(inventory_.upsert(document.root()).ok());
  };
  for (int i = 0; i < 80; ++i) put(ingress(i, i % 11, i % 13));
  for (int i = 0; i < 5; ++i) {
    put(R"({"apiVersion": "v1", "kind": "Class", "metadata": {"name": "k)" + std::to_string(i) +
        R"("}, "spec": {"host": "h)" + std::to_string(i) + R"("}})");
  }
  std::size_t with_violations = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string request =
        R"({"uid": "u", "kind": {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"}, "operation":
        "UPDATE", "name": "x", "namespace": "n0", "oldObject": null, "object": )" +
        ingress(i, i % 17, (i * 3) % 19) + "}";
    admit(request);  // asks for the indexes
    admit(request);
    const ReviewResult result = admit(request);
    ASSERT_FALSE(result.failed()) << result.failure;
    const LoadedConstraint& loaded = *snapshot_->find_constraint("Unique", "c");
    const Result<Review> review = decode_admission_review(body_, scratch_);
    ASSERT_TRUE(review.ok());
    std::vector<Finding> findings;
    ASSERT_TRUE(evaluate_constraint(loaded.compiled, *loaded.constraint, make_review_input(scratch_.arena(), *review),
                                    inventory_.refresh(cached_).data(), scratch_, host_, {}, findings)
                    .ok());
    Strings walked;
    for (const Finding& finding : findings) walked.push_back("c: " + std::string(finding.message));
    std::sort(walked.begin(), walked.end());
    EXPECT_EQ(messages(result), walked) << i;
    if (!walked.empty()) ++with_violations;
    if (i % 4 == 3)
      inventory_.remove("networking.k8s.io/v1", "Ingress", "n" + std::to_string(i % 5), "i" + std::to_string(i));
  }
  EXPECT_GT(with_violations, 10u);
  EXPECT_EQ(inventory_.index_count(), 2u);
}

}  // namespace
}  // namespace portcullis::policy
