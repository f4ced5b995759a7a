// OPA's types, as builtin signatures and the type checker use them.
// Written in tables as text: "string", "number", "boolean", "null", "any", "array[T]" (any length), "[T, U]" (exactly
// these), "object[K:V]" (dynamic), "{a: T, b: U}" (static), "set[T]", "T|U" (any of), "T…" is not part of a type.
// Threads: immutable once parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::rego {

enum class TypeKind : std::uint8_t { kAny, kNull, kBoolean, kNumber, kString, kArray, kObject, kSet, kFunction };

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Type {
  TypeKind kind = TypeKind::kAny;
  // kAny with no alternatives: anything at all. With some: one of them (OPA's types.Any).
  std::vector<TypePtr> alternatives;
  std::vector<TypePtr> items;  // kArray: static elements; kFunction: arguments
  TypePtr dynamic;             // kArray: type of further elements; kSet: of elements; kFunction: result; null: none
  // kObject: static properties by key text (JSON of the key), sorted; and the dynamic part.
  std::vector<std::pair<std::string, TypePtr>> properties;
  TypePtr dynamic_key;
  TypePtr dynamic_value;
  bool variadic = false;  // kFunction: the last argument may repeat
};

// Parses the text form; a malformed text is a bug of the table (reported, gives `any`).
TypePtr parse_type(std::string_view text);
// OPA's spelling: "array<string>", "object<a: string>[any: any]", "any<array[any], set[any]>" … as its errors print.
std::string to_string(const Type& type);

}  // namespace portcullis::rego
