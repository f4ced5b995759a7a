// Patterns per process, and their publication.
#include "policy/match/exclusions.h"

#include <algorithm>
#include <optional>

#include "policy/match/match.h"
#include "policy/model/object.h"

namespace portcullis::policy {

namespace {

std::optional<Process> process_of(std::string_view name) noexcept {
  if (name == "audit") return Process::kAudit;
  if (name == "mutation-webhook") return Process::kMutation;
  if (name == "sync") return Process::kSync;
  if (name == "webhook") return Process::kWebhook;
  return std::nullopt;
}

}  // namespace

Exclusions::Exclusions(std::span<const ExclusionEntry> entries) {
  for (const ExclusionEntry& entry : entries) {
    for (const std::string& name : entry.processes) {
      const std::optional<Process> one = process_of(name);
      for (std::size_t i = 0; i < kProcesses; ++i) {
        if (name != "*" && (!one || static_cast<std::size_t>(*one) != i)) continue;
        patterns_[i].insert(patterns_[i].end(), entry.namespaces.begin(), entry.namespaces.end());
      }
    }
  }
  for (std::vector<std::string>& list : patterns_) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
}

bool Exclusions::excluded(Process process, std::string_view ns) const noexcept {
  const std::vector<std::string>& list = patterns(process);
  return std::any_of(list.begin(), list.end(), [ns](const std::string& p) { return wildcard_matches(p, ns); });
}

bool Exclusions::excluded(Process process, const Value& object) const noexcept {
  if (patterns(process).empty()) return false;
  return excluded(process, kind_of(object).is_namespace() ? name_of(object) : namespace_of(object));
}

}  // namespace portcullis::policy
