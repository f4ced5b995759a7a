#include <gtest/gtest.h>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "policy/model/action.h"
#include "policy/model/constraint.h"
#include "policy/model/names.h"
#include "policy/model/object.h"
#include "policy/model/template.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

TEST(ObjectKind, SplitsApiVersionAsKubernetesDoes) {
  struct Case {
    std::string_view api_version, group, version;
  };
  for (const Case& c : {Case{"v1", "", "v1"}, Case{"apps/v1", "apps", "v1"}, Case{"", "", ""}, Case{"/", "", ""}}) {
    const ObjectKind kind = parse_api_version(c.api_version, "Pod");
    EXPECT_EQ(kind.group, c.group) << c.api_version;
    EXPECT_EQ(kind.version, c.version) << c.api_version;
    EXPECT_EQ(kind.kind, "Pod");
  }
  EXPECT_EQ(parse_api_version("a/b/c", "Pod").kind, "");
  EXPECT_EQ(parse_api_version("apps/v1", "Deployment").to_string(), "apps/v1, Kind=Deployment");
  EXPECT_EQ(parse_api_version("v1", "Pod").to_string(), "/v1, Kind=Pod");
}

TEST(Numbers, AsGoLeavesThem) {
  const Document document =
      parse(R"({"a": 1000000, "b": 999999, "c": 1.50, "d": 1e3, "e": 12345678901234567, "f": [1, 2], "g": -1000000})");
  Arena arena;
  EXPECT_EQ(to_json(as_float64(arena, document.root())),
            R"({"a":1e+06,"b":999999,"c":1.5,"d":1000,"e":1.2345678901234568e+16,"f":[1,2],"g":-1e+06})");
  EXPECT_EQ(to_json(as_unstructured_numbers(arena, document.root())),
            R"({"a":1000000,"b":999999,"c":1.5,"d":1000,"e":12345678901234567,"f":[1,2],"g":-1000000})");
  const Value list = document.root().get("f");
  EXPECT_TRUE(as_float64(arena, list).identical(list));
}

TEST(Enforcement, ScopedActionsByPoint) {
  const Document document = parse(R"({"spec": {"enforcementAction": "scoped", "scopedEnforcementActions": [
      {"action": "deny", "enforcementPoints": [{"name": "gator.gatekeeper.sh"}, {"name": "nowhere"}]},
      {"action": "warn", "enforcementPoints": [{"name": "*"}]},
      {"action": "warn", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]}})");
  const Result<Enforcement> enforcement = decode_enforcement(document.root());
  ASSERT_TRUE(enforcement.ok());
  EXPECT_EQ(enforcement->scoped_actions(EnforcementPoint::kGator), (std::vector<std::string>{"deny", "warn"}));
  EXPECT_EQ(enforcement->scoped_actions(EnforcementPoint::kAudit), (std::vector<std::string>{"warn"}));
  EXPECT_TRUE(enforcement->active_at(EnforcementPoint::kWebhook));
}

TEST(Enforcement, Texts) {
  struct Case {
    std::string_view spec, decode_error, webhook_error;
  };
  const Case cases[] = {
      {R"({})", "", ""},
      {R"({"enforcementAction": ""})", "", ""},
      {R"({"enforcementAction": 7})", "invalid Constraint: invalid spec.enforcementAction",
       "spec.enforcementAction must be a string: .spec.enforcementAction accessor error: 7 is of the type int64, "
       "expected string"},
      {R"({"enforcementAction": "block"})", "",
       R"(unrecognized enforcementAction: "block" is not within the supported list [deny dryrun warn scoped])"},
      {R"({"enforcementAction": "scoped"})", "missing required field: spec.scopedEnforcementActions must be defined",
       "error fetching scopedEnforcementActions: scopedEnforcementActions is required"},
      {R"({"enforcementAction": "scoped", "scopedEnforcementActions": []})", "", ""},
      {R"({"enforcementAction": "scoped", "scopedEnforcementActions": [{"action": "x", "enforcementPoints": [{"name": "p"}]}]})",
       "",
       "unrecognized enforcement points: constraint will not be enforced for enforcement points [p], supported "
       "enforcement points are [validation.gatekeeper.sh audit.gatekeeper.sh gator.gatekeeper.sh vap.k8s.io]\n"
       "unrecognized enforcementAction: [x] is not within the supported list [deny dryrun warn]"},
  };
  for (const Case& c : cases) {
    const Document document = parse(std::string(R"({"spec": )") + std::string(c.spec) + "}");
    const Result<Enforcement> decoded = decode_enforcement(document.root());
    EXPECT_EQ(decoded.ok() ? "" : decoded.error().message, c.decode_error) << c.spec;
    const Result<void> checked = validate_enforcement(document.root(), true);
    EXPECT_EQ(checked.ok() ? "" : checked.error().message, c.webhook_error) << c.spec;
  }
}

