// What a YAML scalar means: the tables and number forms of go-yaml v2 and v3. Internal to engine/value.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/value/yaml.h"

namespace portcullis::yaml {

struct Scalar {
  enum class Type : std::uint8_t { kNull, kBool, kInt, kUint, kFloat, kString, kTimestamp, kBinary };
  Type type = Type::kString;
  bool boolean = false;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;  // kUint: above int64
  double real = 0;
};

// The short name of a type's tag: "!!int" ("!!str" for what has none of its own).
std::string_view tag_name(Scalar::Type type) noexcept;
std::string short_tag(std::string_view tag);  // "tag:yaml.org,2002:int" -> "!!int", others unchanged

// A plain scalar without a tag. `timestamps`: whether dates are recognised (they are unless a tag says otherwise).
Scalar resolve_plain(std::string_view text, YamlSchema schema, bool timestamps = true);

// A date or time in one of the forms that go-yaml knows, as RFC 3339 with nanoseconds; empty when it is none.
std::string timestamp_to_rfc3339(std::string_view text);

// As strconv.FormatFloat(value, 'g', -1, 32) writes it, with .inf and .nan for what is no number.
std::string key_double(double value);

}  // namespace portcullis::yaml
