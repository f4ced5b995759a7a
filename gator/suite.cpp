#include "gator/suite.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"
#include "gator/files.h"
#include "policy/model/go_error.h"
#include "policy/model/object.h"

namespace portcullis::gator {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

bool absent(const Value& value) noexcept { return !value.defined() || value.is_null(); }

// Reads the fields of one Go struct; keeps the first complaint.
class Fields {
 public:
  Fields(const Value& object, std::string_view struct_name, std::string_view path)
      : object_(object), struct_name_(struct_name), path_(path) {}

  void text(std::string_view key, std::string& out) {
    const Value value = object_.get(key);
    if (absent(value)) return;
    if (!value.is_string()) return complain(value, key, "string");
    out = std::string(value.as_string());
  }
  void boolean(std::string_view key, bool& out) {
    const Value value = object_.get(key);
    if (absent(value)) return;
    if (!value.is_bool()) return complain(value, key, "bool");
    out = value.is_true();
  }
  Value list(std::string_view key, std::string_view go_type) {
    const Value value = object_.get(key);
    if (absent(value)) return Value::undefined();
    if (!value.is_array()) complain(value, key, go_type);
    return value;
  }
  void complain(const Value& value, std::string_view key, std::string_view go_type) {
    if (!error_.empty()) return;
    error_ = policy::json_type_error(value, field(key), go_type);
  }
  std::string field(std::string_view key) const {
    std::string out(struct_name_);
    out += '.';
    out += path_;
    out += key;
    return out;
  }
  Result<void> done() const { return error_.empty() ? ok() : Result<void>(invalid(error_)); }

