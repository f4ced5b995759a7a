#include "engine/rego/builtins/big_int.h"

#include <charconv>
#include <vector>

#include "engine/value/number.h"

namespace portcullis::rego::builtins {

std::string BigInt::text(int base) const {
  std::vector<char> buffer(mpz_sizeinbase(value_, base) + 2);
  mpz_get_str(buffer.data(), base, value_);
  return buffer.data();
}

Value BigInt::to_value(Arena& arena) const {
  if (mpz_fits_slong_p(value_) != 0) return Value::integer(mpz_get_si(value_));
  return make_number(arena, text());
}

std::optional<BigInt> BigInt::from(const Value& number) {
  if (number.is_integer()) {
    BigInt out;
    mpz_set_si(out.value_, number.as_integer());
    return out;
  }
  const std::string text = number_text(number);
  const std::size_t marker = text.find_first_of("eE");
  std::int64_t exponent = 0;
  if (marker != std::string::npos) {
    const char* from = text.data() + marker + 1;
    if (*from == '+') ++from;
    const auto [end, status] = std::from_chars(from, text.data() + text.size(), exponent);
    if (status != std::errc{}) return std::nullopt;
  }
  std::string digits = text.substr(0, marker);
  const std::size_t point = digits.find('.');
  if (point != std::string::npos) {
    exponent -= static_cast<std::int64_t>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  while (exponent < 0 && digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  BigInt out(digits);
  if (mpz_sgn(out.value_) == 0) return out;
  if (exponent < 0 || exponent > static_cast<std::int64_t>(kMaxBigDigits)) return std::nullopt;
  BigInt scale;
  mpz_ui_pow_ui(scale.value_, 10, static_cast<unsigned long>(exponent));
  mpz_mul(out.value_, out.value_, scale.value_);
  return out;
}

}  // namespace portcullis::rego::builtins
