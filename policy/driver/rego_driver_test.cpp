// Constraints' own programs, indexes and shared values must change no answer. The policies and samples are those of the
// engine benchmark.
#include "policy/driver/rego_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/driver/driver_test_support.h"
#include "test/support/heap_counter.h"

namespace portcullis::policy {
namespace {

namespace fs = std::filesystem;
using namespace driver_test;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// The sample of a case as input.review.
std::string review_of(const Value& sample, const Value& given) {
  const std::string kind(sample.string_or("kind"));
  const std::string group(sample.string_or("group"));
  const std::string version(given.string_or("apiVersion", group.empty() ? "v1" : ""));
  const std::string api_version = version.empty() ? group + "/v1" : version;
  std::string object = R"({"apiVersion": ")" + api_version + R"(", "kind": ")" + kind + R"(", )";
  bool has_metadata = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view key = given.keys()[i].as_string();
    if (key == "apiVersion") continue;
    has_metadata = has_metadata || key == "metadata";
    object += "\"" + std::string(key) + "\": " + to_json(given.values()[i]) + ", ";
  }
  object += has_metadata ? R"("status": {}})" : R"("metadata": {"name": "sample", "namespace": "default"}})";
  return R"({"kind": {"group": ")" + group + R"(", "version": "v1", "kind": ")" + kind +
         R"("}, "operation": "CREATE", "name": "sample", "namespace": "default", "object": )" + object + "}";
}

// The parameters as another constraint might have them.
std::string varied(const Value& value, int number) {
  if (value.is_number()) return std::to_string(static_cast<int>(to_double(value)) + number);
  if (value.is_array()) {
    std::string out = "[";
    for (const Value& element : value.elements()) out += varied(element, number) + ", ";
    const bool texts = value.size() != 0 && value.elements()[0].is_string();
    if (texts) return out + "\"variant-" + std::to_string(number) + "\"]";
    if (out.size() > 1) out.resize(out.size() - 2);
    return out + "]";
  }
  if (value.is_object()) {
    std::string out = "{";
    for (std::size_t i = 0; i < value.size(); ++i) {
      out += (i == 0 ? "" : ", ") + to_json(value.keys()[i]) + ": " + varied(value.values()[i], number);
    }
    return out + "}";
  }
  return to_json(value);
}

struct Case {
  std::string name;
  std::string rego;
  Document sample;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const auto& entry : fs::directory_iterator(PC_SOURCE_DIR "/bench/engines/cases")) {
    out.push_back({entry.path().filename(), read_file(entry.path() / "policy.rego"),
                   parse(read_file(entry.path() / "case.json"))});
  }
  EXPECT_GE(out.size(), 10u);
  return out;
}

const Value& inventory() {
  static const Document document = parse(R"({"inventory": {"namespace": {"a": {"v1": {"Service": {
    "x": {"metadata": {"name": "x", "namespace": "a"}, "spec": {"ports": [{"nodePort": 30017}]}},
    "y": {"metadata": {"name": "y", "namespace": "a"}, "spec": {"ports": [{"nodePort": 30018}]}}}}}}}})");
  static const Value root = document.root();
  return root;
}

TEST(RegoDriver, OwnProgramsAndSharedValuesChangeNoAnswer) {
  for (const Case& one : cases()) {
    const auto with = compile(one.rego, true);
    const auto without = compile(one.rego, false);
    ASSERT_TRUE(with && without) << one.name;
    Evaluator plain(inventory());
    Evaluator quick(inventory());
    std::size_t violations = 0;
    for (const std::string_view kind : {"ok", "viol"}) {
      const Document review = parse(review_of(one.sample.root(), one.sample.root().get(kind)));
      quick.scratch.reset();
      const std::uint64_t share = quick.scratch.new_share();
      for (int number = 0; number < 8; ++number) {
        const ConstraintPtr constraint = constraint_of(varied(one.sample.root().get("parameters"), number));
        const CompiledConstraint own = compile_constraint(with, *constraint);
        const CompiledConstraint common = compile_constraint(without, *constraint);
        EXPECT_EQ(common.specialised, nullptr);
        const std::string want = plain.run(common, *constraint, review.root());
        EXPECT_EQ(quick.run(own, *constraint, review.root()), want) << one.name;
        EXPECT_EQ(quick.run(own, *constraint, review.root(), share), want) << one.name;
        EXPECT_EQ(quick.run(common, *constraint, review.root(), share), want) << one.name;
        if (!want.empty()) ++violations;
        EXPECT_FALSE(want.starts_with("error")) << want;
      }
    }
    EXPECT_GT(violations, 0u) << one.name;
  }
}

