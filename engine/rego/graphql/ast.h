// GraphQL documents as trees of plain structs, in the shape that OPA's graphql.* builtins show to policies.
// Threads: none of their own; a tree belongs to one evaluation. Ownership: nodes, lists and texts live in one Arena and
// are trivially destructible, so that the arena's ceiling bounds a document of any size.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/arena.h"

namespace portcullis::graphql {

// A list that grows in an arena.
template <typename T>
struct List {
  T* items = nullptr;
  std::uint32_t count = 0;
  std::uint32_t capacity = 0;

  T* begin() const noexcept { return items; }
  T* end() const noexcept { return items + count; }
  std::uint32_t size() const noexcept { return count; }
  bool empty() const noexcept { return count == 0; }
  T& operator[](std::uint32_t i) const noexcept { return items[i]; }

  void push(Arena& arena, const T& item) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (count == capacity) {
      const std::uint32_t wider = capacity == 0 ? 2 : capacity * 2;
      T* to = arena.allocate_array<T>(wider);
      for (std::uint32_t i = 0; i < count; ++i) to[i] = items[i];
      items = to;
      capacity = wider;
    }
    items[count++] = item;
  }
  // The node of that name, null when there is none. For lists of pointers to what has a name.
  template <typename Node = T>
  Node find(std::string_view name) const noexcept {
    for (const T& item : *this) {
      if (item->name == name) return item;
    }
    return nullptr;
  }
};

struct Position {
  std::uint32_t line = 0;  // from 1; 0: the node came from no text
  std::int32_t column = 0;
  bool built_in = false;  // in the types that every schema has
  bool known() const noexcept { return line != 0; }
};

// "# text" lines; no lines: no comment.
using Comment = List<std::string_view>;

struct Definition;
struct DirectiveDefinition;
struct FieldDefinition;
struct FragmentDefinition;
struct VariableDefinition;
struct TypeRef;
struct InputValue;

enum class ValueKind : std::uint8_t {
  kVariable,
  kInt,
  kFloat,
  kString,
  kBlock,
  kBoolean,
  kNull,
  kEnum,
  kList,
  kObject
};

struct TypeRef {
  std::string_view named;
  TypeRef* element = nullptr;
  bool non_null = false;
  Position position;
};

struct ChildValue {
  std::string_view name;
  InputValue* value = nullptr;
  Position position;
  Comment comment;
};

struct InputValue {
  std::string_view raw;
  List<ChildValue*> children;
  ValueKind kind = ValueKind::kVariable;
  Position position;
  Comment comment;
  // Known once validated.
  Definition* definition = nullptr;
  VariableDefinition* variable = nullptr;
  TypeRef* expected = nullptr;
  bool expected_has_default = false;
};

struct Argument {
  std::string_view name;
  InputValue* value = nullptr;
  Position position;
  Comment comment;
};

struct Directive {
  std::string_view name;
  List<Argument*> arguments;
  Position position;
  DirectiveDefinition* definition = nullptr;  // known once validated
  std::string_view location;
};

struct ArgumentDefinition {
  std::string_view description;
  std::string_view name;
  InputValue* default_value = nullptr;
  TypeRef* type = nullptr;
  List<Directive*> directives;
  Position position;
  Comment before;
  Comment after;
};

struct FieldDefinition {
  std::string_view description;
  std::string_view name;
  List<ArgumentDefinition*> arguments;
  InputValue* default_value = nullptr;
  TypeRef* type = nullptr;
  List<Directive*> directives;
  Position position;
  Comment before;
  Comment after;
};

struct EnumValueDefinition {
  std::string_view description;
  std::string_view name;
  List<Directive*> directives;
  Position position;
  Comment before;
  Comment after;
};

struct DirectiveDefinition {
  std::string_view description;
  std::string_view name;
  List<ArgumentDefinition*> arguments;
  List<std::string_view> locations;
  bool repeatable = false;
  Position position;
  Comment before;
  Comment after;
};

// SCALAR, OBJECT, INTERFACE, UNION, ENUM, INPUT_OBJECT: texts, because an object handed in may hold any.
inline constexpr std::string_view kScalar = "SCALAR";
inline constexpr std::string_view kObject = "OBJECT";
inline constexpr std::string_view kInterface = "INTERFACE";
inline constexpr std::string_view kUnion = "UNION";
inline constexpr std::string_view kEnum = "ENUM";
inline constexpr std::string_view kInputObject = "INPUT_OBJECT";

// A type, or an extension of one.
struct Definition {
  std::string_view kind;
  std::string_view description;
  std::string_view name;
  List<Directive*> directives;
  List<std::string_view> interfaces;
  List<FieldDefinition*> fields;
  List<std::string_view> types;  // a union's members
  List<Position> type_positions;
  List<EnumValueDefinition*> enum_values;
  Position position;
  bool built_in = false;
  Comment before;
  Comment after;
  Comment end;

  bool is_leaf() const noexcept { return kind == kEnum || kind == kScalar; }
  bool is_abstract() const noexcept { return kind == kInterface || kind == kUnion; }
  bool is_composite() const noexcept { return kind == kObject || is_abstract(); }
  bool is_input() const noexcept { return is_leaf() || kind == kInputObject; }
};

struct OperationType {
  std::string_view operation;
  std::string_view type;
  Position position;
  Comment comment;
};

struct SchemaDefinition {
  std::string_view description;
  List<Directive*> directives;
  List<OperationType*> operation_types;
  Position position;
  Comment before;
  Comment after;
  Comment end;
};

struct SchemaDocument {
  List<SchemaDefinition*> schemas;
  List<SchemaDefinition*> schema_extensions;
  List<DirectiveDefinition*> directives;
  List<Definition*> definitions;
  List<Definition*> extensions;
  Comment comment;
};

enum class SelectionKind : std::uint8_t { kField, kSpread, kInline };

// A field, a fragment spread or an inline fragment.
struct Selection {
  SelectionKind kind = SelectionKind::kField;
  std::string_view alias;
  std::string_view name;
  std::string_view type_condition;
  List<Argument*> arguments;
  List<Directive*> directives;
  List<Selection*> selections;
  Position position;
  Comment comment;
  // Known once validated.
  FieldDefinition* definition = nullptr;
  FragmentDefinition* fragment = nullptr;
  Definition* object = nullptr;
};

struct VariableDefinition {
  std::string_view name;
  TypeRef* type = nullptr;
  InputValue* default_value = nullptr;
  List<Directive*> directives;
  Position position;
  Comment comment;
  Definition* definition = nullptr;
  bool used = false;
};

struct FragmentDefinition {
  std::string_view name;
  List<VariableDefinition*> variables;
  std::string_view type_condition;
  List<Directive*> directives;
  List<Selection*> selections;
  Position position;
  Comment comment;
  Definition* definition = nullptr;
};

struct Operation {
  std::string_view operation;
  std::string_view name;
  List<VariableDefinition*> variables;
  List<Directive*> directives;
  List<Selection*> selections;
  Position position;
  Comment comment;
};

struct QueryDocument {
  List<Operation*> operations;
  List<FragmentDefinition*> fragments;
  Comment comment;
};

template <typename Node>
Node* make_node(Arena& arena) {
  static_assert(std::is_trivially_destructible_v<Node>);
  return new (arena.allocate(sizeof(Node), alignof(Node))) Node();
}

// The name of a type without lists and "!".
std::string_view name_of(const TypeRef& type) noexcept;

}  // namespace portcullis::graphql
