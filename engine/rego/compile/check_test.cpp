// Runs the cases in testdata/: modules in, errors (OPA's, word for word) or rewritten modules out.
//
//   === name of the case [v0] [strict]
//   --- module a.rego
//   source
//   --- errors            or:  --- result
//   a.rego:2:8: rego_type_error: …
//
// UPDATE_GOLDEN=1 rewrites the results in rewriting.txt; errors are OPA's and are never rewritten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/checked.h"
#include "engine/rego/syntax/parser.h"

namespace portcullis::rego {
namespace {

struct Case {
  std::string head;
  std::vector<std::pair<std::string, std::string>> modules;
  std::string expected;
  bool has(std::string_view word) const {
    std::istringstream words(head);
    for (std::string one; words >> one;) {
      if (one == word) return true;
    }
    return false;
  }
};

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream in(std::string(PC_SOURCE_DIR) + "/engine/rego/compile/testdata/" + file);
  std::vector<Case> cases;
  std::string* target = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), {}, {}});
      target = nullptr;
    } else if (line.starts_with("--- module ")) {
      cases.back().modules.emplace_back(line.substr(11), "");
      target = &cases.back().modules.back().second;
    } else if (line.starts_with("--- ")) {
      target = &cases.back().expected;
    } else if (target != nullptr) {
      *target += line + "\n";
    }
  }
  for (Case& one : cases) {
    while (one.expected.ends_with("\n\n") || one.expected == "\n") one.expected.pop_back();
    for (auto& [name, source] : one.modules) {
      while (source.ends_with("\n\n")) source.pop_back();
    }
  }
  return cases;
}

Parsed<CheckedModules> check_case(const Case& one) {
  std::vector<Module> modules;
  for (const auto& [name, source] : one.modules) {
    ParseOptions options;
    options.version = one.has("v0") ? RegoVersion::kV0 : RegoVersion::kV1;
    Parsed<Module> module = parse_module(name, source, options);
    if (!module.ok()) return module.error();
    modules.push_back(std::move(module.value()));
  }
  CheckOptions options;
  options.builtins = &all_builtins();
  options.strict = one.has("strict");
  options.keep_print = true;
  return check(std::move(modules), options);
}

std::string indented(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 5))
    text.insert(at + 1, "    ");
  return text;
}

std::string errors_of(const Parsed<CheckedModules>& result) {
  std::string text;
  if (result.ok()) return text;
  for (const Diagnostic& d : result.error().list) {
    if (d.row != 0) text += d.file + ":" + std::to_string(d.row) + ":" + std::to_string(d.column) + ": ";
    text += d.code + ": " + indented(d.message) + "\n";
    for (const std::string& line : d.details) text += "    " + line + "\n";
  }
  return text;
}

std::string result_of(const Parsed<CheckedModules>& result) {
  if (!result.ok()) return errors_of(result);
  std::string text;
  for (const Module& module : result.value().modules) {
    for (const Rule& rule : module.rules) text += to_string(rule, RegoVersion::kV1) + "\n";
  }
  return text;
}

class CheckErrors : public testing::TestWithParam<const char*> {};

