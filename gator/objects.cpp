#include "gator/objects.h"

#include <utility>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/yaml.h"
#include "gator/files.h"
#include "gator/json_numbers.h"
#include "policy/model/object.h"

namespace portcullis::gator {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Without blank lines and comment lines.
std::string clean(std::string_view text) {
  std::string out;
  for (const std::string_view line : text::split(text, '\n')) {
    std::size_t at = 0;
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size() || line[at] == '#') continue;
    out += line;
    out += '\n';
  }
  return out;
}

std::vector<std::string_view> split_documents(std::string_view text) {
  constexpr std::string_view kMark = "\n---";
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(kMark);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + kMark.size());
  }
}

}  // namespace

Result<Document> parse_object(std::string_view text, std::string_view source) {
  ParseLimits limits;
  limits.source = source;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  PC_TRY(Document document, parse_yaml(text, YamlSchema::kYaml12, limits));
  const Value root = document.root();
  if (policy::kind_of(root).kind.empty()) {
    Arena arena;
    JsonStyle style;
    style.escape_html = true;
    const std::string shown = root.is_object() ? to_json(as_json_floats(arena, root), style) : "{}";
    return invalid("Object 'Kind' is missing in '" + shown + "'");
  }
  return document;
}

Result<std::vector<Document>> read_objects(const std::string& path, std::string_view shown) {
  PC_TRY(const std::string text, read_file(path, shown));
  std::vector<Document> out;
  for (const std::string_view part : split_documents(text)) {
    const std::string cleaned = clean(part);
    if (cleaned.empty()) continue;
    Result<Document> object = parse_object(cleaned, shown);
    if (!object.ok()) {
      return invalid("reading " + text::go_quote(shown) + ": invalid yaml: " + object.error().message);
    }
    out.push_back(std::move(*object));
  }
  if (out.empty()) return invalid("missing objects: path " + text::go_quote(shown) + " defines no YAML objects");
  return out;
}

}  // namespace portcullis::gator
