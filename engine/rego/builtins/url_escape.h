// Escaping of URL parts as Go's net/url does it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

std::string query_escape(std::string_view text);
// nullopt: `error` is Go's message (invalid URL escape "%zz").
std::optional<std::string> query_unescape(std::string_view text, std::string& error);
std::optional<std::string> percent_unescape(std::string_view text, bool plus_is_space, std::string& error);

}  // namespace portcullis::rego::builtins
