// Literals, comparison and arithmetic of numbers. Comparison works on decimal digits and never rounds; arithmetic on
// fractions goes through binary floats of 64 bits because OPA's results show their rounding.
#include "engine/value/number.h"

#include <gmp.h>
#include <mpfr.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

namespace portcullis {

namespace {

// Past this many bits an integer is not computed any more: no policy needs it and each step costs its square.
constexpr std::size_t kMaxBits = std::size_t{1} << 22;
constexpr long kMaxFloatExponent = 1L << 20;
// OPA refuses literals beyond 2^100000 either way.
constexpr std::int64_t kMaxExponent = 100000;
constexpr mpfr_prec_t kPrecision = 64;

// A literal taken apart: (-1)^negative * 0.DIGITS * 10^point, where DIGITS are `count` digits from `first` on (a '.'
// and '_' between them are skipped), the first and the last not '0'. Zero has count 0.
struct Decimal {
  const char* first = nullptr;
  std::int64_t count = 0;
  std::int64_t point = 0;
  bool negative = false;
  std::int64_t exponent = 0;  // as written after 'e'
};

class Digits {
 public:
  explicit Digits(const Decimal& decimal) noexcept : at_(decimal.first), left_(decimal.count) {}
  // '0' past the last digit.
  char next() noexcept {
    if (left_ == 0) return '0';
    --left_;
    while (*at_ == '.' || *at_ == '_') ++at_;
    return *at_++;
  }

 private:
  const char* at_;
  std::int64_t left_;
};

std::int64_t parse_exponent(std::string_view text) noexcept {
  std::int64_t exponent = 0;
  bool negative = false;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  for (; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') continue;
    if (exponent < 100'000'000'000) exponent = exponent * 10 + (text[i] - '0');
  }
  return negative ? -exponent : exponent;
}

Decimal take_apart(std::string_view text) noexcept {
  Decimal d;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) d.negative = text[i++] == '-';
  bool after_point = false;
  std::int64_t before = 0;   // digits before the point, from the first significant one on
  std::int64_t leading = 0;  // zeros right after the point while nothing significant was seen
  std::int64_t seen = 0;     // significant digits so far
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      after_point = true;
      continue;
    }
    if (c == '_') continue;
    if (c < '0' || c > '9') break;
    if (seen == 0 && c == '0') {
      if (after_point) ++leading;
      continue;
    }
    if (seen == 0) d.first = text.data() + i;
    ++seen;
    if (!after_point) ++before;
    if (c != '0') d.count = seen;
  }
  if (i < text.size()) d.exponent = parse_exponent(text.substr(i + 1));
  if (d.count == 0) return d;
  d.point = (before != 0 ? before : -leading) + d.exponent;
  return d;
}

// The text of any number without allocating: a view into `buffer` or the number itself.
using IntBuffer = char[24];
std::string_view text_of(const Value& number, IntBuffer& buffer) noexcept {
  if (!number.is_integer()) {
    const NumberRep* rep = number.as_number_rep();
    return {rep->text(), rep->size};
  }
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number.as_integer());
  return {buffer, static_cast<std::size_t>(end.ptr - buffer)};
}

int compare_decimals(const Decimal& a, const Decimal& b) noexcept {
  if (a.count == 0 && b.count == 0) return 0;
  if (a.count == 0) return b.negative ? 1 : -1;
  if (b.count == 0) return a.negative ? -1 : 1;
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int bigger = a.negative ? -1 : 1;
  if (a.point != b.point) return a.point > b.point ? bigger : -bigger;
  Digits left(a);
  Digits right(b);
  for (std::int64_t i = 0, n = a.count > b.count ? a.count : b.count; i < n; ++i) {
    const char l = left.next();
    const char r = right.next();
    if (l != r) return l > r ? bigger : -bigger;
  }
  return 0;
}

