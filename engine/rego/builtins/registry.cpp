#include "engine/rego/builtins/registry.h"

#include <array>

#include "engine/rego/builtins/families.h"

namespace portcullis::rego {

BuiltinRegistry builtins_with(std::span<const BuiltinDecl> more) {
  namespace b = builtins;
  const std::array families = {
      b::comparison_builtins(), b::arithmetic_builtins(),   b::number_builtins(),
      b::aggregate_builtins(),  b::array_builtins(),        b::object_builtins(),
      b::set_builtins(),        b::string_builtins(),       b::type_builtins(),
      b::regex_builtins(),      b::glob_builtins(),         b::unit_builtins(),
      b::json_builtins(),       b::encoding_builtins(),     b::crypto_builtins(),
      b::time_builtins(),       b::semver_builtins(),       b::graph_builtins(),
      b::net_builtins(),        b::uri_builtins(),          b::misc_builtins(),
      b::yaml_builtins(),       b::jwt_builtins(),          b::provider_builtins(),
      b::graphql_builtins(),    b::x509_builtins(),         b::schema_builtins(),
      b::template_builtins(),   b::parse_module_builtins(), more,
  };
  return BuiltinRegistry(families);
}

const BuiltinRegistry& all_builtins() {
  static const BuiltinRegistry registry = builtins_with({});
  return registry;
}

}  // namespace portcullis::rego
