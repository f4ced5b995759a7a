// What the process says of itself in a scrape. Internal to base/metrics.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::metrics {

void append_head(std::string& out, std::string_view name, std::string_view help, std::string_view type);

// process_* from /proc/self, and target_info from OTEL_RESOURCE_ATTRIBUTES: family name and exposition of each.
std::vector<std::pair<std::string_view, std::string>> process_blocks();

}  // namespace portcullis::metrics
