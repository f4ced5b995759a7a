// A stable sort for the short, mostly sorted runs of keys and elements that values are made of.
// Threads: any. Cost: O(n) when sorted, insertion sort up to 24, else a merge sort with one buffer of n.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace portcullis {

template <typename T, typename Less>
void insertion_sort(T* items, std::size_t count, Less less) {
  for (std::size_t i = 1; i < count; ++i) {
    if (!less(items[i], items[i - 1])) continue;
    T item = std::move(items[i]);
    std::size_t at = i;
    do {
      items[at] = std::move(items[at - 1]);
      --at;
    } while (at != 0 && less(item, items[at - 1]));
    items[at] = std::move(item);
  }
}

// What a merge sort copies to and fro. A thread keeps one of each type, unless it was large.
template <typename T>
class SortBuffer {
 public:
  explicit SortBuffer(std::size_t count) : items_(std::move(kept())), size_(std::exchange(kept_size(), 0)) {
    if (size_ >= count) return;
    size_ = count;
    items_.reset(new T[count]);
  }
  ~SortBuffer() {
    constexpr std::size_t kMaxBytes = 64 * 1024;
    if (size_ * sizeof(T) > kMaxBytes) return;
    kept() = std::move(items_);
    kept_size() = size_;
  }
  SortBuffer(const SortBuffer&) = delete;
  SortBuffer& operator=(const SortBuffer&) = delete;
  T* get() noexcept { return items_.get(); }

 private:
  static std::unique_ptr<T[]>& kept() noexcept {
    static thread_local std::unique_ptr<T[]> items;
    return items;
  }
  static std::size_t& kept_size() noexcept {
    static thread_local std::size_t size = 0;
    return size;
  }

  std::unique_ptr<T[]> items_;
  std::size_t size_;
};

template <typename T, typename Less>
void sort_stable(T* items, std::size_t count, Less less) {
  constexpr std::size_t kRun = 24;
  if (count <= kRun) return insertion_sort(items, count, less);
  bool sorted = true;
  for (std::size_t i = 1; i < count && sorted; ++i) sorted = !less(items[i], items[i - 1]);
  if (sorted) return;
  for (std::size_t start = 0; start < count; start += kRun) {
    insertion_sort(items + start, count - start < kRun ? count - start : kRun, less);
  }
  SortBuffer<T> buffer(count);
  T* from = items;
  T* to = buffer.get();
  for (std::size_t width = kRun; width < count; width *= 2) {
    for (std::size_t start = 0; start < count; start += 2 * width) {
      const std::size_t middle = count - start < width ? count : start + width;
      const std::size_t end = count - start < 2 * width ? count : start + 2 * width;
      std::size_t left = start;
      std::size_t right = middle;
      for (std::size_t at = start; at < end; ++at) {
        const bool take_right = left == middle || (right < end && less(from[right], from[left]));
        to[at] = std::move(take_right ? from[right++] : from[left++]);
      }
    }
    T* previous = from;
    from = to;
    to = previous;
  }
  if (from != items) {
    for (std::size_t i = 0; i < count; ++i) items[i] = std::move(from[i]);
  }
}

}  // namespace portcullis
