// Files as gator reads them, with Go's error texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::gator {

// "open a/b: no such file or directory", "read a: is a directory". `shown`: the path that errors name.
Result<std::string> read_file(const std::string& path, std::string_view shown);

enum class PathKind { kFile, kDirectory };
// "stat a/b: no such file or directory" (kNotFound).
Result<PathKind> stat_path(const std::string& path, std::string_view shown);

// Files below `path`, each directory in order of names (a file stands for itself). Symbolic links are not followed
// below.
Result<std::vector<std::string>> files_below(const std::string& path);
// Files directly in a directory, in order of names.
Result<std::vector<std::string>> files_in(const std::string& path);

// path.Ext: from the last dot of the last element on; "" without one.
std::string_view extension(std::string_view path) noexcept;
bool is_yaml(std::string_view path) noexcept;  // .yaml, .yml
// path.Join and path.Dir for slash-separated paths, cleaned as Go does.
std::string join_path(std::string_view a, std::string_view b);
std::string directory_of(std::string_view path);
std::string clean_path(std::string_view path);
std::string absolute_path(std::string_view path);

}  // namespace portcullis::gator
