// Constraints' own programs, indexes and shared values must change no answer. The policies and samples are those of the
// engine benchmark.
#include "policy/driver/rego_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <sstream>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace {
thread_local std::uint64_t heap_calls = 0;
}

// Counts what this thread takes from the heap.
void* operator new(std::size_t size) {
  ++heap_calls;
  void* const got = std::malloc(size == 0 ? 1 : size);
  if (got == nullptr) std::abort();
  return got;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace portcullis::policy {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

std::shared_ptr<const CompiledTemplate> compile(std::string_view rego, bool specialise,
                                                std::string_view version = "v1") {
  std::string source;
  append_json(source, Value::string(rego));
  const Document document =
      parse(R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "t"},
    "spec": {"crd": {"spec": {"names": {"kind": "T"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "code":
    [{"engine": "Rego", "source": {"version": ")" +
            std::string(version) + R"(", "rego": )" + source + "}}]}]}}");
  const Result<TemplatePtr> decoded = decode_template(document.root());
  EXPECT_TRUE(decoded.ok());
  DriverOptions options;
  options.specialise = specialise;
  Result<std::shared_ptr<const CompiledTemplate>> compiled = compile_template(**decoded, options);
  EXPECT_TRUE(compiled.ok()) << compiled.error().message;
  return compiled.ok() ? *compiled : nullptr;
}

ConstraintPtr constraint_of(const std::string& parameters) {
  const Document document =
      parse(R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "T", "metadata": {"name": "c"},
    "spec": {"parameters": )" +
            parameters + "}}");
  const Result<ConstraintPtr> constraint = decode_constraint(document.root());
  EXPECT_TRUE(constraint.ok());
  return constraint.ok() ? *constraint : nullptr;
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

std::string shown(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) out += std::string(finding.message) + " " + to_json(finding.details) + "\n";
  return out;
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
  static const Document kInventory = parse(R"({"inventory": {"namespace": {"a": {"v1": {"Service": {
    "x": {"metadata": {"name": "x", "namespace": "a"}, "spec": {"ports": [{"nodePort": 30017}]}},
    "y": {"metadata": {"name": "y", "namespace": "a"}, "spec": {"ports": [{"nodePort": 30018}]}}}}}}}})");
  static const Value kRoot = kInventory.root();
  return kRoot;
}

class Evaluator {
 public:
  std::string run(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review,
                  std::uint64_t share = 0) {
    findings_.clear();
    const Result<void> done =
        evaluate_constraint(compiled, constraint, review, inventory(), scratch, host_, {}, findings_, nullptr, share);
    return done.ok() ? shown(findings_) : "error: " + done.error().message;
  }
  void run_quietly(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review) {
    findings_.clear();
    EXPECT_TRUE(evaluate_constraint(compiled, constraint, review, inventory(), scratch, host_, {}, findings_).ok());
  }
  rego::EvalScratch scratch;

 private:
  rego::Host host_;
  std::vector<Finding> findings_;
};

TEST(RegoDriver, OwnProgramsAndSharedValuesChangeNoAnswer) {
  for (const Case& one : cases()) {
    const auto with = compile(one.rego, true);
    const auto without = compile(one.rego, false);
    ASSERT_TRUE(with && without) << one.name;
    Evaluator plain;
    Evaluator quick;
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
    // Two builtins still take something: submatches of a pattern are collected in vectors, and glob.match looks its
    // pattern up by a string made for it.
    if (one.name == "resource-ratio" || one.name == "rbac-wildcards") continue;
    const auto compiled = compile(one.rego, true);
    const ConstraintPtr constraint = constraint_of(to_json(one.sample.root().get("parameters")));
    const CompiledConstraint own = compile_constraint(compiled, *constraint);
    for (const std::string_view kind : {"ok", "viol"}) {
      const Document review = parse(review_of(one.sample.root(), one.sample.root().get(kind)));
      Evaluator evaluator;
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
  for (const std::string review :
       {R"({"n": 1, "list": [3]})", R"({"n": 1, "list": [1, 2]})", R"({"n": 2, "list": []})"}) {
    const Document document = parse(review);
    for (const std::string parameters : {R"({"a": 1, "b": 1})", R"({"a": 2, "b": 3})", R"({"a": 3, "b": 3})"}) {
      const ConstraintPtr constraint = constraint_of(parameters);
      Evaluator evaluator;
      const std::string want = evaluator.run(compile_constraint(without, *constraint), *constraint, document.root());
      const std::uint64_t share = evaluator.scratch.new_share();
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(evaluator.run(compile_constraint(with, *constraint), *constraint, document.root(), share), want);
      }
    }
  }
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
