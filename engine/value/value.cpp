// Rego's order, equality and hash; lookups; the builders of collections.
#include "engine/value/value.h"

#include <algorithm>
#include <vector>

#include "engine/value/number.h"
#include "engine/value/sort.h"

namespace portcullis {

namespace {

int compare_text(std::string_view a, std::string_view b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  if (common != 0) {
    if (const int order = std::memcmp(a.data(), b.data(), common); order != 0) return order;
  }
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}

int compare_spans(std::span<const Value> a, std::span<const Value> b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a[i], b[i]); order != 0) return order;
  }
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}

int compare_objects(const Value& a, const Value& b) noexcept {
  const auto a_keys = a.keys();
  const auto b_keys = b.keys();
  const std::size_t common = std::min(a_keys.size(), b_keys.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a_keys[i], b_keys[i]); order != 0) return order;
    if (const int order = compare(a.values()[i], b.values()[i]); order != 0) return order;
  }
  return a_keys.size() < b_keys.size() ? -1 : (a_keys.size() > b_keys.size() ? 1 : 0);
}

bool equal_spans(std::span<const Value> a, std::span<const Value> b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9FB21C651E98DF25ull;
  return hash ^ (hash >> 29);
}

// Index of `key` among sorted keys, or its insertion point with found = false.
struct Slot {
  std::size_t index;
  bool found;
};

Slot search(std::span<const Value> keys, const Value& key) noexcept {
  std::size_t low = 0;
  std::size_t high = keys.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const int order = compare(keys[middle], key);
    if (order == 0) return {middle, true};
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return {low, false};
}

Value element_at(const Value& array, const Value& index) noexcept {
  std::int64_t at = 0;
  if (index.is_integer()) {
    at = index.as_integer();
  } else {
    // [1.0] is the element 1 but [1e0] is none: the exponent form is not taken for an index by OPA.
    if (!index.is_number()) return {};
    const NumberRep* rep = index.as_number_rep();
    if (std::string_view(rep->text(), rep->size).find_first_of("eE") != std::string_view::npos) return {};
    const auto whole = to_int64(index);
    if (!whole) return {};
    at = *whole;
  }
  if (at < 0 || static_cast<std::uint64_t>(at) >= array.size()) return {};
  return array.elements()[static_cast<std::size_t>(at)];
}

template <typename Rep>
Rep* allocate_rep(Arena& arena, std::size_t size, std::size_t slots) {
  auto* rep = static_cast<Rep*>(arena.allocate(sizeof(Rep) + slots * sizeof(Value), alignof(Rep)));
  rep->size = static_cast<std::uint32_t>(size);
  return rep;
}

template <typename Rep>
Value* slots_of(Rep* rep) noexcept {
  return reinterpret_cast<Value*>(rep + 1);
}

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::kUndefined: return "undefined";
    case Kind::kNull: return "null";
    case Kind::kBool: return "boolean";
    case Kind::kNumber: return "number";
    case Kind::kString: return "string";
    case Kind::kArray: return "array";
    case Kind::kObject: return "object";
    case Kind::kSet: return "set";
  }
  return "undefined";
}

Value Value::get_slow(const Value& key) const noexcept {
  switch (kind_) {
    case Kind::kObject: {
      if (key.is_string()) return get(key.as_string());
      const Slot slot = search(keys(), key);
      return slot.found ? values()[slot.index] : Value{};
    }
    case Kind::kArray: return element_at(*this, key);
    case Kind::kSet: return search(elements(), key).found ? key : Value{};
    default: return {};
  }
}

Value Value::get(std::string_view key) const noexcept {
  const auto names = keys();
  std::size_t low = 0;
  std::size_t high = names.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const Value& name = names[middle];
    const int order = name.is_string() ? compare_text(name.as_string(), key) : (name.kind() < Kind::kString ? -1 : 1);
    if (order == 0) return values()[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return {};
}

Value Value::path(std::initializer_list<std::string_view> keys) const noexcept {
  Value at = *this;
  for (const std::string_view key : keys) at = at.get(key);
  return at;
}

std::string_view Value::string_or(std::string_view key, std::string_view otherwise) const noexcept {
  const Value found = get(key);
  return found.is_string() ? found.as_string() : otherwise;
}

int compare(const Value& a, const Value& b) noexcept {
  if (a.kind() != b.kind()) return a.kind() < b.kind() ? -1 : 1;
  if (a.identical(b)) return 0;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNull: return 0;
    case Kind::kBool: return static_cast<int>(a.as_bool()) - static_cast<int>(b.as_bool());
    case Kind::kNumber:
      if (a.is_integer() && b.is_integer()) return a.as_integer() < b.as_integer() ? -1 : 1;
      return compare_numbers(a, b);
    case Kind::kString: return compare_text(a.as_string(), b.as_string());
    case Kind::kArray:
    case Kind::kSet: return compare_spans(a.elements(), b.elements());
    case Kind::kObject: return compare_objects(a, b);
  }
  return 0;
}