TEST(RegoDriver, SteadyStateTakesNothingFromTheHeap) {
  for (const Case& one : cases()) {
    const auto compiled = compile(one.rego, true);
    const ConstraintPtr constraint = constraint_of(to_json(one.sample.root().get("parameters")));
    const CompiledConstraint own = compile_constraint(compiled, *constraint);
    for (const std::string_view kind : {"ok", "viol"}) {
      const Document review = parse(review_of(one.sample.root(), one.sample.root().get(kind)));
      Evaluator evaluator(inventory());
      std::uint64_t last = 0;
      for (int round = 0; round < 5; ++round) {
        evaluator.scratch.reset();
        const std::uint64_t before = heap_calls;
        evaluator.run_quietly(own, *constraint, review.root());
        last = heap_calls - before;
      }
      EXPECT_EQ(last, 0u) << one.name << " " << kind;
    }
  }
}

constexpr std::string_view kLimits = R"(package t
limit := to_number(trim_suffix(input.parameters.cpu, "m"))
amount(text) = n { n := to_number(trim_suffix(text, "m")) }
exempt(container) { container.name == object.get(input, "parameters", {}).exempt[_] }
violation[{"msg": msg}] {
  container := input.review.object.spec.containers[_]
  not exempt(container)
  amount(container.cpu) > limit
  msg := sprintf("%v wants %v of %v: %v", [container.name, container.cpu, limit, amount(input.parameters.cpu)])
})";

TEST(RegoDriver, ParametersAreEvaluatedOnce) {
  const auto compiled = compile(kLimits, true, "v0");
  const CompiledConstraint own = compile_constraint(compiled, *constraint_of(R"({"cpu": "200m"})"));
  ASSERT_NE(own.specialised, nullptr);
  const std::string listing = own.specialised->program().listing();
  EXPECT_EQ(listing.find("parameters"), std::string::npos) << listing;
  EXPECT_NE(listing.find("200"), std::string::npos) << listing;
  // Nobody is exempt, so nobody is asked.
  EXPECT_EQ(listing.find("CallTest"), std::string::npos) << listing;
}

TEST(RegoDriver, EqualParametersShareAProgramAndItsMemoryIsCounted) {
  const std::size_t before = SpecialisedProgram::total_memory();
  {
    const auto compiled = compile(kLimits, true, "v0");
    const CompiledConstraint a = compile_constraint(compiled, *constraint_of(R"({"cpu": "200m"})"));
    const CompiledConstraint b = compile_constraint(compiled, *constraint_of(R"({"cpu": "200m"})"));
    const CompiledConstraint c = compile_constraint(compiled, *constraint_of(R"({"cpu": "300m"})"));
    EXPECT_EQ(a.specialised, b.specialised);
    EXPECT_NE(a.specialised, c.specialised);
    EXPECT_EQ(SpecialisedProgram::total_memory() - before, a.specialised->memory() + c.specialised->memory());
  }
  EXPECT_EQ(SpecialisedProgram::total_memory(), before);
}

// docs/vm.md's worked listing is what the planner writes.
TEST(RegoDriver, DocumentsAListing) {
  const std::string path = PC_SOURCE_DIR "/docs/vm.md";
  const std::string page = read_file(path);
  const std::string begin = "<!-- listing: written by UPDATE_GOLDEN=1 policy_driver_test -->\n";
  const std::string end = "<!-- end of listing -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string rego = read_file(PC_SOURCE_DIR "/bench/engines/cases/required-labels/policy.rego");
  const std::string parameters = R"({"labels": [{"key": "owner", "pattern": "^team-"}]})";
  const auto compiled = compile(rego, true);
  const CompiledConstraint own = compile_constraint(compiled, *constraint_of(parameters));
  ASSERT_NE(own.specialised, nullptr);
  std::string text = "```rego\n";
  std::istringstream lines(rego);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    text += (number < 10 ? " " : "") + std::to_string(number) + "  " + line + "\n";
  }
  text += "```\n\nThe program of a constraint with the parameters `" + parameters + "`:\n\n```text\n" +
          own.specialised->program().listing() + "```\n";
  const std::string have = page.substr(from + begin.size(), to - from - begin.size());
  if (std::getenv("UPDATE_GOLDEN") != nullptr && have != text) {
    std::ofstream(path) << page.substr(0, from) << begin << text << page.substr(to);
    return;
  }
  EXPECT_EQ(have, text);
}

