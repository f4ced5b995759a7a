// What the subcommands share: answers to wrong usage, formats, and text of JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "engine/rego/syntax/ast.h"
#include "opa/flags.h"
#include "opa/opa.h"

namespace portcullis::opa {

// "Error: …" and the usage part of `help` on standard error. Returns the exit code.
int wrong_usage(const Io& io, std::string_view problem, std::string_view help);

// -f, --format with these names, the first of which is the default.
void add_format(Flags& flags, std::initializer_list<std::string_view> names, std::string* format);

// A flag's whole number from 0. Returns what is wrong with it, or nothing.
std::string set_count(std::string_view text, std::uint32_t* out);

// Go's durations in what a command line needs: numbers with ns, us, ms, s, m, h, one after the other.
std::string set_duration(std::string_view text, std::chrono::nanoseconds* out);

// --v0-compatible and --v1-compatible.
struct VersionFlags {
  bool v0 = false;
  bool v1 = false;
  bool both = false;  // check --rego-v1: must be right as v0 and as v1

  void add_to(Flags& flags);
  rego::RegoVersion version() const;
};

// Compact JSON with line ends and two spaces per level; members keep their order.
std::string indented(std::string_view json);
// A document of present() or failures_json() with more members (compact, each with a comma before it) at its end.
std::string with_members(std::string document, std::string_view members);

}  // namespace portcullis::opa
