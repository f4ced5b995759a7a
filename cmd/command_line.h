// The offline dialects on the process's own standard streams.
#pragma once

#include <string>
#include <vector>

namespace portcullis::cmd {

// Exit codes as gator's and opa's.
int run_gator_command(const std::vector<std::string>& arguments);
int run_opa_command(const std::vector<std::string>& arguments);

}  // namespace portcullis::cmd
