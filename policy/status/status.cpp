#include "policy/status/status.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "policy/model/object.h"

namespace portcullis::policy {
namespace {

constexpr std::size_t kMaxMessage = 256;
constexpr std::string_view kEllipsis = "...";
constexpr std::string_view kLabelPrefix = "internal.gatekeeper.sh/";

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

class Json {
 public:
  explicit Json(Arena& arena) : arena_(arena) {}
  Value key(std::string_view name) const { return make_symbol_or_string(arena_, name); }
  Value text(std::string_view value) const { return make_string(arena_, value); }
  // Undefined members are left out.
  Value object(std::initializer_list<std::pair<std::string_view, Value>> members) const {
    std::vector<Member> out;
    for (const auto& [name, value] : members) {
      if (value.defined()) out.push_back({key(name), value});
    }
    return make_object(arena_, out);
  }
  Value texts(std::span<const std::string> list) const {
    std::vector<Value> out;
    out.reserve(list.size());
    for (const std::string& element : list) out.push_back(text(element));
    return make_array(arena_, out);
  }
  // Undefined when empty.
  Value text_or_absent(std::string_view value) const { return value.empty() ? Value::undefined() : text(value); }
  Arena& arena() const noexcept { return arena_; }

 private:
  Arena& arena_;
};

std::string doubled(std::string_view part) {
  std::string out;
  for (const char c : part) out.append(c == '-' ? 2 : 1, c);
  return out;
}

Value errors_value(const Json& json, const std::vector<StatusError>& errors) {
  if (errors.empty()) return Value::undefined();
  std::vector<Value> out;
  for (const StatusError& error : errors) {
    out.push_back(json.object({
        {"code", json.text(error.code)},  // empty for constraints, and required by the schema
        {"message", json.text(error.message)},
    }));
  }
  return make_array(json.arena(), out);
}

Value points_value(const Json& json, const std::vector<EnforcementPointStatus>& points) {
  if (points.empty()) return Value::undefined();
  std::vector<Value> out;
  for (const EnforcementPointStatus& point : points) {
    out.push_back(json.object({
        {"enforcementPoint", json.text(point.point)},
        {"state", json.text(point.state)},
        {"message", json.text_or_absent(point.message)},
        {"observedGeneration",
         point.observed_generation == 0 ? Value::undefined() : Value::integer(point.observed_generation)},
    }));
  }
  return make_array(json.arena(), out);
}

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

Value metadata_value(const Json& json, const PodIdentity& pod, std::string_view name, const Labels& labels) {
  std::vector<Member> label_members = {{json.text(std::string(kLabelPrefix) + "pod"), json.text(pod.name)}};
  for (const auto& [key, value] : labels) {
    label_members.push_back({json.text(std::string(kLabelPrefix) + std::string(key)), json.text(value)});
  }
  Value owners;
  if (!pod.uid.empty()) {
    const Value owner = json.object({
        {"apiVersion", json.text("v1")},
        {"kind", json.text("Pod")},
        {"name", json.text(pod.name)},
        {"uid", json.text(pod.uid)},
    });
    owners = make_array(json.arena(), {&owner, 1});
  }
  return json.object({
      {"name", json.text(name)},
      {"namespace", json.text(pod.ns)},
      {"labels", make_object(json.arena(), label_members)},
      {"ownerReferences", owners},
  });
}

// `json` builds in `arena`, which the document takes over.
Document finish(Arena& arena, const Json& json, std::string_view kind, const Value& metadata, const Value& status) {
  const Value root = json.object({
      {"apiVersion", json.text("status.gatekeeper.sh/v1beta1")},
      {"kind", json.text(kind)},
      {"metadata", metadata},
      {"status", status},
  });
  return Document::adopt(std::move(arena), root);
}

auto sort_key(const AuditViolation& v) {
  return std::tie(v.group, v.version, v.kind, v.ns, v.name, v.message, v.enforcement_action);
}
bool less(const AuditViolation& a, const AuditViolation& b) { return sort_key(a) < sort_key(b); }

}  // namespace

Result<std::string> pod_status_name(std::span<const std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (part.empty()) return invalid("a part of a status name is empty");
    if (part.front() == '-' || part.back() == '-') {
      return invalid("a part of a status name must not begin or end with a dash: " + text::go_quote(part));
    }
    if (!out.empty()) out += '-';
    out += doubled(part);
  }
  return out;
}

Result<Document> make_template_pod_status(const PodIdentity& pod, const TemplatePodStatus& status) {
  const std::string_view parts[] = {pod.name, status.template_name};
  PC_TRY(const std::string name, pod_status_name(parts));
  Arena arena(0, 1024);
  const Json json(arena);
  const Value body = json.object({
      {"id", json.text(pod.name)},
      {"templateUID", json.text(status.template_uid)},
      {"observedGeneration", Value::integer(status.observed_generation)},
      {"operations", json.texts(pod.operations)},
      {"errors", errors_value(json, status.errors)},
  });
  const Value metadata = metadata_value(json, pod, name, {{"constrainttemplate-name", status.template_name}});
  return finish(arena, json, "ConstraintTemplatePodStatus", metadata, body);
}