std::optional<std::int64_t> decimal_to_int64(const Decimal& d) noexcept {
  if (d.count == 0) return 0;
  if (d.point < d.count || d.point > 19) return std::nullopt;
  std::uint64_t magnitude = 0;  // 19 digits fit
  Digits digits(d);
  for (std::int64_t i = 0; i < d.point; ++i) magnitude = magnitude * 10 + static_cast<unsigned>(digits.next() - '0');
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kLimit + (d.negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(d.negative ? 0 - magnitude : magnitude);
}

class Integer {
 public:
  Integer() noexcept { mpz_init(value_); }
  ~Integer() { mpz_clear(value_); }
  Integer(const Integer&) = delete;
  Integer& operator=(const Integer&) = delete;
  mpz_ptr get() noexcept { return value_; }
  mpz_srcptr get() const noexcept { return value_; }

 private:
  mpz_t value_;
};

class Float {
 public:
  explicit Float(mpfr_prec_t precision = kPrecision) noexcept { mpfr_init2(value_, precision); }
  ~Float() { mpfr_clear(value_); }
  Float(const Float&) = delete;
  Float& operator=(const Float&) = delete;
  mpfr_ptr get() noexcept { return value_; }
  mpfr_srcptr get() const noexcept { return value_; }

 private:
  mpfr_t value_;
};

// False when the number is no integer (or an absurdly long one).
bool to_integer(const Value& number, Integer& out) {
  if (number.is_integer()) {
    mpz_set_si(out.get(), number.as_integer());
    return true;
  }
  IntBuffer buffer;
  const Decimal d = take_apart(text_of(number, buffer));
  if (d.count == 0) {
    mpz_set_si(out.get(), 0);
    return true;
  }
  if (d.point < d.count || d.point > static_cast<std::int64_t>(kMaxBits)) return false;
  std::string digits;
  digits.reserve(static_cast<std::size_t>(d.point) + 1);
  if (d.negative) digits += '-';
  Digits source(d);
  for (std::int64_t i = 0; i < d.point; ++i) digits += source.next();
  return mpz_set_str(out.get(), digits.c_str(), 10) == 0;
}

Value from_text(Arena& arena, std::string_view text) {
  auto* rep = static_cast<NumberRep*>(arena.allocate(sizeof(NumberRep) + text.size(), alignof(NumberRep)));
  rep->size = static_cast<std::uint32_t>(text.size());
  std::memcpy(static_cast<void*>(rep + 1), text.data(), text.size());
  return Value::number(rep);
}

std::string integer_text(mpz_srcptr value) {
  std::string text(mpz_sizeinbase(value, 10) + 2, '\0');
  mpz_get_str(text.data(), 10, value);
  text.resize(std::strlen(text.c_str()));
  return text;
}

Value from_integer(Arena& arena, const Integer& value) {
  if (mpz_fits_slong_p(value.get()) != 0) return Value::integer(mpz_get_si(value.get()));
  if (mpz_sizeinbase(value.get(), 2) > kMaxBits) return Value::undefined();
  return from_text(arena, integer_text(value.get()));
}

// 5^n rounded to the precision of `out` in the steps Go's big.Float takes, so that results agree to the last bit.
void power_of_five(Float& out, std::uint64_t n) {
  constexpr std::uint64_t kExact = 27;  // 5^27 is the largest that fits 64 bits
  mpfr_ui_pow_ui(out.get(), 5, n < kExact ? n : kExact, MPFR_RNDN);
  if (n <= kExact) return;
  n -= kExact;
  Float factor(mpfr_get_prec(out.get()) + 64);
  mpfr_set_ui(factor.get(), 5, MPFR_RNDN);
  for (; n != 0; n >>= 1) {
    if ((n & 1) != 0) mpfr_mul(out.get(), out.get(), factor.get(), MPFR_RNDN);
    mpfr_sqr(factor.get(), factor.get(), MPFR_RNDN);
  }
}

// The literal as a float of 64 bits: all digits as one exact integer, scaled by a rounded power of five.
void to_float(const Value& number, Float& out) {
  if (number.is_integer()) {
    mpfr_set_si(out.get(), number.as_integer(), MPFR_RNDN);
    return;
  }
  IntBuffer buffer;
  const std::string_view text = text_of(number, buffer);
  const Decimal d = take_apart(text);
  if (d.count == 0) {
    mpfr_set_zero(out.get(), d.negative ? -1 : 1);
    return;
  }
  std::string digits;
  std::int64_t fraction = 0;
  bool after_point = false;
  for (const char c : text) {
    if (c == 'e' || c == 'E') break;
    if (c == '.') after_point = true;
    if (c < '0' || c > '9') continue;
    digits += c;
    if (after_point) ++fraction;
  }
  Integer mantissa;
  mpz_set_str(mantissa.get(), digits.c_str(), 10);
  if (d.negative) mpz_neg(mantissa.get(), mantissa.get());
  std::int64_t scale = d.exponent - fraction;
  if (scale > 4 * kMaxExponent) scale = 4 * kMaxExponent;  // nothing that large is admitted; only a guard
  if (scale < -4 * kMaxExponent) scale = -4 * kMaxExponent;
  if (scale == 0) {
    mpfr_set_z(out.get(), mantissa.get(), MPFR_RNDN);
    return;
  }
  Float exact(static_cast<mpfr_prec_t>(mpz_sizeinbase(mantissa.get(), 2)) + 1);
  mpfr_set_z(exact.get(), mantissa.get(), MPFR_RNDN);
  Float power(kPrecision + 64);
  power_of_five(power, static_cast<std::uint64_t>(scale < 0 ? -scale : scale));
  if (scale < 0)
    mpfr_div(out.get(), exact.get(), power.get(), MPFR_RNDN);
  else
    mpfr_mul(out.get(), exact.get(), power.get(), MPFR_RNDN);
  mpfr_mul_2si(out.get(), out.get(), scale, MPFR_RNDN);
}

// mantissa * 2^exponent in decimal: digits without trailing zeros, value 0.digits * 10^point.
struct Expansion {
  std::string digits;
  std::int64_t point = 0;
};

Expansion expand(mpz_srcptr mantissa, std::int64_t exponent) {
  Integer scaled;
  std::int64_t shift = 0;  // decimal places to move the point to the left
  if (exponent >= 0) {
    mpz_mul_2exp(scaled.get(), mantissa, static_cast<mp_bitcnt_t>(exponent));
  } else {
    shift = -exponent;  // m / 2^k = m * 5^k / 10^k
    Integer power;
    mpz_ui_pow_ui(power.get(), 5, static_cast<unsigned long>(shift));
    mpz_mul(scaled.get(), mantissa, power.get());
  }
  Expansion result{integer_text(scaled.get()), 0};
  result.point = static_cast<std::int64_t>(result.digits.size()) - shift;
  while (!result.digits.empty() && result.digits.back() == '0') result.digits.pop_back();
  return result;
}

void cut_down(Expansion& x, std::size_t n) {
  if (n >= x.digits.size()) return;
  x.digits.resize(n);
  while (!x.digits.empty() && x.digits.back() == '0') x.digits.pop_back();
}

void cut_up(Expansion& x, std::size_t n) {
  if (n >= x.digits.size()) return;
  while (n > 0 && x.digits[n - 1] == '9') --n;
  if (n == 0) {
    x.digits.assign(1, '1');
    ++x.point;
    return;
  }
  x.digits.resize(n);
  ++x.digits[n - 1];
}

void cut_nearest(Expansion& x, std::size_t n) {
  if (n >= x.digits.size()) return;
  const bool half = x.digits[n] == '5' && n + 1 == x.digits.size();
  const bool up = half ? n > 0 && ((x.digits[n - 1] - '0') & 1) != 0 : x.digits[n] >= '5';
  if (up)
    cut_up(x, n);
  else
    cut_down(x, n);
}

// The shortest digits that read back as the same float of the same precision. Digits of the bounds are compared by
// position even where their points differ, as Go does it.
Expansion shortest(mpfr_srcptr value) {
  Integer mantissa;
  const std::int64_t exponent = mpfr_get_z_2exp(mantissa.get(), value);  // mantissa has exactly `precision` bits
  mpz_abs(mantissa.get(), mantissa.get());
  const bool inclusive = mpz_even_p(mantissa.get()) != 0;
  Expansion result = expand(mantissa.get(), exponent);
  Integer doubled;
  mpz_mul_2exp(doubled.get(), mantissa.get(), 1);
  Integer bound;
  mpz_sub_ui(bound.get(), doubled.get(), 1);
  const Expansion lower = expand(bound.get(), exponent - 1);
  mpz_add_ui(bound.get(), doubled.get(), 1);
  const Expansion upper = expand(bound.get(), exponent - 1);
  const auto digit = [](const Expansion& x, std::size_t i) { return i < x.digits.size() ? x.digits[i] : '0'; };
  for (std::size_t i = 0; i < result.digits.size(); ++i) {
    const char m = result.digits[i];
    const char l = digit(lower, i);
    const char u = digit(upper, i);
    const bool down = l != m || (inclusive && i + 1 == lower.digits.size());
    const bool up = m != u && (inclusive || m + 1 < u || i + 1 < upper.digits.size());
    if (!down && !up) continue;
    if (down && up)
      cut_nearest(result, i + 1);
    else if (down)
      cut_down(result, i + 1);
    else
      cut_up(result, i + 1);
    break;
  }
  return result;
}

void append_plain(std::string& out, const Expansion& x) {
  const auto size = static_cast<std::int64_t>(x.digits.size());
  if (x.point <= 0) {
    out += '0';
    if (size != 0) {
      out += '.';
      out.append(static_cast<std::size_t>(-x.point), '0');
      out += x.digits;
    }
    return;
  }
  if (x.point >= size) {
    out += x.digits;
    out.append(static_cast<std::size_t>(x.point - size), '0');
    return;
  }
  out.append(x.digits, 0, static_cast<std::size_t>(x.point));
  out += '.';
  out.append(x.digits, static_cast<std::size_t>(x.point));
}

void append_scientific(std::string& out, const Expansion& x) {
  out += x.digits.empty() ? '0' : x.digits[0];
  if (x.digits.size() > 1) {
    out += '.';
    out.append(x.digits, 1);
  }
  const std::int64_t exponent = x.digits.empty() ? 0 : x.point - 1;
  out += 'e';
  out += exponent < 0 ? '-' : '+';
  const std::string digits = std::to_string(exponent < 0 ? -exponent : exponent);
  if (digits.size() < 2) out += '0';
  out += digits;
}

// Go's 'g' with the shortest digits: an exponent is written below 1e-4 and from seven digits before the point on.
void append_general(std::string& out, const Expansion& x) {
  const std::int64_t exponent = x.point - 1;
  if (!x.digits.empty() && (exponent < -4 || exponent >= 6)) {
    append_scientific(out, x);
  } else {
    append_plain(out, x);
  }
}

// The shortest digits that read back as the same float or double; `value` is finite.
template <typename Real>
Expansion shortest_digits(Real value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const Decimal d = take_apart({buffer, static_cast<std::size_t>(end.ptr - buffer)});
  Expansion x;
  Digits digits(d);
  for (std::int64_t i = 0; i < d.count; ++i) x.digits += digits.next();
  x.point = d.point;
  return x;
}

template <typename Real>
std::string general_text(Real value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text = std::signbit(value) ? "-" : "";
  append_general(text, shortest_digits(value));
  return text;
}

Value from_canonical_text(Arena& arena, std::string_view text) {
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (error == std::errc() && end == text.data() + text.size() && text != "-0") return Value::integer(integer);
  return from_text(arena, text);
}

Value from_float(Arena& arena, const Float& value) {
  std::string text;
  if (mpfr_signbit(value.get()) != 0) text += '-';
  if (mpfr_zero_p(value.get()) != 0) {
    text += '0';
  } else if (mpfr_number_p(value.get()) == 0 || std::labs(mpfr_get_exp(value.get())) > kMaxFloatExponent) {
    return Value::undefined();
  } else if (mpfr_integer_p(value.get()) != 0) {
    append_plain(text, shortest(value.get()));
  } else {
    append_general(text, shortest(value.get()));
  }
  return from_canonical_text(arena, text);
}

using IntegerOperation = void (*)(mpz_ptr, mpz_srcptr, mpz_srcptr);
using FloatOperation = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

Value compute(Arena& arena, const Value& a, const Value& b, IntegerOperation exact, FloatOperation rounded) {
  {
    Integer x;
    Integer y;
    if (to_integer(a, x) && to_integer(b, y)) {
      if (mpz_sizeinbase(x.get(), 2) + mpz_sizeinbase(y.get(), 2) > kMaxBits) return Value::undefined();
      exact(x.get(), x.get(), y.get());
      return from_integer(arena, x);
    }
  }
  Float x;
  Float y;
  to_float(a, x);
  to_float(b, y);
  rounded(x.get(), x.get(), y.get(), MPFR_RNDN);
  return from_float(arena, x);
}

// Truncates `value` to an integer as wide as it needs to be.
void truncate(const Float& value, Integer& out) { mpfr_get_z(out.get(), value.get(), MPFR_RNDZ); }

// The integer as a float that holds it exactly (at least 64 bits, which the printing depends on).
mpfr_prec_t precision_for(const Integer& value) {
  const auto bits = static_cast<mpfr_prec_t>(mpz_sizeinbase(value.get(), 2));
  return bits > kPrecision ? bits : kPrecision;
}

Value whole_float(Arena& arena, const Integer& value, long plus) {
  Float exact(precision_for(value));
  mpfr_set_z(exact.get(), value.get(), MPFR_RNDN);
  if (plus != 0) mpfr_add_si(exact.get(), exact.get(), plus, MPFR_RNDN);
  return from_float(arena, exact);
}

}  // namespace

