#include "opa/test_report.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "opa/command.h"
#include "opa/extras.h"

namespace portcullis::opa {
namespace {

using Cases = std::map<std::string, CaseResult>;

constexpr std::size_t kRuler = 80;

std::string_view outcome(const TestResult& result) {
  if (result.passed()) return "PASS";
  if (result.failed) return "FAIL";
  return result.rule->skipped ? "SKIPPED" : "ERROR";
}

std::string headline(const TestResult& result) {
  std::string out = result.rule->package + "." + result.rule->name + ": " + std::string(outcome(result));
  if (!result.rule->skipped) out += " (" + go_duration(result.duration.count()) + ")";
  return out;
}

void case_lines(const Cases& cases, std::size_t depth, bool all, std::string& out) {
  for (const auto& [name, each] : cases) {
    if (each.failed || all) {
      out += std::string(2 + 2 * depth, ' ') + name + (each.failed ? ": FAIL\n" : ": PASS\n");
    }
    case_lines(each.cases, depth + 1, all, out);
  }
}

// The failed cases that hold no others, each below the names it lies under.
void failed_leaves(const Cases& cases, std::vector<std::string_view>& above, std::string& out) {
  for (const auto& [name, each] : cases) {
    if (!each.failed) continue;
    above.push_back(name);
    for (std::size_t i = 0; each.cases.empty() && i < above.size(); ++i) {
      out += std::string(2 + 2 * i, ' ') + std::string(above[i]) + ": FAIL\n";
    }
    failed_leaves(each.cases, above, out);
    above.pop_back();
  }
}

std::string indented_output(std::string_view printed) {
  std::string out;
  for (const std::string_view line : text::split(text::trim(printed), '\n')) {
    out += "  ";
    out += line;
    out += '\n';
  }
  return out;
}

struct Counts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t errors = 0;

  void add_cases(const Cases& cases) {
    for (const auto& [name, each] : cases) {
      if (each.cases.empty()) ++(each.failed ? failed : passed);
      add_cases(each.cases);
    }
  }
  void add(const TestResult& result) {
    if (result.rule->skipped) {
      ++skipped;
    } else if (result.error) {
      ++errors;
    } else if (!result.cases.empty()) {
      add_cases(result.cases);
    } else {
      ++(result.failed ? failed : passed);
    }
  }
  std::string text() const {
    const std::size_t total = passed + failed + skipped + errors;
    std::string out;
    const auto line = [&](std::string_view name, std::size_t count) {
      if (count == 0) return;
      out += std::string(name) + ": " + std::to_string(count) + "/" + std::to_string(total) + "\n";
    };
    line("PASS", passed);
    line("FAIL", failed);
    line("SKIPPED", skipped);
    line("ERROR", errors);
    return out;
  }
};

void one_test(const TestResult& result, bool verbose, std::string& out) {
  out += std::string(result.rule->location.file) + ":" + std::to_string(result.rule->location.row) + ":\n";
  out += headline(result) + "\n";
  case_lines(result.cases, 0, verbose, out);
  if (!result.printed.empty()) out += "\n" + indented_output(result.printed) + "\n";
  if (result.error) out += "  " + result.error->to_string() + "\n";
}

void failures(const std::vector<TestResult>& results, std::string& out) {
  const std::string ruler = std::string(kRuler, '-') + "\n";
  out += ruler + "FAILURES\n" + ruler;
  for (const TestResult& result : results) {
    if (!result.failed) continue;
    out += headline(result) + "\n";
    if (!result.cases.empty()) {
      out += "\n";
      std::vector<std::string_view> above;
      failed_leaves(result.cases, above, out);
    }
    out += "\n";
  }
}

std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_string(out, text, true);
  return out;
}

std::string location_json(std::string_view file, std::uint32_t row, std::uint32_t column) {
  return "{\"file\":" + quoted(file) + ",\"row\":" + std::to_string(row) + ",\"col\":" + std::to_string(column) + "}";
}

std::string cases_json(const Cases& cases) {
  std::string out;
  for (const auto& [name, each] : cases) {
    out += out.empty() ? "{" : ",";
    out += quoted(name) + ":{";
    if (!name.empty()) out += "\"name\":" + quoted(name);
    if (each.failed) out += std::string(name.empty() ? "" : ",") + "\"fail\":true";
    if (!each.cases.empty()) {
      out += std::string(name.empty() && !each.failed ? "" : ",") + "\"sub_results\":" + cases_json(each.cases);
    }
    out += "}";
  }
  return out + "}";
}

std::string error_json(const rego::EvalError& error) {
  return "{\"code\":" + quoted(error.code) + ",\"message\":" + quoted(error.message) +
         ",\"location\":" + location_json(error.file, error.row, error.column) + "}";
}

}  // namespace

std::string report_text(const std::vector<TestResult>& results, bool verbose) {
  std::string out;
  Counts counts;
  std::string_view last_file;
  bool any = false;
  for (const TestResult& result : results) {
    counts.add(result);
    if (!verbose && result.passed()) continue;
    any = true;
    const std::string_view file = result.rule->location.file;
    if (!last_file.empty() && last_file != file) out += "\n";
    last_file = file;
    one_test(result, verbose, out);
  }
  if (counts.failed > 0 && verbose) failures(results, out);
  if (any) out += std::string(kRuler, '-') + "\n";
  return out + counts.text();
}

std::string report_json(const std::vector<TestResult>& results) {
  std::string out = "[";
  for (const TestResult& result : results) {
    const TestRule& rule = *result.rule;
    out += out.size() == 1 ? "{" : ",{";
    out += "\"location\":" + location_json(rule.location.file, rule.location.row, rule.location.column);
    out += ",\"package\":" + quoted(rule.package) + ",\"name\":" + quoted(rule.name);
    if (result.failed) out += ",\"fail\":true";
    if (result.error) out += ",\"error\":" + error_json(*result.error);
    if (rule.skipped) out += ",\"skip\":true";
    out += ",\"duration\":" + std::to_string(result.duration.count());
    if (!result.printed.empty()) out += ",\"output\":" + quoted(text::base64_encode(result.printed));
    if (!result.cases.empty()) out += ",\"sub_results\":" + cases_json(result.cases);
    out += "}";
  }
  return indented(out + "]") + "\n";
}

std::string summary_text(const TestResult& result) {
  std::string out = headline(result) + "\n";
  for (const auto& [name, each] : result.cases) out += name + (each.failed ? ": FAIL\n" : ": PASS\n");
  return result.cases.empty() ? out : out + "\n";
}

}  // namespace portcullis::opa
