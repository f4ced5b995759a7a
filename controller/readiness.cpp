// Bookkeeping of expectations.
#include "controller/readiness.h"

namespace portcullis::controller {

namespace {

std::string member_name(std::string_view group, std::string_view member) {
  return std::string(group) + "/" + std::string(member);
}

void cut(std::vector<std::string>& list, std::size_t limit) {
  if (list.size() <= limit) return;
  const std::size_t more = list.size() - limit;
  list.resize(limit);
  list.push_back("and " + std::to_string(more) + " more");
}

}  // namespace

void ReadinessTracker::expect_group(std::string_view group) {
  const std::lock_guard lock(mutex_);
  if (ready_.load(std::memory_order_relaxed)) return;
  groups_.try_emplace(std::string(group));
}

void ReadinessTracker::set_members(std::string_view group, const std::vector<std::string>& members) {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.closed) return;
  Group& g = found->second;
  g.closed = true;
  for (const std::string& member : members) {
    if (!g.seen_early.contains(member)) g.waiting.insert(member);
  }
  g.seen_early.clear();
}

void ReadinessTracker::drop_group(std::string_view group) {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  found->second.closed = true;
  found->second.waiting.clear();
}

void ReadinessTracker::observe(std::string_view group, std::string_view member, std::string_view problem) {
  const std::lock_guard lock(mutex_);
  const std::string name = member_name(group, member);
  if (problem.empty())
    problems_.erase(name);
  else
    problems_.insert_or_assign(name, std::string(problem));
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  if (found->second.closed) {
    const auto waiting = found->second.waiting.find(member);
    if (waiting != found->second.waiting.end()) found->second.waiting.erase(waiting);
  } else {
    found->second.seen_early.insert(std::string(member));
  }
}

void ReadinessTracker::note(std::string_view about, std::string_view problem) {
  const std::lock_guard lock(mutex_);
  if (problem.empty())
    problems_.erase(std::string(about));
  else
    problems_.insert_or_assign(std::string(about), std::string(problem));
}

bool ReadinessTracker::satisfied() {
  if (ready_.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex_);
  if (groups_.empty()) return false;
  for (const auto& [name, group] : groups_) {
    if (!group.closed || !group.waiting.empty()) return false;
  }
  ready_.store(true, std::memory_order_release);
  groups_.clear();
  return true;
}

std::vector<std::string> ReadinessTracker::missing(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> list;
  for (const auto& [name, group] : groups_) {
    if (!group.closed) list.push_back(name + ": not listed yet");
    for (const std::string& member : group.waiting) list.push_back(member_name(name, member));
  }
  cut(list, limit);
  return list;
}

std::vector<std::string> ReadinessTracker::problems(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> list;
  for (const auto& [name, problem] : problems_) list.push_back(name + ": " + problem);
  cut(list, limit);
  return list;
}

}  // namespace portcullis::controller
