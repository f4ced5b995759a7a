// IP addresses and CIDR blocks as Go's net package reads and prints them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

// Always 16 bytes; IPv4 is held as ::ffff:a.b.c.d.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool written_as_v4 = false;

  bool is_v4() const noexcept;  // also a mapped address that was written as IPv6
  std::string text() const;
  auto operator<=>(const IpAddress& other) const noexcept { return bytes <=> other.bytes; }
  bool operator==(const IpAddress& other) const noexcept { return bytes == other.bytes; }
};

std::optional<IpAddress> parse_ip(std::string_view text);

struct IpNet {
  IpAddress address;  // masked, unless it came from a bare address
  int ones = 0;       // of `bits`
  int bits = 32;      // 32 or 128

  bool contains(const IpAddress& ip) const noexcept;
  IpAddress first() const noexcept;
  IpAddress last() const noexcept;
  std::string text() const;
};

std::optional<IpNet> parse_cidr(std::string_view text);

}  // namespace portcullis::rego::builtins