TEST(Template, LegacyRegoReplacesCode) {
  const Document document = parse(R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
      "metadata": {"name": "a"}, "spec": {"crd": {"spec": {"names": {"kind": "A"}}}, "targets": [{
      "target": "admission.k8s.gatekeeper.sh", "rego": "package a", "libs": ["package lib.b"],
      "code": [{"engine": "K8sNativeValidation", "source": {}}, {"engine": "Rego", "source": {"version": "v1", "rego": "x"}}]}]}})");
  const Result<TemplatePtr> decoded = decode_template(document.root());
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  const TemplateCode* code = (*decoded)->find_code("Rego");
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(to_json(code->source), R"({"libs":["package lib.b"],"rego":"package a","version":""})");
  EXPECT_TRUE(validate_template(**decoded).ok());
  EXPECT_FALSE((*decoded)->parameters_schema.defined());
}

TEST(Template, LegacySchemaDefaultsByVersion) {
  constexpr std::string_view kBody =
      R"(, "kind": "ConstraintTemplate", "metadata": {"name": "a"}, "spec": {"crd": {"spec":
      {"names": {"kind": "A"}, "validation": {"openAPIV3Schema": {"properties": {"x": {"type": "array"}}, "nonsense": 1}}}}}})";
  const Document v1 = parse(R"({"apiVersion": "templates.gatekeeper.sh/v1")" + std::string(kBody));
  const Document beta = parse(R"({"apiVersion": "templates.gatekeeper.sh/v1beta1")" + std::string(kBody));
  EXPECT_EQ(to_json((*decode_template(v1.root()))->parameters_schema), R"({"properties":{"x":{"type":"array"}}})");
  EXPECT_EQ(to_json((*decode_template(beta.root()))->parameters_schema),
            R"({"properties":{"x":{"items":{"x-kubernetes-preserve-unknown-fields":true},"type":"array"}},)"
            R"("x-kubernetes-preserve-unknown-fields":true})");
  EXPECT_EQ(to_json((*decode_template(beta.root(), {false}))->parameters_schema),
            R"({"properties":{"x":{"type":"array"}}})");
}

TEST(Template, Errors) {
  struct Case {
    std::string_view object, error;
  };
  const Case cases[] = {
      {R"({"spec": {}})", "invalid ConstraintTemplate: must declare exactly one target"},
      {R"({"spec": {"targets": [{}, {}]}})", "invalid ConstraintTemplate: must declare exactly one target"},
      {R"({"spec": {"targets": [{}]}})", "invalid ConstraintTemplate: target name must not be empty"},
      {R"({"metadata": {"name": "n"}, "spec": {"targets": [{"target": "x"}]}})",
       R"(invalid ConstraintTemplate: ConstraintTemplate "n" does not specify CRD Kind)"},
      {R"({"metadata": {"name": "n"}, "spec": {"crd": {"spec": {"names": {"kind": "Nn"}}}, "targets": [{"target": "x"}]}})",
       R"(invalid ConstraintTemplate: the ConstraintTemplate's name "n" is not equal to the lowercase of CRD's Kind: "nn")"},
      {R"({"metadata": {"name": "n"}, "spec": {"crd": {"spec": {"names": {"kind": "N"}}}, "targets": [{"target": "x"}]}})",
       R"(invalid ConstraintTemplate: target "x" not recognized, known targets [admission.k8s.gatekeeper.sh])"},
      {R"({"apiVersion": "templates.gatekeeper.sh/v1", "spec": {"targets": [{"rego": 7}]}})",
       "json: cannot unmarshal number into Go struct field Target.spec.targets.rego of type string"},
  };
  for (const Case& c : cases) {
    const Document document = parse(c.object);
    const Result<TemplatePtr> decoded = decode_template(document.root());
    const Result<void> checked = decoded.ok() ? validate_template(**decoded) : Result<void>(decoded.error());
    ASSERT_FALSE(checked.ok()) << c.object;
    EXPECT_EQ(checked.error().message, c.error);
  }
}

TEST(Constraint, KeepsNoStatusAndAlwaysHasParameters) {
  const Document document = parse(R"({"kind": "K", "metadata": {"name": "c"}, "status": {"x": 1}})");
  const Result<ConstraintPtr> constraint = decode_constraint(document.root());
  ASSERT_TRUE(constraint.ok());
  EXPECT_EQ(to_json((*constraint)->object), R"({"kind":"K","metadata":{"name":"c"}})");
  EXPECT_EQ(to_json((*constraint)->parameters), "{}");
}

TEST(Names, Rules) {
  EXPECT_TRUE(check_dns1123_subdomain("a-b.c").empty());
  EXPECT_FALSE(check_dns1123_subdomain("A").empty());
  EXPECT_FALSE(check_dns1123_subdomain("").empty());
  EXPECT_FALSE(check_dns1035_label("1a").empty());
  EXPECT_TRUE(check_label_key("example.com/My_Name").empty());
  EXPECT_EQ(check_label_key("/x").front(), "prefix part must be non-empty");
  EXPECT_TRUE(check_label_value("").empty());
}

}  // namespace
}  // namespace portcullis::policy
