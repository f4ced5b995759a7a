// What `opa test` prints about tests that ran.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/rego/eval/program.h"
#include "opa/test_cases.h"

namespace portcullis::opa {

struct CaseResult {
  bool failed = false;
  std::map<std::string, CaseResult> cases;
};

struct TestResult {
  const TestRule* rule = nullptr;
  bool failed = false;
  std::optional<rego::EvalError> error;
  std::chrono::nanoseconds duration{0};
  std::string printed;
  std::map<std::string, CaseResult> cases;

  bool passed() const { return !failed && !error && !rule->skipped; }
};

// Failures alone, or with `verbose` every test, and the counts.
std::string report_text(const std::vector<TestResult>& results, bool verbose);
// One failed test: its name, time and cases.
std::string summary_text(const TestResult& result);
std::string report_json(const std::vector<TestResult>& results);

}  // namespace portcullis::opa
