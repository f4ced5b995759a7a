#include "policy/schema/schema_format.h"

#include <arpa/inet.h>

#include <cctype>
#include <cstdlib>
#include <string>

namespace portcullis::policy {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_ip(int family, std::string_view text) noexcept {
  unsigned char bytes[sizeof(in6_addr)];
  char buffer[64];
  if (text.size() >= sizeof buffer) return false;
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  return inet_pton(family, buffer, bytes) == 1;
}

bool is_cidr(std::string_view text) noexcept {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view address = text.substr(0, slash);
  const std::string_view bits = text.substr(slash + 1);
  if (bits.empty() || bits.size() > 3) return false;
  int prefix = 0;
  for (const char c : bits) {
    if (!is_digit(c)) return false;
    prefix = prefix * 10 + (c - '0');
  }
  return (is_ip(AF_INET, address) && prefix <= 32) || (is_ip(AF_INET6, address) && prefix <= 128);
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

bool is_date(std::string_view text) noexcept {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!is_digit(text[i])) return false;
  }
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  const int day = (text[8] - '0') * 10 + (text[9] - '0');
  if (month < 1 || month > 12 || day < 1) return false;
  static constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = std::atoi(std::string(text.substr(0, 4)).c_str());
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] - (month == 2 && !leap ? 1 : 0);
}

bool is_date_time(std::string_view text) noexcept {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || (text[10] != 'T' && text[10] != 't')) return false;
  const std::string_view clock = text.substr(11, 8);
  if (clock[2] != ':' || clock[5] != ':') return false;
  for (const std::size_t i : {0, 1, 3, 4, 6, 7}) {
    if (!is_digit(clock[i])) return false;
  }
  std::size_t at = 19;
  if (text[at] == '.') {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  const std::string_view zone = text.substr(at);
  if (zone == "Z" || zone == "z") return true;
  return zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
}

}  // namespace

bool matches_format(std::string_view format, std::string_view text) noexcept {
  if (format == "ipv4") return is_ip(AF_INET, text);
  if (format == "ipv6") return is_ip(AF_INET6, text);
  if (format == "cidr") return is_cidr(text);
  if (format == "uuid") return is_uuid(text);
  if (format == "date") return is_date(text);
  if (format == "date-time" || format == "datetime") return is_date_time(text);
  return true;
}

}  // namespace portcullis::policy
