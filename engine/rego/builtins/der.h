// Reading DER, as far as certificates need it.
// Threads: any. Ownership: all slices point into the bytes given. Cost: O(1) a call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

struct DerItem {
  std::uint8_t tag = 0;
  std::string_view content;
  std::string_view whole;  // with tag and length
};

// Tags used here.
inline constexpr std::uint8_t kDerBoolean = 0x01;
inline constexpr std::uint8_t kDerInteger = 0x02;
inline constexpr std::uint8_t kDerBitString = 0x03;
inline constexpr std::uint8_t kDerOctetString = 0x04;
inline constexpr std::uint8_t kDerOid = 0x06;
inline constexpr std::uint8_t kDerSequence = 0x30;
inline constexpr std::uint8_t kDerSet = 0x31;
constexpr std::uint8_t der_context(std::uint8_t number, bool constructed) {
  return static_cast<std::uint8_t>(0x80u | (constructed ? 0x20u : 0u) | number);
}

class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const noexcept { return bytes_.empty(); }
  // The next item; nullopt when there is none or it is malformed (ok() tells which).
  std::optional<DerItem> next();
  // The next item when it has this tag, else nullopt; expect() counts its absence as malformed.
  std::optional<DerItem> next_if(std::uint8_t tag);
  std::optional<DerItem> expect(std::uint8_t tag);
  bool ok() const noexcept { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// "1.2.840", empty when malformed.
std::string der_oid(std::string_view content);
// An INTEGER's or unsigned number's decimal digits.
std::string der_integer(std::string_view content);
std::string unsigned_decimal(std::string_view big_endian);
// The bytes of a BIT STRING without unused bits' count; nullopt when malformed.
std::optional<std::string_view> der_bits(std::string_view content);

}  // namespace portcullis::rego::builtins
