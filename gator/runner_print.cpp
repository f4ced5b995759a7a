#include <cstdio>

#include "base/text.h"
#include "gator/runner.h"

namespace portcullis::gator {
namespace {

std::string seconds(Clock::duration span) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.3fs", std::chrono::duration<double>(span).count());
  return buffer;
}

void print_output(std::string& out, std::string_view printed) {
  if (printed.empty()) return;
  out += "        === PRINT ===\n";
  if (printed.back() == '\n') printed.remove_suffix(1);
  for (const std::string_view line : text::split(printed, '\n')) out += "        " + std::string(line) + "\n";
}

void print_case(std::string& out, const CaseResult& result, bool verbose) {
  if (verbose && result.skipped) {
    out += "    === SKIP  " + result.name + "\n";
    return;
  }
  if (verbose) {
    out += "    === RUN   " + result.name + "\n";
    print_output(out, result.printed);
  }
  if (!result.error.empty()) {
    out += "    --- FAIL: " + result.name + "\t(" + seconds(result.runtime) + ")\n        " + result.error + "\n";
  } else if (verbose) {
    out += "    --- PASS: " + result.name + "\t(" + seconds(result.runtime) + ")\n";
  }
}

void print_test(std::string& out, const TestResultOf& result, bool verbose) {
  if (verbose) {
    if (result.skipped) {
      out += "=== SKIP  " + result.name + "\n";
      return;
    }
    out += "=== RUN   " + result.name + "\n";
  }
  for (const CaseResult& test_case : result.cases) print_case(out, test_case, verbose);
  if (result.failed()) {
    out += "--- FAIL: " + result.name + "\t(" + seconds(result.runtime) + ")\n";
    if (!result.error.empty()) out += "  " + result.error + "\n";
  } else if (verbose) {
    out += "--- PASS: " + result.name + "\t(" + seconds(result.runtime) + ")\n";
  }
}

}  // namespace

std::string format_results(const std::vector<SuiteResult>& results, bool verbose) {
  std::string out;
  bool failed = false;
  for (const SuiteResult& suite : results) {
    for (const TestResultOf& test : suite.tests) print_test(out, test, verbose);
    out += std::string(suite.failed() ? "FAIL" : "ok") + "\t" + suite.path + "\t" + seconds(suite.runtime) + "\n";
    failed = failed || suite.failed();
  }
  out += failed ? "FAIL\n" : "PASS\n";
  return out;
}

}  // namespace portcullis::gator
