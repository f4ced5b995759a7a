// Replacing several texts at once, as Go's strings.NewReplacer does it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "engine/rego/builtins/common.h"

namespace portcullis::rego::builtins {

struct Replacement {
  std::string_view from;
  std::string_view to;
};

// Left to right, without overlaps; at each place the first pair that matches wins. An empty `from` matches at every
// byte and at the end. False: the result would be larger than `limit` bytes.
bool replace_all(BuiltinContext& context, std::string_view text, std::span<const Replacement> pairs, std::size_t limit,
                 std::string& out);

}  // namespace portcullis::rego::builtins
