#include "engine/rego/builtins/go_float_format.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace portcullis::rego::builtins {
namespace {

struct Decimal {
  std::string digits;  // without trailing zeros; "0" for zero
  int point = 0;       // value = 0.digits × 10^point
};

std::string to_text(double value, std::chars_format format, int precision) {
  std::vector<char> buffer(static_cast<std::size_t>(std::max(precision, 0)) + 400);
  char* begin = buffer.data();
  char* end = begin + buffer.size();
  const auto result =
      precision < 0 ? std::to_chars(begin, end, value, format) : std::to_chars(begin, end, value, format, precision);
  return {begin, result.ptr};
}

Decimal decimal_of(double value, int significant) {
  const std::string text = to_text(value, std::chars_format::scientific, significant < 0 ? -1 : significant - 1);
  const std::size_t marker = text.find('e');
  Decimal out;
  for (const char c : text.substr(0, marker)) {
    if (c != '.') out.digits += c;
  }
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  int exponent = 0;
  const char* from = text.data() + marker + 1;
  if (*from == '+') ++from;
  std::from_chars(from, text.data() + text.size(), exponent);
  out.point = out.digits == "0" ? 0 : exponent + 1;
  return out;
}

void append_exponent(std::string& out, int exponent, char marker) {
  out += marker;
  out += exponent < 0 ? '-' : '+';
  const int size = std::abs(exponent);
  if (size < 10) out += '0';
  out += std::to_string(size);
}

std::string format_e(double value, char marker, int precision) {
  if (precision >= 0) {
    std::string text = to_text(value, std::chars_format::scientific, precision);
    if (marker == 'E') std::replace(text.begin(), text.end(), 'e', 'E');
    return text;
  }
  const Decimal decimal = decimal_of(value, -1);
  std::string out(1, decimal.digits.front());
  if (decimal.digits.size() > 1) out += "." + decimal.digits.substr(1);
  append_exponent(out, decimal.digits == "0" ? 0 : decimal.point - 1, marker);
  return out;
}

std::string format_g(double value, char marker, int precision) {
  const bool shortest = precision < 0;
  if (precision == 0) precision = 1;
  const Decimal decimal = decimal_of(value, shortest ? -1 : precision);
  const int count = static_cast<int>(decimal.digits.size());
  int limit = precision;
  if (limit > count && count >= decimal.point) limit = count;
  if (shortest) limit = 6;
  const int exponent = decimal.digits == "0" ? 0 : decimal.point - 1;
  if (exponent < -4 || exponent >= limit) {
    std::string out(1, decimal.digits.front());
    if (count > 1) out += "." + decimal.digits.substr(1);
    append_exponent(out, exponent, marker == 'G' ? 'E' : 'e');
    return out;
  }
  std::string out;
  if (decimal.point <= 0) {
    out = "0";
    if (decimal.digits != "0") out += "." + std::string(static_cast<std::size_t>(-decimal.point), '0') + decimal.digits;
    return out;
  }
  for (int i = 0; i < decimal.point; ++i) out += i < count ? decimal.digits[static_cast<std::size_t>(i)] : '0';
  if (count > decimal.point) out += "." + decimal.digits.substr(static_cast<std::size_t>(decimal.point));
  return out;
}

std::string format_b(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  if (value == 0) return "0p-1074";
  int shift = 53;
  if (exponent - 53 < -1074) shift = exponent + 1074;
  const auto whole = static_cast<std::uint64_t>(std::ldexp(mantissa, shift));
  const int power = exponent - shift;
  return std::to_string(whole) + "p" + (power < 0 ? "-" : "+") + std::to_string(std::abs(power));
}

std::string format_x(double value, bool upper, int precision) {
  int exponent = 0;
  std::uint64_t mantissa = 0;
  if (value != 0) {
    mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(value, &exponent), 53)) << 8;  // leading one at bit 60
    --exponent;
  }
  if (precision >= 0 && precision < 15) {
    const int shift = precision * 4;
    const std::uint64_t extra = (mantissa << shift) & ((std::uint64_t{1} << 60) - 1);
    mantissa >>= 60 - shift;
    if ((extra | (mantissa & 1)) > (std::uint64_t{1} << 59)) ++mantissa;
    mantissa <<= 60 - shift;
    if ((mantissa & (std::uint64_t{1} << 61)) != 0) {
      mantissa >>= 1;
      ++exponent;
    }
  }
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out = upper ? "0X" : "0x";
  out += static_cast<char>('0' + ((mantissa >> 60) & 1));
  mantissa <<= 4;
  if (precision < 0 && mantissa != 0) {
    out += '.';
    for (; mantissa != 0; mantissa <<= 4) out += digits[mantissa >> 60];
  } else if (precision > 0) {
    out += '.';
    for (int i = 0; i < precision; ++i, mantissa <<= 4) out += digits[mantissa >> 60];
  }
  append_exponent(out, exponent, upper ? 'P' : 'p');
  return out;
}

}  // namespace

std::string go_format_float(double value, char format, int precision) {
  const std::string sign = std::signbit(value) ? "-" : "";
  const double size = std::fabs(value);
  switch (format) {
    case 'e':
    case 'E': return sign + format_e(size, format, precision);
    case 'f': return sign + to_text(size, std::chars_format::fixed, precision);
    case 'b': return sign + format_b(size);
    case 'x':
    case 'X': return sign + format_x(size, format == 'X', precision);
    default: return sign + format_g(size, format, precision);
  }
}

}  // namespace portcullis::rego::builtins
