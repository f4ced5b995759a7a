#include <fstream>
#include <sstream>

#include "engine/value/yaml.h"
#include "test/conformance/case.h"

namespace portcullis::conformance {
namespace {

std::optional<std::string> optional_text(const Value& test, std::string_view key) {
  const Value found = test.get(key);
  if (!found.is_string()) return std::nullopt;
  return std::string(found.as_string());
}

Case read_case(const Value& test, std::string_view corpus, const std::string& path) {
  Case out;
  out.corpus = corpus;
  out.file = path;
  out.note = test.string_or("note");
  out.query = test.string_or("query");
  for (const Value& module : test.get("modules").elements()) out.modules.emplace_back(module.as_string());
  out.data = test.get("data");
  out.input = test.get("input");
  out.input_term = optional_text(test, "input_term");
  out.want_result = test.get("want_result");
  if (!out.want_result.is_array()) out.want_result = Value::undefined();
  out.want_error = optional_text(test, "want_error");
  out.want_error_code = optional_text(test, "want_error_code");
  const Value env = test.get("env");
  for (std::uint32_t i = 0; i < (env.is_object() ? env.size() : 0); ++i) {
    if (env.values()[i].is_string()) out.env.emplace_back(env.keys()[i].as_string(), env.values()[i].as_string());
  }
  out.sort_bindings = test.get("sort_bindings").is_true();
  out.ignore_generated_vars = test.get("ignore_generated_vars").is_true();
  out.strict_error = test.get("strict_error").is_true();
  return out;
}

}  // namespace

Result<CaseFile> read_case_file(const std::string& path, std::string_view corpus) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return make_error(Code::kNotFound, path + ": cannot be read");
  ParseLimits limits;
  limits.source = path;
  CaseFile out;
  PC_TRY(out.document, parse_yaml(text.str(), YamlSchema::kOpa, limits));
  for (const Value& test : out.document.root().get("cases").elements()) {
    out.cases.push_back(read_case(test, corpus, path));
  }
  return out;
}

}  // namespace portcullis::conformance
