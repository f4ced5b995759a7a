// What a SyncSet asks for, decided without doing it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "controller/sync/plan.h"
#include "kube/core/object.h"

namespace portcullis::controller {

struct SyncSetPlan {
  std::string source;     // its name among SyncSources
  bool unusable = false;  // it cannot be decoded: what the last usable version asked for stays
  std::string problem;
  Kinds kinds;  // empty when it is gone or being deleted
};
// `sync_set` may be null.
SyncSetPlan plan_sync_set(std::string_view name, const kube::Object* sync_set);

}  // namespace portcullis::controller
