#include "policy/model/action.h"

#include <algorithm>

#include "base/text.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

constexpr std::array<std::string_view, kEnforcementPoints> kPointNames = {
    "validation.gatekeeper.sh", "audit.gatekeeper.sh", "gator.gatekeeper.sh", "vap.k8s.io"};
constexpr std::string_view kScopedFormat =
    "scopedEnforcementActions value must be a [{action: string, enforcementPoints: [{name: string}]}]";

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (!contains(list, text)) list.emplace_back(text);
}

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

// One entry of spec.scopedEnforcementActions, for both readers below.
struct ScopedEntry {
  std::string action;
  std::vector<std::string> points;
};

Result<ScopedEntry> read_scoped_entry(const Value& entry) {
  ScopedEntry out;
  if (!entry.is_object()) return invalid(json_value_error(entry, "constraints.ScopedEnforcementAction"));
  const Value action = entry.get("action");
  if (action.is_string()) {
    out.action = std::string(action.as_string());
  } else if (action.defined() && !action.is_null()) {
    return invalid(json_type_error(action, "ScopedEnforcementAction.action", "string"));
  }
  const Value points = entry.get("enforcementPoints");
  if (points.defined() && !points.is_null() && !points.is_array()) {
    return invalid(
        json_type_error(points, "ScopedEnforcementAction.enforcementPoints", "[]constraints.EnforcementPoint"));
  }
  for (const Value& point : points.elements()) {
    const Value name = point.get("name");
    if (!point.is_object() || (name.defined() && !name.is_null() && !name.is_string())) {
      return invalid(json_type_error(point.is_object() ? name : point, "ScopedEnforcementAction.enforcementPoints",
                                     "constraints.EnforcementPoint"));
    }
    out.points.emplace_back(name.is_string() ? name.as_string() : std::string_view{});
  }
  return out;
}

void add_entry(Enforcement& out, const ScopedEntry& entry) {
  for (const std::string& name : entry.points) {
    if (name == "*") {
      for (auto& list : out.at) add_once(list, entry.action);
      return;
    }
    if (const auto point = parse_enforcement_point(name)) {
      add_once(out.at[static_cast<std::size_t>(*point)], entry.action);
    }
  }
}

std::string go_list(const std::vector<std::string>& list) { return "[" + text::join(list, " ") + "]"; }

}  // namespace

std::string_view enforcement_point_name(EnforcementPoint point) noexcept {
  return kPointNames[static_cast<std::size_t>(point)];
}

std::optional<EnforcementPoint> parse_enforcement_point(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kPointNames.size(); ++i) {
    if (kPointNames[i] == name) return static_cast<EnforcementPoint>(i);
  }
  return std::nullopt;
}

bool Enforcement::has_action(EnforcementPoint point, std::string_view wanted) const noexcept {
  return scoped ? contains(scoped_actions(point), wanted) : action == wanted;
}

Result<Enforcement> decode_enforcement(const Value& constraint) {
  Enforcement out;
  const Value spec = constraint.get("spec");
  const Value action = spec.get("enforcementAction");
  if (action.defined() && !action.is_string()) {
    return invalid("invalid Constraint: invalid spec.enforcementAction");
  }
  if (action.is_string()) out.action = std::string(action.as_string());
  out.scoped = out.action == "scoped";
  if (!out.scoped) return out;

  const Value scoped = spec.get("scopedEnforcementActions");
  // A list that is no list counts as missing here, as in the engine that this follows.
  if (!scoped.is_array()) {
    return invalid("missing required field: spec.scopedEnforcementActions must be defined");
  }
  for (const Value& value : scoped.elements()) {
    if (!value.is_object()) return invalid("invalid Constraint: " + std::string(kScopedFormat));
    Result<ScopedEntry> entry = read_scoped_entry(value);
    if (!entry.ok()) return invalid("invalid Constraint: " + entry.error().message);
    add_entry(out, *entry);
  }
  return out;
}

Result<void> validate_enforcement(const Value& constraint, bool quote_value) {
  const Value spec = constraint.get("spec");
  const Value value = spec.get("enforcementAction");
  if (value.defined() && !value.is_string()) {
    return invalid("spec.enforcementAction must be a string: " +
                   accessor_error(".spec.enforcementAction", value, "string"));
  }
  const std::string action(value.is_string() ? value.as_string() : std::string_view{});
  if (action.empty() || action == "deny" || action == "dryrun" || action == "warn") return ok();
  if (action != "scoped") {
    return invalid("unrecognized enforcementAction: " + text::go_quote(quote_value ? action : "unrecognized") +
                   " is not within the supported list [deny dryrun warn scoped]");
  }

  const Value scoped = spec.get("scopedEnforcementActions");
  constexpr std::string_view kFetching = "error fetching scopedEnforcementActions: ";
  if (!scoped.defined()) return invalid(std::string(kFetching) + "scopedEnforcementActions is required");
  if (!scoped.is_array() && !scoped.is_null()) {
    return invalid(std::string(kFetching) + "could not convert JSON to scopedEnforcementActions: " +
                   json_value_error(scoped, "[]constraints.ScopedEnforcementAction"));
  }
  std::vector<std::string> bad_points;
  std::vector<std::string> bad_actions;
  for (const Value& element : scoped.elements()) {
    Result<ScopedEntry> entry = read_scoped_entry(element);
    if (!entry.ok()) {
      return invalid(std::string(kFetching) +
                     "could not convert JSON to scopedEnforcementActions: " + entry.error().message);
    }
    if (entry->action != "deny" && entry->action != "dryrun" && entry->action != "warn") {
      bad_actions.push_back(entry->action);
    }
    if (entry->points.empty()) bad_points.emplace_back();
    for (const std::string& point : entry->points) {
      if (point != "*" && !parse_enforcement_point(point)) bad_points.push_back(point);
    }
  }
  std::vector<std::string> messages;
  if (!bad_points.empty()) {
    messages.push_back("unrecognized enforcement points: constraint will not be enforced for enforcement points " +
                       go_list(bad_points) +
                       ", supported enforcement points are [validation.gatekeeper.sh audit.gatekeeper.sh "
                       "gator.gatekeeper.sh vap.k8s.io]");
  }
  if (!bad_actions.empty()) {
    messages.push_back("unrecognized enforcementAction: " + go_list(bad_actions) +
                       " is not within the supported list [deny dryrun warn]");
  }
  if (messages.empty()) return ok();
  return invalid(text::join(messages, "\n"));
}

std::string_view action_label(std::string_view action) noexcept {
  if (action.empty()) return "deny";
  for (const std::string_view known : {"deny", "dryrun", "warn", "scoped"}) {
    if (action == known) return known;
  }
  return "unrecognized";
}

}  // namespace portcullis::policy
