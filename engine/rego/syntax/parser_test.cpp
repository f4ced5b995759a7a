#include "engine/rego/syntax/parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace portcullis::rego {
namespace {

// testdata/*.txt: cases of the form
//   === name [v0]
//   source
//   --- ok | error
//   what the tree prints as | the diagnostics, "row:column text" each
struct Case {
  std::string name;
  RegoVersion version = RegoVersion::kV1;
  std::string source;
  std::string want;
  bool ok = false;
};

std::vector<Case> read_cases(const std::string& path) {
  std::vector<Case> cases;
  std::ifstream in(path);
  std::string line;
  bool in_want = false;
  while (std::getline(in, line)) {
    if (line.starts_with("=== ")) {
      Case& next = cases.emplace_back();
      next.name = line.substr(4);
      if (next.name.ends_with(" v0")) next.version = RegoVersion::kV0;
      in_want = false;
    } else if (line == "--- ok" || line == "--- error") {
      cases.back().ok = line == "--- ok";
      in_want = true;
    } else if (!cases.empty()) {
      (in_want ? cases.back().want : cases.back().source) += line + "\n";
    }
  }
  return cases;
}

std::string outcome(const Case& test, bool& ok) {
  ParseOptions options;
  options.version = test.version;
  const Parsed<Module> module = parse_module("m.rego", test.source, options);
  ok = module.ok();
  if (ok) return to_string(*module) + "\n";
  std::string out;
  for (const Diagnostic& diagnostic : module.error().list) {
    out +=
        std::to_string(diagnostic.row) + ":" + std::to_string(diagnostic.column) + " " + diagnostic.to_string() + "\n";
  }
  return out;
}

void run_file(const std::string& name) {
  const std::vector<Case> cases = read_cases(std::string(PC_SOURCE_DIR) + "/engine/rego/syntax/testdata/" + name);
  ASSERT_FALSE(cases.empty());
  for (const Case& test : cases) {
    bool ok = false;
    const std::string got = outcome(test, ok);
    EXPECT_EQ(ok, test.ok) << test.name << "\n" << got;
    EXPECT_EQ(got, test.want) << test.name;
  }
}

TEST(Parser, Modules) {
  run_file("modules.txt");
}
TEST(Parser, Errors) {
  run_file("errors.txt");
}

TEST(Parser, Queries) {
  const Parsed<ParsedQuery> query = parse_query("x := input.a; x > 1\ny = [i | i = x]", {});
  ASSERT_TRUE(query.ok()) << query.error().to_string();
  ASSERT_EQ(query->body.exprs.size(), 3u);
  EXPECT_EQ(to_string(query->body), "assign(x, input.a); gt(x, 1); y = [i | i = x]");
  EXPECT_EQ(query->body.exprs[2].index, 2u);
  EXPECT_EQ(query->body.exprs[1].location.text, "x > 1");
  EXPECT_FALSE(parse_query("x := ", {}).ok());
  EXPECT_FALSE(parse_query("package a", {}).ok());
  EXPECT_TRUE(parse_query("", {})->body.exprs.empty());
}

TEST(Parser, Refs) {
  EXPECT_EQ(to_string(parse_ref("data.foo[\"x y\"].if").value()), "data.foo[\"x y\"][\"if\"]");
  EXPECT_EQ(to_string(parse_ref("input").value()), "input");
  EXPECT_FALSE(parse_ref("1").ok());
  EXPECT_FALSE(parse_ref("a; b").ok());
  EXPECT_EQ(to_string(parse_term("{\"a\": [1, null]}", {}).value()), "{\"a\": [1, null]}");
}

TEST(Parser, DepthIsBounded) {
  for (const char* open : {"[", "{1: ", "{", "(", "f("}) {
    std::string source = "package p\nx := ";
    for (int i = 0; i < 100000; ++i) source += open;
    const Parsed<Module> module = parse_module("m.rego", source, {});
    ASSERT_FALSE(module.ok()) << open;
    EXPECT_EQ(module.error().list[0].message, "max parsing recursion depth exceeded") << open;
  }
}

TEST(Parser, LocationsCountCharacters) {
  const Parsed<Module> module = parse_module("m.rego", "package p\n\nx := {\"é\", y}", {});
  ASSERT_TRUE(module.ok());
  const Term& set = *module->rules[0].head.value;
  EXPECT_EQ(set.location.row, 3u);
  EXPECT_EQ(set.location.column, 6u);
  EXPECT_EQ(set.items[1].location.column, 12u);
  EXPECT_EQ(set.location.text, "{\"é\", y}");
}

}  // namespace
}  // namespace portcullis::rego
