// Values of test data: {"$set": [...]} in JSON stands for a set. For tests and fuzzing.
#pragma once

#include <vector>

#include "engine/value/value.h"

namespace portcullis::rego {

inline Value with_sets(Arena& arena, const Value& value) {
  std::vector<Value> elements;
  if (value.is_array()) {
    for (const Value& element : value.elements()) elements.push_back(with_sets(arena, element));
    return make_array(arena, elements);
  }
  if (!value.is_object()) return value;
  const Value set = value.get("$set");
  if (set.is_array()) {
    for (const Value& element : set.elements()) elements.push_back(with_sets(arena, element));
    return make_set(arena, elements);
  }
  std::vector<Member> members;
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    members.push_back({value.keys()[i], with_sets(arena, value.values()[i])});
  }
  return make_object(arena, members);
}

}  // namespace portcullis::rego
