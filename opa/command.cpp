#include "opa/command.h"

#include <charconv>
#include <optional>
#include <system_error>
#include <vector>

#include "base/go_duration.h"
#include "base/text.h"

namespace portcullis::opa {

int wrong_usage(const Io& io, std::string_view problem, std::string_view help) {
  *io.err += "Error: ";
  *io.err += problem;
  *io.err += "\n";
  *io.err += help.substr(help.find("Usage:"));
  *io.err += "\n";
  return 1;
}

void add_format(Flags& flags, std::initializer_list<std::string_view> names, std::string* format) {
  *format = *names.begin();
  const std::vector<std::string_view> known(names);
  flags.add("format", 'f', [known, format](std::string_view text) {
    std::string all;
    for (const std::string_view name : known) {
      if (text == name) {
        *format = text;
        return std::string();
      }
      all += all.empty() ? "" : ",";
      all += name;
    }
    return "must be one of {" + all + "}";
  });
}

std::string set_count(std::string_view text, std::uint32_t* out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (status == std::errc{} && end == text.data() + text.size()) return {};
  return "strconv.ParseInt: parsing " + text::go_quote(text) + ": invalid syntax";
}

std::string set_duration(std::string_view text, std::chrono::nanoseconds* out) {
  std::string problem;
  const std::optional<std::chrono::nanoseconds> parsed = parse_go_duration(text, &problem);
  if (parsed) *out = *parsed;
  return problem;
}

void VersionFlags::add_to(Flags& flags) {
  flags.add_switch("v0-compatible", 0, &v0);
  flags.add_switch("v1-compatible", 0, &v1);
}

rego::RegoVersion VersionFlags::version() const {
  if (both) return rego::RegoVersion::kV0CompatV1;
  return v0 ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
}

std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool quoted = false;
  const auto line = [&] {
    out += '\n';
    out.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') {
      out += c;
      if (i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']')) {
        out += json[++i];
        continue;
      }
      ++depth;
      line();
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out += c;
    } else if (c == ',') {
      out += c;
      line();
    } else if (c == ':') {
      out += ": ";
    } else {
      out += c;
    }
  }
  return out;
}

std::string with_members(std::string document, std::string_view members) {
  if (members.empty()) return document;
  const std::string more = indented("{" + std::string(members.substr(1)) + "}");
  constexpr std::string_view kEmpty = "{}\n";
  constexpr std::string_view kEnd = "\n}\n";
  if (document == kEmpty) return more + "\n";
  document.resize(document.size() - kEnd.size());
  return document + "," + more.substr(1) + "\n";
}

}  // namespace portcullis::opa
