// The one value type of the engines: a 16-byte, trivially copyable handle. Whatever it points at lives in an arena (a
// Document's, an EvalScratch's, a Program's constants) or in the symbol table; whoever holds a Value knows which.
// Threads: a Value and what it points at never change once built, so any number of threads may read.
// Order and equality are Rego's: null < bool < number < string < array < object < set; 1 == 1.0.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/arena.h"
#include "base/symbol.h"

namespace portcullis {

// In Rego's order. kUndefined is the absence of a value and never appears inside a collection.
enum class Kind : std::uint8_t { kUndefined, kNull, kBool, kNumber, kString, kArray, kObject, kSet };

std::string_view kind_name(Kind kind) noexcept;  // "null", "boolean", "number", "string", "array", "object", "set"

class Value;

// Elements follow the header.
struct alignas(16) ArrayRep {
  std::uint32_t size;
  const Value* begin() const noexcept;
  const Value* end() const noexcept;
};

// Sorted in Rego's order, without duplicates. Elements follow the header.
struct alignas(16) SetRep {
  std::uint32_t size;
  const Value* begin() const noexcept;
  const Value* end() const noexcept;
};

// Keys sorted in Rego's order, without duplicates: `size` keys, then `size` values, follow the header.
// `symbols` is symbol_count() at the time the keys were looked up in the symbol table (0: never looked up): a key whose
// symbol id is below it is found by its address or is not there at all.
struct alignas(16) ObjectRep {
  std::uint32_t size;
  std::uint32_t symbols;
  const Value* keys() const noexcept;
  const Value* values() const noexcept;
};

// A number that is no int64 or is spelled unusually: its text as it was read (`1.50`, `1e3`, 30 digits), exact.
struct NumberRep {
  std::uint32_t size;
  const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};

class Value {
 public:
  constexpr Value() noexcept : kind_(Kind::kUndefined), flags_(0), reserved_(0), size_(0), integer_(0) {}

  static constexpr Value undefined() noexcept { return {}; }
  static constexpr Value null() noexcept { return {Kind::kNull, 0, 0, std::int64_t{0}}; }
  static constexpr Value boolean(bool b) noexcept { return {Kind::kBool, 0, 0, std::int64_t{b}}; }
  static constexpr Value integer(std::int64_t i) noexcept { return {Kind::kNumber, kInteger, 0, i}; }
  // Borrows: the bytes must outlive the value. `text.size()` is below 4 GiB by the readers' limits.
  static Value string(std::string_view text) noexcept {
    return {Kind::kString, 0, static_cast<std::uint32_t>(text.size()), static_cast<const void*>(text.data())};
  }
  static Value string(const Symbol& symbol) noexcept {
    return {Kind::kString, kInterned, symbol.size, static_cast<const void*>(&symbol + 1)};
  }
  static Value number(const NumberRep* rep) noexcept { return {Kind::kNumber, 0, rep->size, rep}; }
  static Value array(const ArrayRep* rep) noexcept { return {Kind::kArray, 0, rep->size, rep}; }
  static Value object(const ObjectRep* rep) noexcept { return {Kind::kObject, 0, rep->size, rep}; }
  static Value set(const SetRep* rep) noexcept { return {Kind::kSet, 0, rep->size, rep}; }

  Kind kind() const noexcept { return kind_; }
  bool defined() const noexcept { return kind_ != Kind::kUndefined; }
  bool is_null() const noexcept { return kind_ == Kind::kNull; }
  bool is_bool() const noexcept { return kind_ == Kind::kBool; }
  bool is_number() const noexcept { return kind_ == Kind::kNumber; }
  bool is_string() const noexcept { return kind_ == Kind::kString; }
  bool is_array() const noexcept { return kind_ == Kind::kArray; }
  bool is_object() const noexcept { return kind_ == Kind::kObject; }
  bool is_set() const noexcept { return kind_ == Kind::kSet; }
  // True for a number held as int64 (canonical spelling); other numbers, even whole ones, have a NumberRep.
  bool is_integer() const noexcept { return kind_ == Kind::kNumber && (flags_ & kInteger) != 0; }
  bool is_true() const noexcept { return kind_ == Kind::kBool && integer_ != 0; }
  bool is_false() const noexcept { return kind_ == Kind::kBool && integer_ == 0; }
  // Rego: everything but false and undefined satisfies an expression.
  bool truthy() const noexcept { return defined() && !is_false(); }

  // Preconditions as the names say.
  bool as_bool() const noexcept { return integer_ != 0; }
  std::int64_t as_integer() const noexcept { return integer_; }
  std::string_view as_string() const noexcept { return {static_cast<const char*>(pointer_), size_}; }
  const NumberRep* as_number_rep() const noexcept { return static_cast<const NumberRep*>(pointer_); }
  const ArrayRep* as_array() const noexcept { return static_cast<const ArrayRep*>(pointer_); }
  const ObjectRep* as_object() const noexcept { return static_cast<const ObjectRep*>(pointer_); }
  const SetRep* as_set() const noexcept { return static_cast<const SetRep*>(pointer_); }
  // Elements of an array or set, pairs of an object, bytes of a string.
  std::uint32_t size() const noexcept { return size_; }
  // The symbol of an interned string, else null.
  const Symbol* symbol() const noexcept {
    return (flags_ & kInterned) != 0 ? static_cast<const Symbol*>(pointer_) - 1 : nullptr;
  }

