// Which namespaces Config leaves out of which process, and how the current answer reaches evaluation threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
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

// A reader's own pointer to the current Exclusions (one per evaluation thread).
struct CachedExclusions {
  std::shared_ptr<const Exclusions> exclusions;
  std::uint64_t version = 0;
};

// Publication. Threads: any. refresh() takes the lock only after a publish().
class ExclusionsCell {
 public:
  ExclusionsCell() : exclusions_(std::make_shared<const Exclusions>()) {}
  void publish(std::shared_ptr<const Exclusions> exclusions);
  const Exclusions& refresh(CachedExclusions& mine) const;
  std::shared_ptr<const Exclusions> load() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Exclusions> exclusions_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace portcullis::policy
