// PEM blocks as Go's encoding/pem finds them.
// Threads: any. Cost: linear.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

struct PemBlock {
  std::string type;   // CERTIFICATE …
  std::string bytes;  // decoded
};

// The first well-formed block; `rest` becomes what follows it. nullopt: there is none, `rest` is left alone.
std::optional<PemBlock> next_pem_block(std::string_view& rest);

}  // namespace portcullis::rego::builtins
