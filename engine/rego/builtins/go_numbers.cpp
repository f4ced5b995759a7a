#include "engine/rego/builtins/go_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/text.h"

namespace portcullis::rego::builtins {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// The pieces of a float literal, underscores removed.
struct Literal {
  bool negative = false;
  bool hex = false;
  std::string whole;
  std::string fraction;
  bool has_exponent = false;
  std::int64_t exponent = 0;  // clamped far outside of any range
};

std::int64_t clamped_exponent(std::string_view digits, bool negative) {
  std::int64_t value = 0;
  for (const char c : digits) value = std::min<std::int64_t>(value * 10 + (c - '0'), 1000000000);
  return negative ? -value : value;
}

// Digits with single underscores between them; appends the digits. False: an underscore is out of place.
bool take_digits(std::string_view text, std::size_t& at, bool hex, std::string& out) {
  bool after_digit = false;
  while (at < text.size()) {
    const char c = text[at];
    if (hex ? is_hex(c) : is_digit(c)) {
      out += c;
      after_digit = true;
    } else if (c == '_') {
      const bool before_digit = at + 1 < text.size() && (hex ? is_hex(text[at + 1]) : is_digit(text[at + 1]));
      if (!after_digit || !before_digit) return false;
      after_digit = false;
    } else {
      break;
    }
    ++at;
  }
  return true;
}

std::optional<Literal> parse_literal(std::string_view text) {
  Literal out;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) out.negative = text[at++] == '-';
  if (at + 1 < text.size() && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
    out.hex = true;
    at += 2;
    if (at < text.size() && text[at] == '_') ++at;
  }
  if (!take_digits(text, at, out.hex, out.whole)) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!take_digits(text, at, out.hex, out.fraction)) return std::nullopt;
  }
  if (out.whole.empty() && out.fraction.empty()) return std::nullopt;
  const char marker = out.hex ? 'p' : 'e';
  if (at < text.size() && (text[at] | 0x20) == marker) {
    ++at;
    bool negative = false;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
    std::string digits;
    if (!take_digits(text, at, false, digits) || digits.empty()) return std::nullopt;
    out.has_exponent = true;
    out.exponent = clamped_exponent(digits, negative);
  }
  if (at != text.size() || (out.hex && !out.has_exponent)) return std::nullopt;
  return out;
}

double literal_value(const Literal& literal) {
  if (literal.hex) {
    const std::string digits = literal.whole + literal.fraction;
    double mantissa = 0;
    for (const char c : digits) {
      const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
      mantissa = mantissa * 16 + digit;
    }
    const std::int64_t exponent = literal.exponent - 4 * static_cast<std::int64_t>(literal.fraction.size());
    const double value = std::ldexp(mantissa, static_cast<int>(std::clamp<std::int64_t>(exponent, -100000, 100000)));
    return literal.negative ? -value : value;
  }
  const std::string text = (literal.whole.empty() ? "0" : literal.whole) + "." +
                           (literal.fraction.empty() ? "0" : literal.fraction) + "e" + std::to_string(literal.exponent);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    const std::size_t first = text.find_first_not_of("0.");
    const auto point = static_cast<std::int64_t>(text.find('.'));
    const std::int64_t magnitude =
        first == std::string::npos ? -1 : point - static_cast<std::int64_t>(first) + literal.exponent;
    value = magnitude > 0 ? HUGE_VAL : 0.0;
  }
  return literal.negative ? -value : value;
}

}  // namespace

GoFloat check_go_float(std::string_view text) {
  std::string_view bare = text;
  while (!bare.empty() && (bare.front() == '+' || bare.front() == '-')) bare.remove_prefix(1);
  const std::string lower = text::to_lower_ascii(bare);
  if (lower == "inf" || lower == "infinity" || lower == "nan") return GoFloat::kSpecial;
  const auto literal = parse_literal(text);
  if (!literal) return GoFloat::kSyntax;
  return std::isinf(literal_value(*literal)) ? GoFloat::kRange : GoFloat::kValid;
}

std::string as_json_number(std::string_view text) {
  const auto literal = parse_literal(text);
  if (!literal) return "0";
  if (literal->hex) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, literal_value(*literal));
    return std::string(buffer, end.ptr);
  }
  std::string out = literal->negative ? "-" : "";
  const std::size_t first = literal->whole.find_first_not_of('0');
  out += first == std::string::npos ? "0" : literal->whole.substr(first);
  if (!literal->fraction.empty()) out += "." + literal->fraction;
  if (literal->has_exponent) {
    const std::size_t marker = text.find_first_of("eE");
    out += text.substr(marker, 1);
    for (const char c : text.substr(marker + 1)) {
      if (c != '_') out += c;
    }
  }
  return out;
}

double go_float_value(std::string_view text) {
  const auto literal = parse_literal(text);
  return literal ? literal_value(*literal) : 0.0;
}

std::string go_quoted(std::string_view text) { return text::go_quote(text); }

}  // namespace portcullis::rego::builtins
