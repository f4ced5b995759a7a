#include "gator/json_numbers.h"

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/value/number.h"

namespace portcullis::gator {
namespace {

// From the shortest form that Go's %g gives.
std::string json_float(double number) {
  Arena arena;
  std::string shortest = number_text(make_number(arena, number));
  const std::size_t mark = shortest.find('e');
  const double magnitude = std::abs(number);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  if (exponent) {
    if (mark == std::string::npos) return shortest;
    // e-09 is written e-9.
    std::string out = shortest;
    if (out.size() == mark + 4 && out[mark + 1] == '-' && out[mark + 2] == '0') out.erase(mark + 2, 1);
    return out;
  }
  if (mark == std::string::npos) return shortest;
  std::string digits;
  std::size_t point = std::string::npos;
  const bool negative = shortest.front() == '-';
  for (std::size_t i = negative ? 1 : 0; i < mark; ++i) {
    if (shortest[i] == '.') {
      point = digits.size();
    } else {
      digits += shortest[i];
    }
  }
  if (point == std::string::npos) point = digits.size();
  const long shift = std::strtol(shortest.c_str() + mark + 1, nullptr, 10);
  const long at = static_cast<long>(point) + shift;
  std::string out = negative ? "-" : "";
  if (at <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-at), '0') + digits;
  } else if (static_cast<std::size_t>(at) >= digits.size()) {
    out += digits + std::string(static_cast<std::size_t>(at) - digits.size(), '0');
  } else {
    out += digits.substr(0, static_cast<std::size_t>(at)) + "." + digits.substr(static_cast<std::size_t>(at));
  }
  return out;
}

}  // namespace

Value as_json_floats(Arena& arena, const Value& value) {
  switch (value.kind()) {
    case Kind::kNumber:
      if (value.is_integer() && std::abs(value.as_integer()) < (std::int64_t{1} << 53)) return value;
      return make_number(arena, json_float(to_double(value)));
    case Kind::kArray: {
      std::vector<Value> elements;
      for (const Value& element : value.elements()) elements.push_back(as_json_floats(arena, element));
      return make_array(arena, elements);
    }
    case Kind::kObject: {
      std::vector<Member> members;
      for (std::size_t i = 0; i < value.keys().size(); ++i) {
        members.push_back({value.keys()[i], as_json_floats(arena, value.values()[i])});
      }
      return make_object(arena, members);
    }
    default: return value;
  }
}

}  // namespace portcullis::gator