 private:
  Value object_;
  std::string_view struct_name_;
  std::string_view path_;
  std::string error_;
};

Result<void> read_violations(const Value& value, Assertion& out) {
  constexpr std::string_view kField = "Assertion.tests.cases.assertions.violations";
  if (absent(value)) return ok();
  if (value.is_string()) {
    out.violations = std::string(value.as_string());
    return ok();
  }
  const auto number = value.is_integer() ? std::optional<std::int64_t>(value.as_integer()) : std::nullopt;
  if (number && *number >= std::numeric_limits<std::int32_t>::min() &&
      *number <= std::numeric_limits<std::int32_t>::max()) {
    out.violations = static_cast<std::int32_t>(*number);
    return ok();
  }
  return invalid("json: cannot unmarshal " + policy::json_kind(value, true) + " into Go struct field " +
                 std::string(kField) + " of type int32");
}

Result<Assertion> decode_assertion(const Value& value) {
  Assertion out;
  if (value.is_null()) return out;
  if (!value.is_object()) {
    return invalid(policy::json_type_error(value, "Case.tests.cases.assertions", "verify.Assertion"));
  }
  PC_TRY_VOID(read_violations(value.get("violations"), out));
  const Value message = value.get("message");
  if (absent(message)) return out;
  if (!message.is_string()) {
    return invalid(policy::json_type_error(message, "Assertion.tests.cases.assertions.message", "string"));
  }
  out.message = std::string(message.as_string());
  return out;
}

Result<SuiteCase> decode_case(const Value& value) {
  SuiteCase out;
  if (value.is_null()) return out;
  if (!value.is_object()) return invalid(policy::json_type_error(value, "Test.tests.cases", "verify.Case"));
  Fields fields(value, "Case", "tests.cases.");
  fields.text("name", out.name);
  fields.text("object", out.object);
  fields.boolean("skip", out.skip);
  const Value inventory = fields.list("inventory", "[]string");
  for (const Value& path : inventory.elements()) {
    if (!path.is_string()) fields.complain(path, "inventory", "string");
    out.inventory.emplace_back(path.is_string() ? path.as_string() : std::string_view{});
  }
  const Value assertions = fields.list("assertions", "[]verify.Assertion");
  PC_TRY_VOID(fields.done());
  for (const Value& assertion : assertions.elements()) {
    PC_TRY(Assertion decoded, decode_assertion(assertion));
    out.assertions.push_back(std::move(decoded));
  }
  return out;
}

Result<SuiteTest> decode_test(const Value& value) {
  SuiteTest out;
  if (value.is_null()) return out;
  if (!value.is_object()) return invalid(policy::json_type_error(value, "Suite.tests", "verify.Test"));
  Fields fields(value, "Test", "tests.");
  fields.text("name", out.name);
  fields.text("template", out.constraint_template);
  fields.text("constraint", out.constraint);
  fields.text("expansion", out.expansion);
  fields.boolean("invalid", out.invalid);
  fields.boolean("skip", out.skip);
  const Value cases = fields.list("cases", "[]*verify.Case");
  PC_TRY_VOID(fields.done());
  for (const Value& element : cases.elements()) {
    PC_TRY(SuiteCase decoded, decode_case(element));
    out.cases.push_back(std::move(decoded));
  }
  return out;
}

// What stands in front of the part of a file's path that the user did not write.
Result<std::string> shown_path(const std::string& file, std::string_view original) {
  std::string_view cut = original;
  if (text::starts_with(cut, "/")) cut.remove_prefix(1);
  if (text::starts_with(cut, "./")) cut.remove_prefix(2);
  while (text::starts_with(cut, "../")) cut.remove_prefix(3);
  const std::size_t at = file.find(cut);
  if (at == std::string::npos) return invalid("could not find " + std::string(cut) + " in " + file);
  return std::string(original) + file.substr(at + cut.size());
}

Result<std::vector<std::string>> list_files(const std::string& target, bool recursive) {
  const std::string rooted = "/" + target;
  PC_TRY(const PathKind kind, stat_path(rooted, target));
  if (kind == PathKind::kFile) {
    if (recursive) {
      return invalid("can only recursively traverse directories, not a directory: " + text::go_quote(target));
    }
    if (!is_yaml(target)) return invalid("unsupported extension: " + text::go_quote(extension(target)));
    return std::vector<std::string>{rooted};
  }
  PC_TRY(std::vector<std::string> files, recursive ? files_below(rooted) : files_in(rooted));
  std::erase_if(files, [](const std::string& file) { return !is_yaml(file); });
  return files;
}

// Undefined kind: the file is no suite.
Result<std::optional<Suite>> read_suite(const std::string& path, std::string_view original) {
  const std::string shown = path.substr(1);
  Result<std::string> text = read_file(path, shown);
  if (!text.ok()) return invalid("reading file " + text::go_quote(shown) + ": " + text.error().message);
  ParseLimits limits;
  limits.source = shown;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  Result<Document> document = parse_yaml(*text, YamlSchema::kYaml12, limits);
  if (!document.ok()) {
    return invalid("invalid yaml: parsing yaml file " + text::go_quote(shown) + ": " + document.error().message);
  }
  const policy::ObjectKind kind = policy::kind_of(document->root());
  if (kind.group != "test.gatekeeper.sh" || kind.kind != "Suite") return std::optional<Suite>();
  Result<Suite> suite = decode_suite(document->root());
  if (!suite.ok()) return invalid("invalid yaml: " + suite.error().message);
  suite->file = shown;
  PC_TRY(suite->shown, shown_path(shown, original));
  return std::optional<Suite>(std::move(*suite));
}

}  // namespace

Result<Suite> decode_suite(const Value& root) {
  Suite out;
  Fields fields(root, "Suite", "");
  fields.boolean("skip", out.skip);
  const Value tests = fields.list("tests", "[]verify.Test");
  PC_TRY_VOID(fields.done());
  for (const Value& element : tests.elements()) {
    PC_TRY(SuiteTest decoded, decode_test(element));
    out.tests.push_back(std::move(decoded));
  }
  return out;
}

Result<std::vector<Suite>> read_suites(std::string_view path) {
  std::string original(path);
  std::string target = absolute_path(path);
  const bool recursive = text::ends_with(original, "/...");
  if (recursive) {
    target.resize(target.size() - 3);
    original.resize(original.size() - 3);
  }
  while (!target.empty() && target.front() == '/') target.erase(0, 1);
  while (!target.empty() && target.back() == '/') target.pop_back();
  PC_TRY(const std::vector<std::string> files, list_files(target, recursive));
  std::vector<Suite> out;
  for (const std::string& file : files) {
    PC_TRY(std::optional<Suite> suite, read_suite(file, original));
    if (suite) out.push_back(std::move(*suite));
  }
  std::stable_sort(out.begin(), out.end(), [](const Suite& a, const Suite& b) { return a.file < b.file; });
  return out;
}

}  // namespace portcullis::gator
