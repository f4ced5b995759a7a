// Case mapping and white space of single code points, as Go's unicode package has them.
#pragma once

namespace portcullis::rego::builtins {

char32_t rune_to_upper(char32_t rune) noexcept;
char32_t rune_to_lower(char32_t rune) noexcept;
bool is_space_rune(char32_t rune) noexcept;

}  // namespace portcullis::rego::builtins
