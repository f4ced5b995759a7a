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

TEST(Parser, Modules) { run_file("modules.txt"); }
TEST(Parser, Errors) { run_file("errors.txt"); }

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
  for (const char* open : {"[", "{1: ", "{", "(", "f(", "x[", "[x | ", "$\"{", "{1|1+", "[1, ", "{x, ", "- ("}) {
    std::string source = "package p\nx := ";
    for (int i = 0; i < 5000; ++i) source += open;
    const Parsed<Module> module = parse_module("m.rego", source, {});
    ASSERT_FALSE(module.ok()) << open;
  }
  std::string chain = "package p\nx if y";
  std::string group = "package p\nimport future.keywords\nx if { ";
  for (int i = 0; i < 5000; ++i) {
    chain += " else if y";
    group += "not { (";
  }
  EXPECT_FALSE(parse_module("m.rego", chain, {}).ok());
  EXPECT_FALSE(parse_module("m.rego", group, {}).ok());
  const Parsed<Module> module = parse_module("m.rego", "package p\nx := " + std::string(20000, '['), {});
  ASSERT_FALSE(module.ok());
  EXPECT_EQ(module.error().list[0].message, "max parsing recursion depth exceeded");
  // Many short ones are no long one.
  std::string rules = "package p\n";
  for (int i = 0; i < 2500; ++i)
    rules += "x" + std::to_string(i) + " := y + 1 if { y := 2 * 3; y > [z | z := 1 + 2][0] }\n";
  for (int i = 0; i < 2500; ++i) rules += "y" + std::to_string(i) + " := z + 1\n";
  EXPECT_TRUE(parse_module("m.rego", rules, {}).ok());
  // Chains of operators nest in the tree, not in the source.
  for (const char* link : {" + 1", " in x", " & y"}) {
    std::string long_chain = "package p\nx := z";
    for (int i = 0; i < 20000; ++i) long_chain += link;
    EXPECT_FALSE(parse_module("m.rego", long_chain, {}).ok()) << link;
  }
}

TEST(Parser, BackingUpIsBounded) {
  std::string source = "package p\nimport future.keywords\nx if { ";
  for (int i = 0; i < 40; ++i) source += "{x | {";
  const Parsed<Module> module = parse_module("m.rego", source, {});
  ASSERT_FALSE(module.ok());
  ASSERT_EQ(module.error().list.size(), 1u);
  EXPECT_EQ(module.error().list[0].message, "nested too deeply: too many ways to read it");
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

TEST(Parser, Annotations) {
  ParseOptions options;
  options.process_annotations = true;
  const std::string source =
      "# METADATA\n# title: the package\n# custom: {n: 1, m: [a]}\npackage p\n\n"
      "# METADATA\n# entrypoint: true\n# authors: [John Doe <j@example.com>, {name: Jane}]\n"
      "# related_resources:\n# - https://example.com\na := 1\n# METADATA\n# scope: rule\nb contains 1\n";
  const Parsed<Module> module = parse_module("m.rego", source, options);
  ASSERT_TRUE(module.ok()) << module.error().to_string();
  ASSERT_EQ(module->annotations.size(), 3u);
  EXPECT_EQ(to_string(module->annotations[0].yaml),
            "{\"custom\": {\"m\": [\"a\"], \"n\": 1}, \"scope\": \"package\", \"title\": \"the package\"}");
  EXPECT_EQ(module->annotations[0].rule, -1);
  EXPECT_EQ(module->annotations[1].scope, "document");
  EXPECT_EQ(module->annotations[1].rule, 0);
  EXPECT_EQ(to_string(module->annotations[1].yaml),
            "{\"authors\": [{\"email\": \"j@example.com\", \"name\": \"John Doe\"}, {\"name\": \"Jane\"}], "
            "\"entrypoint\": true, \"related_resources\": [{\"ref\": \"https://example.com\"}], \"scope\": "
            "\"document\"}");
  EXPECT_EQ(module->rules[1].annotations, 2);
  EXPECT_TRUE(parse_module("m.rego", source, {})->annotations.empty());
}

TEST(Parser, AnnotationErrors) {
  const auto error_of = [](const std::string& source) {
    ParseOptions options;
    options.process_annotations = true;
    const Parsed<Module> module = parse_module("m.rego", source, options);
    return module.ok() ? std::string() : module.error().list[0].to_string();
  };
  EXPECT_EQ(error_of("# METADATA\n\npackage p\n"),
            "m.rego:1: rego_parse_error: expected METADATA block, found whitespace\n\t# METADATA\n\t^");
  EXPECT_EQ(error_of("package p\n# METADATA\n# scope: all\na := 1\n"),
            "m.rego:2: rego_parse_error: invalid annotation scope 'all'. Use one of 'rule', 'document', 'package', or "
            "'subpackages'");
  EXPECT_EQ(error_of("package p\n# METADATA\n# scope: package\na := 1\n"),
            "m.rego:2: rego_parse_error: annotation scope 'package' must be applied to package (have rule)");
  EXPECT_EQ(error_of("package p\n# METADATA\n# title: a\n# entrypoint: [x]\na := 1\n"),
            "m.rego:4: rego_parse_error: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!seq into bool\n\t"
            "# entrypoint: [x]\n\t^");
  EXPECT_EQ(error_of("package p\n# METADATA\n# authors: ['']\na := 1\n"),
            "m.rego:2: rego_parse_error: invalid author definition : author is an empty string\n\t# METADATA\n\t^");
}

}  // namespace
}  // namespace portcullis::rego