bool equal(const Value& a, const Value& b) noexcept {
  if (a.kind() != b.kind()) return false;
  if (a.identical(b)) return true;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNull: return true;
    case Kind::kBool: return a.as_bool() == b.as_bool();
    case Kind::kNumber: return !(a.is_integer() && b.is_integer()) && compare_numbers(a, b) == 0;
    case Kind::kString:
      // Two symbols at two addresses are two texts.
      if (a.size() != b.size() || (a.symbol() != nullptr && b.symbol() != nullptr)) return false;
      return a.size() == 0 || std::memcmp(a.as_string().data(), b.as_string().data(), a.size()) == 0;
    case Kind::kArray:
    case Kind::kSet: return equal_spans(a.elements(), b.elements());
    case Kind::kObject: return equal_spans(a.keys(), b.keys()) && equal_spans(a.values(), b.values());
  }
  return false;
}

std::uint64_t hash(const Value& value) noexcept {
  std::uint64_t seed = mix(0x2545F4914F6CDD1Dull, static_cast<std::uint64_t>(value.kind()));
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNull: return seed;
    case Kind::kBool: return mix(seed, value.as_bool() ? 1 : 0);
    case Kind::kNumber: return mix(seed, hash_number(value));
    case Kind::kString: {
      const Symbol* symbol = value.symbol();
      return mix(seed, symbol != nullptr ? symbol->hash : symbol_hash(value.as_string()));
    }
    case Kind::kArray:
    case Kind::kSet:
      for (const Value& element : value.elements()) seed = mix(seed, hash(element));
      return mix(seed, value.size());
    case Kind::kObject:
      for (std::size_t i = 0; i < value.size(); ++i) {
        seed = mix(mix(seed, hash(value.keys()[i])), hash(value.values()[i]));
      }
      return mix(seed, value.size());
  }
  return seed;
}

Value make_string(Arena& arena, std::string_view text) { return Value::string(arena.copy(text)); }

Value make_symbol_or_string(Arena& arena, std::string_view text) {
  if (const Symbol* symbol = find_symbol(text)) return Value::string(*symbol);
  return make_string(arena, text);
}

Value make_array(Arena& arena, std::span<const Value> elements) {
  auto* rep = allocate_rep<ArrayRep>(arena, elements.size(), elements.size());
  std::copy(elements.begin(), elements.end(), slots_of(rep));
  return Value::array(rep);
}

