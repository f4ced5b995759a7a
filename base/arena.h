// The one memory scheme of the engines: a bump allocator whose blocks live until reset or destruction.
// Threads: one at a time. Ownership: whatever is allocated dies with reset() or the arena; destructors are not run,
// so only trivially destructible things may live here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace portcullis {

class Arena {
 public:
  // `ceiling` bounds the bytes handed out; 0 means no bound. The first block is allocated lazily.
  explicit Arena(std::size_t ceiling = 0, std::size_t first_block = 4096) noexcept
      : ceiling_(ceiling), next_block_(first_block) {}
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Never returns null: past the ceiling it keeps working in blocks of its own and exceeded() turns true, so that
  // evaluation code checks once per instruction instead of at every allocation. O(1).
  void* allocate(std::size_t bytes, std::size_t alignment = 8) {
    std::uintptr_t at = (cursor_ + (alignment - 1)) & ~(alignment - 1);
    if (at + bytes > end_) return allocate_slow(bytes, alignment);
    cursor_ = at + bytes;
    return reinterpret_cast<void*>(at);
  }

  template <typename T>
  T* allocate_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(
        allocate(count * sizeof(T), alignof(T)));  // NOLINT(bugprone-sizeof-expression): T may be a pointer
  }

  // A copy of `text` that lives as long as the arena (not NUL-terminated).
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  // Forgets everything; keeps the largest block so that a steady state does not touch the heap.
  void reset() noexcept;

  bool exceeded() const noexcept { return ceiling_ != 0 && total_ > ceiling_; }
  void set_ceiling(std::size_t ceiling) noexcept { ceiling_ = ceiling; }
  // Bytes of all blocks held now (what the process pays), and heap allocations made over the arena's life.
  std::size_t bytes_held() const noexcept { return total_; }
  std::uint64_t heap_allocations() const noexcept { return heap_allocations_; }

 private:
  struct Block {
    Block* previous;
    std::size_t size;
  };
  void* allocate_slow(std::size_t bytes, std::size_t alignment);
  void release(Block* keep) noexcept;

  std::uintptr_t cursor_ = 0;
  std::uintptr_t end_ = 0;
  Block* head_ = nullptr;
  std::size_t ceiling_;
  std::size_t next_block_;
  std::size_t total_ = 0;
  std::uint64_t heap_allocations_ = 0;
};

}  // namespace portcullis
