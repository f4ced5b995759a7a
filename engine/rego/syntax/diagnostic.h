// What the Rego front end says about bad source: OPA's codes, messages and places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::rego {

// A place in source. Rows and columns count from 1; columns count bytes as OPA's do. `text` is the source of the node
// (as OPA's Location.Text), borrowed from the Module's source, which outlives its AST and every Program made from it.
struct Location {
  std::string_view file;
  std::string_view text;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::uint32_t offset = 0;
};

// "file:row:column" as OPA prints it ("row:column" … when the file is empty: see Location.String in opa).
std::string to_string(const Location& location);

struct Diagnostic {
  std::string code;     // "rego_parse_error", "rego_unsafe_var_error", "rego_type_error", …
  std::string message;  // without code and place
  std::string file;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::vector<std::string> details;  // further lines (source excerpt with caret, "have: …", "want: …")

  // "file:row:col: code: message" and the details on lines of their own, as OPA prints one error.
  std::string to_string() const;
};

// One or more errors, in OPA's order. Never empty when it stands for a failure.
struct Diagnostics {
  std::vector<Diagnostic> list;

  void add(std::string code, const Location& where, std::string message, std::vector<std::string> details = {});
  bool empty() const noexcept { return list.empty(); }
  // OPA's text: "1 error occurred: …" or "N errors occurred:\n…".
  std::string to_string() const;
  Error to_error() const;  // kInvalid
};

template <typename T>
using Parsed = Result<T, Diagnostics>;

}  // namespace portcullis::rego
