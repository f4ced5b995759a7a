// The globs of glob.match: * ? ** [abc] [!a-z] {one,two} and \ as escape.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::rego::builtins {

// The same language as a regular expression that must match the whole text. nullopt: `error` says what is wrong.
std::optional<std::string> glob_to_regex(std::string_view pattern, const std::vector<char32_t>& delimiters,
                                         std::string& error);
std::string glob_quote_meta(std::string_view text);

}  // namespace portcullis::rego::builtins
