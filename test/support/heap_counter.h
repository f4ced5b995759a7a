// Counts what each thread takes from the heap. Replaces operator new and delete of the program that includes it: in one
// source file of a test or benchmark, never in a library. g++ takes the pair it then sees for a mismatch, so that file
// is compiled with -Wno-mismatched-new-delete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace portcullis {

inline thread_local std::uint64_t heap_calls = 0;  // of this thread, since it began

}  // namespace portcullis

void* operator new(std::size_t size) {
  ++portcullis::heap_calls;
  void* const got = std::malloc(size == 0 ? 1 : size);
  if (got == nullptr) std::abort();
  return got;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
