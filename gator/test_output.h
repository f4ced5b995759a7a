// What gator test prints: lines for people, JSON, YAML.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value/document.h"
#include "policy/review/result.h"

namespace portcullis::gator {

struct TestResult {
  policy::Violation violation;
  Value object;  // the violating object
};

struct TestReport {
  std::vector<TestResult> results;  // as printed: sorted and filtered
  std::vector<policy::TemplateStats> stats;
  bool print_enabled = false;  // shown among the labels of stats
};

bool denies(const TestResult& result) noexcept;

// `format` as given to -o: "json", "yaml" and "default" (prints nothing) in any case, anything else is for people.
std::string format_report(const TestReport& report, std::string_view format);

}  // namespace portcullis::gator
