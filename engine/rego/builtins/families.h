// The tables of builtins, one per family. registry.cpp joins them.
#pragma once

#include <span>

#include "engine/rego/eval/builtin.h"

namespace portcullis::rego::builtins {

std::span<const BuiltinDecl> comparison_builtins();
std::span<const BuiltinDecl> arithmetic_builtins();
std::span<const BuiltinDecl> number_builtins();
std::span<const BuiltinDecl> aggregate_builtins();
std::span<const BuiltinDecl> array_builtins();
std::span<const BuiltinDecl> object_builtins();
std::span<const BuiltinDecl> set_builtins();
std::span<const BuiltinDecl> string_builtins();
std::span<const BuiltinDecl> type_builtins();
std::span<const BuiltinDecl> regex_builtins();
std::span<const BuiltinDecl> glob_builtins();
std::span<const BuiltinDecl> unit_builtins();
std::span<const BuiltinDecl> json_builtins();
std::span<const BuiltinDecl> yaml_builtins();
std::span<const BuiltinDecl> provider_builtins();
std::span<const BuiltinDecl> jwt_builtins();
std::span<const BuiltinDecl> encoding_builtins();
std::span<const BuiltinDecl> crypto_builtins();
std::span<const BuiltinDecl> x509_builtins();
std::span<const BuiltinDecl> time_builtins();
std::span<const BuiltinDecl> semver_builtins();
std::span<const BuiltinDecl> graph_builtins();
std::span<const BuiltinDecl> graphql_builtins();
std::span<const BuiltinDecl> net_builtins();
std::span<const BuiltinDecl> uri_builtins();
std::span<const BuiltinDecl> schema_builtins();
std::span<const BuiltinDecl> template_builtins();
std::span<const BuiltinDecl> parse_module_builtins();
std::span<const BuiltinDecl> misc_builtins();

}  // namespace portcullis::rego::builtins
