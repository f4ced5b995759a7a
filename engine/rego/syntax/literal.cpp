#include "engine/rego/syntax/literal.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "base/text.h"

namespace portcullis::rego {
namespace {

constexpr double kMaxBinaryExponent = 100000;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_decimal(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of \uXXXX at `at` (of the first X); -1 when it is no hex.
int code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

char simple_escape(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '"':
    case '\\':
    case '/': return c;
    default: return '\0';
  }
}

}  // namespace

NumberCheck check_number(std::string_view literal) {
  std::size_t i = !literal.empty() && literal[0] == '-' ? 1 : 0;
  std::string leading;  // first significant digits
  long long point = 0;  // value = 0.LEADING × 10^(point + exponent)
  bool dot = false;
  bool digits = false;
  for (; i < literal.size(); ++i) {
    const char c = literal[i];
    if (c == '.') {
      if (dot) return NumberCheck::kInvalid;
      dot = true;
      continue;
    }
    if (!is_decimal(c)) break;
    digits = true;
    if (leading.empty() && c == '0') {
      if (dot) --point;
      continue;
    }
    if (leading.size() < 18) leading += c;
    if (!dot) ++point;
  }
  if (!digits) return NumberCheck::kInvalid;
  double exponent = 0;
  if (i < literal.size()) {
    const std::string text{literal.substr(i + 1)};
    char* end = nullptr;
    errno = 0;
    exponent = static_cast<double>(std::strtoll(text.c_str(), &end, 10));
    if (errno == ERANGE) return NumberCheck::kInvalid;  // as OPA: it doesn't even read such an exponent
    if ((literal[i] != 'e' && literal[i] != 'E') || text.empty() || *end != '\0') return NumberCheck::kInvalid;
  }
  if (leading.empty()) return NumberCheck::kOk;
  const double mantissa = std::strtod(("0." + leading).c_str(), nullptr);
  const double log2 = std::log2(mantissa) + (static_cast<double>(point) + exponent) * std::log2(10.0);
  // A value in [2^(e-1), 2^e) has binary exponent e.
  const double binary = std::floor(log2) + 1;
  return binary > kMaxBinaryExponent || binary < -kMaxBinaryExponent ? NumberCheck::kTooBig : NumberCheck::kOk;
}

bool decode_string(std::string_view inner, std::string& out) {
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const char c = inner[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == '"') return false;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (++i >= inner.size()) return false;
    if (inner[i] != 'u') {
      const char decoded = simple_escape(inner[i]);
      if (decoded == '\0') return false;
      out += decoded;
      continue;
    }
    int unit = code_unit(inner, i + 1);
    if (unit < 0) return false;
    i += 4;
    if (unit >= 0xD800 && unit < 0xDC00 && i + 2 < inner.size() && inner[i + 1] == '\\' && inner[i + 2] == 'u') {
      const int low = code_unit(inner, i + 3);
      if (low >= 0xDC00 && low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
    }
    text::append_rune(out, unit >= 0xD800 && unit < 0xE000 ? char32_t{0xFFFD} : static_cast<char32_t>(unit));
  }
  return true;
}

}  // namespace portcullis::rego
