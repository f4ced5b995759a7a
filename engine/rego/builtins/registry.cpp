#include "engine/rego/builtins/registry.h"

#include <array>

#include "engine/rego/builtins/families.h"

namespace portcullis::rego {

const BuiltinRegistry& all_builtins() {
  namespace b = builtins;
  static const std::array families = {
      b::comparison_builtins(), b::arithmetic_builtins(), b::number_builtins(), b::aggregate_builtins(),
      b::array_builtins(),      b::object_builtins(),     b::set_builtins(),    b::string_builtins(),
      b::type_builtins(),       b::regex_builtins(),      b::glob_builtins(),   b::unit_builtins(),
      b::json_builtins(),       b::encoding_builtins(),   b::crypto_builtins(), b::time_builtins(),
      b::semver_builtins(),     b::graph_builtins(),      b::net_builtins(),    b::uri_builtins(),
      b::misc_builtins(),       b::yaml_builtins(),       b::jwt_builtins(),    b::provider_builtins(),
  };
  static const BuiltinRegistry registry(families);
  return registry;
}

}  // namespace portcullis::rego
