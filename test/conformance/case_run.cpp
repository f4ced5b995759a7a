#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/rego/trace/walk.h"
#include "engine/value/json.h"
#include "test/conformance/case.h"

namespace portcullis::conformance {
namespace {

class TestHost : public rego::Host {
 public:
  std::int64_t now_ns() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::uint64_t random_seed() override { return static_cast<std::uint64_t>(now_ns()); }
  // A resolver that knows one name, as every system does.
  Value call_out(std::string_view builtin, Arena& arena, std::span<const Value> arguments,
                 std::string& error) override {
    if (builtin != "net.lookup_ip_addr" || arguments[0].as_string() != "localhost") {
      return Host::call_out(builtin, arena, arguments, error);
    }
    const Value address = Value::string("127.0.0.1");
    return make_set(arena, {&address, 1});
  }
};

// What OPA's own test program adds: test.sleep("10ms"). Nothing here depends on the time that it takes.
Value sleep_no_time(rego::BuiltinContext&, std::span<const Value>) { return Value::null(); }
constexpr rego::BuiltinDecl kTestBuiltins[] = {
    {"test.sleep", {"string"}, "null", &sleep_no_time, rego::kNondeterministic},
};
const rego::BuiltinRegistry& test_builtins() {
  static const rego::BuiltinRegistry registry = rego::builtins_with(kTestBuiltins);
  return registry;
}

Outcome failed(Stage stage, std::string detail) { return Outcome{stage, std::move(detail)}; }

// What OPA's ast.JSON leaves of a value: sets as arrays, keys as strings.
Result<Value> through_json(Arena& arena, const Value& value) {
  const std::string text = to_json(value);
  return parse_json_into(arena, arena.copy(text));
}

Value sorted(Arena& arena, const Value& array) {
  std::vector<Value> elements(array.elements().begin(), array.elements().end());
  std::stable_sort(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  return make_array(arena, elements);
}

// The bindings of all results as a set, as OPA's own test compares them.
Result<Value> bindings_of(Arena& arena, const Value& results, const Case& test) {
  std::vector<Value> out;
  for (const Value& result : results.elements()) {
    PC_TRY(const Value bindings, through_json(arena, result.get("bindings")));
    std::vector<Member> members;
    for (std::uint32_t i = 0; i < bindings.size(); ++i) {
      const Value& key = bindings.keys()[i];
      if (test.ignore_generated_vars && key.as_string().starts_with("__localq")) continue;
      Value value = bindings.values()[i];
      if (test.sort_bindings && value.is_array()) value = sorted(arena, value);
      members.push_back({key, value});
    }
    out.push_back(make_object(arena, members));
  }
  return make_set(arena, out);
}

Outcome judge_error(const Case& test, const rego::EvalError& error) {
  if (!test.want_error && !test.want_error_code) return failed(Stage::kEval, error.to_string());
  if (test.want_error && error.to_string().find(*test.want_error) == std::string::npos) {
    return failed(Stage::kResult, "want error '" + *test.want_error + "', got '" + error.to_string() + "'");
  }
  if (test.want_error_code && error.code != *test.want_error_code) {
    return failed(Stage::kResult, "want error code " + *test.want_error_code + ", got '" + error.to_string() + "'");
  }
  return {};
}

Outcome judge(const Case& test, const Value& results, Arena& arena) {
  if (test.want_error || test.want_error_code) {
    return failed(Stage::kResult,
                  "want error '" + test.want_error.value_or(*test.want_error_code) + "', got " + to_json(results));
  }
  if (!test.want_result.defined()) return failed(Stage::kResult, "the case wants nothing");
  const Result<Value> got = bindings_of(arena, results, test);
  if (!got.ok()) return failed(Stage::kResult, "result is no JSON: " + got.error().to_string());
  const Value want = make_set(arena, test.want_result.elements());
  if (equal(want, *got)) return {};
  return failed(Stage::kResult, "want " + to_json(want) + ", got " + to_json(*got));
}

Outcome run_query(const Case& test, const rego::CheckedModules& checked, std::string_view query,
                  const rego::CheckOptions& options, Arena& arena, const Value& input, Value* out,
                  rego::EvalScratch& scratch, TestHost& host, PlanMode mode) {
  rego::ParseOptions parse_options;
  auto parsed = rego::parse_query(query, parse_options);
  if (!parsed.ok()) return failed(Stage::kQuery, parsed.error().to_string());
  auto checked_query = rego::check_query(checked, std::move(parsed->body), parsed->source, {}, options);
  if (!checked_query.ok()) return failed(Stage::kQuery, checked_query.error().to_string());
  const bool shared = mode == PlanMode::kShared;
  rego::PlanOptions plan_options;
  if (mode == PlanMode::kKnown && input.defined()) plan_options.known_input.push_back({{}, input});
  if (shared) plan_options.varying_input = {"varies"};
  auto program = rego::plan_query(checked, *checked_query, plan_options);
  if (!program.ok()) return failed(Stage::kPlan, program.error().to_string());
  rego::EvalOptions eval_options;
  if (shared) eval_options.share = scratch.new_share();
  eval_options.strict_builtin_errors = test.strict_error;
  eval_options.limits.deadline = Deadline::after(std::chrono::seconds(8));
  const Value data = test.data.defined() ? test.data : make_object(arena, {});
  if (shared) (void)program->eval_query(input, data, scratch, host, eval_options);
  const auto results = program->eval_query(input, data, scratch, host, eval_options);
  Value answer = results.ok() ? *results : Value::undefined();
  if (mode == PlanMode::kSteps) {
    struct Nobody : rego::trace::Tracer {
      void event(const rego::trace::Event&) override {}
    } nobody;
    rego::trace::WalkOptions walk_options;
    walk_options.strict_builtin_errors = test.strict_error;
    walk_options.deadline = eval_options.limits.deadline;
    rego::trace::Walk walk(checked, *checked_query, nobody, host, arena, walk_options);
    const auto walked = walk.run(input, data);
    if (walked.ok() != results.ok()) {
      return failed(Stage::kEval, walked.ok() ? "no error step by step" : walked.error().to_string());
    }
    if (walked.ok()) answer = *walked;
  }
  if (out != nullptr) {
    if (!results.ok()) return failed(Stage::kEval, results.error().to_string());
    *out = deep_copy(arena, answer);
    return {};
  }
  return results.ok() ? judge(test, answer, arena) : judge_error(test, results.error());
}

}  // namespace

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::kPassed: return "passed";
    case Stage::kParse: return "parse";
    case Stage::kCheck: return "check";
    case Stage::kQuery: return "query";
    case Stage::kPlan: return "plan";
    case Stage::kEval: return "eval";
    case Stage::kResult: return "result";
    case Stage::kCrash: return "crash";
  }
  return "?";
}

