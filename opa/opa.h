// The opa command line: eval and version as OPA's own executable answers them; the rest says that it is not there.
// Threads: one call at a time per Io. Ownership: nothing outlives the call. No globals.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::opa {

struct Io {
  std::function<std::string()> read_stdin;  // the whole of standard input; called at most once
  std::string* out = nullptr;               // appended to
  std::string* err = nullptr;
};

// `args` without the program's name. Exit codes as OPA's: 0; 1 wrong usage, or --fail/--fail-defined; 2 errors.
int run_opa(std::span<const std::string_view> args, const Io& io);

}  // namespace portcullis::opa
