#include "engine/rego/builtins/ip_net.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace portcullis::rego::builtins {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Four decimal parts of at most three digits, none with a leading zero.
bool parse_v4(std::string_view text, std::uint8_t* out) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const std::string_view digits = text.substr(0, dot);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return false;
    int value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    if (value > 255) return false;
    out[part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return true;
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  std::vector<std::uint8_t> head;
  std::vector<std::uint8_t> tail;
  bool compressed = false;
  if (text.starts_with("::")) {
    compressed = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::vector<std::uint8_t>& to = compressed ? tail : head;
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      std::uint8_t v4[4];
      if (!parse_v4(group, v4)) return false;
      to.insert(to.end(), v4, v4 + 4);
      text = {};
      break;
    }
    std::uint32_t value = 0;
    const auto [end, status] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (group.empty() || group.size() > 4 || status != std::errc{} || end != group.data() + group.size()) return false;
    to.push_back(static_cast<std::uint8_t>(value >> 8));
    to.push_back(static_cast<std::uint8_t>(value & 255u));
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.starts_with(':')) {
      if (compressed) return false;
      compressed = true;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  const std::size_t total = head.size() + tail.size();
  if (compressed ? total > 14 : total != 16) return false;
  out.fill(0);
  std::copy(head.begin(), head.end(), out.begin());
  std::copy(tail.begin(), tail.end(), out.end() - static_cast<std::ptrdiff_t>(tail.size()));
  return true;
}

// Sets (or clears) everything after the first `ones` bits of the whole 128.
void fill_host(IpAddress& ip, int ones, bool set) {
  for (int bit = ones; bit < 128; ++bit) {
    std::uint8_t& byte = ip.bytes[static_cast<std::size_t>(bit / 8)];
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    byte = set ? static_cast<std::uint8_t>(byte | mask) : static_cast<std::uint8_t>(byte & ~mask);
  }
}

}  // namespace

bool IpAddress::is_v4() const noexcept { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin()); }

std::string IpAddress::text() const {
  std::string out;
  if (is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) out += (i == 12 ? "" : ".") + std::to_string(bytes[i]);
    return out;
  }
  std::array<std::uint32_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<std::uint32_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t best = 8;
  std::size_t best_size = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_size) {
      best = i;
      best_size = end - i;
    }
    i = end == i ? i + 1 : end;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    char buffer[8];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, groups[i], 16);
    out.append(buffer, end.ptr);
  }
  return out;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress out;
  const std::size_t mark = text.find_first_of(".:");
  if (mark == std::string_view::npos) return std::nullopt;
  if (text[mark] == '.') {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
    out.written_as_v4 = true;
    return parse_v4(text, out.bytes.data() + 12) ? std::optional(out) : std::nullopt;
  }
  return parse_v6(text, out.bytes) ? std::optional(out) : std::nullopt;
}

bool IpNet::contains(const IpAddress& ip) const noexcept {
  if (address.is_v4() != ip.is_v4()) return false;
  // Of a mapped block only the last four bytes of the mask count.
  const int whole = address.is_v4() ? (bits == 32 ? ones + 96 : std::max(ones, 96)) : ones;
  for (int bit = 0; bit < whole; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    if (((address.bytes[at] ^ ip.bytes[at]) & mask) != 0) return false;
  }
  return true;
}

IpAddress IpNet::first() const noexcept {
  IpAddress out = address;
  fill_host(out, bits == 32 ? ones + 96 : ones, false);
  return out;
}

IpAddress IpNet::last() const noexcept {
  IpAddress out = address;
  fill_host(out, bits == 32 ? ones + 96 : ones, true);
  return out;
}

std::string IpNet::text() const { return address.text() + "/" + std::to_string(ones); }

std::optional<IpNet> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNet out;
  out.bits = address->written_as_v4 ? 32 : 128;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 8) return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    out.ones = out.ones * 10 + (c - '0');
  }
  if (out.ones > out.bits) return std::nullopt;
  out.address = *address;
  out.address = out.first();
  return out;
}

}  // namespace portcullis::rego::builtins
