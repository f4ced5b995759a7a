// semver.compare, semver.is_valid.
#include <algorithm>
#include <charconv>
#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

struct Version {
  std::int64_t number[3] = {0, 0, 0};
  std::string_view pre_release;
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Dot-separated, non-empty identifiers of letters, digits and hyphens.
bool identifiers(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) {
    if (c == '.') {
      if (length == 0) return false;
      length = 0;
      continue;
    }
    const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    if (!fine) return false;
    ++length;
  }
  return length > 0;
}

std::string_view next_identifier(std::string_view& text) {
  const std::size_t dot = text.find('.');
  const std::string_view out = text.substr(0, dot);
  text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  return out;
}

bool without_leading_zeros(std::string_view pre_release) {
  while (!pre_release.empty()) {
    const std::string_view id = next_identifier(pre_release);
    if (id.size() > 1 && id.front() == '0' && all_digits(id)) return false;
  }
  return true;
}

std::optional<Version> parse(std::string_view text) {
  Version out;
  if (text.starts_with('v')) text.remove_prefix(1);
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!identifiers(text.substr(plus + 1))) return std::nullopt;
    text = text.substr(0, plus);
  }
  const std::size_t hyphen = text.find('-');
  if (hyphen != std::string_view::npos) {
    out.pre_release = text.substr(hyphen + 1);
    if (!identifiers(out.pre_release) || !without_leading_zeros(out.pre_release)) return std::nullopt;
    text = text.substr(0, hyphen);
  }
  if (std::count(text.begin(), text.end(), '.') != 2) return std::nullopt;
  for (std::int64_t& number : out.number) {
    const std::string_view part = next_identifier(text);
    if (!all_digits(part) || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    const auto [end, status] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (status != std::errc{}) return std::nullopt;
  }
  return out;
}

// Digits without leading zeros: the longer is the larger.
int compare_digits(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_pre_release(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  if (a.empty()) return 1;
  if (b.empty()) return -1;
  while (!a.empty() && !b.empty()) {
    const std::string_view x = next_identifier(a);
    const std::string_view y = next_identifier(b);
    const bool x_number = all_digits(x);
    if (x_number != all_digits(y)) return x_number ? -1 : 1;
    const int order = x_number ? compare_digits(x, y) : x.compare(y);
    if (order != 0) return order < 0 ? -1 : 1;
  }
  return a.empty() ? -1 : 1;
}

Value compare_versions(BuiltinContext& c, Args a) {
  Version version[2];
  for (std::size_t i = 0; i < 2; ++i) {
    if (!string_operand(c, a, i)) return {};
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const auto parsed = parse(a[i].as_string());
    if (!parsed) {
      return c.fail("operand " + std::to_string(i + 1) + ": string \"" + std::string(a[i].as_string()) +
                    "\" is not a valid SemVer");
    }
    version[i] = *parsed;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (version[0].number[i] != version[1].number[i]) {
      return Value::integer(version[0].number[i] < version[1].number[i] ? -1 : 1);
    }
  }
  return Value::integer(compare_pre_release(version[0].pre_release, version[1].pre_release));
}

Value is_valid(BuiltinContext&, Args a) { return Value::boolean(a[0].is_string() && parse(a[0].as_string())); }

constexpr BuiltinDecl kTable[] = {
    {"semver.compare", {"string", "string"}, "number", &compare_versions},
    {"semver.is_valid", {"any"}, "boolean", &is_valid},
};

}  // namespace

std::span<const BuiltinDecl> semver_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
