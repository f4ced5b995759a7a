// The process-wide table of names that policies mention (object keys, mostly). An interned string has one address, so
// that `input.review.object.spec` compares addresses and not bytes.
// Threads: any, at once; lookups take no lock. Ownership: symbols live until the process ends. Bounded: past
// kMaxSymbols or kMaxSymbolBytes intern() returns nullptr and callers keep plain strings (slower, never wrong).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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

inline std::uint32_t symbol_hash(std::string_view text) noexcept {
  const auto load8 = [](const char* from) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    return word;
  };
  const auto load4 = [](const char* from) {
    std::uint32_t word;
    std::memcpy(&word, from, 4);
    return std::uint64_t{word};
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = 0x9E3779B97F4A7C15ull ^ left;
  while (left > 8) {
    hash = (hash ^ load8(at)) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 32;
    at += 8;
    left -= 8;
  }
  // The last eight bytes or fewer, by loads that may overlap what was read already: no byte loop.
  std::uint64_t tail = 0;
  if (left == 8 || text.size() > 8) {
    tail = load8(at + left - 8);
  } else if (left >= 4) {
    tail = load4(at) | load4(at + left - 4) << 32;
  } else if (left != 0) {
    tail = static_cast<unsigned char>(at[0]) | std::uint64_t{static_cast<unsigned char>(at[left / 2])} << 8 |
           std::uint64_t{static_cast<unsigned char>(at[left - 1])} << 16;
  }
  hash = (hash ^ tail) * 0xc4ceb9fe1a85ec53ull;
  return static_cast<std::uint32_t>(hash >> 32);
}

// Adds `text` when it is new. Null when a bound is hit. O(1) expected; takes a lock only to add.
const Symbol* intern(std::string_view text);
// The symbol of `text` if a policy named it, else null. Never adds, never locks, never allocates. O(1) expected.
const Symbol* find_symbol(std::string_view text) noexcept;
// How many symbols exist. A document read when the count was N has every key with id < N interned, so a search for such
// a key by address alone is decisive.
std::uint32_t symbol_count() noexcept;

}  // namespace portcullis
