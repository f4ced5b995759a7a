// Checks written by hand over simdjson's DOM: what a policy costs at least.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace portcullis::bench {

struct HandwrittenFigures {
  std::size_t violations = 0;
  double parsed_ns = 0;
  double bytes_ns = 0;
};

bool has_handwritten(std::string_view case_name);
// `text`: the case's input. Measures the check on a parsed DOM, and parsing with it.
HandwrittenFigures run_handwritten(std::string_view case_name, const std::string& text);

}  // namespace portcullis::bench