Value make_number(Arena& arena, std::string_view text) { return from_canonical_text(arena, text); }

std::string format_general(double value) { return general_text(value); }
std::string format_general(float value) { return general_text(value); }

std::string format_json(double value) {
  if (!std::isfinite(value)) return format_general(value);
  std::string text = std::signbit(value) ? "-" : "";
  const Expansion x = shortest_digits(value);
  if (!x.digits.empty() && (x.point <= -6 || x.point > 21)) {
    append_scientific(text, x);
    const std::size_t n = text.size();
    if (text[n - 4] == 'e' && text[n - 2] == '0') text.erase(n - 2, 1);  // e-07 is written e-7
  } else {
    append_plain(text, x);
  }
  return text;
}

Value make_number(Arena& arena, double value) {
  if (!std::isfinite(value)) return Value::undefined();
  return from_canonical_text(arena, format_general(value));
}

namespace {

Value number_through_float64(Arena& arena, const Value& number) {
  if (number.is_integer() && number.as_integer() > -1000000 && number.as_integer() < 1000000) return number;
  const Value rounded = make_number(arena, to_double(number));
  return rounded.defined() ? rounded : number;
}

}  // namespace

Value through_float64(Arena& arena, const Value& value) {
  switch (value.kind()) {
    case Kind::kNumber: return number_through_float64(arena, value);
    case Kind::kArray:
    case Kind::kSet: {
      std::vector<Value> elements;
      elements.reserve(value.size());
      bool changed = false;
      for (const Value& element : value.elements()) {
        elements.push_back(through_float64(arena, element));
        changed = changed || !elements.back().identical(element);
      }
      if (!changed) return value;
      return value.is_set() ? make_set(arena, elements) : make_array(arena, elements);
    }
    case Kind::kObject: {
      std::vector<Member> members;
      members.reserve(value.size());
      bool changed = false;
      for (std::size_t i = 0; i < value.size(); ++i) {
        const Value& member = value.values()[i];
        members.push_back({through_float64(arena, value.keys()[i]), through_float64(arena, member)});
        changed = changed || !members.back().value.identical(member) || !members.back().key.identical(value.keys()[i]);
      }
      return changed ? make_object(arena, members) : value;
    }
    default: return value;
  }
}

