// regex.globs_match: whether two expressions of . * + [a-z] and literals have a text in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

// nullopt: `error` says what is wrong with one of them.
std::optional<bool> globs_intersect(std::string_view left, std::string_view right, std::string& error);

}  // namespace portcullis::rego::builtins
