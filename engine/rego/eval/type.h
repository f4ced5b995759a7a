// OPA's types, as builtin signatures and the type checker use them.
// Written in tables as text: "string", "number", "boolean", "null", "any", "array[T]" (any length), "[T, U]" (exactly
// these), "object[K:V]" (dynamic), "{a: T, b: U}" (static), "set[T]", "T|U" (any of), "T…" is not part of a type.
// Threads: immutable once parsed.
#pragma once

#include <cstddef>
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
  std::vector<TypePtr> items;  // kArray: static elements; kFunction: fixed arguments
  TypePtr dynamic;             // kArray: type of further elements; kSet: of elements; kFunction: result; null: none
  // kObject: static properties by key text (JSON of the key), sorted; and the dynamic part.
  std::vector<std::pair<std::string, TypePtr>> properties;
  bool has_dynamic = false;  // kObject: there is a dynamic part, though its types may be unknown (null)
  TypePtr dynamic_key;
  TypePtr dynamic_value;
  TypePtr rest;  // kFunction: type of any number of further arguments (print), null: none
};

// A null TypePtr is OPA's nil type: nothing is known (of a function's result: there is none).
namespace types {
const TypePtr& any();
const TypePtr& null();
const TypePtr& boolean();
const TypePtr& number();
const TypePtr& string();
TypePtr array(std::vector<TypePtr> items, TypePtr dynamic);
TypePtr set(TypePtr of);
// `properties` in any order; keys are JSON texts (`"a"`, `1`, `true`). There is a dynamic part when a type of it is
// known or `dynamic` says so.
TypePtr object(std::vector<std::pair<std::string, TypePtr>> properties, TypePtr key = nullptr, TypePtr value = nullptr,
               bool dynamic = false);
// One of these; kept as given but for the order (a union inside is not flattened, duplicates stay: as OPA's NewAny).
TypePtr any_of(std::vector<TypePtr> alternatives);
// `rest`: type of further arguments, null when there are none.
TypePtr function(std::vector<TypePtr> arguments, TypePtr result, TypePtr rest = nullptr);

int compare(const TypePtr& a, const TypePtr& b);         // OPA's total order over types
bool contains(const TypePtr& a, const TypePtr& b);       // a is a superset of b, or equal
TypePtr either(const TypePtr& a, const TypePtr& b);      // OPA's Or: the union; null for a function and a non-function
TypePtr select(const TypePtr& a, std::string_view key);  // type of the member at a key (JSON text); null: none
TypePtr keys(const TypePtr& a);                          // type of what enumerating keys yields; null: none
TypePtr values(const TypePtr& a);
bool unknown(const TypePtr& a);  // nil, or nil somewhere inside
// Type of a scalar or composite given as JSON text ("1" → number).
TypePtr of_json(std::string_view text);
bool is_any(const TypePtr& a);                             // the unrestricted any
std::size_t arity(const Type& function);                   // fixed arguments
int compare_keys(std::string_view a, std::string_view b);  // order of properties' keys
std::string key_to_string(std::string_view key);           // as types print it
}  // namespace types

// Parses the text form; a malformed text is a bug of the table (reported, gives `any`). Beyond the list above, a static
// part may be followed by a dynamic one: "[T, U][V]", "{a: T}[K:V]"; keys may be quoted: {"x-y": T}; "any<T>" is the
// union of a single type, which OPA has in places and prints so.
TypePtr parse_type(std::string_view text);
// OPA's spelling: "array<string>", "object<a: string>[any: any]", "any<array[any], set[any]>" … as its errors print.
std::string to_string(const Type& type);
std::string to_string(const TypePtr& type);  // null: "???"
// "(string, any...)": a function's arguments as errors print them.
std::string arguments_to_string(const Type& function);

}  // namespace portcullis::rego
