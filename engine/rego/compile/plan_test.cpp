// Modules through parser, checks, planner and machine: the cases of testdata/evaluation.txt, known input, bounds, no
// heap in the steady state, one program in several threads.
//
//   === name [strict]
//   --- module a.rego
//   --- input     --- data      JSON
//   --- query     one term; its value is what is compared
//   --- result    as Rego prints it          or: --- error    OPA's text
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/checked.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "test/support/heap_counter.h"

namespace portcullis::rego {
namespace {

struct Case {
  std::string name;
  std::vector<std::pair<std::string, std::string>> modules;
  std::map<std::string, std::string> parts;
};

std::vector<Case> read_cases() {
  std::ifstream in(std::string(PC_SOURCE_DIR) + "/engine/rego/compile/testdata/evaluation.txt");
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
      target = &cases.back().parts[line.substr(4)];
    } else if (target != nullptr) {
      *target += line + "\n";
    }
  }
  for (Case& one : cases) {
    for (auto& [name, text] : one.parts) {
      while (text.ends_with('\n')) text.pop_back();
    }
  }
  return cases;
}

Parsed<CheckedModules> check_modules(const std::vector<std::pair<std::string, std::string>>& sources) {
  std::vector<Module> modules;
  for (const auto& [file, source] : sources) {
    PC_TRY(Module module, parse_module(file, source, {}));
    modules.push_back(std::move(module));
  }
  CheckOptions options;
  options.builtins = &all_builtins();
  return check(std::move(modules), options);
}

Parsed<Program> compile_query(const CheckedModules& modules, const std::string& query) {
  PC_TRY(ParsedQuery parsed, parse_query(query, {}));
  CheckOptions options;
  options.builtins = &all_builtins();
  PC_TRY(const CheckedQuery checked, check_query(modules, std::move(parsed.body), parsed.source, {}, options));
  return plan_query(modules, checked, {});
}

Parsed<Program> compile(const std::string& source, PlanOptions options) {
  PC_TRY(const CheckedModules modules, check_modules({{"a.rego", source}}));
  return plan(modules, options);
}

std::string run_case(const Case& one) {
  Parsed<CheckedModules> modules = check_modules(one.modules);
  if (!modules.ok()) return modules.error().to_string();
  Parsed<Program> program = compile_query(*modules, one.parts.at("query"));
  if (!program.ok()) return program.error().to_string();
  Result<Document> input = Document::parse_json(one.parts.contains("input") ? one.parts.at("input") : "{}");
  Result<Document> data = Document::parse_json(one.parts.contains("data") ? one.parts.at("data") : "{}");
  if (!input.ok() || !data.ok()) return "the case's input or data is no JSON";
  EvalScratch scratch;
  Host host;
  EvalOptions options;
  options.strict_builtin_errors = one.name.find("[strict]") != std::string::npos;
  const auto result = program->eval_query(input->root(), data->root(), scratch, host, options);
  if (!result.ok()) return result.error().to_string();
  if (result->size() != 1) return std::to_string(result->size()) + " results";
  return to_rego(result->elements()[0].get("expressions").elements()[0]);
}

TEST(Plan, Cases) {
  for (const Case& one : read_cases()) {
    const std::string want = one.parts.contains("error") ? one.parts.at("error") : one.parts.at("result");
    EXPECT_EQ(run_case(one), want) << one.name;
  }
}

constexpr const char* kPolicy = R"(package a
import rego.v1
violation contains {"msg": msg} if {
  some container in input.review.object.spec.containers
  not allowed(container.image)
  msg := sprintf("%v uses %v", [container.name, container.image])
}
allowed(image) if { some repo in input.parameters.repos; startswith(image, repo) }
)";
constexpr const char* kInput = R"({"parameters": {"repos": ["good/", "fine/"]},
  "review": {"object": {"spec": {"containers": [{"name": "a", "image": "good/x"}, {"name": "b", "image": "bad/x"}]}}}})";

// Every expression shows its own value, not that of a body in it; one that cannot iterate may show false.
TEST(Plan, QueriesShowTheValuesOfTheirExpressions) {
  const auto modules = check_modules({{"a.rego", "package a\nf(x) := x if x < 0"}});
  ASSERT_TRUE(modules.ok());
  const Result<Document> input = Document::parse_json(R"({"o": {}, "l": [[]], "n": 1})");
  ASSERT_TRUE(input.ok());
  const std::pair<const char*, const char*> cases[] = {
      {"input.n > 2", R"([{"bindings": {}, "expressions": [false]}])"},
      {"input.n > {x | x := data.a.f(1)}[_]", "[]"},
      {"true; input.n > 2", "[]"},
      {"is_set(input.l[_])", "[]"},
      {"every v in input.o { v != 9; not input.n != v with data.b as [v] }",
       R"([{"bindings": {}, "expressions": [true]}])"},
      {"[1] > input.l; v := {2 | input.n < {null}} with input.x as input.l", "[]"},
      {"[] <= input.l; v := {2 | input.n < {null}} with input.x as input.l",
       R"([{"bindings": {"v": {2}}, "expressions": [true, true]}])"},
  };
  for (const auto& [query, want] : cases) {
    auto program = compile_query(*modules, query);
    ASSERT_TRUE(program.ok()) << query << program.error().to_string();
    EvalScratch scratch;
    Host host;
    const auto result = program->eval_query(input->root(), Value(), scratch, host, {});
    ASSERT_TRUE(result.ok()) << query;
    EXPECT_EQ(to_rego(*result), want) << query;
  }
}

