#include "opa/test.h"

#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/value/json.h"
#include "opa/command.h"
#include "opa/failure.h"
#include "opa/host.h"
#include "opa/load.h"
#include "opa/test_cases.h"
#include "opa/test_report.h"

namespace portcullis::opa {
namespace {

constexpr std::string_view kHelp =
    R"(Run the tests of Rego sources: rules whose names begin with "test_". Those of "todo_test_" are skipped.

Usage:
  opa test <path> [path [...]] [flags]

Examples:

    $ opa test policies/
    $ opa test -v -r 'labels' policies/     # every result of the tests with "labels" in their full names

Exit code: 0 when all tests passed, 2 when one failed, had an error or was skipped, 1 when they could not run.

Flags:
  -b, --bundle                 the paths are folders of bundles
      --count int              how often the tests run (default 1)
  -z, --exit-zero-on-skipped   a skipped test is no failure
      --fail-on-empty          exit with 1 when no test ran
  -f, --format string          pretty or json (default pretty)
      --ignore strings         names of files and folders to leave out when loading
  -m, --max-errors int         how many errors end the check (default 10)
  -p, --parallel int           taken and not used: tests run one after the other
  -r, --run string             regular expression of the tests to run
      --timeout duration       bound on each test's time (default 5s)
      --v0-compatible          Rego v0
      --v1-compatible          Rego v1 (the default)
  -v, --verbose                print every test, not only failures
  -h, --help                   this text
)";

struct TestFlags {
  std::vector<std::string> ignored;
  std::string format;
  std::string run;
  VersionFlags version;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  std::uint32_t max_errors = 10;
  std::uint32_t count = 1;
  std::uint32_t parallel = 0;
  bool bundle = false;
  bool zero_on_skipped = false;
  bool fail_on_empty = false;
  bool verbose = false;
  bool help = false;
};

Flags make_flags(TestFlags& to) {
  Flags flags;
  add_format(flags, {"pretty", "json"}, &to.format);
  flags.add_texts("ignore", 0, &to.ignored);
  flags.add_text("run", 'r', &to.run);
  flags.add("timeout", 0, [&to](std::string_view text) { return set_duration(text, &to.timeout); });
  flags.add("max-errors", 'm', [&to](std::string_view text) { return set_count(text, &to.max_errors); });
  flags.add("count", 0, [&to](std::string_view text) { return set_count(text, &to.count); });
  flags.add("parallel", 'p', [&to](std::string_view text) { return set_count(text, &to.parallel); });
  flags.add_switch("bundle", 'b', &to.bundle);
  flags.add_switch("exit-zero-on-skipped", 'z', &to.zero_on_skipped);
  flags.add_switch("fail-on-empty", 0, &to.fail_on_empty);
  flags.add_switch("verbose", 'v', &to.verbose);
  flags.add_switch("help", 'h', &to.help);
  to.version.add_to(flags);
  flags.add_missing("coverage", 'c');
  flags.add_missing("schema", 's');
  flags.add_missing("target", 't');
  flags.add_missing("watch", 'w');
  for (const char* name :
       {"bench", "benchmem", "capabilities", "coverage-runs", "explain", "sort", "threshold", "var-values"}) {
    flags.add_missing(name);
  }
  return flags;
}

std::map<std::string, CaseResult> cases_of(const Value& value) {
  std::map<std::string, CaseResult> out;
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value& key = value.keys()[i];
    const Value& held = value.values()[i];
    CaseResult& each = out[key.is_string() ? std::string(key.as_string()) : to_json(key, {})];
    if (held.is_object()) {
      each.cases = cases_of(held);
      for (const auto& [name, below] : each.cases) each.failed = each.failed || below.failed;
    } else {
      each.failed = !held.is_bool() || !held.as_bool();
    }
  }
  return out;
}

// A case that began and left no value has failed. Returns whether the case at the path did.
bool add_case(std::map<std::string, CaseResult>& cases, const CommandHost::CasePath& path, std::size_t at) {
  if (at >= path.size()) return true;
  const auto [entry, added] = cases.try_emplace(path[at]);
  CaseResult& each = entry->second;
  if (added) each.failed = true;
  if (at + 1 == path.size()) return each.failed;
  const bool failed = add_case(each.cases, path, at + 1);
  each.failed = each.failed || failed;
  return failed;
}

// As Go says it where RE2 has other words.
std::string regexp_problem(const RE2& pattern) {
  if (pattern.error_code() == RE2::ErrorMissingParen) return "missing closing ): `" + pattern.pattern() + "`";
  return pattern.error() + ": `" + pattern.error_arg() + "`";
}

