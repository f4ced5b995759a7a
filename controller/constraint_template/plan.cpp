// The pure decisions of the template controller.
#include "controller/constraint_template/plan.h"

#include "engine/value/json.h"
#include "policy/schema/crd.h"

namespace portcullis::controller {

TemplateReading read_template(const Value& object) {
  TemplateReading reading;
  const auto fail = [&](std::string code, const Error& error) {
    reading.errors.push_back({std::move(code), error.to_string()});
    return std::move(reading);
  };
  Result<policy::TemplatePtr> decoded = policy::decode_template(object);
  if (!decoded.ok()) return fail("conversion_error", decoded.error());
  reading.constraint_template = std::move(decoded).value();
  const Result<void> valid = policy::validate_template(*reading.constraint_template);
  if (!valid.ok()) return fail("create_error", valid.error());
  Result<Document> crd = policy::make_constraint_crd(
      *reading.constraint_template,
      object.path({"metadata", "uid"}).is_string() ? object.path({"metadata", "uid"}).as_string() : std::string_view());
  if (!crd.ok()) return fail("create_error", crd.error());
  reading.crd = std::move(crd).value();
  return reading;
}

bool covers(const Value& current, const Value& desired) {
  if (desired.is_object()) {
    if (!current.is_object()) return false;
    for (std::uint32_t i = 0; i < desired.size(); ++i) {
      if (!covers(current.get(desired.keys()[i]), desired.values()[i])) return false;
    }
    return true;
  }
  if (desired.is_array()) {
    if (!current.is_array() || current.size() != desired.size()) return false;
    for (std::uint32_t i = 0; i < desired.size(); ++i) {
      if (!covers(current.elements()[i], desired.elements()[i])) return false;
    }
    return true;
  }
  return equal(current, desired);
}

CrdPlan plan_crd(const Value& desired, const Value& current) {
  if (!current.defined()) return {CrdPlan::Do::kCreate, to_json(desired)};
  // A schema that lost a property must lose it on the server too, so the schema is compared both ways.
  const auto schema_of = [](const Value& crd) {
    const auto versions = crd.path({"spec", "versions"}).elements();
    return versions.empty() ? Value::undefined() : versions[0].path({"schema", "openAPIV3Schema"});
  };
  if (covers(current.get("spec"), desired.get("spec")) && covers(schema_of(desired), schema_of(current))) return {};
  Arena arena;
  return {CrdPlan::Do::kUpdate, to_json(with_member(arena, current, make_string(arena, "spec"), desired.get("spec")))};
}

bool is_established(const Value& crd) {
  for (const Value& condition : crd.path({"status", "conditions"}).elements()) {
    if (condition.string_or("type") == "Established") return condition.string_or("status") == "True";
  }
  return false;
}

}  // namespace portcullis::controller
