// The formats of JSON Schema that the library OPA uses knows.
#include <re2/re2.h>

#include <array>
#include <string>

#include "engine/rego/builtins/go_url.h"
#include "engine/rego/builtins/ip_net.h"
#include "engine/rego/builtins/json_schema.h"
#include "engine/rego/builtins/pattern_cache.h"

namespace portcullis::rego::builtins {
namespace {

bool full_match(std::string_view text, const re2::RE2& pattern) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

bool digits(std::string_view text, std::size_t at, std::size_t count, int most, int least = 0) {
  if (text.size() < at + count) return false;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  return value >= least && value <= most;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!digits(text, 0, 4, 9999) || !digits(text, 5, 2, 12, 1) || !digits(text, 8, 2, 31, 1)) return false;
  const int year = std::stoi(std::string(text.substr(0, 4)));
  const int month = std::stoi(std::string(text.substr(5, 2)));
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return digits(text, 8, 2, kDays[static_cast<std::size_t>(month) - 1] + (month == 2 && leap ? 1 : 0), 1);
}

// 15:04:05 with any fraction, and a zone where one is wanted or allowed.
bool is_time(std::string_view text, bool zone_wanted, bool zone_allowed) {
  const std::size_t hour = text.size() > 1 && text[1] == ':' ? 1 : 2;  // Go reads an hour of one digit, too
  if (text.size() < hour + 6 || text[hour] != ':' || text[hour + 3] != ':') return false;
  if (!digits(text, 0, hour, 23) || !digits(text, hour + 1, 2, 59) || !digits(text, hour + 4, 2, 59)) return false;
  std::string_view rest = text.substr(hour + 6);
  if (rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && rest[1] >= '0' && rest[1] <= '9') {
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  }
  if (rest.empty()) return !zone_wanted;
  if (!zone_allowed) return false;
  if (rest == "Z") return true;
  return rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' && digits(rest, 1, 2, 24) &&
         digits(rest, 4, 2, 60);
}

bool is_date_time(std::string_view text) {
  if (is_time(text, false, true) || is_date(text)) return true;
  return text.size() > 11 && text[10] == 'T' && is_date(text.substr(0, 10)) && is_time(text.substr(11), true, true);
}

bool is_hostname(std::string_view text) {
  static const re2::RE2 pattern(
      "([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])"
      "(\\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9]))*");
  return text.size() < 256 && full_match(text, pattern);
}

// One address, with or without a name before it.
bool is_email(std::string_view text) {
  static const re2::RE2 pattern(
      "\\s*(?:(?:\"(?:[^\"\\\\]|\\\\.)*\"|[^<>@\"(),:;]*)\\s*<"
      "((?:[^\\s<>@\"(),:;\\[\\]\\\\.]+(?:\\.[^\\s<>@\"(),:;\\[\\]\\\\.]+)*|\"(?:[^\"\\\\]|\\\\.)*\")"
      "@(?:[^\\s<>@\"(),:;\\[\\]\\\\.]+(?:\\.[^\\s<>@\"(),:;\\[\\]\\\\.]+)*|\\[[^\\]]*\\]))>|"
      "(?:[^\\s<>@\"(),:;\\[\\]\\\\.]+(?:\\.[^\\s<>@\"(),:;\\[\\]\\\\.]+)*|\"(?:[^\"\\\\]|\\\\.)*\")"
      "@(?:[^\\s<>@\"(),:;\\[\\]\\\\.]+(?:\\.[^\\s<>@\"(),:;\\[\\]\\\\.]+)*|\\[[^\\]]*\\]))\\s*");
  return full_match(text, pattern);
}

bool is_uri(std::string_view text, bool absolute) {
  Url url;
  std::string error;
  return text.find('\\') == std::string_view::npos && parse_url(text, url, error) && (!absolute || !url.scheme.empty());
}

bool is_uri_template(std::string_view text) {
  Url url;
  std::string error;
  if (text.find('\\') != std::string_view::npos || !parse_url(text, url, error)) return false;
  static const re2::RE2 pattern("([^{]*({[^}]*})?)*");
  return full_match(url.path, pattern);
}

bool is_regex(std::string_view text) {
  std::string error;
  return text.empty() || compile_regex(text, error) != nullptr;
}

bool is_uuid(std::string_view text) {
  static const re2::RE2 pattern("(?i)[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}");
  return full_match(text, pattern);
}

bool is_pointer(std::string_view text) {
  static const re2::RE2 pattern("(?:/(?:[^~/]|~0|~1)*)*");
  return full_match(text, pattern);
}

bool is_relative_pointer(std::string_view text) {
  static const re2::RE2 pattern("(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)");
  return full_match(text, pattern);
}

struct Format {
  std::string_view name;
  bool (*holds)(std::string_view);
};
constexpr Format kFormats[] = {
    {"date", is_date},
    {"time", [](std::string_view t) { return is_time(t, false, true); }},
    {"date-time", is_date_time},
    {"hostname", is_hostname},
    {"email", is_email},
    {"idn-email", is_email},
    {"ipv4", [](std::string_view t) { return t.find('.') != std::string_view::npos && parse_ip(t).has_value(); }},
    {"ipv6", [](std::string_view t) { return t.find(':') != std::string_view::npos && parse_ip(t).has_value(); }},
    {"uri", [](std::string_view t) { return is_uri(t, true); }},
    {"uri-reference", [](std::string_view t) { return is_uri(t, false); }},
    {"iri", [](std::string_view t) { return is_uri(t, true); }},
    {"iri-reference", [](std::string_view t) { return is_uri(t, false); }},
    {"uri-template", is_uri_template},
    {"uuid", is_uuid},
    {"regex", is_regex},
    {"json-pointer", is_pointer},
    {"relative-json-pointer", is_relative_pointer},
};

}  // namespace

bool has_format(std::string_view format, std::string_view text) {
  for (const Format& each : kFormats) {
    if (each.name == format) return each.holds(text);
  }
  return true;
}

}  // namespace portcullis::rego::builtins
