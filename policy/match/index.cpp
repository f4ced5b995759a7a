#include "policy/match/index.h"

#include <algorithm>

namespace portcullis::policy {

void KindIndex::add(std::uint32_t id, const Match& match) {
  if (match.kinds().empty()) {
    add_any(id);
    return;
  }
  for (const Match::KindEntry& entry : match.kinds()) {
    if (entry.any_kind) {
      add_any(id);
      return;
    }
  }
  for (const Match::KindEntry& entry : match.kinds()) {
    for (const std::string& kind : entry.kinds) add(id, kind);
  }
}

void KindIndex::add(std::uint32_t id, std::string_view kind) {
  const auto found = by_kind_.find(kind);
  if (found != by_kind_.end()) {
    found->second.push_back(id);
  } else {
    by_kind_.emplace(std::string(kind), std::vector<std::uint32_t>{id});
  }
}

void KindIndex::add_any(std::uint32_t id) { any_.push_back(id); }

void KindIndex::finish() {
  const auto tidy = [](std::vector<std::uint32_t>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    ids.shrink_to_fit();
  };
  tidy(any_);
  for (auto& [kind, ids] : by_kind_) tidy(ids);
}

std::span<const std::uint32_t> KindIndex::of_kind(std::string_view kind) const noexcept {
  const auto found = by_kind_.find(kind);
  if (found == by_kind_.end()) return {};
  return found->second;
}

std::vector<std::string_view> KindIndex::kinds() const {
  std::vector<std::string_view> out;
  out.reserve(by_kind_.size());
  for (const auto& [kind, ids] : by_kind_) out.emplace_back(kind);
  return out;
}

}  // namespace portcullis::policy
