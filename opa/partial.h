// `opa eval --partial`: its flags, and its results as OPA prints them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/partial/partial.h"
#include "opa/failure.h"
#include "opa/flags.h"

namespace portcullis::opa {

struct PartialFlags {
  bool on = false;
  std::vector<std::string> unknowns;
  std::vector<std::string> disable_inlining;
  bool shallow_inlining = false;
  bool nondeterministic_builtins = false;

  void add_to(Flags& flags);
  // What is wrong with the flags and the output format together, or nothing.
  std::string problem(std::string_view format) const;
  // Without limits. Failures: --disable-inlining names no document.
  Result<rego::PartialOptions, Failures> options(rego::RegoVersion version) const;
};

// Formats: json, pretty, source.
Result<std::string, Failures> present_partial(std::string_view format, const rego::PartialResult& result);

}  // namespace portcullis::opa
