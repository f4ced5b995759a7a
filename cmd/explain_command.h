// `portcullis explain`: why a review of an object, or of an admission request, ends as it does.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace portcullis::cmd {

struct ExplainIo {
  std::function<std::optional<std::string>()> read_stdin;  // nullopt: nothing is piped
  std::string* out = nullptr;
  std::string* err = nullptr;
};

// Returns the exit code: 0 allowed, 1 refused, 2 it could not be found out. Threads: the calling one, and one for I/O
// while a cluster is asked.
int run_explain_command(const std::vector<std::string>& arguments, const ExplainIo& io);
int run_explain_command(const std::vector<std::string>& arguments);  // on the process's own streams

}  // namespace portcullis::cmd
