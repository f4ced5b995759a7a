// What logs and Events say about a violation, shared by webhook and audit. Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/value/value.h"
#include "policy/review/result.h"

namespace portcullis::policy {

// Actions of a scoped constraint as a JSON list; `[]` for any other.
std::string actions_json(const Violation& violation);
// The same joined with commas.
std::string actions_text(const Violation& violation);

// What an Event about a violation is about, as Gatekeeper writes it. In its own namespace the object's UID would
// suggest an object that lives there, so the reference gets a UID made of object and constraint.
struct ViolationReference {
  std::string kind;
  std::string name;
  std::string ns;
  std::string uid;
  std::string resource_version;
};
struct ViolatingObject {
  std::string_view kind;
  std::string_view name;
  std::string_view ns;
  std::string_view uid;
  std::string_view resource_version;
};
ViolationReference violation_reference(const ViolatingObject& object, const Constraint& constraint,
                                       std::string_view own_namespace, bool in_involved_namespace);

// The field execution_stats: a JSON list with one entry per template evaluated.
std::string stats_json(const ReviewResult& result, bool tracing);

}  // namespace portcullis::policy
