// Where the memory of this process is, by kind, so that what it takes can be explained: the kinds add up to the
// resident set. Reads /proc/self/smaps and the allocator's counters: about a millisecond, so for scrapes. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::metrics {

struct MemoryKind {
  std::string kind;
  std::uint64_t bytes = 0;
};

// What the kernel and the allocator know.
struct ProcessMemory {
  std::uint64_t resident = 0;
  std::uint64_t files = 0;        // of the program and its libraries: code, constants, data
  std::uint64_t stacks = 0;       // of threads
  std::uint64_t anonymous = 0;    // the rest: the heap, with what the allocator keeps
  std::uint64_t heap_in_use = 0;  // handed out by the allocator
};
ProcessMemory process_memory();
// The same from the text of a smaps file. Pure; heap_in_use is left 0.
ProcessMemory parse_smaps(std::string_view smaps);

// `known`: the parts of the heap that somebody accounts for. Adds "heap_other" (handed out, and in none of them),
// "allocator" (resident, and not handed out), "stacks" and "program". Parts that claim more than there is are cut down
// in proportion, so that the sum is the resident set.
std::vector<MemoryKind> memory_by_kind(const ProcessMemory& memory, std::vector<MemoryKind> known);

}  // namespace portcullis::metrics
