#include "controller/syncset/plan.h"

#include "policy/model/sync.h"

namespace portcullis::controller {

SyncSetPlan plan_sync_set(std::string_view name, const kube::Object* sync_set) {
  SyncSetPlan plan;
  plan.source = "syncset/" + std::string(name);
  if (sync_set == nullptr || sync_set->meta().being_deleted()) return plan;
  Result<Kinds> decoded = policy::decode_sync_set(sync_set->root());
  if (decoded.ok()) {
    plan.kinds = std::move(*decoded);
  } else {
    plan.unusable = true;
    plan.problem = decoded.error().to_string();
  }
  return plan;
}

}  // namespace portcullis::controller
