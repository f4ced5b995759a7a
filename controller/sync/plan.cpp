// The pure decisions of sync.
#include "controller/sync/plan.h"

#include <algorithm>

#include "kube/core/object.h"

namespace portcullis::controller {

SyncSources::Change SyncSources::set(const std::string& source, Kinds kinds) {
  Change change;
  // Added first, so that a kind that only moves between sources never counts as unwanted.
  for (const kube::GroupVersionKind& kind : kinds) {
    if (++references_[kind] == 1) change.added.push_back(kind);
  }
  const auto old = sources_.find(source);
  if (old != sources_.end()) {
    for (const kube::GroupVersionKind& kind : old->second) {
      const auto found = references_.find(kind);
      if (found == references_.end() || --found->second != 0) continue;
      references_.erase(found);
      change.removed.push_back(kind);
    }
  }
  if (kinds.empty())
    sources_.erase(source);
  else
    sources_.insert_or_assign(source, std::move(kinds));
  return change;
}

bool excluded_from_sync(const policy::Exclusions& exclusions, std::string_view key, bool is_namespace) {
  const std::size_t slash = key.find('/');
  const std::string_view ns =
      is_namespace ? key : (slash == std::string_view::npos ? std::string_view() : key.substr(0, slash));
  return exclusions.excluded(policy::Process::kSync, ns);
}

ExclusionPlan plan_exclusions(const KeptObjects& objects, bool are_namespaces, const policy::Exclusions& exclusions) {
  ExclusionPlan plan;
  for (const auto& [key, object] : objects) {
    const bool excluded = excluded_from_sync(exclusions, key, are_namespaces);
    if (excluded && object.state != KeptObject::State::kExcluded) plan.drop.push_back(key);
    if (!excluded && object.state == KeptObject::State::kExcluded) plan.relist = true;
  }
  std::sort(plan.drop.begin(), plan.drop.end());
  return plan;
}

std::string watch_errors(const std::vector<KindTrouble>& troubles) {
  std::string out;
  for (const KindTrouble& trouble : troubles) {
    const std::string kind = trouble.kind.to_string();
    out += out.empty() ? "error establishing watches: " : "\n";
    out += "error for gvk: " + kind + ": adding watch for " + kind + " getting informer for kind: " + kind + " " +
           trouble.why;
  }
  return out;
}

std::string data_group(const kube::GroupVersionKind& kind) { return "data " + kind.api_version() + "/" + kind.kind; }

}  // namespace portcullis::controller