// Errors are told as the template's program tells them, whatever the shortcuts met first.
TEST(RegoDriver, ErrorsAreTheSame) {
  constexpr std::string_view kConflict = R"(package t
choose(x) = 1 { x == input.parameters.a }
choose(x) = 2 { x == input.parameters.b }
pick(x) = y { y := input.review.list[_]; x }
violation[{"msg": msg}] { y := pick(true); y > 1; msg := sprintf("%v", [choose(y)]) }
violation[{"msg": msg}] { n := choose(input.review.n); msg := sprintf("n %v", [n]) })";
  const auto with = compile(kConflict, true, "v0");
  const auto without = compile(kConflict, false, "v0");
  int errors = 0;
  for (const std::string review :
       {R"({"n": 1, "list": [3]})", R"({"n": 1, "list": [1, 2]})", R"({"n": 2, "list": []})"}) {
    const Document document = parse(review);
    for (const std::string parameters : {R"({"a": 1, "b": 1})", R"({"a": 2, "b": 3})", R"({"a": 3, "b": 3})"}) {
      const ConstraintPtr constraint = constraint_of(parameters);
      Evaluator evaluator;
      const std::string want = evaluator.run(compile_constraint(without, *constraint), *constraint, document.root());
      errors += want.starts_with("error: ") && want.find("eval_conflict_error") != std::string::npos ? 1 : 0;
      const std::uint64_t share = evaluator.scratch.new_share();
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(evaluator.run(compile_constraint(with, *constraint), *constraint, document.root(), share), want);
      }
    }
  }
  EXPECT_GT(errors, 0);
}

// Runs a template plainly, with the constraint's own program, with shared values and with indexes; all must say `want`.
void expect_everywhere(std::string_view rego, const std::string& parameters, std::string_view review,
                       const std::string& want, std::string_view data = "{}") {
  const auto with = compile(rego, true);
  const auto without = compile(rego, false);
  ASSERT_TRUE(with && without);
  const ConstraintPtr constraint = constraint_of(parameters);
  const Document document = parse(review);
  const Document base = parse(data);
  const WalkIndex index(base.root());
  Evaluator evaluator(base.root());
  const std::uint64_t share = evaluator.scratch.new_share();
  for (const auto& [name, made] : {std::pair{"common", without}, std::pair{"own", with}}) {
    const CompiledConstraint compiled = compile_constraint(made, *constraint);
    EXPECT_EQ(evaluator.run(compiled, *constraint, document.root()), want) << name;
    EXPECT_EQ(evaluator.run(compiled, *constraint, document.root(), share), want) << name << " shared";
    EXPECT_EQ(evaluator.run(compiled, *constraint, document.root(), 0, &index), want) << name << " indexed";
  }
}

// A variable that holds the whole input in one rule holds something else in the next.
TEST(RegoDriver, AVariableIsTheInputOnlyWhereItIsBoundToIt) {
  constexpr std::string_view kReview = R"({"object": {"parameters": {"mine": 2}}})";
  expect_everywhere(R"(package t
blocked(o) if { y = input; object.get(y, "parameters", {}).never }
blocked(o) if { y = o; object.get(y, "parameters", {}).mine }
violation contains {"msg": "blocked"} if blocked(input.review.object))",
                    R"({"a": 1})", kReview, "blocked {}\n");
  expect_everywhere(R"(package t
blocked(o) := 1 if { y = input; object.get(y, "parameters", {}).never } else := 2 if { y = o; object.get(y, "parameters", {}).mine }
violation contains {"msg": sprintf("%v", [blocked(input.review.object)])})",
                    R"({"a": 1})", kReview, "2 {}\n");
  expect_everywhere(R"(package t
violation contains {"msg": "found"} if {
  some o in [input.review.object]
  count([1 | y = input; object.get(y, "parameters", {}).a]) == 1
  count([1 | y = o; object.get(y, "parameters", {}).mine]) == 1
})",
                    R"({"a": 1})", kReview, "found {}\n");
  // And where it is, what is known of it is used.
  const auto compiled = compile(R"(package t
violation contains {"msg": "a"} if { y = input; object.get(y, "parameters", {}).a })",
                                true);
  const CompiledConstraint own = compile_constraint(compiled, *constraint_of(R"({"a": 1})"));
  ASSERT_NE(own.specialised, nullptr);
  EXPECT_EQ(own.specialised->program().listing().find("ObjectGet"), std::string::npos);
}

