// `portcullis hook`: what the Helm chart's hooks need of kubectl and curl, so that one small image without a shell
// does.
#pragma once

#include <string>
#include <vector>

namespace portcullis::cmd {

// apply -f PATH | label ns NAME… KEY=VALUE… [--overwrite] | delete KIND/NAME… | probe URL [--cacert=FILE]
// [--insecure] [--wait=SECONDS] [--timeout=SECONDS]. Exit code 0, 1 (failed, the reason is on stderr) or 2 (usage).
int run_hook_command(const std::vector<std::string>& arguments);

// Whether the arguments are such a command: charts that call an image's entrypoint with kubectl's arguments get it.
bool is_hook_command(const std::vector<std::string>& arguments);

}  // namespace portcullis::cmd
