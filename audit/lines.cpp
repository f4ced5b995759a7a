// Log lines and Events of the audit.
#include "audit/lines.h"

#include "base/log.h"
#include "engine/value/json.h"
#include "kube/runtime/event_recorder.h"
#include "policy/model/object.h"
#include "policy/status/violation_log.h"

namespace portcullis::audit {

namespace {

// Annotations as the log shows them: without kubectl's copy of the whole object; null when there are none.
std::string annotations_json(const Value& object) {
  Arena arena;
  std::vector<Member> kept;
  const Value all = object.path({"metadata", "annotations"});
  for (std::uint32_t i = 0; i < all.keys().size(); ++i) {
    if (all.keys()[i].as_string() == "kubectl.kubernetes.io/last-applied-configuration") continue;
    kept.push_back({all.keys()[i], all.values()[i]});
  }
  return kept.empty() ? "null" : to_json(make_object(arena, kept));
}

}  // namespace

void log_violation(const Value& object, const policy::Violation& violation, const std::string& audit_id) {
  if (!log::enabled(log::Level::kInfo)) return;
  const policy::ObjectKind constraint = policy::kind_of(violation.constraint->object);
  const policy::ObjectKind kind = policy::kind_of(object);
  const Value labels = policy::labels_of(object);
  log::info(kLogger, policy::truncate_message(violation.message),
            {{"process", kProcess},
             {"audit_id", audit_id},
             {"details", log::Json{violation.details}},
             {"event_type", std::string_view("violation_audited")},
             {"semantic", true},
             {"constraint_group", constraint.group},
             {"constraint_api_version", constraint.version},
             {"constraint_kind", violation.constraint->kind},
             {"constraint_name", violation.constraint->name},
             {"constraint_namespace", std::string_view()},
             {"constraint_action", violation.action()},
             {"constraint_enforcement_actions", log::Json{policy::actions_json(violation)}},
             {"constraint_annotations", log::Json{annotations_json(violation.constraint->object)}},
             {"resource_group", kind.group},
             {"resource_api_version", kind.version},
             {"resource_kind", kind.kind},
             {"resource_namespace", policy::namespace_of(object)},
             {"resource_name", policy::name_of(object)},
             {"resource_labels", log::Json{labels.defined() && labels.size() != 0 ? to_json(labels) : "null"}}});
}

void log_constraint(const ConstraintReport& report, const std::string& audit_id) {
  if (report.violations.total() == 0) return;
  const policy::Constraint& constraint = *report.constraint;
  const policy::ObjectKind kind = policy::kind_of(constraint.object);
  log::info(kLogger, "audit results for constraint",
            {{"process", kProcess},
             {"audit_id", audit_id},
             {"event_type", std::string_view("constraint_audited")},
             {"semantic", true},
             {"constraint_group", kind.group},
             {"constraint_api_version", kind.version},
             {"constraint_kind", constraint.kind},
             {"constraint_name", constraint.name},
             {"constraint_namespace", std::string_view()},
             {"constraint_action", std::string_view(constraint.enforcement.action)},
             {"constraint_status", std::string_view("enforced")},
             {"constraint_violations", std::to_string(report.violations.total())}});
}

void log_stats(const policy::ReviewResult& result, bool from_cache, const std::string& audit_id) {
  if (result.stats.empty()) return;
  log::info(kLogger, from_cache ? "audit from cache review request stats" : "audit review request stats",
            {{"process", kProcess},
             {"audit_id", audit_id},
             {"event_type", std::string_view(from_cache ? "audit_cache_stats" : "audit_stats")},
             {"semantic", true},
             {"execution_stats", log::Json{policy::stats_json(result, false)}}});
}

void emit_event(const EventOptions& options, const Value& object, const policy::Violation& violation,
                const std::string& audit_id) {
  if (options.recorder == nullptr) return;
  const policy::ObjectKind constraint = policy::kind_of(violation.constraint->object);
  const policy::ObjectKind kind = policy::kind_of(object);
  const kube::Meta meta(object);
  policy::ViolationReference reference =
      policy::violation_reference({kind.kind, meta.name(), meta.ns(), meta.uid(), meta.resource_version()},
                                  *violation.constraint, options.own_namespace, options.in_involved_namespace);
  kube::Event event;
  event.target = {std::move(reference.kind), std::move(reference.name), std::move(reference.ns),
                  std::move(reference.uid), std::move(reference.resource_version)};
  event.component = "gatekeeper-audit";
  event.reason = "AuditViolation";
  if (!options.in_involved_namespace) event.message = "Resource Namespace: " + std::string(meta.ns()) + ", ";
  event.message +=
      "Constraint: " + violation.constraint->name + ", Message: " + policy::truncate_message(violation.message);
  event.annotations = {{"auditTimestamp", audit_id},
                       {"constraint_action", std::string(violation.action())},
                       {"constraint_api_version", std::string(constraint.version)},
                       {"constraint_enforcement_actions", policy::actions_text(violation)},
                       {"constraint_group", std::string(constraint.group)},
                       {"constraint_kind", violation.constraint->kind},
                       {"constraint_name", violation.constraint->name},
                       {"constraint_namespace", ""},
                       {"event_type", "violation_audited"},
                       {"process", std::string(kProcess)},
                       {"resource_api_version", std::string(kind.version)},
                       {"resource_group", std::string(kind.group)},
                       {"resource_kind", std::string(kind.kind)},
                       {"resource_name", std::string(meta.name())},
                       {"resource_namespace", std::string(meta.ns())}};
  options.recorder->record(std::move(event));
}

}  // namespace portcullis::audit
