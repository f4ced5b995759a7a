// What eval shows beside the result: metrics, an explanation, a profile, coverage.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/rego/trace/cover.h"
#include "engine/rego/trace/explain.h"
#include "engine/rego/trace/profile.h"

namespace portcullis::opa {

struct Extras {
  std::optional<std::map<std::string, std::int64_t>> metrics;  // nanoseconds by name
  const rego::trace::Explainer* explanation = nullptr;
  std::vector<rego::trace::Profile::Row> profile;
  std::optional<rego::trace::Coverage::Report> coverage;
};

// Members of the output object after "result" or "errors", each with a comma before it, compact.
std::string extras_json(const Extras& extras);
// Tables after a pretty result.
std::string extras_text(const Extras& extras);

// A duration as Go prints it: 1.5ms, 2m3.5s, 0s.
std::string go_duration(std::int64_t nanoseconds);

}  // namespace portcullis::opa
