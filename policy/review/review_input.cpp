#include "policy/review/review_input.h"

#include <array>
#include <cstddef>

#include "policy/model/object.h"

namespace portcullis::policy {
namespace {

Value name_of_field(std::string_view name) {
  const Symbol* symbol = intern(name);
  return symbol != nullptr ? Value::string(*symbol) : Value::string(name);
}

// Interned once, so that building an input is stores only.
struct Fields {
  Value dry_run = name_of_field("dryRun");
  Value group = name_of_field("group");
  Value kind = name_of_field("kind");
  Value name = name_of_field("name");
  Value ns = name_of_field("namespace");
  Value namespace_object = name_of_field("namespaceObject");
  Value object = name_of_field("object");
  Value old_object = name_of_field("oldObject");
  Value operation = name_of_field("operation");
  Value options = name_of_field("options");
  Value request_kind = name_of_field("requestKind");
  Value request_resource = name_of_field("requestResource");
  Value request_sub_resource = name_of_field("requestSubResource");
  Value resource = name_of_field("resource");
  Value sub_resource = name_of_field("subResource");
  Value uid = name_of_field("uid");
  Value user_info = name_of_field("userInfo");
  Value version = name_of_field("version");
};

const Fields& fields() {
  static const Fields kFields;
  return kFields;
}

Value empty_object() noexcept {
  static constexpr ObjectRep kEmpty{0, 0};
  return Value::object(&kEmpty);
}

Value triple(Arena& arena, const Value& last_key, std::string_view group, std::string_view version,
             std::string_view last) {
  const Fields& f = fields();
  const std::array<Member, 3> members = {Member{f.group, Value::string(group)}, Member{last_key, Value::string(last)},
                                         Member{f.version, Value::string(version)}};
  return make_object(arena, members);
}

Value or_null(const Value& value) noexcept { return value.defined() ? value : Value::null(); }

// group, version and kind (or resource) of an optional member; undefined when it is absent.
Value optional_triple(Arena& arena, const Value& given, const Value& last_key) {
  if (!given.is_object()) return Value::undefined();
  return triple(arena, last_key, given.string_or("group"), given.string_or("version"),
                given.string_or(last_key.as_string()));
}

// Only the members that Kubernetes knows, empty ones left out.
Value user_info(Arena& arena, const Value& given) {
  if (!given.is_object() || given.size() == 0) return empty_object();
  std::array<Member, 4> members;
  std::size_t count = 0;
  for (std::size_t i = 0; i < given.keys().size() && count < members.size(); ++i) {
    const Value& value = given.values()[i];
    const std::string_view key = given.keys()[i].as_string();
    const bool known = key == "username" || key == "uid" || key == "groups" || key == "extra";
    if (known && !value.is_null() && value.size() != 0) members[count++] = {given.keys()[i], value};
  }
  return count == given.size() ? given : make_object(arena, {members.data(), count});
}

}  // namespace

Value make_review_input(Arena& arena, const Review& review) {
  const Fields& f = fields();
  const Value& request = review.request;
  std::array<Member, 17> members;
  std::size_t count = 0;
  const auto add = [&](const Value& key, const Value& value) {
    if (value.defined()) members[count++] = {key, value};
  };
  const auto add_text = [&](const Value& key, std::string_view text) {
    if (!text.empty()) members[count++] = {key, Value::string(text)};
  };
  const bool is_delete = review.operation == Operation::kDelete;
  // In order of keys, so that there is nothing left to sort.
  if (review.has_dry_run) add(f.dry_run, Value::boolean(review.dry_run));
  add(f.kind, triple(arena, f.kind, review.group, review.version, review.kind));
  add_text(f.name, review.name);
  add_text(f.ns, review.ns);
  add(f.namespace_object, review.input_namespace.is_object() ? review.input_namespace : empty_object());
  const auto shown = [&](const Value& object) {
    return or_null(review.float64_numbers ? object : as_float64(arena, object));
  };
  const Value old_object = shown(review.old_object);
  add(f.object, is_delete ? old_object : shown(review.object));
  add(f.old_object, old_object);
  add(f.operation, Value::string(review.operation_text));
  add(f.options, or_null(review.options));
  add(f.request_kind, optional_triple(arena, request.get(f.request_kind), f.kind));
  add(f.request_resource, optional_triple(arena, request.get(f.request_resource), f.resource));
  add_text(f.request_sub_resource, request.string_or("requestSubResource"));
  add(f.resource, triple(arena, f.resource, review.resource_group, review.resource_version, review.resource));
  add_text(f.sub_resource, review.sub_resource);
  add(f.uid, Value::string(review.uid));
  add(f.user_info, user_info(arena, review.user_info));
  return make_object(arena, {members.data(), count});
}

}  // namespace portcullis::policy
