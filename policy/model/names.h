// Kubernetes' rules for names and label keys, with its own words for what is wrong (empty: nothing).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portcullis::policy {

std::vector<std::string> check_dns1123_subdomain(std::string_view name);
std::vector<std::string> check_dns1035_label(std::string_view name);
std::vector<std::string> check_label_key(std::string_view key);
std::vector<std::string> check_label_value(std::string_view value);

}  // namespace portcullis::policy
