// `opa fmt`: Rego source files in canonical form.
#pragma once

#include <span>
#include <string_view>

#include "opa/opa.h"

namespace portcullis::opa {

// Writes files only with -w. Exit codes: 0; 1 wrong usage, or a path that is not there, or bad standard input; 2 a file
// that can't be formatted, or --fail and a file that would change.
int run_fmt(std::span<const std::string_view> args, const Io& io);

}  // namespace portcullis::opa
