// Which kinds are kept for data.inventory and what a change means for them, decided without doing it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kube/core/resource.h"
#include "policy/match/exclusions.h"

namespace portcullis::controller {

using Kinds = std::vector<kube::GroupVersionKind>;

// Who asks for which kinds: Config, and each SyncSet. A kind is wanted as long as one source asks for it.
class SyncSources {
 public:
  struct Change {
    Kinds added;    // wanted now and not before
    Kinds removed;  // wanted no more
  };
  // `kinds` replaces what `source` asked for; sorted, without duplicates. Empty: the source is gone.
  Change set(const std::string& source, Kinds kinds);
  bool wants(const kube::GroupVersionKind& kind) const { return references_.contains(kind); }
  std::size_t size() const noexcept { return references_.size(); }

 private:
  std::map<std::string, Kinds> sources_;
  std::map<kube::GroupVersionKind, std::uint32_t> references_;
};

// What is known of one object of a kind.
struct KeptObject {
  enum class State : std::uint8_t {
    kKept,      // in data.inventory
    kRefused,   // it could not be taken: counted as error
    kExcluded,  // in a namespace that Config excludes from `sync`
  };
  State state = State::kKept;
  std::uint64_t version = 0;  // hash of its resourceVersion: what a relist brings unchanged is not taken in again
};
using KeptObjects = std::unordered_map<std::string, KeptObject>;  // by "namespace/name"

// New exclusions and the objects of one kind. Nothing is dropped that stays wanted, so policies never see a gap.
struct ExclusionPlan {
  std::vector<std::string> drop;  // keys of objects that are excluded now
  bool relist = false;            // some object that was left out is wanted now
};
ExclusionPlan plan_exclusions(const KeptObjects& objects, bool are_namespaces, const policy::Exclusions& exclusions);

// Whether an object is excluded, by its key.
bool excluded_from_sync(const policy::Exclusions& exclusions, std::string_view key, bool is_namespace);

// Why kinds of one source cannot be kept, as Gatekeeper words it in the status of a Config; "" when `troubles` is
// empty.
struct KindTrouble {
  kube::GroupVersionKind kind;
  std::string why;  // `no matches for kind "Foo" in version "v1"`
};
std::string watch_errors(const std::vector<KindTrouble>& troubles);

// The name of a kind's data in the readiness tracker: "data apps/v1/Deployment".
std::string data_group(const kube::GroupVersionKind& kind);

}  // namespace portcullis::controller