bool number_too_big(std::string_view literal) noexcept {
  if (literal.find_first_of("eE") == std::string_view::npos) return false;
  const Decimal d = take_apart(literal);
  if (d.count == 0) return false;
  // log2(10) * point decides but for a hair's breadth around the bound; there, OPA's own check is exact.
  const double bits = static_cast<double>(d.point) * 3.32192809488736234787;
  if (bits < static_cast<double>(kMaxExponent) - 8 && bits > -static_cast<double>(kMaxExponent) + 8) return false;
  if (bits > static_cast<double>(kMaxExponent) + 8 || bits < -static_cast<double>(kMaxExponent) - 8) return true;
  Arena arena(0, 256);
  Float value;
  to_float(from_text(arena, literal), value);
  return std::labs(mpfr_get_exp(value.get())) > kMaxExponent;
}

void append_number(std::string& out, const Value& number) {
  IntBuffer buffer;
  out += text_of(number, buffer);
}

std::string number_text(const Value& number) {
  IntBuffer buffer;
  return std::string(text_of(number, buffer));
}

int compare_numbers(const Value& a, const Value& b) noexcept {
  if (a.is_integer() && b.is_integer()) {
    return a.as_integer() < b.as_integer() ? -1 : (a.as_integer() > b.as_integer() ? 1 : 0);
  }
  IntBuffer a_buffer;
  IntBuffer b_buffer;
  return compare_decimals(take_apart(text_of(a, a_buffer)), take_apart(text_of(b, b_buffer)));
}

