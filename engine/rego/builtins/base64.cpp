#include "engine/rego/builtins/base64.h"

#include <array>
#include <cstdint>

namespace portcullis::rego::builtins {
namespace {

// Skips line ends, wants padding, ignores the spare bits of the last letter. nullopt: `bad` is the offset.
std::optional<std::string> decode(std::string_view text, std::string_view alphabet, std::size_t& bad) {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  std::string out;
  std::uint32_t group = 0;
  int count = 0;
  std::size_t at = 0;
  const auto skip_lines = [&] {
    while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) ++at;
  };
  while (true) {
    skip_lines();
    if (at >= text.size()) {
      bad = text.size() - static_cast<std::size_t>(count);
      return count == 0 ? std::optional(out) : std::nullopt;
    }
    const char c = text[at++];
    if (c == '=') {
      bad = at - 1;
      if (count < 2) return std::nullopt;
      if (count == 2) {
        skip_lines();
        if (at >= text.size()) {
          bad = text.size();
          return std::nullopt;
        }
        if (text[at] != '=') return std::nullopt;
        ++at;
      }
      group <<= 6 * (4 - count);
      for (int k = 0; k < count - 1; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255u);
      skip_lines();
      bad = at;
      return at == text.size() ? std::optional(out) : std::nullopt;
    }
    const std::int8_t value = values[static_cast<unsigned char>(c)];
    if (value < 0) {
      bad = at - 1;
      return std::nullopt;
    }
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++count == 4) {
      for (int k = 0; k < 3; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255u);
      group = 0;
      count = 0;
    }
  }
}

}  // namespace

std::string to_base64(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    const std::size_t letters = left >= 3 ? 4 : left + 1;
    for (std::size_t k = 0; k < letters; ++k) out += alphabet[group >> (18 - 6 * k) & 63u];
    if (pad) out.append(4 - letters, '=');
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text, std::string_view alphabet, std::string& error) {
  std::size_t bad = 0;
  auto out = decode(text, alphabet, bad);
  if (!out) error = "illegal base64 data at input byte " + std::to_string(bad);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text, std::string& error) {
  std::string padded(text);
  if (!padded.ends_with('=')) {
    const std::size_t rest = padded.size() % 4;
    if (rest == 1) {
      error = "illegal base64url string: " + padded;
      return std::nullopt;
    }
    if (rest != 0) padded.append(4 - rest, '=');
  }
  return from_base64(padded, kBase64Url, error);
}

}  // namespace portcullis::rego::builtins
