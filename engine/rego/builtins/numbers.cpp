// bits.*, numbers.range, numbers.range_step, format_int.
#include <limits>
#include <vector>

#include "engine/rego/builtins/big_int.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/exact_float.h"
#include "engine/rego/builtins/families.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

std::optional<BigInt> big_operand(BuiltinContext& c, Args a, std::size_t index) {
  const int operand = static_cast<int>(index) + 1;
  if (!a[index].is_number()) {
    c.fail_operand(operand, "integer", a[index]);
    return std::nullopt;
  }
  auto out = BigInt::from(a[index]);
  if (!out) operand_error(c, operand, "must be integer number but got floating-point number");
  return out;
}

using Combine = void (*)(mpz_ptr, mpz_srcptr, mpz_srcptr);
template <Combine Function>
Value bits(BuiltinContext& c, Args a) {
  const auto x = big_operand(c, a, 0);
  if (!x) return {};
  const auto y = big_operand(c, a, 1);
  if (!y) return {};
  BigInt out;
  Function(out.get(), x->get(), y->get());
  return out.to_value(c.arena);
}

Value bits_negate(BuiltinContext& c, Args a) {
  const auto x = big_operand(c, a, 0);
  if (!x) return {};
  BigInt out;
  mpz_com(out.get(), x->get());
  return out.to_value(c.arena);
}

template <bool Left>
Value shift(BuiltinContext& c, Args a) {
  const auto x = big_operand(c, a, 0);
  if (!x) return {};
  const auto y = big_operand(c, a, 1);
  if (!y) return {};
  if (mpz_sgn(y->get()) < 0) {
    return operand_error(c, 2, "must be an unsigned integer number but got a negative integer");
  }
  BigInt out;
  const bool small = mpz_cmp_ui(y->get(), kMaxBigDigits * 4) <= 0;
  if (Left) {
    if (!small && mpz_sgn(x->get()) != 0) return c.abort("bits.lsh: result is too large");
    if (small) mpz_mul_2exp(out.get(), x->get(), mpz_get_ui(y->get()));
  } else if (small) {
    mpz_fdiv_q_2exp(out.get(), x->get(), mpz_get_ui(y->get()));
  } else if (mpz_sgn(x->get()) < 0) {
    mpz_set_si(out.get(), -1);
  }
  return out.to_value(c.arena);
}

constexpr std::size_t kMaxRange = std::size_t{1} << 24;

Value range_values(BuiltinContext& c, const BigInt& from, const BigInt& to, const BigInt& step, std::string_view name) {
  std::vector<Value> out;
  const bool up = mpz_cmp(from.get(), to.get()) <= 0;
  BigInt at = from;
  while (up ? mpz_cmp(at.get(), to.get()) <= 0 : mpz_cmp(at.get(), to.get()) >= 0) {
    out.push_back(at.to_value(c.arena));
    if (up) {
      mpz_add(at.get(), at.get(), step.get());
    } else {
      mpz_sub(at.get(), at.get(), step.get());
    }
    const bool check = (out.size() & 1023u) == 0;
    if (out.size() > kMaxRange || (check && c.over_budget())) {
      return c.abort(std::string(name) + ": timed out before generating all numbers in range");
    }
  }
  return make_array(c.arena, out);
}

Value range(BuiltinContext& c, Args a) {
  const auto from = big_operand(c, a, 0);
  if (!from) return {};
  const auto to = big_operand(c, a, 1);
  if (!to) return {};
  return range_values(c, *from, *to, BigInt("1"), "numbers.range");
}

Value range_step(BuiltinContext& c, Args a) {
  const auto from = big_operand(c, a, 0);
  if (!from) return {};
  const auto to = big_operand(c, a, 1);
  if (!to) return {};
  const auto step = big_operand(c, a, 2);
  if (!step) return {};
  if (mpz_sgn(step->get()) <= 0) return c.fail("numbers.range_step: step must be a positive integer");
  return range_values(c, *from, *to, *step, "numbers.range_step");
}

// The whole part, towards zero. What is not plain digits goes through 64 bits of mantissa, as in OPA.
std::optional<BigInt> truncated(const Value& number) {
  if (number.is_integer()) return BigInt::from(number);
  const std::string text = number_text(number);
  if (text.find_first_of(".eE") == std::string::npos) return BigInt(text);
  ExactFloat value(64, text);
  if (mpfr_zero_p(value.get()) == 0 && mpfr_get_exp(value.get()) > static_cast<mpfr_exp_t>(kMaxBigDigits)) {
    return std::nullopt;
  }
  BigInt out;
  mpfr_get_z(out.get(), value.get(), MPFR_RNDZ);
  return out;
}

Value format_int(BuiltinContext& c, Args a) {
  if (!number_operand(c, a, 0) || !number_operand(c, a, 1)) return {};
  const std::int64_t base = a[1].is_integer() ? a[1].as_integer() : 0;
  if (base != 2 && base != 8 && base != 10 && base != 16) return operand_error(c, 2, "must be one of {2, 8, 10, 16}");
  const auto whole = truncated(a[0]);
  if (!whole) return c.fail("format_int: number is too large");
  return text_result(c, whole->text(static_cast<int>(base)));
}

constexpr BuiltinDecl kTable[] = {
    {"bits.and", {"number", "number"}, "number", &bits<&mpz_and>},
    {"bits.or", {"number", "number"}, "number", &bits<&mpz_ior>},
    {"bits.xor", {"number", "number"}, "number", &bits<&mpz_xor>},
    {"bits.negate", {"number"}, "number", &bits_negate},
    {"bits.lsh", {"number", "number"}, "number", &shift<true>},
    {"bits.rsh", {"number", "number"}, "number", &shift<false>},
    {"numbers.range", {"number", "number"}, "array[number]", &range},
    {"numbers.range_step", {"number", "number", "number"}, "array[number]", &range_step},
    {"format_int", {"number", "number"}, "string", &format_int},
};

}  // namespace

std::span<const BuiltinDecl> number_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