std::uint64_t hash_number(const Value& number) noexcept {
  const auto scramble = [](std::uint64_t x) {
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 32);
  };
  if (number.is_integer()) return scramble(static_cast<std::uint64_t>(number.as_integer()));
  IntBuffer buffer;
  const Decimal d = take_apart(text_of(number, buffer));
  if (const auto whole = decimal_to_int64(d)) return scramble(static_cast<std::uint64_t>(*whole));
  std::uint64_t hash = static_cast<std::uint64_t>(d.point) * 2 + (d.negative ? 1 : 0);
  Digits digits(d);
  for (std::int64_t i = 0; i < d.count; ++i)
    hash = (hash ^ static_cast<std::uint64_t>(digits.next())) * 0x100000001B3ull;
  return scramble(hash);
}

double to_double(const Value& number) noexcept {
  if (number.is_integer()) return static_cast<double>(number.as_integer());
  const NumberRep* rep = number.as_number_rep();
  const char* first = rep->text();
  const char* last = first + rep->size;
  if (first != last && *first == '+') ++first;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error == std::errc() && end == last) return value;
  IntBuffer buffer;
  const Decimal d = take_apart(text_of(number, buffer));
  const double sign = d.negative ? -1.0 : 1.0;
  if (error == std::errc::result_out_of_range) {
    return sign * (d.point > 0 ? std::numeric_limits<double>::infinity() : 0.0);
  }
  Float wide(kPrecision);  // spelled with underscores
  to_float(number, wide);
  return mpfr_get_d(wide.get(), MPFR_RNDN);
}