Value make_set(Arena& arena, std::span<const Value> elements) {
  auto* rep = allocate_rep<SetRep>(arena, elements.size(), elements.size());
  Value* slots = slots_of(rep);
  std::copy(elements.begin(), elements.end(), slots);
  sort_stable(slots, elements.size(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (kept == 0 || !equal(slots[kept - 1], slots[i])) slots[kept++] = slots[i];
  }
  rep->size = static_cast<std::uint32_t>(kept);
  return Value::set(rep);
}

Value make_object(Arena& arena, std::span<const Member> members) {
  thread_local std::vector<Member> scratch;
  std::vector<Member> sorted = std::move(scratch);
  sorted.assign(members.begin(), members.end());
  const std::uint32_t symbols = symbol_count();
  bool all_interned = true;
  for (Member& member : sorted) {
    if (!member.key.is_string() || member.key.symbol() != nullptr) continue;
    if (const Symbol* symbol = find_symbol(member.key.as_string()))
      member.key = Value::string(*symbol);
    else
      all_interned = false;
  }
  sort_stable(sorted.data(), sorted.size(), [](const Member& a, const Member& b) { return compare(a.key, b.key) < 0; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (kept != 0 && equal(sorted[kept - 1].key, sorted[i].key)) {
      sorted[kept - 1].value = sorted[i].value;
    } else {
      sorted[kept++] = sorted[i];
    }
  }
  auto* rep = allocate_rep<ObjectRep>(arena, kept, kept * 2);
  // No plain string among the keys: whatever symbol is asked for, now or later, addresses decide.
  rep->symbols = all_interned ? ~std::uint32_t{0} : symbols;
  Value* slots = slots_of(rep);
  for (std::size_t i = 0; i < kept; ++i) {
    slots[i] = sorted[i].key;
    slots[kept + i] = sorted[i].value;
  }
  if (sorted.capacity() <= 4096) {
    scratch = std::move(sorted);
  }
  return Value::object(rep);
}

Value with_member(Arena& arena, const Value& object, const Value& key, const Value& value) {
  const auto keys = object.keys();
  const auto values = object.values();
  const Slot slot = search(keys, key);
  const std::size_t size = keys.size() + (slot.found ? 0 : 1);
  auto* rep = allocate_rep<ObjectRep>(arena, size, size * 2);
  rep->symbols = object.is_object() ? object.as_object()->symbols : ~std::uint32_t{0};
  Value name = slot.found ? keys[slot.index] : key;
  if (!slot.found && name.is_string() && name.symbol() == nullptr) {
    const std::uint32_t symbols = symbol_count();
    if (const Symbol* symbol = find_symbol(name.as_string()))
      name = Value::string(*symbol);
    else
      rep->symbols = std::min(rep->symbols, symbols);
  }
  Value* slots = slots_of(rep);
  const std::size_t rest = slot.found ? slot.index + 1 : slot.index;
  const auto lay = [&](Value* to, std::span<const Value> from, const Value& placed) {
    std::copy(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(slot.index), to);
    to[slot.index] = placed;
    std::copy(from.begin() + static_cast<std::ptrdiff_t>(rest), from.end(), to + slot.index + 1);
  };
  lay(slots, keys, name);
  lay(slots + size, values, value);
  return Value::object(rep);
}

Value deep_copy(Arena& arena, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNull:
    case Kind::kBool: return value;
    case Kind::kNumber: {
      if (value.is_integer()) return value;
      const NumberRep* from = value.as_number_rep();
      const std::size_t bytes = sizeof(NumberRep) + from->size;
      auto* rep = static_cast<NumberRep*>(arena.allocate(bytes, alignof(NumberRep)));
      std::memcpy(static_cast<void*>(rep), from, bytes);
      return Value::number(rep);
    }
    case Kind::kString: return value.symbol() != nullptr ? value : make_string(arena, value.as_string());
    case Kind::kArray: {
      auto* rep = allocate_rep<ArrayRep>(arena, value.size(), value.size());
      Value* slots = slots_of(rep);
      for (const Value& element : value.elements()) *slots++ = deep_copy(arena, element);
      return Value::array(rep);
    }
    case Kind::kSet: {
      auto* rep = allocate_rep<SetRep>(arena, value.size(), value.size());
      Value* slots = slots_of(rep);
      for (const Value& element : value.elements()) *slots++ = deep_copy(arena, element);
      return Value::set(rep);
    }
    case Kind::kObject: {
      auto* rep = allocate_rep<ObjectRep>(arena, value.size(), value.size() * std::size_t{2});
      rep->symbols = value.as_object()->symbols;
      Value* slots = slots_of(rep);
      for (const Value& key : value.keys()) *slots++ = deep_copy(arena, key);
      for (const Value& member : value.values()) *slots++ = deep_copy(arena, member);
      return Value::object(rep);
    }
  }
  return value;
}

std::size_t deep_size(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kNumber: return value.is_integer() ? 0 : sizeof(NumberRep) + value.size();
    case Kind::kString: return value.symbol() != nullptr ? 0 : value.size();
    case Kind::kArray:
    case Kind::kSet: {
      std::size_t bytes = sizeof(ArrayRep);
      for (const Value& element : value.elements()) bytes += sizeof(Value) + deep_size(element);
      return bytes;
    }
    case Kind::kObject: {
      std::size_t bytes = sizeof(ObjectRep);
      for (const Value& key : value.keys()) bytes += sizeof(Value) + deep_size(key);
      for (const Value& member : value.values()) bytes += sizeof(Value) + deep_size(member);
      return bytes;
    }
    default: return 0;
  }
}

}  // namespace portcullis
