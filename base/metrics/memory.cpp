// smaps and mallinfo2 to kinds.
#include "base/metrics/memory.h"

#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

#include "base/text.h"

namespace portcullis::metrics {

namespace {

constexpr std::uint64_t kArenaAlignment = std::uint64_t{64} << 20;  // glibc's arenas begin at multiples of this
constexpr std::uint64_t kLargestStack = std::uint64_t{64} << 20;
constexpr std::size_t kMaxSmaps = std::size_t{16} << 20;

struct Mapping {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  bool readable = false;
  std::string_view name;
};

// "55d0-55e0 r-xp 00000000 08:01 123   /usr/bin/x"; false: another line of the file.
bool parse_mapping(std::string_view line, Mapping& mapping) {
  const char* const end = line.data() + line.size();
  auto [dash, bad] = std::from_chars(line.data(), end, mapping.from, 16);
  if (bad != std::errc() || dash == end || *dash != '-') return false;
  auto [blank, worse] = std::from_chars(dash + 1, end, mapping.to, 16);
  if (worse != std::errc() || end - blank < 5 || *blank != ' ') return false;
  mapping.readable = blank[1] == 'r';
  const std::size_t name = line.find_first_of("/[", static_cast<std::size_t>(blank - line.data()));
  mapping.name = name == std::string_view::npos ? std::string_view() : line.substr(name);
  return true;
}

std::uint64_t kilobytes_of(std::string_view line, std::string_view field) {
  if (!text::starts_with(line, field)) return 0;
  line.remove_prefix(field.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::uint64_t number = 0;
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number * 1024;
}

}  // namespace

ProcessMemory parse_smaps(std::string_view smaps) {
  ProcessMemory out;
  Mapping now;
  Mapping before;
  std::uint64_t* into = &out.anonymous;
  for (const std::string_view line : text::split(smaps, '\n')) {
    Mapping next;
    if (parse_mapping(line, next)) {
      before = now;
      now = next;
      const bool guarded = !before.readable && before.to == now.from && before.name.empty();
      const bool stack = now.name == "[stack]" || (now.name.empty() && guarded && now.from % kArenaAlignment != 0 &&
                                                   now.to - now.from <= kLargestStack);
      into = stack ? &out.stacks : text::starts_with(now.name, "/") ? &out.files : &out.anonymous;
      continue;
    }
    const std::uint64_t resident = kilobytes_of(line, "Rss:");
    *into += resident;
    out.resident += resident;
  }
  return out;
}

ProcessMemory process_memory() {
  std::string smaps;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/smaps", "re"), &std::fclose);
  if (file == nullptr) return {};
  char buffer[16384];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0 && smaps.size() < kMaxSmaps;) {
    smaps.append(buffer, n);
  }
  ProcessMemory out = parse_smaps(smaps);
  const struct mallinfo2 heap = ::mallinfo2();
  out.heap_in_use = std::min<std::uint64_t>(heap.uordblks + heap.hblkhd, out.anonymous);
  return out;
}

std::vector<MemoryKind> memory_by_kind(const ProcessMemory& memory, std::vector<MemoryKind> known) {
  std::uint64_t claimed = 0;
  for (const MemoryKind& one : known) claimed += one.bytes;
  if (claimed > memory.heap_in_use) {
    for (MemoryKind& one : known) {
      one.bytes = static_cast<std::uint64_t>(static_cast<double>(one.bytes) * static_cast<double>(memory.heap_in_use) /
                                             static_cast<double>(claimed));
    }
    claimed = memory.heap_in_use;
  }
  known.push_back({"heap_other", memory.heap_in_use - claimed});
  known.push_back({"allocator", memory.anonymous - memory.heap_in_use});
  known.push_back({"stacks", memory.stacks});
  known.push_back({"program", memory.files});
  return known;
}

}  // namespace portcullis::metrics