bool is_whole(const Value& number) noexcept {
  if (number.is_integer()) return true;
  IntBuffer buffer;
  const Decimal d = take_apart(text_of(number, buffer));
  return d.point >= d.count;
}

std::optional<std::int64_t> to_int64(const Value& number) noexcept {
  if (number.is_integer()) return number.as_integer();
  IntBuffer buffer;
  return decimal_to_int64(take_apart(text_of(number, buffer)));
}

Value add(Arena& arena, const Value& a, const Value& b) {
  std::int64_t sum = 0;
  if (a.is_integer() && b.is_integer() && !__builtin_add_overflow(a.as_integer(), b.as_integer(), &sum)) {
    return Value::integer(sum);
  }
  return compute(arena, a, b, mpz_add, mpfr_add);
}

Value subtract(Arena& arena, const Value& a, const Value& b) {
  std::int64_t difference = 0;
  if (a.is_integer() && b.is_integer() && !__builtin_sub_overflow(a.as_integer(), b.as_integer(), &difference)) {
    return Value::integer(difference);
  }
  return compute(arena, a, b, mpz_sub, mpfr_sub);
}

Value multiply(Arena& arena, const Value& a, const Value& b) {
  std::int64_t product = 0;
  if (a.is_integer() && b.is_integer() && !__builtin_mul_overflow(a.as_integer(), b.as_integer(), &product)) {
    return Value::integer(product);
  }
  return compute(arena, a, b, mpz_mul, mpfr_mul);
}

