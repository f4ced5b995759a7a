// The process-wide table of names that policies mention (object keys, mostly). An interned string has one address, so
// that `input.review.object.spec` compares addresses and not bytes.
// Threads: any, at once; lookups take no lock. Ownership: symbols live until the process ends. Bounded: past
// kMaxSymbols or kMaxSymbolBytes intern() returns nullptr and callers keep plain strings (slower, never wrong).
#pragma once

#include <cstdint>
#include <string_view>

namespace portcullis {

struct Symbol {
  std::uint32_t id;    // dense, in order of interning
  std::uint32_t hash;  // symbol_hash of the text
  std::uint32_t size;  // bytes; the text follows this header
  std::uint32_t reserved;

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(this + 1), size}; }
};

inline constexpr std::uint32_t kMaxSymbols = 1u << 20;
inline constexpr std::uint32_t kMaxSymbolBytes = 64u << 20;
inline constexpr std::uint32_t kMaxSymbolLength = 1024;

std::uint32_t symbol_hash(std::string_view text) noexcept;

// Adds `text` when it is new. Null when a bound is hit. O(1) expected; takes a lock only to add.
const Symbol* intern(std::string_view text);
// The symbol of `text` if a policy named it, else null. Never adds, never locks, never allocates. O(1) expected.
const Symbol* find_symbol(std::string_view text) noexcept;
// How many symbols exist. A document read when the count was N has every key with id < N interned, so a search for such
// a key by address alone is decisive.
std::uint32_t symbol_count() noexcept;

}  // namespace portcullis
