#include "engine/rego/builtins/pem.h"

#include "base/text.h"
#include "engine/rego/builtins/base64.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

// The text between the header and the end line, without "Name: value" headers and white space.
std::optional<std::string> body_bytes(std::string_view body) {
  std::string letters;
  for (std::string_view line : text::split(body, '\n')) {
    if (line.find(':') != std::string_view::npos) continue;
    for (const char c : line) {
      if (c != ' ' && c != '\t' && c != '\r') letters += c;
    }
  }
  std::string error;
  return from_base64(letters, kBase64Standard, error);
}

}  // namespace

std::optional<PemBlock> next_pem_block(std::string_view& rest) {
  std::size_t from = 0;
  while (true) {
    const std::size_t begin = rest.find(kBegin, from);
    if (begin == std::string_view::npos) return std::nullopt;
    from = begin + kBegin.size();
    if (begin != 0 && rest[begin - 1] != '\n') continue;  // must start a line
    const std::size_t line_end = rest.find('\n', from);
    if (line_end == std::string_view::npos) return std::nullopt;
    std::string_view type = text::trim(rest.substr(from, line_end - from));
    if (!type.ends_with(kDashes)) continue;
    type.remove_suffix(kDashes.size());
    const std::string end = "-----END " + std::string(type) + "-----";
    const std::size_t body = line_end + 1;
    const std::size_t close = rest.find("-----END ", body);
    if (close == std::string_view::npos) return std::nullopt;
    if (!rest.substr(close).starts_with(end)) {
      from = close;  // another block's end: this one has none
      continue;
    }
    // Nothing else may stand on the last line, and that must be one.
    std::size_t after = close + end.size();
    while (after < rest.size() && (rest[after] == '\r' || rest[after] == ' ' || rest[after] == '\t')) ++after;
    const bool ends = after == rest.size() || rest[after] == '\n';
    const auto bytes = ends && rest[close - 1] == '\n' ? body_bytes(rest.substr(body, close - body)) : std::nullopt;
    if (!bytes) continue;
    PemBlock out{std::string(type), *bytes};
    if (after < rest.size()) ++after;
    rest.remove_prefix(after);
    return out;
  }
}

}  // namespace portcullis::rego::builtins