Result<Document> make_constraint_pod_status(const PodIdentity& pod, const ConstraintPodStatus& status) {
  const std::string kind = text::to_lower_ascii(status.constraint_kind);
  const std::string_view parts[] = {pod.name, kind, status.constraint_name};
  PC_TRY(const std::string name, pod_status_name(parts));
  Arena arena(0, 1024);
  const Json json(arena);
  const Value body = json.object({
      {"id", json.text(pod.name)},
      {"constraintUID", json.text(status.constraint_uid)},
      {"operations", json.texts(pod.operations)},
      {"enforced", status.enforced ? Value::boolean(true) : Value::undefined()},
      {"observedGeneration", Value::integer(status.observed_generation)},
      {"errors", errors_value(json, status.errors)},
      {"enforcementPointsStatus", points_value(json, status.points)},
  });
  const Value metadata = metadata_value(json, pod, name,
                                        {{"constraint-name", status.constraint_name},
                                         {"constraint-kind", status.constraint_kind},
                                         {"constrainttemplate-name", status.template_name}});
  return finish(arena, json, "ConstraintPodStatus", metadata, body);
}

Result<Document> make_config_pod_status(const PodIdentity& pod, const ConfigPodStatus& status) {
  const std::string_view parts[] = {pod.name, status.config_ns, status.config_name};
  PC_TRY(const std::string name, pod_status_name(parts));
  Arena arena(0, 1024);
  const Json json(arena);
  std::vector<Value> errors;
  for (const std::string& error : status.errors) errors.push_back(json.object({{"message", json.text(error)}}));
  const Value body = json.object({
      {"id", json.text(pod.name)},
      {"configUID", json.text(status.config_uid)},
      {"observedGeneration", Value::integer(status.observed_generation)},
      {"operations", json.texts(pod.operations)},
      {"errors", errors.empty() ? Value::undefined() : make_array(arena, errors)},
  });
  return finish(arena, json, "ConfigPodStatus", metadata_value(json, pod, name, {{"config-name", status.config_name}}),
                body);
}

Value aggregate_by_pod(Arena& arena, std::span<const Value> pod_statuses, std::string_view uid_field,
                       std::string_view parent_uid) {
  std::vector<Value> out;
  for (const Value& object : pod_statuses) {
    const Value status = object.get("status");
    if (status.is_object() && status.string_or(uid_field) == parent_uid) out.push_back(status);
  }
  std::sort(out.begin(), out.end(),
            [](const Value& a, const Value& b) { return a.string_or("id") < b.string_or("id"); });
  return make_array(arena, out);
}

bool any_without_errors(const Value& by_pod) noexcept {
  const auto entries = by_pod.elements();
  return std::any_of(entries.begin(), entries.end(),
                     [](const Value& entry) { return entry.get("errors").size() == 0; });
}

std::string truncate_message(std::string_view message) {
  if (message.size() <= kMaxMessage) return std::string(message);
  message = message.substr(0, kMaxMessage - kEllipsis.size());
  std::string out;
  out.reserve(kMaxMessage + 8);
  // Every byte of a character that was cut becomes U+FFFD when the status is written as JSON; the same here.
  for (std::size_t at = 0; at < message.size();) {
    const text::Rune rune = text::decode_rune(message, at);
    text::append_rune(out, rune.value);
    at += rune.size;
  }
  out += kEllipsis;
  return out;
}

void ViolationList::add(AuditViolation violation) {
  ++total_;
  if (limit_ == 0) return;
  violation.message = truncate_message(violation.message);
  if (heap_.size() == limit_) {
    if (!less(violation, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), less);
    heap_.back() = std::move(violation);
  } else {
    heap_.push_back(std::move(violation));
  }
  std::push_heap(heap_.begin(), heap_.end(), less);
}

std::vector<const AuditViolation*> ViolationList::listed() const {
  std::vector<const AuditViolation*> out;
  out.reserve(heap_.size());
  for (const AuditViolation& violation : heap_) out.push_back(&violation);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return less(*b, *a); });
  return out;
}

Value audit_status(Arena& arena, std::string_view timestamp, const ViolationList& violations) {
  const Json json(arena);
  std::vector<Value> list;
  for (const AuditViolation* violation : violations.listed()) {
    list.push_back(json.object({
        {"group", json.text(violation->group)},
        {"version", json.text(violation->version)},
        {"kind", json.text(violation->kind)},
        {"name", json.text(violation->name)},
        {"namespace", json.text_or_absent(violation->ns)},
        {"message", json.text(violation->message)},
        {"enforcementAction", json.text(violation->enforcement_action)},
        {"enforcementActions",
         violation->enforcement_actions.empty() ? Value::undefined() : json.texts(violation->enforcement_actions)},
    }));
  }
  return json.object({
      {"auditTimestamp", json.text(timestamp)},
      {"totalViolations", Value::integer(static_cast<std::int64_t>(violations.total()))},
      {"violations", list.empty() ? Value::undefined() : make_array(arena, list)},
  });
}

Value merge_audit_status(Arena& arena, const Value& status, const Value& audit) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < status.keys().size(); ++i) {
    const std::string_view name = status.keys()[i].as_string();
    if (name == "auditTimestamp" || name == "totalViolations" || name == "violations") continue;
    members.push_back({status.keys()[i], status.values()[i]});
  }
  for (std::size_t i = 0; i < audit.keys().size(); ++i) members.push_back({audit.keys()[i], audit.values()[i]});
  return make_object(arena, members);
}

}  // namespace portcullis::policy
