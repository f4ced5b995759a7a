// The gator command line: test, verify, version and help as Gatekeeper's gator prints them.
// Threads: one call at a time per Io. Ownership: nothing outlives the call. No globals.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::gator {

struct Io {
  // The whole of standard input; nullopt when it is a terminal (nothing is piped). Called at most once.
  std::function<std::optional<std::string>()> read_stdin;
  std::string* out = nullptr;  // appended to
  std::string* err = nullptr;
};

// `args` without the program's name. Returns the exit code: 0, 1 (violations, failures, errors).
int run_gator(std::span<const std::string_view> args, const Io& io);

}  // namespace portcullis::gator
