#include "opa/test.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/rego/trace/cover.h"
#include "engine/rego/trace/walk.h"
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
  -c, --coverage               run the tests, print which parts of the sources they went through (JSON)
      --coverage-runs strings  index_excluded, early_exit: why parts were not covered (default both)
      --threshold float        with less coverage than this (percent) the exit code is 2
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
  std::vector<std::string> coverage_runs = {"index_excluded", "early_exit"};
  double threshold = 0;
  bool coverage = false;
  bool bundle = false;
  bool zero_on_skipped = false;
  bool fail_on_empty = false;
  bool verbose = false;
  bool help = false;
};

std::string set_threshold(std::string_view text, TestFlags* to) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), to->threshold);
  if (status != std::errc{} || end != text.data() + text.size()) {
    return "strconv.ParseFloat: parsing " + text::go_quote(text) + ": invalid syntax";
  }
  if (to->threshold > 0) to->coverage = true;
  return {};
}

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
  flags.add_switch("coverage", 'c', &to.coverage);
  flags.add("coverage-runs", 0, [&to](std::string_view text) {
    to.coverage = true;
    to.coverage_runs.clear();
    for (const std::string_view name : text::split(text, ',')) {
      if (!name.empty()) to.coverage_runs.emplace_back(name);
    }
    return std::string();
  });
  flags.add("threshold", 0, [&to](std::string_view text) { return set_threshold(text, &to); });
  flags.add_missing("schema", 's');
  flags.add_missing("target", 't');
  flags.add_missing("watch", 'w');
  for (const char* name : {"bench", "benchmem", "capabilities", "explain", "sort", "var-values"}) {
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
    if (flags_.coverage) parsed_ = loaded_.modules;
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
    checked_ = &*checked;
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
    if (flags_.coverage) return report_coverage(results, code);
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
    if (flags_.coverage) cover(test);
    return result;
  }

  // The test once more, step by step: what it goes through as it is, and with each of the shortcuts off.
  void cover(const TestRule& test) {
    passes_.resize(flags_.coverage_runs.size());
    auto parsed = rego::parse_query(test.entry_point, {});
    if (!parsed.ok()) return;
    rego::CheckOptions check_options;
    check_options.builtins = &rego::all_builtins();
    check_options.keep_print = true;
    const auto query = rego::check_query(*checked_, std::move(parsed->body), parsed->source, {}, check_options);
    if (!query.ok()) return;
    for (std::size_t i = 0; i <= passes_.size(); ++i) {
      rego::trace::WalkOptions options;
      if (flags_.timeout.count() > 0) options.deadline = Deadline::after(flags_.timeout);
      if (i > 0) (flags_.coverage_runs[i - 1] == "early_exit" ? options.early_exit : options.indexing) = false;
      std::string unheard;
      CommandHost host(&unheard);
      Arena arena;
      rego::trace::Coverage& into = i == 0 ? coverage_ : passes_[i - 1];
      // An error ends the test; what it covered until then counts.
      static_cast<void>(
          rego::trace::Walk(*checked_, *query, into, host, arena, options).run(Value::undefined(), loaded_.data));
    }
  }

  int report_coverage(const std::vector<TestResult>& results, int code) {
    for (const TestResult& result : results) {
      if (result.error) return fail(result.error->to_string() + "\n");
    }
    std::vector<TestResult> failures;
    std::copy_if(results.begin(), results.end(), std::back_inserter(failures),
                 [](const TestResult& result) { return result.failed; });
    if (!failures.empty()) {
      *io_.out += report_text(failures, flags_.verbose);
      return fail(summary_text(failures.front()));
    }
    std::vector<rego::trace::Coverage::Extra> kinds;
    for (std::size_t i = 0; i < passes_.size(); ++i) kinds.push_back({flags_.coverage_runs[i], &passes_[i]});
    const rego::trace::Coverage::Report report = coverage_.report(parsed_, kinds);
    if (report.percentage() < flags_.threshold) {
      fail(threshold_text(report));
      return 2;
    }
    *io_.out += indented(to_json(report)) + "\n";
    return code;
  }

  std::string threshold_text(const rego::trace::Coverage::Report& report) const {
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "got %.2f instead of %.2f", report.percentage(), flags_.threshold);
    std::string out = "Code coverage threshold not met: " + std::string(numbers);
    if (flags_.verbose && !report.files.empty()) out += "\nLines not covered:";
    for (const auto& [name, file] : report.files) {
      if (!flags_.verbose) break;
      std::set<std::uint32_t> rows;
      for (const auto& [range, kinds] : file.not_covered) {
        for (std::uint32_t row = range.row; row <= range.end_row; ++row) rows.insert(row);
      }
      for (auto at = rows.begin(); at != rows.end();) {
        const std::uint32_t first = *at;
        std::uint32_t last = first;
        for (++at; at != rows.end() && *at == last + 1; ++at) ++last;
        out += "\n\t" + name + ":" + std::to_string(first);
        if (last != first) out += "-" + std::to_string(last);
      }
    }
    return out + "\n";
  }

  const TestFlags& flags_;
  const Io& io_;
  Loaded loaded_;
  std::vector<TestRule> tests_;
  rego::EvalScratch scratch_;
  const rego::CheckedModules* checked_ = nullptr;
  std::vector<rego::Module> parsed_;  // for coverage
  rego::trace::Coverage coverage_;
  std::vector<rego::trace::Coverage> passes_;
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
  if (flags.threshold < 0 || flags.threshold > 100) {
    *io.err += "Code coverage threshold must be between 0 and 100\n";
    return 1;
  }
  if (paths->empty()) return wrong_usage(io, "specify at least one file", kHelp);
  return TestRun(flags, io).run(*paths);
}

}  // namespace portcullis::opa
