// One error as `opa eval` shows it: as JSON under "errors", or as text on standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::opa {

struct Failure {
  std::string message;
  std::string code;  // empty: an error without code and place (files, usage)
  bool located = false;
  std::string file;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::vector<std::string> details;
  std::uint32_t tabs = 0;  // how many tabs begin the line that `details` show without them
};
using Failures = std::vector<Failure>;

Failures failures_of(const rego::Diagnostics& diagnostics);
Failures failures_of(const rego::EvalError& error);
Failures failures_of(std::string message);

// Finds `tabs` of parse errors in their source.
void find_excerpts(Failures& failures, std::string_view source);

// {"errors": […]} as OPA prints it.
std::string failures_json(const Failures& failures);
// "1 error occurred: …" with the details on lines of their own. `when` stands behind "occurred": " during loading".
std::string failures_text(const Failures& failures, std::string_view when = {});

}  // namespace portcullis::opa
