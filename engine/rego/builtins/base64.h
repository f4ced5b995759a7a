// Base64 in both alphabets, as Go's encoding/base64 reads and writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

inline constexpr std::string_view kBase64Standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64(std::string_view bytes, std::string_view alphabet, bool pad);
// Line ends are skipped, padding is wanted, the spare bits of the last letter do not matter. nullopt: `error` is Go's.
std::optional<std::string> from_base64(std::string_view text, std::string_view alphabet, std::string& error);
// OPA's base64url.decode: padding may be missing.
std::optional<std::string> from_base64url(std::string_view text, std::string& error);

}  // namespace portcullis::rego::builtins
