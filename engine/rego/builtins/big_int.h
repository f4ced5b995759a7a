// Integers of any size (GMP) for the builtins that need more than number.h's arithmetic.
#pragma once

#include <gmp.h>

#include <optional>
#include <string>
#include <string_view>

#include "engine/value/value.h"

namespace portcullis::rego::builtins {

// Digits (bits / 4) that one result may have; what would be larger is refused.
inline constexpr std::size_t kMaxBigDigits = 200000;

class BigInt {
 public:
  BigInt() { mpz_init(value_); }
  explicit BigInt(const std::string& decimal) {
    mpz_init(value_);
    mpz_set_str(value_, decimal.c_str() + (decimal.starts_with('+') ? 1 : 0), 10);
  }
  BigInt(const BigInt& other) { mpz_init_set(value_, other.value_); }
  BigInt& operator=(const BigInt& other) {
    if (this != &other) mpz_set(value_, other.value_);
    return *this;
  }
  ~BigInt() { mpz_clear(value_); }

  mpz_ptr get() { return value_; }
  mpz_srcptr get() const { return value_; }
  std::string text(int base = 10) const;
  Value to_value(Arena& arena) const;

  // The integer a number stands for: exact, also for 1.0 and 1e30. nullopt: it has a fraction, or is beyond the bound.
  static std::optional<BigInt> from(const Value& number);

 private:
  mpz_t value_;
};

}  // namespace portcullis::rego::builtins
