// Block management of the arena.
#include "base/arena.h"

#include <algorithm>
#include <new>
#include <utility>

namespace portcullis {

namespace {
constexpr std::size_t kLargestBlock = std::size_t{1} << 20;
}  // namespace

Arena::~Arena() { release(nullptr); }

Arena::Arena(Arena&& other) noexcept
    : cursor_(std::exchange(other.cursor_, 0)),
      end_(std::exchange(other.end_, 0)),
      head_(std::exchange(other.head_, nullptr)),
      ceiling_(other.ceiling_),
      next_block_(other.next_block_),
      total_(std::exchange(other.total_, 0)),
      heap_allocations_(other.heap_allocations_) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  if (this != &other) {
    release(nullptr);
    cursor_ = std::exchange(other.cursor_, 0);
    end_ = std::exchange(other.end_, 0);
    head_ = std::exchange(other.head_, nullptr);
    ceiling_ = other.ceiling_;
    next_block_ = other.next_block_;
    total_ = std::exchange(other.total_, 0);
    heap_allocations_ = other.heap_allocations_;
  }
  return *this;
}

void* Arena::allocate_slow(std::size_t bytes, std::size_t alignment) {
  const std::size_t needed = bytes + alignment + sizeof(Block);
  const std::size_t size = std::max(needed, next_block_);
  next_block_ = std::min(next_block_ * 2, kLargestBlock);
  auto* block = static_cast<Block*>(::operator new(size));
  ++heap_allocations_;
  block->previous = head_;
  block->size = size;
  head_ = block;
  total_ += size;
  const auto start = reinterpret_cast<std::uintptr_t>(block) + sizeof(Block);
  end_ = reinterpret_cast<std::uintptr_t>(block) + size;
  const std::uintptr_t at = (start + (alignment - 1)) & ~(alignment - 1);
  cursor_ = at + bytes;
  return reinterpret_cast<void*>(at);
}

void Arena::release(Block* keep) noexcept {
  for (Block* block = head_; block != nullptr;) {
    Block* previous = block->previous;
    if (block != keep) {
      total_ -= block->size;
      ::operator delete(block);
    }
    block = previous;
  }
  head_ = keep;
  if (keep != nullptr) keep->previous = nullptr;
}

void Arena::reset() noexcept {
  if (head_ == nullptr) return;
  Block* largest = head_;
  for (Block* block = head_; block != nullptr; block = block->previous) {
    if (block->size > largest->size) largest = block;
  }
  if (largest->size > kLargestBlock * 4) {  // one huge review must not pin its memory for ever
    release(nullptr);
    cursor_ = end_ = 0;
    return;
  }
  release(largest);
  cursor_ = reinterpret_cast<std::uintptr_t>(largest) + sizeof(Block);
  end_ = reinterpret_cast<std::uintptr_t>(largest) + largest->size;
}

}  // namespace portcullis
