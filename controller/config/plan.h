// What a Config asks for, decided without doing it. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/sync/plan.h"
#include "kube/core/object.h"
#include "policy/match/exclusions.h"

namespace portcullis::controller {

struct ConfigPlan {
  bool exists = false;    // absent or being deleted: nothing is synced for it and nothing excluded
  bool unusable = false;  // it cannot be decoded: what the last usable version asked for stays
  std::string problem;    // then: why
  Kinds kinds;
  std::shared_ptr<const policy::Exclusions> exclusions;  // never null
  policy::Traces traces;
  bool readiness_stats = false;
};
// `config` may be null.
ConfigPlan plan_config(const kube::Object* config);

// Only "config" in Gatekeeper's namespace is honoured.
bool is_the_config(std::string_view key, std::string_view own_namespace);

}  // namespace portcullis::controller