TEST_P(CheckErrors, AreOpas) {
  const std::vector<Case> cases = read_cases(GetParam());
  ASSERT_FALSE(cases.empty());
  for (const Case& one : cases) {
    SCOPED_TRACE(one.head);
    const Parsed<CheckedModules> result = check_case(one);
    EXPECT_EQ(errors_of(result), one.expected);
    if (result.ok()) {
      EXPECT_EQ(well_formed(result.value()), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CheckErrors, testing::Values("names.txt", "rules.txt", "safety.txt", "types.txt"));

TEST(CheckResult, IsRewritten) {
  const std::vector<Case> cases = read_cases("rewriting.txt");
  ASSERT_FALSE(cases.empty());
  std::string updated;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.head);
    const Parsed<CheckedModules> result = check_case(one);
    const std::string text = result_of(result);
    if (std::getenv("UPDATE_GOLDEN") == nullptr) {
      EXPECT_EQ(text, one.expected);
    } else {
      updated += (updated.empty() ? "=== " : "\n=== ") + one.head + "\n";
      for (const auto& [name, source] : one.modules) updated += "--- module " + name + "\n" + source;
      updated += "--- result\n" + text;
    }
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(well_formed(result.value()), "");
  }
  if (!updated.empty()) {
    std::ofstream(std::string(PC_SOURCE_DIR) + "/engine/rego/compile/testdata/rewriting.txt") << updated;
  }
}

TEST(CheckResult, TakesTheLongestChain) {
  std::string source = "package a\np := 1";
  for (int i = 0; i < 1900; ++i) source += " + 1";
  Case one;
  one.modules = {{"a.rego", source + "\n"}};
  EXPECT_TRUE(check_case(one).ok());
}

TEST(RuleTree, FindsWhatReferencesMean) {
  Case one;
  one.modules = {{"a.rego", "package a.b\np.q := 1\ns contains 1\nf(x) := x\no[x].y := 1 if { x := \"k\" }\n"},
                 {"b.rego", "package system.main\nr := 1\n"}};
  const Parsed<CheckedModules> result = check_case(one);
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const RuleTreeNode& root = *result.value().tree;
  const auto find = [&](std::string_view text) { return find_exact(root, parse_ref(text).value().items); };
  ASSERT_NE(find("data.a.b.p.q"), nullptr);
  EXPECT_EQ(find("data.a.b.p.q")->kind, DocumentKind::kComplete);
  EXPECT_EQ(find("data.a.b.s")->kind, DocumentKind::kPartialSet);
  EXPECT_EQ(find("data.a.b.f")->kind, DocumentKind::kFunction);
  EXPECT_EQ(find("data.a.b.o")->kind, DocumentKind::kPartialObject);
  EXPECT_EQ(find("data.a.b.nothing"), nullptr);
  EXPECT_TRUE(find("data.a.b")->is_package);
  EXPECT_TRUE(find("data.system")->hidden);
  std::size_t used = 0;
  const std::vector<Term> longer = parse_ref("data.a.b.s.x.y").value().items;
  EXPECT_EQ(find_document(root, longer, used), find("data.a.b.s"));
  EXPECT_EQ(used, 4u);
}

Parsed<CheckedQuery> check_text(const CheckedModules& modules, std::string_view text) {
  Parsed<ParsedQuery> query = parse_query(text, ParseOptions{});
  if (!query.ok()) return query.error();
  CheckOptions options;
  options.builtins = &all_builtins();
  return check_query(modules, std::move(query.value().body), query.value().source, QueryContext{}, options);
}

TEST(CheckQuery, NamesWhatIsShown) {
  Case one;
  one.modules = {{"a.rego", "package a\nf(x) := x\n"}};
  const Parsed<CheckedModules> modules = check_case(one);
  ASSERT_TRUE(modules.ok());
  const Parsed<CheckedQuery> query = check_text(modules.value(), "x := data.a.f(1); y = x; input.z[_]; some w; w = 2");
  ASSERT_TRUE(query.ok()) << query.error().to_string();
  std::vector<std::string> shown;
  for (const auto& [name, author] : query.value().result_variables) shown.push_back(author);
  std::sort(shown.begin(), shown.end());
  EXPECT_EQ(shown, (std::vector<std::string>{"w", "x", "y"}));
  std::vector<std::string> texts;
  for (const CheckedQuery::Expression& expression : query.value().expressions) texts.push_back(expression.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"x := data.a.f(1)", "y = x", "input.z[_]", "w = 2"}));
}

TEST(CheckTypes, NestedComprehensionsTakeLinearTime) {
  std::string source = "package a\np := ";
  for (int i = 0; i < 60; ++i) source += "[x | x := ";
  source += "1" + std::string(60, ']') + "\n";
  Case one;
  one.modules = {{"a.rego", source}};
  EXPECT_TRUE(check_case(one).ok());
}

TEST(CheckQuery, KnowsTheModulesTypes) {
  Case one;
  one.modules = {{"a.rego", "package a\nf(x) := lower(x)\np := {\"k\": 1}\n"}};
  const Parsed<CheckedModules> modules = check_case(one);
  ASSERT_TRUE(modules.ok()) << modules.error().to_string();
  const Parsed<CheckedQuery> call = check_text(modules.value(), "data.a.f(1)");
  ASSERT_FALSE(call.ok());
  EXPECT_EQ(call.error().to_string(),
            "1 error occurred: 1:1: rego_type_error: data.a.f: invalid argument(s)\n\thave: (number)\n\twant: (string, "
            "string)");
  const Parsed<CheckedQuery> reference = check_text(modules.value(), "x := data.a.p[count([1])]");
  ASSERT_FALSE(reference.ok());
  EXPECT_THAT(reference.error().to_string(), testing::HasSubstr("undefined ref: data.a.p[count([1])]"));
}

TEST(CheckQuery, RefusesWhatIsUnsafe) {
  const Parsed<CheckedQuery> query = check_text(CheckedModules{}, "x > 1");
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().to_string(), "1 error occurred: 1:1: rego_unsafe_var_error: var x is unsafe");
}

}  // namespace
}  // namespace portcullis::rego
