#include "policy/model/constraint.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, "invalid Constraint: " + std::move(message)); }

// An absent map and an empty one count as the same.
bool same_strings(const Value& a, const Value& b) noexcept {
  const bool a_empty = !a.is_object() || a.size() == 0;
  const bool b_empty = !b.is_object() || b.size() == 0;
  if (a_empty || b_empty) return a_empty == b_empty;
  return equal(a, b);
}

Value without_key(Arena& arena, const Value& object, std::string_view key) {
  if (!object.get(key).defined()) return object;
  std::vector<Member> members;
  members.reserve(object.size());
  for (std::size_t i = 0; i < object.keys().size(); ++i) {
    if (object.keys()[i].is_string() && object.keys()[i].as_string() == key) continue;
    members.push_back({object.keys()[i], object.values()[i]});
  }
  return make_object(arena, members);
}

}  // namespace

Result<void> validate_constraint_metadata(const Value& object) {
  const std::string name(name_of(object));
  if (name.empty()) return invalid("missing metadata.name");
  const ObjectKind kind = kind_of(object);
  if (kind.kind.empty()) return invalid("missing kind");
  if (kind.group != kConstraintsGroup) {
    return invalid("wrong API Group for Constraint " + text::go_quote(name) + ", got " + text::go_quote(kind.group) +
                   " but need " + text::go_quote(kConstraintsGroup));
  }
  return ok();
}

Result<ConstraintPtr> decode_constraint(const Value& object) {
  auto constraint = std::make_shared<Constraint>();
  PC_TRY(constraint->enforcement, decode_enforcement(object));
  Arena scratch;
  constraint->document = Document::copy_of(as_unstructured_numbers(scratch, without_key(scratch, object, "status")));
  constraint->object = constraint->document.root();
  constraint->kind = std::string(constraint->object.string_or("kind"));
  constraint->name = std::string(name_of(constraint->object));
  const Value spec = constraint->object.get("spec");
  constraint->match = spec.get("match");
  constraint->parameters = spec.get("parameters");
  if (!constraint->parameters.defined() || constraint->parameters.is_null()) {
    static constexpr ObjectRep kEmpty{0, 0};
    constraint->parameters = Value::object(&kEmpty);
  }
  return ConstraintPtr(std::move(constraint));
}

bool same_constraint(const Value& a, const Value& b) noexcept {
  const Value a_spec = a.get("spec");
  const Value b_spec = b.get("spec");
  if (a_spec.defined() != b_spec.defined() || (a_spec.defined() && !equal(a_spec, b_spec))) return false;
  const Value a_meta = a.get("metadata");
  const Value b_meta = b.get("metadata");
  return same_strings(a_meta.get("labels"), b_meta.get("labels")) &&
         same_strings(a_meta.get("annotations"), b_meta.get("annotations"));
}

}  // namespace portcullis::policy
