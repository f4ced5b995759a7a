// Which namespaces Config leaves out of which process, and how what Config says reaches evaluation threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/value/value.h"
#include "policy/model/sync.h"

namespace portcullis::policy {

enum class Process : std::uint8_t { kAudit, kMutation, kSync, kWebhook };
inline constexpr std::size_t kProcesses = 4;

// Threads: immutable. A default one excludes nothing.
class Exclusions {
 public:
  Exclusions() = default;
  explicit Exclusions(std::span<const ExclusionEntry> entries);

  // `ns` may be empty (cluster-scoped objects): "*" then matches, too. Cost: linear in the patterns of the process.
  bool excluded(Process process, std::string_view ns) const noexcept;
  // By the object's namespace; a Namespace object by its own name.
  bool excluded(Process process, const Value& object) const noexcept;
  const std::vector<std::string>& patterns(Process process) const noexcept {  // sorted, without duplicates
    return patterns_[static_cast<std::size_t>(process)];
  }
  friend bool operator==(const Exclusions&, const Exclusions&) = default;

 private:
  std::array<std::vector<std::string>, kProcesses> patterns_;
};

// A reader's own pointer to what a PublishedCell holds (one per evaluation thread).
template <typename T>
struct CachedPublished {
  std::shared_ptr<const T> value;
  std::uint64_t version = 0;
};

// Publication of one part of Config. Threads: any. refresh() takes the lock only after a publish(), else it costs one
// atomic load.
template <typename T>
class PublishedCell {
 public:
  PublishedCell() : value_(std::make_shared<const T>()) {}
  void publish(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    version_.fetch_add(1, std::memory_order_release);
  }
  const T& refresh(CachedPublished<T>& mine) const {
    if (mine.value == nullptr || mine.version != version_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(mutex_);
      mine.value = value_;
      mine.version = version_.load(std::memory_order_relaxed);
    }
    return *mine.value;
  }
  std::shared_ptr<const T> load() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{1};
};

using CachedExclusions = CachedPublished<Exclusions>;
using ExclusionsCell = PublishedCell<Exclusions>;
using CachedTraces = CachedPublished<Traces>;
using TracesCell = PublishedCell<Traces>;

}  // namespace portcullis::policy
