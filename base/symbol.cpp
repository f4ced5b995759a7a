// Open-addressing table with published slots: readers see a slot's pointer with acquire order, the one writer adds
// under a mutex; a full table is replaced by one twice its size and the old one is kept for readers still in it.
#include "base/symbol.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "base/arena.h"

namespace portcullis {

namespace {

struct Table {
  explicit Table(std::size_t capacity) : mask(capacity - 1), slots(new std::atomic<const Symbol*>[capacity]) {
    for (std::size_t i = 0; i < capacity; ++i) slots[i].store(nullptr, std::memory_order_relaxed);
  }
  std::size_t mask;
  std::unique_ptr<std::atomic<const Symbol*>[]> slots;
};

struct State {
  std::mutex mutex;
  Arena arena{0, 1 << 16};
  std::vector<std::unique_ptr<Table>> tables;
  std::atomic<const Table*> current{nullptr};
  std::atomic<std::uint32_t> count{0};
  std::size_t bytes = 0;

  State() {
    tables.push_back(std::make_unique<Table>(4096));
    current.store(tables.back().get(), std::memory_order_release);
  }
};

State& state() {
  static State* instance = new State;  // never destroyed: symbols are used until the last thread ends
  return *instance;
}

// A call of memcmp costs more than the comparison of a key does.
bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
  const auto differ8 = [](const char* x, const char* y) {
    std::uint64_t left;
    std::uint64_t right;
    std::memcpy(&left, x, 8);
    std::memcpy(&right, y, 8);
    return left ^ right;
  };
  const auto differ4 = [](const char* x, const char* y) {
    std::uint32_t left;
    std::uint32_t right;
    std::memcpy(&left, x, 4);
    std::memcpy(&right, y, 4);
    return left ^ right;
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differ8(a + at, b + at) != 0) return false;
    }
    return differ8(a + size - 8, b + size - 8) == 0;
  }
  if (size >= 4) return (differ4(a, b) | differ4(a + size - 4, b + size - 4)) == 0;
  return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

const Symbol* find_in(const Table& table, std::string_view text, std::uint32_t hash) noexcept {
  for (std::size_t i = hash & table.mask;; i = (i + 1) & table.mask) {
    const Symbol* symbol = table.slots[i].load(std::memory_order_acquire);
    if (symbol == nullptr) return nullptr;
    if (symbol->hash == hash && symbol->size == text.size() &&
        same_bytes(reinterpret_cast<const char*>(symbol + 1), text.data(), text.size())) {
      return symbol;
    }
  }
}

void insert_into(Table& table, const Symbol* symbol) noexcept {
  for (std::size_t i = symbol->hash & table.mask;; i = (i + 1) & table.mask) {
    if (table.slots[i].load(std::memory_order_relaxed) == nullptr) {
      table.slots[i].store(symbol, std::memory_order_release);
      return;
    }
  }
}

}  // namespace

const Symbol* find_symbol(std::string_view text) noexcept {
  if (text.size() > kMaxSymbolLength) return nullptr;
  return find_in(*state().current.load(std::memory_order_acquire), text, symbol_hash(text));
}

const Symbol* intern(std::string_view text) {
  if (text.size() > kMaxSymbolLength) return nullptr;
  State& s = state();
  const std::uint32_t hash = symbol_hash(text);
  if (const Symbol* known = find_in(*s.current.load(std::memory_order_acquire), text, hash)) return known;
  const std::lock_guard lock(s.mutex);
  Table& table = *s.tables.back();
  if (const Symbol* known = find_in(table, text, hash)) return known;
  const std::uint32_t id = s.count.load(std::memory_order_relaxed);
  if (id >= kMaxSymbols || s.bytes + text.size() > kMaxSymbolBytes) return nullptr;
  void* place = s.arena.allocate(sizeof(Symbol) + text.size() + 8, alignof(Symbol));
  auto* symbol = new (place) Symbol{id, hash, static_cast<std::uint32_t>(text.size()), 0};
  if (!text.empty()) std::memcpy(reinterpret_cast<char*>(symbol + 1), text.data(), text.size());
  s.bytes += text.size();
  if ((id + 1) * 2 > table.mask) {
    auto bigger = std::make_unique<Table>((table.mask + 1) * 2);
    for (std::size_t i = 0; i <= table.mask; ++i) {
      if (const Symbol* old = table.slots[i].load(std::memory_order_relaxed)) insert_into(*bigger, old);
    }
    insert_into(*bigger, symbol);
    s.tables.push_back(std::move(bigger));
    s.current.store(s.tables.back().get(), std::memory_order_release);
  } else {
    insert_into(table, symbol);
  }
  s.count.store(id + 1, std::memory_order_release);
  return symbol;
}

std::uint32_t symbol_count() noexcept { return state().count.load(std::memory_order_acquire); }

}  // namespace portcullis