TEST(Plan, SteadyStateTakesNothingFromTheHeap) {
  const Parsed<Program> program = compile(kPolicy, {{"data.a.violation"}, {}, true});
  ASSERT_TRUE(program.ok()) << program.error().to_string();
  EvalScratch scratch;
  Host host;
  std::uint64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    const std::uint64_t before = heap_calls;
    scratch.reset();
    const Result<Value> input = parse_json_into(scratch.arena(), kInput);
    ASSERT_TRUE(input.ok());
    const auto result = program->eval(0, *input, {}, scratch, host);
    last = heap_calls - before;
    ASSERT_TRUE(result.ok());
    ASSERT_EQ(result->size(), 1u);
  }
  EXPECT_EQ(last, 0u);
}

TEST(Plan, KnownInputGivesTheSameAnswers) {
  const Result<Document> input = Document::parse_json(kInput);
  ASSERT_TRUE(input.ok());
  PlanOptions options;
  options.entry_points = {"data.a.violation"};
  options.known_input.push_back({{"parameters"}, input->root().get("parameters")});
  const Parsed<Program> special = compile(kPolicy, options);
  ASSERT_TRUE(special.ok()) << special.error().to_string();
  EvalScratch scratch;
  Host host;
  const auto result = special->eval(0, input->root(), {}, scratch, host);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(to_rego(*result), R"({{"msg": "b uses bad/x"}})");
  EXPECT_EQ(special->listing().find("parameters"), std::string::npos) << special->listing();
}

TEST(Plan, BoundsEndAnEvaluation) {
  const Parsed<Program> program = compile(R"(package a
import rego.v1
big := count([1 | some i in numbers.range(1, 300); some j in numbers.range(1, 300); i != j])
)",
                                          {{"data.a.big"}, {}, true});
  ASSERT_TRUE(program.ok()) << program.error().to_string();
  EvalScratch scratch;
  Host host;
  const auto whole = program->eval(0, {}, {}, scratch, host);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(to_rego(*whole), "89700");
  EvalOptions options;
  options.limits.instructions = 10000;
  EXPECT_EQ(program->eval(0, {}, {}, scratch, host, options).error().message, "instruction limit of 10000 exceeded");
  options.limits.instructions = 0;
  options.limits.arena_bytes = 200000;
  scratch.reset();
  EXPECT_EQ(program->eval(0, {}, {}, scratch, host, options).error().message, "memory limit of 200000 bytes exceeded");
  options.limits.arena_bytes = std::size_t{1} << 30;
  options.limits.deadline = Deadline::after(std::chrono::nanoseconds(0));
  EXPECT_EQ(program->eval(0, {}, {}, scratch, host, options).error().code, "eval_cancel_error");
}

TEST(Plan, OneProgramInManyThreads) {
  const Parsed<Program> program = compile(kPolicy, {{"data.a.violation"}, {}, true});
  ASSERT_TRUE(program.ok());
  const Result<Document> input = Document::parse_json(kInput);
  ASSERT_TRUE(input.ok());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EvalScratch scratch;
      Host host;
      for (int round = 0; round < 200; ++round) {
        scratch.reset();
        const auto result = program->eval(0, input->root(), {}, scratch, host);
        if (result.ok() && to_rego(*result) == R"({{"msg": "b uses bad/x"}})") ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 800);
}

// Deeper than a stack would take if each rule were followed from the one before it.
TEST(Plan, LongChainsOfRulesArePlanned) {
  constexpr int kRules = 4000;
  std::string source = "package a\nimport rego.v1\n";
  for (int i = 0; i < kRules; ++i) {
    source += "r" + std::to_string(i) + " if r" + std::to_string(i + 1) + "\n";
  }
  source += "r" + std::to_string(kRules) + " if input.review\n";
  PlanOptions options;
  options.entry_points = {"data.a.r0", "data.a.r3900"};
  options.varying_input = {"parameters"};
  const Parsed<Program> program = compile(source, options);
  ASSERT_TRUE(program.ok()) << program.error().to_string();
  const Result<Document> input = Document::parse_json(R"({"review": 1})");
  EvalScratch scratch;
  Host host;
  EXPECT_EQ(program->eval(0, input->root(), {}, scratch, host).error().message, "call depth limit of 1000 exceeded");
  EXPECT_EQ(to_rego(*program->eval(1, input->root(), {}, scratch, host)), "true");
}

TEST(Plan, UnknownEntryPointIsBaseData) {
  const Parsed<Program> program = compile("package a\nimport rego.v1\np := 1", {{"data.base.x", "data.a"}, {}, true});
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->entry_point("data.none"), -1);
  const Result<Document> data = Document::parse_json(R"({"base": {"x": 5}})");
  ASSERT_TRUE(data.ok());
  EvalScratch scratch;
  Host host;
  EXPECT_EQ(to_rego(*program->eval(program->entry_point("data.base.x"), {}, data->root(), scratch, host)), "5");
  EXPECT_EQ(to_rego(*program->eval(program->entry_point("data.a"), {}, {}, scratch, host)), R"({"p": 1})");
  const auto none = program->eval(program->entry_point("data.base.x"), {}, {}, scratch, host);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->defined());
}

}  // namespace
}  // namespace portcullis::rego
