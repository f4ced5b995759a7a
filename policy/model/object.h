// Views into Kubernetes objects held as Values, and the names of Gatekeeper's API groups. Pure lookups, nothing owned.
#pragma once

#include <string>
#include <string_view>

#include "engine/value/value.h"

namespace portcullis::policy {

inline constexpr std::string_view kTargetName = "admission.k8s.gatekeeper.sh";
inline constexpr std::string_view kConstraintsGroup = "constraints.gatekeeper.sh";
inline constexpr std::string_view kTemplatesGroup = "templates.gatekeeper.sh";
inline constexpr std::string_view kRegoEngine = "Rego";
inline constexpr std::string_view kCelEngine = "K8sNativeValidation";

// Borrowed from the object; group "" is the core group.
struct ObjectKind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;

  // "apps/v1" or "v1".
  std::string api_version() const;
  // "apps/v1, Kind=Deployment", "/v1, Kind=Pod", "/, Kind=": as Go prints a GroupVersionKind.
  std::string to_string() const;
  bool is_namespace() const noexcept { return group.empty() && kind == "Namespace"; }
  friend bool operator==(const ObjectKind&, const ObjectKind&) = default;
};

// Splits apiVersion at its slash as Kubernetes does: none -> version only; more than one -> all empty.
ObjectKind kind_of(const Value& object) noexcept;
ObjectKind parse_api_version(std::string_view api_version, std::string_view kind) noexcept;

// metadata.name, metadata.namespace, metadata.generateName; "" when absent or no string.
std::string_view name_of(const Value& object) noexcept;
std::string_view namespace_of(const Value& object) noexcept;
std::string_view generate_name_of(const Value& object) noexcept;
Value labels_of(const Value& object) noexcept;  // undefined when absent

// A copy of `value` whose numbers are what Go's json.Unmarshal into interface{} leaves and Rego then prints: float64 in
// shortest %g form (1000000 -> 1e+06, 1.50 -> 1.5). Subtrees without such numbers are shared, not copied.
Value as_float64(Arena& arena, const Value& value);
// The same for Kubernetes' unstructured objects: integers that fit int64 stay exact, everything else is float64.
Value as_unstructured_numbers(Arena& arena, const Value& value);

}  // namespace portcullis::policy
