// The details of type errors: what was had and what was wanted, wide types cut down to where they differ.
#pragma once

#include <string>
#include <vector>

#include "engine/rego/eval/type.h"

namespace portcullis::rego {

struct NamedType {
  std::string name;  // empty: none
  TypePtr type;
};

// "have: (…)", "want: (…)". `rest`: type of further arguments, or null.
std::vector<std::string> argument_details(const std::vector<TypePtr>& have, const std::vector<NamedType>& want,
                                          const TypePtr& rest);
// "left  : …", "right : …" and, for two collections of one kind, a hint.
std::vector<std::string> match_details(const TypePtr& left, const TypePtr& right);

}  // namespace portcullis::rego
