// big.Float of a given precision, where the builtins need what number.h's 64-bit arithmetic does not give.
#pragma once

#include <mpfr.h>

#include <string>

namespace portcullis::rego::builtins {

// Owns one MPFR number.
class ExactFloat {
 public:
  explicit ExactFloat(long bits) { mpfr_init2(value_, bits); }
  ExactFloat(long bits, const std::string& text) : ExactFloat(bits) {
    mpfr_set_str(value_, text.c_str(), 10, MPFR_RNDN);
  }
  ~ExactFloat() { mpfr_clear(value_); }
  ExactFloat(const ExactFloat&) = delete;
  ExactFloat& operator=(const ExactFloat&) = delete;
  mpfr_ptr get() { return value_; }

 private:
  mpfr_t value_;
};

}  // namespace portcullis::rego::builtins
