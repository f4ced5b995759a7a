#include "engine/rego/builtins/der.h"

#include <gmp.h>

namespace portcullis::rego::builtins {

std::optional<DerItem> DerReader::next() {
  if (bytes_.empty()) return std::nullopt;
  ok_ = false;
  if (bytes_.size() < 2) return std::nullopt;
  DerItem out;
  out.tag = static_cast<std::uint8_t>(bytes_[0]);
  if ((out.tag & 0x1fu) == 0x1fu) return std::nullopt;  // no tag above 30 occurs in certificates
  std::size_t header = 2;
  std::size_t length = static_cast<std::uint8_t>(bytes_[1]);
  if (length >= 0x80) {
    const std::size_t count = length & 0x7fu;
    if (count == 0 || count > 4 || bytes_.size() < 2 + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | static_cast<std::uint8_t>(bytes_[2 + i]);
    header += count;
    // The shortest form is the only one.
    if (length < 0x80 || (count > 1 && length >> (8 * (count - 1)) == 0)) return std::nullopt;
  }
  if (bytes_.size() - header < length) return std::nullopt;
  out.whole = bytes_.substr(0, header + length);
  out.content = out.whole.substr(header);
  bytes_.remove_prefix(header + length);
  ok_ = true;
  return out;
}

std::optional<DerItem> DerReader::next_if(std::uint8_t tag) {
  if (bytes_.empty() || static_cast<std::uint8_t>(bytes_[0]) != tag) return std::nullopt;
  return next();
}

std::optional<DerItem> DerReader::expect(std::uint8_t tag) {
  auto out = next_if(tag);
  if (!out) ok_ = false;
  return out;
}

std::string der_oid(std::string_view content) {
  std::string out;
  std::uint64_t value = 0;
  bool open = false;
  for (const char c : content) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (value >> 56 != 0) return {};
    value = value << 7 | (byte & 0x7fu);
    open = (byte & 0x80u) != 0;
    if (open) continue;
    if (out.empty()) {
      const std::uint64_t first = value < 80 ? value / 40 : 2;
      out = std::to_string(first) + "." + std::to_string(value - 40 * first);
    } else {
      out += "." + std::to_string(value);
    }
    value = 0;
  }
  return open ? std::string() : out;
}

namespace {
std::string decimal(std::string_view bytes, bool negative) {
  mpz_t number;
  mpz_init(number);
  mpz_import(number, bytes.size(), 1, 1, 1, 0, bytes.data());
  if (negative) {
    mpz_t bias;
    mpz_init_set_ui(bias, 1);
    mpz_mul_2exp(bias, bias, bytes.size() * 8);
    mpz_sub(number, number, bias);
    mpz_clear(bias);
  }
  std::string out(mpz_sizeinbase(number, 10) + 2, '\0');
  mpz_get_str(out.data(), 10, number);
  out.resize(out.find('\0'));
  mpz_clear(number);
  return out;
}
}  // namespace

std::string der_integer(std::string_view content) {
  return decimal(content, !content.empty() && (static_cast<std::uint8_t>(content[0]) & 0x80u) != 0);
}

std::string unsigned_decimal(std::string_view big_endian) { return decimal(big_endian, false); }

std::optional<std::string_view> der_bits(std::string_view content) {
  if (content.empty() || static_cast<std::uint8_t>(content[0]) > 7) return std::nullopt;
  return content.substr(1);
}

}  // namespace portcullis::rego::builtins
