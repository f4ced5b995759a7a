#include "engine/rego/builtins/pem.h"

#include "engine/rego/builtins/base64.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "\n-----END ";
constexpr std::string_view kDashes = "-----";

struct Line {
  std::string_view text;  // without its line end and the blanks before that
  std::size_t next;       // where the following line begins
};

Line line_at(std::string_view text, std::size_t at) {
  std::size_t end = text.find('\n', at);
  const std::size_t next = end == std::string_view::npos ? text.size() : end + 1;
  if (end == std::string_view::npos) {
    end = text.size();
  } else if (end > at && text[end - 1] == '\r') {
    --end;
  }
  while (end > at && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
  return {text.substr(at, end - at), next};
}

std::optional<std::string> body_bytes(std::string_view body) {
  std::string letters;
  for (const char c : body) {
    if (c != ' ' && c != '\t') letters += c;
  }
  std::string error;
  return from_base64(letters, kBase64Standard, error);
}

// Whether "TYPE-----" and nothing more stands at `at`.
bool ends_block(std::string_view text, std::size_t at, std::string_view type) {
  const std::string_view rest = text.substr(at);
  const std::size_t size = type.size() + kDashes.size();
  return rest.starts_with(type) && rest.substr(type.size()).starts_with(kDashes) && line_at(rest, size).text.empty();
}

}  // namespace

// Each turn goes past one end line, whether a block ends there or not: no text is read for more than one block.
std::optional<PemBlock> next_pem_block(std::string_view& rest) {
  std::size_t from = 0;
  while (true) {
    const std::size_t end = rest.find(kEnd, from);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view before = rest.substr(from, end - from);
    const std::size_t begin = before.rfind(kBegin);  // of several before one end, the last
    const bool starts_line = begin == 0 || (begin != std::string_view::npos && before[begin - 1] == '\n');
    const std::size_t start = from;
    from = end + kEnd.size();
    if (!starts_line) continue;

    const Line first = line_at(rest, start + begin + kBegin.size());
    if (!first.text.ends_with(kDashes)) continue;
    const std::string_view type = first.text.substr(0, first.text.size() - kDashes.size());
    std::size_t body = first.next;
    bool headers = false;
    while (true) {
      if (body == rest.size()) return std::nullopt;
      const Line line = line_at(rest, body);
      if (line.text.find(':') == std::string_view::npos) break;
      headers = true;
      body = line.next;
    }
    // "Name: value" lines that ran past the end line leave no block; Go looks no further when they ran past its line.
    if (body > from) return std::nullopt;
    if (headers && body > end) continue;
    if (!ends_block(rest, from, type)) continue;
    auto bytes = body < end ? body_bytes(rest.substr(body, end - body)) : std::string();
    if (!bytes) continue;
    PemBlock out{std::string(type), std::move(*bytes)};
    rest.remove_prefix(line_at(rest, from).next);
    return out;
  }
}

}  // namespace portcullis::rego::builtins
