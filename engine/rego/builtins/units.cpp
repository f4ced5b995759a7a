// units.parse, units.parse_bytes.
#include <gmp.h>
#include <mpfr.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"
#include "engine/rego/builtins/big_int.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Amount {
  std::string number;
  std::string unit;
};

// Splits "1.5e3Ki" into number and unit. nullopt: the exponent has more than six digits.
std::optional<Amount> split_amount(const std::string& text) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const bool marker = c == 'e' || c == 'E';
    if (!is_digit(c) && c != '.' && !marker && c != '+' && c != '-') break;
    if (!marker) continue;
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (!is_digit(next) && next != '+' && next != '-') break;
    if (next == '+' || next == '-') ++at;
    std::size_t digits = at + 1;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    if (digits - at - 1 > 6) return std::nullopt;
  }
  return Amount{text.substr(0, at), text.substr(at)};
}

struct Decimal {
  std::string digits;  // with sign
  std::int64_t exponent = 0;
};

// [sign] digits [. digits] [e [sign] digits], at least one digit before the exponent.
std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
    if (text[at] == '-') out.digits = "-";
    ++at;
  }
  std::size_t count = 0;
  bool point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    out.digits += text[at];
    ++count;
    if (point) --out.exponent;
  }
  if (count == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    std::int64_t exponent = 0;
    const auto [end, status] = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (status != std::errc{}) return std::nullopt;
    at = static_cast<std::size_t>(end - text.data());
    out.exponent += exponent;
  }
  if (at != text.size()) return std::nullopt;
  return out;
}

// 1000^n or 1024^n by the letter that leads a unit; 0: not one of K M G T P E.
std::uint64_t scale_of(char letter, std::uint64_t base) {
  const std::string_view letters = "kmgtpe";
  const std::size_t power = letters.find(letter);
  if (power == std::string_view::npos) return 0;
  std::uint64_t out = 1;
  for (std::size_t i = 0; i <= power; ++i) out *= base;
  return out;
}

std::string without_quotes(std::string_view text) {
  std::string out(text);
  out.erase(std::remove(out.begin(), out.end(), '"'), out.end());
  return out;
}

class Rational {
 public:
  Rational() { mpq_init(value_); }
  ~Rational() { mpq_clear(value_); }
  Rational(const Rational&) = delete;
  Rational& operator=(const Rational&) = delete;
  mpq_ptr get() { return value_; }

 private:
  mpq_t value_;
};

// Ten digits after the point, halves away from zero, as Go's Rat.FloatString(10).
std::string ten_digits(mpq_srcptr value) {
  BigInt scaled;
  BigInt power;
  BigInt rest;
  mpz_ui_pow_ui(power.get(), 10, 10);
  mpz_mul(scaled.get(), mpq_numref(value), power.get());
  const bool negative = mpz_sgn(scaled.get()) < 0;
  mpz_abs(scaled.get(), scaled.get());
  mpz_tdiv_qr(scaled.get(), rest.get(), scaled.get(), mpq_denref(value));
  mpz_mul_2exp(rest.get(), rest.get(), 1);
  if (mpz_cmp(rest.get(), mpq_denref(value)) >= 0) mpz_add_ui(scaled.get(), scaled.get(), 1);
  std::string digits = scaled.text();
  if (digits.size() < 11) digits.insert(0, 11 - digits.size(), '0');
  digits.insert(digits.size() - 10, ".");
  return (negative ? "-" : "") + digits;
}

