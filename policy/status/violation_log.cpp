// Texts about violations.
#include "policy/status/violation_log.h"

#include "base/text.h"
#include "policy/model/constraint.h"

namespace portcullis::policy {

std::string actions_json(const Violation& violation) {
  std::string out = "[";
  if (violation.scoped_actions != nullptr) {
    for (const std::string& action : *violation.scoped_actions) {
      if (out.size() > 1) out += ',';
      text::append_json_string(out, action);
    }
  }
  return out + "]";
}

std::string actions_text(const Violation& violation) {
  return violation.scoped_actions == nullptr ? std::string() : text::join(*violation.scoped_actions, ",");
}

ViolationReference violation_reference(const ViolatingObject& object, const Constraint& constraint,
                                       std::string_view own_namespace, bool in_involved_namespace) {
  ViolationReference out;
  out.kind = object.kind;
  out.name = object.name;
  out.ns = in_involved_namespace && !object.ns.empty() ? object.ns : own_namespace;
  if (!in_involved_namespace) {
    out.uid = std::string(object.kind) + "/" + std::string(object.ns) + "/" + std::string(object.name) + "/" +
              constraint.kind + "//" + constraint.name;  // constraints have no namespace
  } else if (!object.uid.empty() && !object.resource_version.empty()) {
    out.uid = object.uid;
    out.resource_version = object.resource_version;
  }
  return out;
}

std::string stats_json(const ReviewResult& result, bool tracing) {
  constexpr std::string_view kSource = R"("source":{"type":"engine","value":"Rego"},"description":)";
  std::string out = "[";
  for (const TemplateStats& stats : result.stats) {
    if (out.size() > 1) out += ',';
    out += R"({"scope":"template","statsFor":)";
    text::append_json_string(out, stats.kind);
    out += R"(,"stats":[{"name":"templateRunTimeNS","value":)" + std::to_string(stats.run_time_ns) + ",";
    out += kSource;
    out += R"("the number of nanoseconds it took to evaluate all constraints for a template"},)";
    out += R"({"name":"constraintCount","value":)" + std::to_string(stats.constraints) + ",";
    out += kSource;
    out += R"("the number of constraints that were evaluated for the given constraint kind"}],)";
    out += R"("labels":[{"name":"TracingEnabled","value":)";
    out += tracing ? "true" : "false";
    out += R"(},{"name":"PrintEnabled","value":false},{"name":"target","value":"admission.k8s.gatekeeper.sh"}]})";
  }
  return out + "]";
}

}  // namespace portcullis::policy