// What is known of a message is written into its format; what the format's verbs make of it stays the same.
TEST(RegoDriver, KnownArgumentsOfSprintf) {
  const std::string parameters = R"({"text": "50%v", "list": ["a%s", "100%"], "n": 7, "real": 1.50})";
  const auto message = [&](const std::string& call, const std::string& want) {
    expect_everywhere(
        "package t\nviolation contains {\"msg\": msg} if { p := input.parameters; r := input.review; msg := " + call +
            " }",
        parameters, R"({"n": 3, "s": "x%d", "miss": null})", want + " {}\n");
  };
  message(R"(sprintf("%v of %v, %% %s", [r.n, p.list, r.s]))", R"(3 of ["a%s", "100%"], % x%d)");
  message(R"(sprintf("%s|%d|%v|%v", [p.text, p.n, p.real, r.s]))", "50%v|7|1.5|x%d");
  message(R"(sprintf("%d %s %v", [p.text, p.n, r.n]))", "%!d(string=50%v) %!s(int64=7) 3");
  message(R"(sprintf("%v %v", [r.s, p.n, p.text]))", "x%d 7%!(EXTRA string=50%v)");
  message(R"(sprintf("%v %v %v", [r.s, p.n]))", "x%d 7 %!v(MISSING)");
  message(R"(sprintf("%5d|%-4v|%q", [p.n, r.n, p.text]))", R"(    7|3   |"50%v")");
  message(R"(sprintf("%[2]v %[1]v", [p.n, r.n]))", "3 7");
  message(R"(sprintf("%v %", [p.n, r.n]))", "7 %!(NOVERB)%!(EXTRA int64=3)");
  // A whole format that a parameter is.
  message(R"(sprintf(p.text, [r.n]))", "503");
  const auto compiled = compile(
      "package t\nviolation contains {\"msg\": sprintf(\"%v in %v\", [input.review.n, "
      "input.parameters.list])}",
      true);
  const CompiledConstraint own = compile_constraint(compiled, *constraint_of(parameters));
  ASSERT_NE(own.specialised, nullptr);
  EXPECT_NE(own.specialised->program().listing().find(R"("%v in [\"a%%s\", \"100%%\"]")"), std::string::npos)
      << own.specialised->program().listing();
}

// labels["app.x"] is not labels.app.x.
TEST(RegoDriver, IndexesAreToldApartByTheirSteps) {
  expect_everywhere(R"(package t
violation contains {"msg": sprintf("nested %v", [o.metadata.name])} if {
  o := data.inventory.namespace[_][_].Service[_]
  o.labels.app.x == input.review.label
}
violation contains {"msg": sprintf("dotted %v", [o.metadata.name])} if {
  o := data.inventory.namespace[_][_].Service[_]
  o.labels["app.x"] == input.review.label
})",
                    "{}", R"({"label": "l"})", "dotted a {}\nnested b {}\n",
                    R"({"inventory": {"namespace": {"n": {"v1": {"Service": {
    "a": {"metadata": {"name": "a"}, "labels": {"app.x": "l"}},
    "b": {"metadata": {"name": "b"}, "labels": {"app": {"x": "l"}}}}}}}}})");
}

// What is moved into a call's window is read by the call, however many arguments there are.
TEST(RegoDriver, CallsOfManyArguments) {
  std::string names;
  std::string values;
  for (int i = 0; i < 80; ++i) {
    names += (i == 0 ? "x" : ", x") + std::to_string(i);
    values += (i == 0 ? "" : ", ") + std::string(i % 2 == 0 ? "input.review.n" : std::to_string(i));
  }
  expect_everywhere("package t\nf(" + names +
                        ") := [x0, x63, x64, x70, x79]\nviolation contains {\"msg\": sprintf(\"%v\", [f(" + values +
                        ")])}",
                    "{}", R"({"n": 7})", "[7, 63, 7, 7, 79] {}\n");
}

