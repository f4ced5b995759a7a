// Small text routines whose output must equal Go's, because users and scripts see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::text {

// Appends `text` as a JSON string with quotes. Invalid UTF-8 becomes U+FFFD, as Go's encoding/json does; `escape_html`
// also escapes < > & and U+2028/9 the way Go does by default.
void append_json_string(std::string& out, std::string_view text, bool escape_html = false);

// Go's strconv.Quote (%q).
std::string go_quote(std::string_view text);

// Length of the UTF-8 sequence at `at` and its code point; invalid bytes decode as U+FFFD with length 1 (as Go).
struct Rune {
  char32_t value;
  std::uint8_t size;
};
Rune decode_rune(std::string_view text, std::size_t at) noexcept;
void append_rune(std::string& out, char32_t rune);  // an invalid code point becomes U+FFFD
bool valid_utf8(std::string_view text) noexcept;

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text) noexcept;  // ASCII white space
bool starts_with(std::string_view text, std::string_view prefix) noexcept;
bool ends_with(std::string_view text, std::string_view suffix) noexcept;
std::string to_lower_ascii(std::string_view text);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // standard alphabet, padded; no white space

// UTC, RFC 3339: "2026-11-24T11:00:00Z" (whole seconds).
std::string rfc3339(std::int64_t unix_seconds);

}  // namespace portcullis::text