// One call of the command: load, check, run every test, report.
class TestRun {
 public:
  TestRun(const TestFlags& flags, const Io& io) : flags_(flags), io_(io) {}

  int run(const std::vector<std::string>& paths) {
    load_paths(paths, flags_.ignored, flags_.version.version(), loaded_,
               flags_.bundle ? LoadMode::kBundle : LoadMode::kAll);
    if (!loaded_.failures.empty()) return fail(failures_text(loaded_.failures, " during loading"));
    // Files are tested in the order of their names.
    std::stable_sort(loaded_.modules.begin(), loaded_.modules.end(),
                     [](const rego::Module& a, const rego::Module& b) { return *a.file < *b.file; });
    tests_ = prepare_tests(loaded_.modules);
    if (!flags_.run.empty() && !choose_tests()) return 1;
    return check_and_run();
  }

 private:
  int fail(std::string_view text) {
    *io_.err += text;
    return 1;
  }

  bool choose_tests() {
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 pattern(flags_.run, options);
    if (!pattern.ok()) {
      fail("error parsing regexp: " + regexp_problem(pattern) + "\n");
      return false;
    }
    std::erase_if(tests_, [&](const TestRule& test) { return !RE2::PartialMatch(test.entry_point, pattern); });
    return true;
  }

  int check_and_run() {
    rego::CheckOptions check_options;
    check_options.builtins = &rego::all_builtins();
    check_options.keep_print = true;
    check_options.max_errors = flags_.max_errors;
    check_options.has_base_data = [this](std::span<const std::string_view> path) { return loaded_.has_data(path); };
    auto checked = rego::check(std::move(loaded_.modules), check_options);
    if (!checked.ok()) return fail(failures_text(failures_of(checked.error())));
    rego::PlanOptions plan_options;
    for (const TestRule& test : tests_) {
      if (!test.skipped) plan_options.entry_points.push_back(test.entry_point);
    }
    const auto program = rego::plan(*checked, plan_options);
    if (!program.ok()) return fail(failures_text(failures_of(program.error())));
    for (std::uint32_t i = 0; i < flags_.count; ++i) {
      const int code = run_once(*program);
      if (code != 0) return code;
    }
    return 0;
  }

  int run_once(const rego::Program& program) {
    std::vector<TestResult> results;
    int code = 0;
    for (const TestRule& test : tests_) {
      results.push_back(run_test_rule(program, test));
      if (!results.back().passed() && !(test.skipped && flags_.zero_on_skipped)) code = 2;
    }
    *io_.out += flags_.format == "json" ? report_json(results) : report_text(results, flags_.verbose);
    if (results.empty() && flags_.fail_on_empty) return fail("no tests were run\n");
    return code;
  }

  TestResult run_test_rule(const rego::Program& program, const TestRule& test) {
    TestResult result;
    result.rule = &test;
    if (test.skipped) return result;
    CommandHost host(&result.printed);
    rego::EvalOptions options;
    if (flags_.timeout.count() > 0) options.limits.deadline = Deadline::after(flags_.timeout);
    scratch_.reset();
    const auto begin = std::chrono::steady_clock::now();
    const auto value =
        program.eval(program.entry_point(test.entry_point), Value::undefined(), loaded_.data, scratch_, host, options);
    result.duration = std::chrono::steady_clock::now() - begin;
    if (!value.ok()) {
      result.error = value.error();
    } else if (!value->defined()) {
      result.failed = true;
    } else if (test.has_cases) {
      result.cases = cases_of(*value);
      for (const CommandHost::CasePath& path : host.cases()) add_case(result.cases, path, 0);
      for (const auto& [name, each] : result.cases) result.failed = result.failed || each.failed;
    } else {
      result.failed = !value->is_bool() || !value->as_bool();
    }
    return result;
  }

  const TestFlags& flags_;
  const Io& io_;
  Loaded loaded_;
  std::vector<TestRule> tests_;
  rego::EvalScratch scratch_;
};

}  // namespace

int run_test(std::span<const std::string_view> args, const Io& io) {
  TestFlags flags;
  const Result<std::vector<std::string>> paths = make_flags(flags).parse(args);
  if (!paths.ok()) return wrong_usage(io, paths.error().message, kHelp);
  if (flags.help) {
    *io.out += kHelp;
    return 0;
  }
  if (paths->empty()) return wrong_usage(io, "specify at least one file", kHelp);
  return TestRun(flags, io).run(*paths);
}

}  // namespace portcullis::opa
