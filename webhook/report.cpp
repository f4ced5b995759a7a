// Log lines and Events of admission, with Gatekeeper's keys and words.
#include "webhook/report.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "kube/runtime/event_recorder.h"
#include "policy/model/action.h"
#include "policy/status/violation_log.h"

namespace portcullis::webhook {

namespace {

constexpr std::string_view kLogger = "webhook";
constexpr std::string_view kProcess = "admission";
constexpr std::string_view kHook = "validation";
constexpr std::string_view kWebhookText = R"(Admission webhook "validation.gatekeeper.sh" )";

Value object_of(const policy::Review& review) noexcept {
  return review.operation == policy::Operation::kDelete ? review.old_object : review.object;
}

// The name of the request; on a CREATE with generateName the API server has not made one up yet.
std::string_view resource_name(const policy::Review& review) noexcept {
  return review.name.empty() ? policy::name_of(object_of(review)) : review.name;
}

void skip_unknown_action(std::string_view action, const policy::Constraint& constraint) {
  const Result<void> valid = policy::validate_enforcement(constraint.object, true);
  log::error(kLogger, "error validating enforcement action",
             {{"hookType", kHook},
              {"skipping enforcement action", action},
              {"constraint", constraint.name},
              {"error", valid.ok() ? std::string() : valid.error().to_string()}});
}

// The actions that count: of a scoped constraint its known ones, else the action itself. Empty: nothing to report.
std::vector<std::string> known_actions(const policy::Violation& violation) {
  std::vector<std::string> actions;
  const auto take = [&](std::string_view action) {
    // An empty action is taken by nobody, though no list calls it unknown.
    if (action.empty() || policy::action_label(action) == "unrecognized") {
      skip_unknown_action(action, *violation.constraint);
    } else {
      actions.emplace_back(action);
    }
  };
  if (violation.scoped_actions == nullptr) {
    take(violation.action());
  } else {
    for (const std::string& action : *violation.scoped_actions) take(action);
  }
  return actions;
}

void log_violation(const policy::Review& review, const policy::Violation& violation, const std::string& actions) {
  const policy::ObjectKind kind = policy::kind_of(violation.constraint->object);
  log::info(kLogger, "denied admission: " + violation.message,
            {{"hookType", kHook},
             {"semantic", true},
             {"process", kProcess},
             {"details", log::Json{violation.details}},
             {"event_type", std::string_view("violation")},
             {"constraint_name", violation.constraint->name},
             {"constraint_group", kind.group},
             {"constraint_api_version", kind.version},
             {"constraint_kind", violation.constraint->kind},
             {"constraint_action", violation.action()},
             {"constraint_enforcement_actions", log::Json{actions}},
             {"resource_group", review.group},
             {"resource_api_version", review.version},
             {"resource_kind", review.kind},
             {"resource_namespace", review.ns},
             {"resource_name", resource_name(review)},
             {"request_username", review.username}});
}

kube::Event event_of(const ReportOptions& options, const policy::Review& review, const policy::Violation& violation,
                     const std::string& actions) {
  const Value object = object_of(review);
  const kube::Meta meta(object);
  const policy::ViolatingObject about{review.kind, resource_name(review), meta.ns(), meta.uid(),
                                      meta.resource_version()};
  policy::ViolationReference reference = policy::violation_reference(
      about, *violation.constraint, options.own_namespace, options.events_in_involved_namespace);
  const policy::ObjectKind kind = policy::kind_of(violation.constraint->object);
  kube::Event event;
  event.target = {std::move(reference.kind), std::move(reference.name), std::move(reference.ns),
                  std::move(reference.uid), std::move(reference.resource_version)};
  event.component = "gatekeeper-webhook";
  event.annotations = {{"constraint_action", std::string(violation.action())},
                       {"constraint_api_version", std::string(kind.version)},
                       {"constraint_enforcement_actions", actions},
                       {"constraint_group", std::string(kind.group)},
                       {"constraint_kind", violation.constraint->kind},
                       {"constraint_name", violation.constraint->name},
                       {"event_type", "violation"},
                       {"process", std::string(kProcess)},
                       {"request_username", std::string(review.username)},
                       {"resource_api_version", std::string(review.version)},
                       {"resource_group", std::string(review.group)},
                       {"resource_kind", std::string(review.kind)},
                       {"resource_name", std::string(resource_name(review))},
                       {"resource_namespace", std::string(review.ns)}};
  return event;
}

void emit_events(const ReportOptions& options, const policy::Review& review, const policy::Violation& violation,
                 const std::vector<std::string>& actions) {
  const std::string shown_actions = violation.scoped_actions == nullptr ? std::string() : text::join(actions, ",");
  for (const std::string& action : actions) {
    kube::Event event = event_of(options, review, violation, shown_actions);
    if (action == "dryrun") {
      event.reason = "DryrunViolation";
      event.message = "Dryrun violation";
    } else if (action == "warn") {
      event.reason = "WarningAdmission";
      event.message = std::string(kWebhookText) + "raised a warning for this request";
    } else {
      event.reason = "FailedAdmission";
      event.message = std::string(kWebhookText) + "denied request";
    }
    if (!options.events_in_involved_namespace) event.message += ", Resource Namespace: " + std::string(review.ns);
    event.message += ", Constraint: " + violation.constraint->name + ", Message: " + violation.message;
    options.events->record(std::move(event));
  }
}

}  // namespace

void report_violations(const ReportOptions& options, const policy::Review& review, const policy::ReviewResult& result) {
  for (const policy::Violation& violation : result.violations) {
    const std::vector<std::string> actions = known_actions(violation);
    if (actions.empty()) continue;
    if (options.log_denies) {
      std::string list = "[";
      if (violation.scoped_actions != nullptr) {
        for (const std::string& action : actions) {
          if (list.size() > 1) list += ',';
          text::append_json_string(list, action);
        }
      }
      log_violation(review, violation, list + "]");
    }
    if (options.events != nullptr) emit_events(options, review, violation, actions);
  }
}

void log_review_stats(const policy::Review& review, const policy::ReviewResult& result, bool tracing) {
  if (result.stats.empty()) return;
  log::info(kLogger, "admission review request stats",
            {{"hookType", kHook},
             {"semantic", true},
             {"process", kProcess},
             {"event_type", std::string_view("review_response_stats")},
             {"resource_group", review.group},
             {"resource_api_version", review.version},
             {"resource_kind", review.kind},
             {"resource_namespace", review.ns},
             {"request_username", review.username},
             {"execution_stats", log::Json{policy::stats_json(result, tracing)}}});
}

Trace trace_of(const policy::Traces& traces, const policy::Review& review) {
  Trace out = Trace::kOff;
  for (const policy::TraceEntry& entry : traces) {
    if (entry.user != review.username || entry.kind.group != review.group || entry.kind.version != review.version ||
        entry.kind.kind != review.kind) {
      continue;
    }
    if (entry.dump) return Trace::kTraceAndDump;
    out = Trace::kTrace;
  }
  return out;
}

std::string trace_text(const policy::ReviewResult& result) {
  std::string out = "Target: " + std::string(policy::kTargetName) + "\nTrace:\nDRIVER Rego:\n\n";
  for (const policy::TemplateStats& stats : result.stats) {
    out += stats.kind + ": " + std::to_string(stats.constraints) + " constraints evaluated in " +
           std::to_string(stats.run_time_ns) + " ns\n";
  }
  if (result.failed()) out += "failed: " + result.failure + "\n";
  out += "\n";
  std::size_t number = 0;
  for (const policy::Violation& violation : result.violations) {
    out += "Result(" + std::to_string(number++) + "):\n{\"constraint_kind\":";
    text::append_json_string(out, violation.constraint->kind);
    out += ",\"constraint_name\":";
    text::append_json_string(out, violation.constraint->name);
    out += ",\"msg\":";
    text::append_json_string(out, violation.message);
    out += ",\"details\":" + (violation.details.empty() ? std::string("null") : violation.details);
    out += ",\"enforcementAction\":";
    text::append_json_string(out, violation.action());
    out += ",\"enforcementActions\":" + policy::actions_json(violation) + "}\n\n";
  }
  return out;
}

std::string dump_text(const policy::Snapshot& snapshot) {
  std::string out = "{\"target\":\"" + std::string(policy::kTargetName) +
                    "\",\"templates\":" + std::to_string(snapshot.template_count()) + ",\"constraints\":[";
  bool first = true;
  snapshot.for_each_constraint([&](const policy::LoadedConstraint& loaded) {
    if (!first) out += ',';
    first = false;
    out += to_json(loaded.constraint->object);
  });
  return out + "]}";
}

}  // namespace portcullis::webhook
