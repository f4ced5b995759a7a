// Differences between two texts by character, shown with terminal colours as `opa fmt -d` shows them.
// Threads: any. Cost: bounded; past the bound what is left counts as replaced as a whole.
#pragma once

#include <string>
#include <string_view>

namespace portcullis::opa {

// What is only in `before` in red, what is only in `after` in green, line by line.
std::string coloured_diff(std::string_view before, std::string_view after);

}  // namespace portcullis::opa
