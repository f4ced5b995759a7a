// Which constraints can match an object of a kind, without looking at the others.
// A segment indexes a bounded run of constraints and never changes; a Snapshot's index is made of the segments of all
// templates, so that one changed constraint costs one segment.
// Threads: immutable once built. Cost of candidates(): O(what is found), one hash lookup per object kind.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/match/match.h"

namespace portcullis::policy {

// Maps kind names to ascending ids; entries whose kinds are a wildcard are under "any".
class KindIndex {
 public:
  // Adds id for every kind that `match` names (groups are tested later, by the Match itself).
  void add(std::uint32_t id, const Match& match);
  void add(std::uint32_t id, std::string_view kind);
  void add_any(std::uint32_t id);
  // Sorts and drops duplicates; call once, after the last add.
  void finish();

  std::span<const std::uint32_t> of_kind(std::string_view kind) const noexcept;
  std::span<const std::uint32_t> any() const noexcept { return any_; }
  // Calls f(id) once for each id that is in any() or of_kind(kind) (or of_kind(other) when not empty), ascending.
  template <typename F>
  void for_each(std::string_view kind, std::string_view other, F&& f) const;
  // The kinds that have entries of their own.
  std::vector<std::string_view> kinds() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::vector<std::uint32_t>, Hash, std::equal_to<>> by_kind_;
  std::vector<std::uint32_t> any_;
};

template <typename F>
void KindIndex::for_each(std::string_view kind, std::string_view other, F&& f) const {
  std::span<const std::uint32_t> lists[3] = {any_, of_kind(kind), {}};
  if (!other.empty() && other != kind) lists[2] = of_kind(other);
  std::size_t at[3] = {0, 0, 0};
  for (;;) {
    bool found = false;
    std::uint32_t next = 0;
    for (int i = 0; i < 3; ++i) {
      if (at[i] < lists[i].size() && (!found || lists[i][at[i]] < next)) {
        next = lists[i][at[i]];
        found = true;
      }
    }
    if (!found) return;
    for (int i = 0; i < 3; ++i) {
      if (at[i] < lists[i].size() && lists[i][at[i]] == next) ++at[i];
    }
    f(next);
  }
}

}  // namespace portcullis::policy