// Where a variable of the reference is bound, the walk sees one namespace only.
TEST(RegoDriver, JoinsWithinANamespace) {
  constexpr std::string_view kData = R"({"inventory": {"namespace": {
    "a": {"v1": {"Service": {"x": {"metadata": {"name": "x"}, "kind": "Service", "host": "h"}}}},
    "b": {"v1": {"Service": {"y": {"metadata": {"name": "y"}, "kind": "Service", "host": "h"},
                             "z": {"metadata": {"name": "z"}, "kind": "Service", "host": "i"}}}}}}})";
  constexpr std::string_view kBound = R"(package t
violation contains {"msg": o.metadata.name} if {
  ns := input.review.namespace
  o := data.inventory.namespace[ns][_].Service[_]
  o.host == input.review.host
})";
  expect_everywhere(kBound, "{}", R"({"namespace": "b", "host": "h"})", "y {}\n", kData);
  EXPECT_EQ(compile(kBound, false)->program().listing().find("IndexOpen"), std::string::npos);
  // A constant tells few objects apart: the later equality is asked for.
  constexpr std::string_view kConstant = R"(package t
violation contains {"msg": o.metadata.name} if {
  o := data.inventory.namespace[_][_].Service[_]
  o.kind == "Service"
  o.host == input.review.host
})";
  expect_everywhere(kConstant, "{}", R"({"host": "h"})", "x {}\ny {}\n", kData);
  EXPECT_NE(compile(kConstant, false)->program().listing().find(" by host"), std::string::npos);
  // With nothing else it serves all the same.
  constexpr std::string_view kOnlyConstant = R"(package t
violation contains {"msg": o.metadata.name} if {
  o := data.inventory.namespace[_][_].Service[_]
  o.host == "h"
})";
  expect_everywhere(kOnlyConstant, "{}", "{}", "x {}\ny {}\n", kData);
  EXPECT_NE(compile(kOnlyConstant, false)->program().listing().find(" by host"), std::string::npos);
}

// What hit a limit is not evaluated again with a fresh one.
TEST(RegoDriver, ALimitIsALimit) {
  struct CountingHost final : rego::Host {
    std::int64_t now_ns() override { return ++evaluations; }
    std::int64_t evaluations = 0;
  };
  constexpr std::string_view kLong = R"(package t
violation contains {"msg": sprintf("%v", [input.parameters.a])} if {
  time.now_ns() > 0
  some x in numbers.range(1, 3000)
  some y in numbers.range(1, 3000)
  x * y < input.review.bound
})";
  const auto compiled = compile(kLong, true);
  const ConstraintPtr constraint = constraint_of(R"({"a": 1})");
  const CompiledConstraint own = compile_constraint(compiled, *constraint);
  ASSERT_NE(own.specialised, nullptr);
  const Document review = parse(R"({"bound": 0})");
  rego::EvalScratch scratch;
  CountingHost host;
  std::vector<Finding> findings;
  rego::EvalLimits limits;
  limits.instructions = 2000;
  const Result<void> done = evaluate_constraint(own, *constraint, review.root(), Value(), scratch, host, limits,
                                                findings, nullptr, scratch.new_share());
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("instruction limit of 2000 exceeded"), std::string::npos) << done.error().message;
  EXPECT_EQ(host.evaluations, 1);
}

// A violation that depends on nothing is a constant of the program.
TEST(RegoDriver, ConstantViolations) {
  const auto run = [](std::string_view rego) {
    const auto compiled = compile(rego, true, "v0");
    const ConstraintPtr constraint = constraint_of("{}");
    Evaluator evaluator;
    return evaluator.run(compile_constraint(compiled, *constraint), *constraint, Value::null());
  };
  EXPECT_EQ(run("package t\nviolation[{\"msg\": \"always\"}] { true }"), "always {}\n");
  EXPECT_EQ(run("package t\nviolation[{\"msg\": 5}] { true }"),
            "error: extracting message binding: .msg accessor error: 5 is of the type json.Number, expected string");
}

}  // namespace
}  // namespace portcullis::policy
