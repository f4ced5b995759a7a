#include "policy/model/names.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::policy {
namespace {

constexpr std::size_t kMaxSubdomain = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) noexcept { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) noexcept { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

// [a-z0-9]([-a-z0-9]*[a-z0-9])?
bool is_dns1123_label(std::string_view text) noexcept {
  return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
}

// ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool is_label_name(std::string_view text) noexcept {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string too_long(std::size_t limit) { return "must be no more than " + std::to_string(limit) + " bytes"; }

constexpr std::string_view kLabelName =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

}  // namespace

std::vector<std::string> check_dns1123_subdomain(std::string_view name) {
  std::vector<std::string> out;
  if (name.size() > kMaxSubdomain) out.push_back(too_long(kMaxSubdomain));
  const std::vector<std::string_view> labels = text::split(name, '.');
  if (!std::all_of(labels.begin(), labels.end(), is_dns1123_label)) {
    out.emplace_back(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
  }
  return out;
}

std::vector<std::string> check_dns1035_label(std::string_view name) {
  std::vector<std::string> out;
  if (name.size() > kMaxLabel) out.push_back(too_long(kMaxLabel));
  if (!is_dns1123_label(name) || !is_lower(name.front())) {
    out.emplace_back(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
        "is '[a-z]([-a-z0-9]*[a-z0-9])?')");
  }
  return out;
}

std::vector<std::string> check_label_key(std::string_view key) {
  std::vector<std::string> out;
  const std::vector<std::string_view> parts = text::split(key, '/');
  if (parts.size() > 2) {
    out.push_back("a valid label key " + std::string(kLabelName) +
                  " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
    return out;
  }
  const std::string_view name = parts.back();
  if (parts.size() == 2) {
    if (parts.front().empty()) {
      out.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& message : check_dns1123_subdomain(parts.front())) {
        out.push_back("prefix part " + message);
      }
    }
  }
  if (name.empty()) {
    out.emplace_back("name part must be non-empty");
  } else if (name.size() > kMaxLabel) {
    out.push_back("name part " + too_long(kMaxLabel));
  }
  if (!is_label_name(name)) out.push_back("name part " + std::string(kLabelName));
  return out;
}

std::vector<std::string> check_label_value(std::string_view value) {
  std::vector<std::string> out;
  if (value.size() > kMaxLabel) out.push_back(too_long(kMaxLabel));
  if (!value.empty() && !is_label_name(value)) {
    out.emplace_back(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
        "validation "
        "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
  }
  return out;
}

}  // namespace portcullis::policy
