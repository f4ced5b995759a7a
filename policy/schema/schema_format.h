// String formats that schemas may ask for.
#pragma once

#include <string_view>

namespace portcullis::policy {

// True for a format that is not checked (unknown ones never are).
bool matches_format(std::string_view format, std::string_view text) noexcept;

}  // namespace portcullis::policy
