// testdata/modules.jsonl: modules as `opa fmt` v1.22.2 was given them and what it wrote (testdata/record.py made it).
#include "engine/rego/format/format.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "engine/rego/syntax/ast_json.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"

namespace portcullis::rego {
namespace {

struct Mode {
  ParseOptions parse;
  FormatOptions format;
};

Mode mode_of(std::string_view name) {
  Mode mode;
  mode.parse.keep_duplicate_keys = true;
  if (name == "v0" || name == "v0v1") mode.parse.version = RegoVersion::kV0;
  if (name == "v0") mode.format.target = FormatTarget::kV0;
  if (name == "v0v1" || name == "v1v0v1") mode.format.target = FormatTarget::kV0AndV1;
  if (name == "v1v0v1") mode.parse.template_strings = false;
  if (name == "drop") mode.format.drop_imports = true;
  return mode;
}

std::string formatted(const std::string& source, const Mode& mode) {
  Parsed<Module> module = parse_module("file", source, mode.parse);
  if (!module.ok()) return module.error().to_string();
  if (mode.format.target != FormatTarget::kV0) {
    const Diagnostics errors = check_for_v1(*module);
    if (!errors.empty()) return errors.to_string();
  }
  Parsed<std::string> text = format_module(std::move(*module), mode.format);
  return text.ok() ? *text : text.error().to_string();
}

TEST(Format, WritesWhatOpaWrites) {
  std::ifstream in(PC_SOURCE_DIR "/engine/rego/format/testdata/modules.jsonl");
  ASSERT_TRUE(in);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(in, line);) {
    const auto record = Document::parse_json(line);
    ASSERT_TRUE(record.ok()) << line;
    const std::string name{record->root().string_or("mode")};
    const Mode mode = mode_of(name);
    const std::string source{record->root().string_or("source")};
    const Value want = record->root().get("formatted");
    // Null: OPA wrote the source itself.
    const std::string expected = want.is_string() ? std::string(want.as_string()) : source;
    EXPECT_EQ(formatted(source, mode), expected) << name << ":\n" << source;
    ++seen[name];
  }
  for (const char* name : {"v1", "v0", "v0v1", "v1v0v1", "drop"}) EXPECT_GE(seen[name], 3) << name;
}

// What was written is written again as it is, wherever that holds for OPA too: where it kept the source around a
// comment, another round may still move things.
TEST(Format, IsItsOwnFixedPoint) {
  std::ifstream in(PC_SOURCE_DIR "/engine/rego/format/testdata/modules.jsonl");
  int checked = 0;
  for (std::string line; std::getline(in, line);) {
    const auto record = Document::parse_json(line);
    ASSERT_TRUE(record.ok());
    if (!record->root().get("stable").as_bool()) continue;
    const std::string name{record->root().string_or("mode")};
    const Mode mode = mode_of(name);
    const std::string source{record->root().string_or("source")};
    const std::string once = formatted(source, mode);
    EXPECT_EQ(formatted(once, mode), once) << name;
    ++checked;
  }
  EXPECT_GT(checked, 200);
}

TEST(Format, ExplainsWhatItCanNotWrite) {
  const Mode mode = mode_of("v1");
  EXPECT_EQ(
      formatted("package a\n\np if plus(1)\n", mode),
      "1 error occurred: file:3: rego_type_error: plus: arity mismatch\n\thave: (number)\n\twant: (number,number)");
  EXPECT_EQ(formatted("package a\n\nimport data.x\nimport data.y.x\n", mode),
            "1 error occurred: file:4: rego_compile_error: import must not shadow import data.x");
}

TEST(Format, LaysOutTreesWithoutPlaces) {
  const ParseOptions options;
  auto query = parse_query("x = [1,\n2]; not f(x)  ; y := {\"a\": 1}", options);
  ASSERT_TRUE(query.ok());
  FormatOptions style;
  style.ignore_locations = true;
  EXPECT_EQ(*format_body(query->body, style), "x = [1, 2]\nnot f(x)\ny := {\"a\": 1}\n");
}

}  // namespace
}  // namespace portcullis::rego