  // Elements of an array or set (empty span for anything else).
  std::span<const Value> elements() const noexcept;
  // Keys and values of an object, in key order (empty spans for anything else).
  std::span<const Value> keys() const noexcept;
  std::span<const Value> values() const noexcept;

  // Object: the value of `key`. Array: the element at an integer `key`. Set: `key` itself when it is an element.
  // Undefined when absent or for any other kind. O(log n); for an interned string key in a Document, address compares.
  Value get(const Value& key) const noexcept {
    if (kind_ == Kind::kObject && (key.flags_ & kInterned) != 0 && size_ <= kLinearKeys) {
      const ObjectRep* rep = as_object();
      if (key.symbol()->id < rep->symbols) return find_interned(*rep, key);
    }
    return get_slow(key);
  }
  // Object member by plain text; undefined when absent or not an object.
  Value get(std::string_view key) const noexcept;
  // get() along string keys: path({"metadata", "name"}).
  Value path(std::initializer_list<std::string_view> keys) const noexcept;
  // The string at a key, or `otherwise` when it is absent or no string.
  std::string_view string_or(std::string_view key, std::string_view otherwise = {}) const noexcept;

  // Same bits: same kind and same storage. Equal values need not be identical.
  bool identical(const Value& other) const noexcept { return std::memcmp(this, &other, sizeof(Value)) == 0; }

 private:
  static constexpr std::uint8_t kInteger = 1;   // kNumber: payload is an int64
  static constexpr std::uint8_t kInterned = 2;  // kString: the bytes are a Symbol's

  constexpr Value(Kind kind, std::uint8_t flags, std::uint32_t size, std::int64_t integer) noexcept
      : kind_(kind), flags_(flags), reserved_(0), size_(size), integer_(integer) {}
  Value(Kind kind, std::uint8_t flags, std::uint32_t size, const void* pointer) noexcept
      : kind_(kind), flags_(flags), reserved_(0), size_(size), pointer_(pointer) {}

  // Up to this many keys a scan over addresses beats a binary search over bytes.
  static constexpr std::uint32_t kLinearKeys = 48;
  static Value find_interned(const ObjectRep& rep, const Value& key) noexcept;
  Value get_slow(const Value& key) const noexcept;

  Kind kind_;
  std::uint8_t flags_;
  [[maybe_unused]] std::uint16_t reserved_;  // part of identical()'s bits
  std::uint32_t size_;
  union {
    std::int64_t integer_;
    const void* pointer_;
  };
};

static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) == 16);

inline const Value* ArrayRep::begin() const noexcept { return reinterpret_cast<const Value*>(this + 1); }
inline const Value* ArrayRep::end() const noexcept { return begin() + size; }
inline const Value* SetRep::begin() const noexcept { return reinterpret_cast<const Value*>(this + 1); }
inline const Value* SetRep::end() const noexcept { return begin() + size; }
inline const Value* ObjectRep::keys() const noexcept { return reinterpret_cast<const Value*>(this + 1); }
inline const Value* ObjectRep::values() const noexcept { return keys() + size; }

inline Value Value::find_interned(const ObjectRep& rep, const Value& key) noexcept {
  const Value* keys = rep.keys();
  const std::uint32_t size = rep.size;
  for (std::uint32_t i = 0; i < size; ++i) {
    // The kind is checked too: the payload of a number may equal an address.
    if (keys[i].pointer_ == key.pointer_ && keys[i].kind_ == Kind::kString) return keys[size + i];
  }
  return {};
}

inline std::span<const Value> Value::elements() const noexcept {
  if (kind_ == Kind::kArray || kind_ == Kind::kSet) {
    return {reinterpret_cast<const Value*>(static_cast<const ArrayRep*>(pointer_) + 1), size_};
  }
  return {};
}
inline std::span<const Value> Value::keys() const noexcept {
  return kind_ == Kind::kObject ? std::span{as_object()->keys(), size_} : std::span<const Value>{};
}
inline std::span<const Value> Value::values() const noexcept {
  return kind_ == Kind::kObject ? std::span{as_object()->values(), size_} : std::span<const Value>{};
}

// Rego's total order over defined values: negative, zero, positive. Recursion is bounded by the readers' depth limit.
int compare(const Value& a, const Value& b) noexcept;
bool equal(const Value& a, const Value& b) noexcept;
// Equal values have equal hashes.
std::uint64_t hash(const Value& value) noexcept;

// --- Building. All copy what they are given into `arena`, except that nested values are shared, not copied. ---

Value make_string(Arena& arena, std::string_view text);
// The symbol when a policy named `text`, else a copy in `arena`.
Value make_symbol_or_string(Arena& arena, std::string_view text);
Value make_array(Arena& arena, std::span<const Value> elements);
// Sorts and drops duplicates (of equal elements the first given stays).
Value make_set(Arena& arena, std::span<const Value> elements);

struct Member {
  Value key;
  Value value;
};
// Sorts by key; of equal keys the last given wins. Looks string keys up in the symbol table unless all are interned.
Value make_object(Arena& arena, std::span<const Member> members);
// An object with `key` set (replaced or added). O(n).
Value with_member(Arena& arena, const Value& object, const Value& key, const Value& value);

// A deep copy of `value` into `arena`; interned strings stay interned.
Value deep_copy(Arena& arena, const Value& value);
// Approximate bytes that a deep copy takes. O(size of the value).
std::size_t deep_size(const Value& value) noexcept;

}  // namespace portcullis