std::optional<Value> divide(Arena& arena, const Value& a, const Value& b) {
  const auto x = to_int64(a);
  const auto y = to_int64(b);
  if (y && *y == 0) return std::nullopt;
  if (x && y && *x != 0 && *y != -1 && *x % *y == 0) return Value::integer(*x / *y);
  Float dividend;
  Float divisor;
  to_float(a, dividend);
  to_float(b, divisor);
  mpfr_div(dividend.get(), dividend.get(), divisor.get(), MPFR_RNDN);
  return from_float(arena, dividend);
}

std::optional<Value> remainder(Arena& arena, const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    if (b.as_integer() == 0) return std::nullopt;
    return Value::integer(b.as_integer() == -1 ? 0 : a.as_integer() % b.as_integer());
  }
  Integer x;
  Integer y;
  if (!to_integer(a, x) || !to_integer(b, y) || mpz_sgn(y.get()) == 0) return std::nullopt;
  mpz_tdiv_r(x.get(), x.get(), y.get());
  return from_integer(arena, x);
}

Value round_half_away(Arena& arena, const Value& a) {
  if (const auto whole = to_int64(a)) return Value::integer(*whole);
  Float value;
  to_float(a, value);
  mpfr_add_d(value.get(), value.get(), mpfr_signbit(value.get()) != 0 ? -0.5 : 0.5, MPFR_RNDN);
  Integer whole;
  truncate(value, whole);
  return whole_float(arena, whole, 0);
}

Value ceiling(Arena& arena, const Value& a) {
  if (const auto whole = to_int64(a)) return Value::integer(*whole);
  Float value;
  to_float(a, value);
  Integer whole;
  truncate(value, whole);
  // OPA asks for the sign of the truncated value, so that the ceiling of -0.5 is 1. Policies see it; so do ours.
  const bool keep = mpz_sgn(whole.get()) < 0 || mpfr_cmp_z(value.get(), whole.get()) == 0;
  return whole_float(arena, whole, keep ? 0 : 1);
}

Value floor(Arena& arena, const Value& a) {
  if (const auto whole = to_int64(a)) return Value::integer(*whole);
  Float value;
  to_float(a, value);
  Integer whole;
  truncate(value, whole);
  const bool keep = mpz_sgn(whole.get()) >= 0 || mpfr_cmp_z(value.get(), whole.get()) == 0;
  return whole_float(arena, whole, keep ? 0 : -1);
}

Value absolute(Arena& arena, const Value& a) {
  if (const auto whole = to_int64(a); whole && *whole != std::numeric_limits<std::int64_t>::min()) {
    return Value::integer(*whole < 0 ? -*whole : *whole);
  }
  Float value;
  to_float(a, value);
  mpfr_abs(value.get(), value.get(), MPFR_RNDN);
  return from_float(arena, value);
}

}  // namespace portcullis
