// Explanations of small policies: what matched, what did not and why, which rule fired.
#include "policy/explain/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/value/document.h"
#include "engine/value/json.h"

namespace portcullis::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

// Two rules, one of them through an alternative; and a helper.
constexpr std::string_view kRego = R"(package labels

violation[{"msg": msg}] {
  not input.review.object.metadata.labels.team
  msg := "no team"
}

violation[{"msg": msg, "details": {"label": key}}] {
  input.review.object.metadata.labels[key] == "bad"
  msg := sprintf("label %v is bad", [key])
}

violation[{"msg": "same"}] { input.review.object.spec.a }
violation[{"msg": "same"}] { input.review.object.spec.b }
)";

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() { add_template("Labels", kRego); }
  void add_template(std::string_view kind, std::string_view rego, std::string_view more = "") {
    std::string name;
    for (const char c : kind) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string source;
    append_json(source, Value::string(rego));
    const Document document =
        parse(R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": ")" +
              name + R"("}, "spec": {"crd": {"spec": {"names": {"kind": ")" + std::string(kind) +
              R"("}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": )" + source + std::string(more) +
              "}]}}");
    const auto added = builder_.set_template(document.root());
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  void add_constraint(std::string_view name, std::string_view spec = "{}", std::string_view kind = "Labels") {
    const Document document =
        parse(R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": ")" + std::string(kind) +
              R"(", "metadata": {"name": ")" + std::string(name) + R"("}, "spec": )" + std::string(spec) + "}");
    const auto added = builder_.set_constraint(document.root());
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  Explanation explain_object(std::string_view object, std::string_view ns = {}, std::string exclusion = {}) {
    scratch_.reset();
    object_ = parse(object);
    if (!ns.empty()) namespace_ = parse(ns);
    Review review = review_of_object(object_.root(), Source::kOriginal, Operation::kCreate);
    review.operation_text = "CREATE";
    if (!ns.empty()) review.match_namespace = namespace_.root();
    ExplainOptions options;
    options.exclusion = std::move(exclusion);
    snapshot_ = builder_.build();
    return explain(*snapshot_, review, inventory_.refresh(cached_), scratch_, host_, probes_, options);
  }
  static const ExplainedConstraint& one(const Explanation& explanation, std::string_view name) {
    static const ExplainedConstraint none;
    for (const ExplainedConstraint& constraint : explanation.constraints) {
      if (constraint.name == name) return constraint;
    }
    ADD_FAILURE() << "no constraint " << name;
    return none;
  }

  SnapshotBuilder builder_;
  std::shared_ptr<const Snapshot> snapshot_;
  Inventory inventory_;
  CachedInventory cached_;
  rego::EvalScratch scratch_;
  rego::Host host_;
  RuleProbes probes_;
  Document object_, namespace_;
};

constexpr std::string_view kPod = R"({"apiVersion": "v1", "kind": "Pod",
  "metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "bad"}}, "spec": {"a": true, "b": true}})";
constexpr std::string_view kShop =
    R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"env": "test"}}})";

TEST_F(ExplainTest, NamesTheRuleThatFired) {
  add_constraint("all");
  const Explanation got = explain_object(kPod, kShop);
  EXPECT_EQ(got.subject, "v1 Pod shop/web");
  EXPECT_FALSE(got.response.allowed);
  const ExplainedConstraint& all = one(got, "all");
  EXPECT_EQ(all.verdict, Verdict::kViolated);
  EXPECT_GT(all.run_time_ns, 0u);
  std::map<std::string, std::vector<std::uint32_t>> lines;
  for (const ExplainedViolation& violation : all.violations) {
    for (const FiredRule& rule : violation.rules) lines[violation.message].push_back(rule.line);
  }
  EXPECT_THAT(lines["no team"], ElementsAre(3u));
  EXPECT_THAT(lines["label tier is bad"], ElementsAre(8u));
  EXPECT_THAT(lines["same"], ElementsAre(13u, 14u)) << "both rules say so";
  const std::string text = explanation_text(got);
  EXPECT_THAT(text, HasSubstr("v1 Pod shop/web (CREATE): refused, code 403"));
  EXPECT_THAT(text, HasSubstr("Labels/all: label tier is bad\n  line 8: violation[{\"msg\": msg, \"details\""));
  EXPECT_THAT(text, HasSubstr("  details: {\"label\":\"tier\"}"));
}

