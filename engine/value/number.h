// Exact numbers as OPA computes them. An integer that fits int64 is held in the Value; everything else is text plus
// arithmetic done on demand: integers of any size exactly (GMP), fractions as Go's big.Float with a 64-bit mantissa
// (MPFR, precision 64, round to nearest even), printed with Go's shortest 'g' form.
// Threads: any. Cost: O(1) for int64 operands without overflow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "engine/value/value.h"

namespace portcullis {

// The value of a JSON number literal, its spelling kept; `text` must already be a valid literal. Literals with an
// exponent out of range are the caller's to refuse (number_too_big).
Value make_number(Arena& arena, std::string_view text);
Value make_number(Arena& arena, double value);  // as Go's 'g' prints it, shortest; undefined for inf and nan
// Go's strconv.FormatFloat(value, 'g', -1, 64 or 32): 100000, 1e+06, 0.0001, 1e-05, +Inf, NaN.
std::string format_general(double value);
std::string format_general(float value);
// As Go's encoding/json writes a float64: 1000000, 1e+21, 1e-9, 2.5.
std::string format_json(double value);
bool number_too_big(std::string_view literal) noexcept;

// The tree with every number as a float64 and spelled as OPA spells those (1000000 is 1e+06), which is what
// Gatekeeper's way through encoding/json makes of what it hands to Rego. Shares what does not change; O(size of the
// value).
Value through_float64(Arena& arena, const Value& value);

// The text as it is printed.
std::string number_text(const Value& number);
void append_number(std::string& out, const Value& number);

// Exact, by decimal digits; no rounding anywhere.
int compare_numbers(const Value& a, const Value& b) noexcept;
std::uint64_t hash_number(const Value& number) noexcept;  // equal numbers, equal hashes
double to_double(const Value& number) noexcept;
bool is_whole(const Value& number) noexcept;                         // 1, 1.0 and 1e3 are; 1.5 is not
std::optional<std::int64_t> to_int64(const Value& number) noexcept;  // whole and in range

// Rego's arithmetic; results as OPA prints them. A result of more than about a million digits is undefined.
Value add(Arena& arena, const Value& a, const Value& b);
Value subtract(Arena& arena, const Value& a, const Value& b);
Value multiply(Arena& arena, const Value& a, const Value& b);
std::optional<Value> divide(Arena& arena, const Value& a, const Value& b);     // nullopt: division by zero
std::optional<Value> remainder(Arena& arena, const Value& a, const Value& b);  // nullopt: zero or not whole (say which)
Value round_half_away(Arena& arena, const Value& a);
Value ceiling(Arena& arena, const Value& a);
Value floor(Arena& arena, const Value& a);
Value absolute(Arena& arena, const Value& a);

}  // namespace portcullis
