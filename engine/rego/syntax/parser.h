// Rego source text to syntax tree: all of v0 and v1 that OPA v1.22.2 parses.
// Threads: any. Cost: linear in the source; nesting is bounded (max_depth) with an error of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

struct ParseOptions {
  RegoVersion version = RegoVersion::kV1;
  bool all_future_keywords = false;  // as if `import future.keywords` stood there (v0)
  bool process_annotations = false;  // read # METADATA blocks
  bool template_strings = true;      // $"…" in v1 and later
  bool keep_duplicate_keys = false;  // objects keep the entries that later ones replace (for the formatter)
  std::uint32_t max_depth = 1000;    // of terms in terms, bodies and else branches: keeps the stack below 4 MiB
};

// Errors: rego_parse_error with OPA's messages and an excerpt with a caret in `details`.
// An input with no tokens fails with "empty module".
Parsed<Module> parse_module(std::string_view file, std::string_view source, const ParseOptions& options);

// A query as `opa eval` and the REPL take it: one or more expressions separated by ; or newlines.
struct ParsedQuery {
  std::shared_ptr<const std::string> source;
  Body body;
};
Parsed<ParsedQuery> parse_query(std::string_view source, const ParseOptions& options);

// `data.foo.bar`, `input`, `data.foo["x y"]`: references (command-line options, entry points). The terms of these two
// have no source to point into: their locations are empty.
Parsed<Term> parse_ref(std::string_view source);
// Any single term.
Parsed<Term> parse_term(std::string_view source, const ParseOptions& options);

}  // namespace portcullis::rego
