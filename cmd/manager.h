// The controller process: `portcullis manager`, also called as `manager`.
#pragma once

#include <string>
#include <vector>

namespace portcullis::cmd {

// Runs until SIGTERM or SIGINT. Returns the exit code: 0 after a graceful stop, 1 when it could not start, 2 for bad
// flags. Threads: call once, from the main thread.
int run_manager(const std::vector<std::string>& arguments);

}  // namespace portcullis::cmd
