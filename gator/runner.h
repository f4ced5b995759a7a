// Runs suites: template and constraint once per test, every case on an inventory of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gator/regex.h"
#include "gator/suite.h"

namespace portcullis::gator {

// --run: "a" tests or cases that match a; "a//b" tests that match a and in them cases that match b.
class Filter {
 public:
  // Errors (kInvalid): "invalid test filter: …".
  static Result<Filter> parse(std::string_view text);
  bool matches_test(const SuiteTest& test) const;
  bool matches_case(std::string_view test, std::string_view name) const;

 private:
  std::optional<Pattern> test_;
  std::optional<Pattern> case_;  // only with "//"
};

using Clock = std::chrono::steady_clock;

struct CaseResult {
  std::string name;
  bool skipped = false;
  std::string error;  // empty: passed
  std::string printed;
  Clock::duration runtime{};
};

struct TestResultOf {
  std::string name;
  bool skipped = false;
  std::string error;
  std::vector<CaseResult> cases;
  Clock::duration runtime{};
  bool failed() const;
};

struct SuiteResult {
  std::string path;
  std::vector<TestResultOf> tests;
  Clock::duration runtime{};
  bool failed() const;
};

SuiteResult run_suite(const Suite& suite, const Filter& filter);
// As go test prints it.
std::string format_results(const std::vector<SuiteResult>& results, bool verbose);

}  // namespace portcullis::gator