std::string_view plan_mode_name(PlanMode mode) {
  switch (mode) {
    case PlanMode::kPlain: return "plain";
    case PlanMode::kKnown: return "known";
    case PlanMode::kShared: return "shared";
    case PlanMode::kSteps: return "steps";
  }
  return "?";
}

Outcome run_case(const Case& test, std::optional<PlanMode> only) {
  for (const auto& [name, value] : test.env) ::setenv(name.c_str(), value.c_str(), 1);
  rego::ParseOptions parse_options;
  parse_options.process_annotations = true;
  parse_options.version = test.corpus == "v0" ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
  std::vector<rego::Module> modules;
  for (std::size_t i = 0; i < test.modules.size(); ++i) {
    auto module = rego::parse_module("test-" + std::to_string(i) + ".rego", test.modules[i], parse_options);
    if (!module.ok()) return failed(Stage::kParse, module.error().to_string());
    modules.push_back(std::move(*module));
  }
  rego::CheckOptions check_options;
  check_options.builtins = &test_builtins();
  auto checked = rego::check(std::move(modules), check_options);
  if (!checked.ok()) return failed(Stage::kCheck, checked.error().to_string());

  Arena arena;
  TestHost host;
  rego::EvalScratch scratch;
  Value input = test.input;
  if (test.input_term) {
    Value results;
    Outcome outcome = run_query(test, *checked, "portcullis_input = " + *test.input_term, check_options, arena, {},
                                &results, scratch, host, PlanMode::kPlain);
    if (outcome.stage != Stage::kPassed) return failed(outcome.stage, "input_term: " + outcome.detail);
    if (results.size() == 0) return failed(Stage::kResult, "input_term is undefined");
    input = results.elements().front().get("bindings").get("portcullis_input");
  }
  for (const PlanMode mode : kPlanModes) {
    if (only && *only != mode) continue;
    scratch.reset();
    Outcome outcome = run_query(test, *checked, test.query, check_options, arena, input, nullptr, scratch, host, mode);
    if (outcome.stage == Stage::kPassed) continue;
    if (mode != PlanMode::kPlain) outcome.detail = std::string(plan_mode_name(mode)) + ": " + outcome.detail;
    return outcome;
  }
  return {};
}

Outcome run_case_isolated(const Case& test, std::optional<PlanMode> only) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return failed(Stage::kCrash, "no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe_ends[0]);
    ::alarm(20);
    const Outcome outcome = run_case(test, only);
    std::string message(1, static_cast<char>('0' + static_cast<int>(outcome.stage)));
    message += outcome.detail.substr(0, 60000);
    const char* from = message.data();
    std::size_t left = message.size();
    while (left > 0) {
      const ssize_t sent = ::write(pipe_ends[1], from, left);
      if (sent <= 0) break;
      from += sent;
      left -= static_cast<std::size_t>(sent);
    }
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  std::string message;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0) message.append(buffer, static_cast<std::size_t>(got));
  ::close(pipe_ends[0]);
  int status = 0;
  if (child > 0) ::waitpid(child, &status, 0);
  if (child < 0 || message.empty()) {
    return failed(Stage::kCrash, WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                     : "exit code " + std::to_string(WEXITSTATUS(status)));
  }
  return Outcome{static_cast<Stage>(message.front() - '0'), message.substr(1)};
}

}  // namespace portcullis::conformance