Value parse(BuiltinContext& c, Args a) {
  const auto raw = string_operand(c, a, 0);
  if (!raw) return {};
  const std::string text = without_quotes(*raw);
  if (text.find(' ') != std::string::npos) return c.fail("units.parse: spaces not allowed in resource strings");
  auto amount = split_amount(text);
  if (!amount) return c.fail("units.parse: exponent too large");
  if (amount->number.empty()) return c.fail("units.parse: no amount provided");
  // Only the first letter tells m (milli) from M (mega).
  std::string unit = amount->unit;
  if (unit.size() > 1) unit = unit.substr(0, 1) + text::to_lower_ascii(unit.substr(1));
  Rational scale;
  mpq_set_ui(scale.get(), 1, 1);
  if (unit == "m") {
    mpq_set_d(scale.get(), 0.001);
  } else if (!unit.empty()) {
    const char letter = text::to_lower_ascii(unit.substr(0, 1)).front();
    const bool binary = unit.size() == 2 && unit[1] == 'i';
    const std::uint64_t factor = unit.size() == 1 || binary ? scale_of(letter, binary ? 1024 : 1000) : 0;
    if (factor == 0) return c.fail("units.parse: unit " + unit + " not recognized");
    mpq_set_ui(scale.get(), factor, 1);
  }
  const auto decimal = parse_decimal(amount->number);
  if (!decimal) return c.fail("units.parse: could not parse amount to a number");
  const std::int64_t size = decimal->exponent < 0 ? -decimal->exponent : decimal->exponent;
  if (size > static_cast<std::int64_t>(kMaxBigDigits)) return c.fail("units.parse: exponent too large");
  Rational number;
  mpz_set(mpq_numref(number.get()), BigInt(decimal->digits).get());
  BigInt power;
  mpz_ui_pow_ui(power.get(), 10, static_cast<unsigned long>(size));
  if (decimal->exponent < 0) {
    mpz_set(mpq_denref(number.get()), power.get());
    mpq_canonicalize(number.get());
  } else {
    mpz_mul(mpq_numref(number.get()), mpq_numref(number.get()), power.get());
  }
  mpq_mul(number.get(), number.get(), scale.get());
  if (mpz_cmp_ui(mpq_denref(number.get()), 1) == 0) {
    BigInt whole;
    mpz_set(whole.get(), mpq_numref(number.get()));
    return whole.to_value(c.arena);
  }
  return make_number(c.arena, ten_digits(number.get()));
}

Value parse_bytes(BuiltinContext& c, Args a) {
  const auto raw = string_operand(c, a, 0);
  if (!raw) return {};
  const std::string text = text::to_lower_ascii(without_quotes(*raw));
  if (text.find(' ') != std::string::npos) return c.fail("units.parse_bytes: spaces not allowed in resource strings");
  const auto amount = split_amount(text);
  if (!amount) return c.fail("units.parse_bytes: exponent too large");
  if (amount->number.empty()) return c.fail("units.parse_bytes: no byte amount provided");
  std::string unit = amount->unit;
  std::uint64_t factor = 1;
  if (!unit.empty()) {
    if (unit.size() > 1 && unit.back() == 'b') unit.pop_back();
    const bool binary = unit.size() == 2 && unit[1] == 'i';
    factor = unit.size() == 1 || binary ? scale_of(unit.front(), binary ? 1024 : 1000) : 0;
    if (factor == 0) return c.fail("units.parse_bytes: byte unit " + amount->unit + " not recognized");
  }
  const auto decimal = parse_decimal(amount->number);
  if (!decimal) return c.fail("units.parse_bytes: could not parse byte amount to a number");
  if (decimal->exponent > static_cast<std::int64_t>(kMaxBigDigits)) {
    return c.fail("units.parse_bytes: exponent too large");
  }
  mpfr_t number;
  mpfr_init2(number, 64);
  mpfr_set_str(number, amount->number.c_str(), 10, MPFR_RNDN);
  mpfr_mul_ui(number, number, factor, MPFR_RNDN);
  BigInt whole;
  mpfr_get_z(whole.get(), number, MPFR_RNDZ);
  mpfr_clear(number);
  return whole.to_value(c.arena);
}

constexpr BuiltinDecl kTable[] = {
    {"units.parse", {"string"}, "number", &parse},
    {"units.parse_bytes", {"string"}, "number", &parse_bytes},
};

}  // namespace

std::span<const BuiltinDecl> unit_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