// One row per field of spec.match that keeps the pod out: spec, field, what was found.
struct RefusalCase {
  const char* match;
  const char* field;
  const char* wanted;
  const char* found;
};
class RefusedBy : public ExplainTest, public testing::WithParamInterface<RefusalCase> {};
TEST_P(RefusedBy, Field) {
  add_constraint("c", std::string(R"({"match": )") + GetParam().match + "}");
  const Explanation got = explain_object(kPod, kShop);
  EXPECT_TRUE(got.response.allowed);
  const ExplainedConstraint& constraint = one(got, "c");
  EXPECT_EQ(constraint.verdict, Verdict::kNotMatched);
  ASSERT_EQ(constraint.refusals.size(), 1u);
  EXPECT_EQ(constraint.refusals[0].field, GetParam().field);
  EXPECT_EQ(constraint.refusals[0].wanted, GetParam().wanted);
  EXPECT_EQ(constraint.refusals[0].found, GetParam().found);
  EXPECT_THAT(explanation_text(got), HasSubstr(std::string(GetParam().field) + ": wants "));
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedBy,
    testing::Values(RefusalCase{R"({"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}]})", "kinds",
                                R"([{"apiGroups":["apps"],"kinds":["*"]}])", "v1 Pod"},
                    RefusalCase{R"({"scope": "Cluster"})", "scope", R"("Cluster")", "Namespaced"},
                    RefusalCase{R"({"namespaces": ["prod-*"]})", "namespaces", R"(["prod-*"])", "namespace shop"},
                    RefusalCase{R"({"excludedNamespaces": ["sh*"]})", "excludedNamespaces", R"(["sh*"])",
                                "namespace shop"},
                    RefusalCase{R"({"labelSelector": {"matchLabels": {"tier": "good"}}})", "labelSelector",
                                R"({"matchLabels":{"tier":"good"}})", R"({"tier":"bad"})"},
                    RefusalCase{R"({"namespaceSelector": {"matchLabels": {"env": "prod"}}})", "namespaceSelector",
                                R"({"matchLabels":{"env":"prod"}})", R"({"env":"test"})"},
                    RefusalCase{R"({"name": "db-*"})", "name", R"("db-*")", "web"},
                    RefusalCase{R"({"source": "Generated"})", "source", R"("Generated")", "Original"}));

TEST_F(ExplainTest, SaysEveryFieldThatRefuses) {
  add_constraint("c", R"({"match": {"kinds": [{"apiGroups": [""], "kinds": ["Service"]}], "namespaces": ["other"]}})");
  const Explanation got = explain_object(kPod, kShop);
  EXPECT_EQ(one(got, "c").refusals.size(), 2u);
}

TEST_F(ExplainTest, WhatIsNotAsked) {
  add_constraint("audit-only", R"({"enforcementAction": "scoped", "scopedEnforcementActions": [
      {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]})");
  Explanation got = explain_object(kPod, kShop);
  EXPECT_EQ(one(got, "audit-only").verdict, Verdict::kNotAsked);
  EXPECT_THAT(one(got, "audit-only").reason, HasSubstr("validation.gatekeeper.sh"));
  add_constraint("all");
  got = explain_object(kPod, kShop, "Config excludes namespace shop from process webhook");
  EXPECT_TRUE(got.response.allowed);
  EXPECT_EQ(one(got, "all").verdict, Verdict::kNotAsked);
  EXPECT_THAT(explanation_text(got), HasSubstr("Config excludes namespace shop"));
}

TEST_F(ExplainTest, SatisfiedAndFailed) {
  add_template("Broken",
               "package b\nviolation[{\"msg\": m}] { f(1) == 1; m := \"x\" }\nf(x) = 1 { x }\nf(x) = 2 { x }\n");
  add_constraint("broken", "{}", "Broken");
  add_constraint("fine", R"({"match": {"labelSelector": {"matchLabels": {"team": "a"}}}})");
  add_constraint("undecidable", R"({"match": {"namespaceSelector": {"matchLabels": {"a": "b"}}}})");
  const Explanation got = explain_object(
      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "labels": {"team": "a"}}})");
  EXPECT_EQ(one(got, "fine").verdict, Verdict::kSatisfied);
  EXPECT_EQ(one(got, "broken").verdict, Verdict::kFailed);
  EXPECT_THAT(one(got, "broken").reason, HasSubstr("eval_conflict_error"));
  EXPECT_EQ(one(got, "undecidable").verdict, Verdict::kFailed);
  EXPECT_THAT(one(got, "undecidable").reason, HasSubstr("missing Namespace"));
}

TEST_F(ExplainTest, JsonIsJson) {
  add_constraint("all", R"({"enforcementAction": "warn"})");
  add_constraint("other", R"({"match": {"labelSelector": {"matchLabels": {"a": "b"}}}})");
  const Explanation got = explain_object(kPod, kShop);
  for (const bool indented : {true, false}) {
    const std::string json = explanation_json(got, indented);
    const Document document = parse(json);
    EXPECT_TRUE(document.root().get("allowed").is_true()) << json;
    EXPECT_EQ(document.root().get("constraints").size(), 2u);
    EXPECT_EQ(document.root().get("warnings").size(), 3u);
    const Value first = document.root().get("constraints").elements()[0];
    EXPECT_EQ(first.string_or("verdict"), "violated");
    EXPECT_EQ(json.find('\n') == json.size() - 1, !indented);
  }
}

TEST_F(ExplainTest, IsBounded) {
  for (int i = 0; i < 20; ++i) add_constraint("c" + std::to_string(i), R"({"match": {"name": "nobody"}})");
  object_ = parse(kPod);
  const Review review = review_of_object(object_.root(), Source::kOriginal, Operation::kCreate);
  ExplainOptions options;
  options.max_not_matched = 5;
  snapshot_ = builder_.build();
  const Explanation got = explain(*snapshot_, review, inventory_.refresh(cached_), scratch_, host_, probes_, options);
  EXPECT_EQ(got.constraints.size(), 5u);
  EXPECT_EQ(got.left_out, 15u);
  EXPECT_THAT(explanation_text(got), HasSubstr("and 15 more that do not match"));
}

}  // namespace
}  // namespace portcullis::policy
