// OPA's test cases: what a YAML case file says, and how one of its cases went.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/syntax/ast.h"
#include "engine/value/document.h"

namespace portcullis::conformance {

struct Case {
  std::string corpus;  // "v0" or "v1"
  std::string file;
  std::string note;
  std::string query;
  std::vector<std::string> modules;
  Value data;   // undefined: none
  Value input;  // undefined: none
  std::optional<std::string> input_term;
  Value want_result;  // undefined: not asked for
  std::optional<std::string> want_error;
  std::optional<std::string> want_error_code;
  std::vector<std::pair<std::string, std::string>> env;
  bool sort_bindings = false;
  bool ignore_generated_vars = false;
  bool strict_error = false;

  std::string name() const { return corpus + "/" + note; }
};

// The cases of one file; their Values live in `document`.
struct CaseFile {
  Document document;
  std::vector<Case> cases;
};
Result<CaseFile> read_case_file(const std::string& path, std::string_view corpus);

enum class Stage { kPassed, kParse, kCheck, kQuery, kPlan, kEval, kResult, kCrash };
std::string_view stage_name(Stage stage);

struct Outcome {
  Stage stage = Stage::kPassed;
  std::string detail;
};
// How a case is planned. kKnown: for the case's input, as the controller plans for a constraint's parameters. kShared:
// evaluated twice, the second time with what the first one shares. kSteps: step by step, as explanations are made.
// Whatever the way, the answer must be the same.
enum class PlanMode { kPlain, kKnown, kShared, kSteps };
inline constexpr PlanMode kPlanModes[] = {PlanMode::kPlain, PlanMode::kKnown, PlanMode::kShared, PlanMode::kSteps};
std::string_view plan_mode_name(PlanMode mode);

// In all modes, one after the other, until one fails; or in one of them.
Outcome run_case(const Case& test, std::optional<PlanMode> only);
// The same in a child process, so that a crash or an endless loop is the failure of one case.
Outcome run_case_isolated(const Case& test, std::optional<PlanMode> only);

}  // namespace portcullis::conformance
