#include <gtest/gtest.h>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "policy/schema/crd.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

TemplatePtr make_template(std::string_view parameters_schema) {
  std::string validation;
  if (!parameters_schema.empty()) {
    validation = R"(, "validation": {"openAPIV3Schema": )" + std::string(parameters_schema) + "}";
  }
  const Document document = parse(R"({"apiVersion": "templates.gatekeeper.sh/v1", "metadata": {"name": "needlabel",
      "labels": {"team": "a"}}, "spec": {"crd": {"spec": {"names": {"kind": "NeedLabel", "shortNames": ["nl"]})" +
                                  validation + R"(}}, "targets": [{"target": "admission.k8s.gatekeeper.sh"}]}})");
  Result<TemplatePtr> decoded = decode_template(document.root());
  EXPECT_TRUE(decoded.ok());
  return *decoded;
}

constexpr std::string_view kKeySchema =
    R"({"type": "object", "properties": {"key": {"type": "string"}, "n": {"type": "integer", "default": 3},
        "mode": {"type": "string", "enum": ["a", "b"]}, "list": {"type": "array", "maxItems": 1, "items": {"type": "string"}}}})";

TEST(Crd, HasNamesVersionsAndColumns) {
  const Result<Document> crd = make_constraint_crd(*make_template(kKeySchema), "uid-1");
  ASSERT_TRUE(crd.ok()) << crd.error().message;
  const Value root = crd->root();
  EXPECT_EQ(root.get("metadata").string_or("name"), "needlabel.constraints.gatekeeper.sh");
  EXPECT_EQ(to_json(root.get("metadata").get("labels")), R"({"gatekeeper.sh/constraint":"yes","team":"a"})");
  EXPECT_EQ(to_json(root.path({"spec", "names"})),
            R"({"categories":["constraint","constraints"],"kind":"NeedLabel","listKind":"NeedLabelList",)"
            R"("plural":"needlabel","shortNames":["nl"],"singular":"needlabel"})");
  const auto versions = root.path({"spec", "versions"}).elements();
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].string_or("name"), "v1beta1");
  EXPECT_TRUE(versions[0].get("storage").is_true());
  EXPECT_FALSE(versions[1].get("storage").is_true());
  const Value spec = versions[0].path({"schema", "openAPIV3Schema", "properties", "spec", "properties"});
  EXPECT_EQ(to_json(spec.get("enforcementAction")), R"({"default":"deny","type":"string"})");
  EXPECT_TRUE(spec.get("parameters").get("properties").get("key").defined());
}

TEST(Crd, RefusesSchemasThatAreNotStructural) {
  const Result<Document> crd = make_constraint_crd(*make_template(R"({"properties": {"x": {"type": "array"}}})"));
  ASSERT_FALSE(crd.ok());
  EXPECT_EQ(
      crd.error().message,
      "invalid ConstraintTemplate: ["
      "spec.validation.openAPIV3Schema.properties[spec].properties[parameters].properties[x].items: Required value: "
      "must be specified, spec.validation.openAPIV3Schema.properties[spec].properties[parameters].type: Required "
      "value: must not be empty for specified object fields]");
}

TEST(Constraint, Checks) {
  struct Case {
    std::string_view object, error;
  };
  const Case cases[] = {
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"parameters": {"key": "owner"}}})",
       ""},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"parameters": {"key": 7}}})",
       R"(schema validation failed: [].spec.parameters.key: Invalid value: "number": spec.parameters.key in body must be of type string: "number")"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"parameters": {"nope": 1}, "more": {}}})",
       "invalid Constraint: unknown fields: [spec.more spec.parameters.nope]"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"parameters": {"mode": "x"}}})",
       R"(schema validation failed: [].spec.parameters.mode: Unsupported value: "x": supported values: "a", "b")"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"parameters": {"list": ["a", "b"]}}})",
       "schema validation failed: [].spec.parameters.list: Too many: 2: must have at most 1 item"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1", "kind": "NeedLabel", "metadata": {"name": "c"}})",
       R"(invalid Constraint: unsupported version "v1" for Constraint "c"; supported versions: map[v1alpha1:true v1beta1:true])"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "needlabel", "metadata": {"name": "c"}})",
       R"(invalid Constraint: wrong kind "c" for constraint "needlabel"; want "NeedLabel")"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": {"match": {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "in"}]}}}})",
       R"(invalid Constraint: spec.labelSelector.matchExpressions[0].operator: Invalid value: "in": not a valid selector operator)"},
      {R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c"},
           "spec": "a"})",
       "invalid Constraint: .spec.match accessor error: a is of the type string, expected map[string]interface{}"},
  };
  const auto schema = make_constraint_schema(*make_template(kKeySchema));
  ASSERT_TRUE(schema.ok());
  for (const Case& c : cases) {
    const Document document = parse(c.object);
    const Result<void> checked = validate_constraint(document.root(), **schema);
    EXPECT_EQ(checked.ok() ? "" : checked.error().message, c.error) << c.object;
  }
}

TEST(Constraint, DefaultsOnlyWhereTheParentIsThere) {
  const auto schema = make_constraint_schema(*make_template(kKeySchema));
  ASSERT_TRUE(schema.ok());
  Arena arena;
  const Document with = parse(R"({"spec": {"parameters": {}}})");
  EXPECT_EQ(to_json(default_constraint(arena, with.root(), **schema)),
            R"({"spec":{"enforcementAction":"deny","parameters":{"n":3}}})");
  const Document without = parse(R"({"spec": {}})");
  EXPECT_EQ(to_json(default_constraint(arena, without.root(), **schema)), R"({"spec":{"enforcementAction":"deny"}})");
}

}  // namespace
}  // namespace portcullis::policy
