// json.match_schema, json.verify_schema.
#include <string>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/json_schema.h"
#include "engine/value/document.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::uint64_t kMaxSteps = 5'000'000;

// A document or schema: an object, an array, or the JSON text of anything.
Result<Value> read_argument(BuiltinContext& c, const Value& argument) {
  if (argument.is_string()) {
    Result<Value> parsed = parse_json_into(c.arena, argument.as_string());
    if (!parsed.ok()) return make_error(Code::kInvalid, "invalid JSON string");
    return parsed;
  }
  if (argument.is_object() || argument.is_array()) return argument;
  return make_error(Code::kInvalid, "wrong type, expected string or object");
}

Value verify_schema(BuiltinContext& c, Args a) {
  WorkLimit work(c, kMaxSteps);
  Result<Value> schema = read_argument(c, a[0]);
  std::string error;
  if (schema.ok()) {
    const Result<JsonSchema> compiled = JsonSchema::compile(*schema, work);
    if (!compiled.ok()) error = compiled.error().message;
  } else {
    error = schema.error().message;
  }
  if (work.exhausted()) return out_of_budget(c, "json.verify_schema");
  const Value verdict[] = {Value::boolean(error.empty()),
                           error.empty() ? Value::null() : make_string(c.arena, "jsonschema: " + error)};
  return make_array(c.arena, verdict);
}

Value match_schema(BuiltinContext& c, Args a) {
  WorkLimit work(c, kMaxSteps);
  const Result<Value> document = read_argument(c, a[0]);
  if (!document.ok()) return c.fail(document.error().message);
  const Result<Value> schema = read_argument(c, a[1]);
  if (!schema.ok()) return c.fail(schema.error().message);
  const Result<JsonSchema> compiled = JsonSchema::compile(*schema, work);
  if (work.exhausted()) return out_of_budget(c, "json.match_schema");
  if (!compiled.ok()) return c.fail(compiled.error().message);
  const std::vector<SchemaFault> faults = compiled->validate(c.arena, *document, work);
  if (work.exhausted()) return out_of_budget(c, "json.match_schema");
  std::vector<Value> errors;
  for (const SchemaFault& fault : faults) {
    const std::string whole = std::string(fault.field) + ": " + std::string(fault.description);
    const Member members[] = {{Value::string("error"), make_string(c.arena, whole)},
                              {Value::string("type"), Value::string(fault.type)},
                              {Value::string("field"), Value::string(fault.field)},
                              {Value::string("desc"), Value::string(fault.description)}};
    errors.push_back(make_object(c.arena, members));
  }
  const Value verdict[] = {Value::boolean(faults.empty()), make_array(c.arena, errors)};
  return make_array(c.arena, verdict);
}

constexpr std::string_view kDocument = "string|object[any:any]";

constexpr BuiltinDecl kTable[] = {
    {"json.match_schema",
     {kDocument, kDocument},
     "[boolean, array[{desc: string, error: string, field: string, type: string}]]",
     &match_schema,
     kNondeterministic},
    {"json.verify_schema", {kDocument}, "[boolean, string|null]", &verify_schema, kNondeterministic},
};

}  // namespace

std::span<const BuiltinDecl> schema_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
