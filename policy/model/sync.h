// Config and SyncSet: which kinds are kept for data.inventory, and which namespaces are left out of what. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"
#include "kube/core/resource.h"

namespace portcullis::policy {

// One entry of Config.spec.match.
struct ExclusionEntry {
  std::vector<std::string> processes;   // audit, webhook, sync, mutation-webhook, "*"; others have no effect
  std::vector<std::string> namespaces;  // wildcard patterns
};

// One entry of Config.spec.validation.traces: counts for exactly its user and kind.
struct TraceEntry {
  std::string user;
  kube::GroupVersionKind kind;
  bool dump = false;  // `dump: All`
  friend bool operator==(const TraceEntry&, const TraceEntry&) = default;
};
using Traces = std::vector<TraceEntry>;

struct Config {
  std::vector<kube::GroupVersionKind> sync_only;  // sorted, without duplicates
  std::vector<ExclusionEntry> match;
  Traces traces;                 // fields of a wrong type count as empty
  bool readiness_stats = false;  // spec.readiness.statsEnabled
};

inline constexpr std::string_view kConfigName = "config";  // no other is honoured

// Fields of a wrong type (the CRD's schema keeps them out) are kInvalid, with Go's decoding text.
Result<Config> decode_config(const Value& object);
// spec.gvks of a SyncSet, sorted, without duplicates. Errors as above.
Result<std::vector<kube::GroupVersionKind>> decode_sync_set(const Value& object);

}  // namespace portcullis::policy
