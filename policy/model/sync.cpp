// Reading spec fields with the types that Gatekeeper's Go structs have.
#include "policy/model/sync.h"

#include <algorithm>

#include "base/text.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {

namespace {

bool unset(const Value& value) noexcept { return !value.defined() || value.is_null(); }

Error wrong(const Value& value, std::string_view field, std::string_view go_type) {
  return make_error(Code::kInvalid, json_type_error(value, field, go_type));
}

Result<std::string> read_text(const Value& value, std::string_view field) {
  if (unset(value)) return std::string();
  if (!value.is_string()) return wrong(value, field, "string");
  return std::string(value.as_string());
}

Result<std::vector<std::string>> read_texts(const Value& value, const std::string& field, std::string_view go_type) {
  std::vector<std::string> out;
  if (unset(value)) return out;
  if (!value.is_array()) return wrong(value, field, go_type);
  for (const Value& element : value.elements()) {
    PC_TRY(std::string text, read_text(element, field));
    out.push_back(std::move(text));
  }
  return out;
}

Result<std::vector<kube::GroupVersionKind>> read_kinds(const Value& value, const std::string& field,
                                                       std::string_view go_type) {
  std::vector<kube::GroupVersionKind> out;
  if (unset(value)) return out;
  if (!value.is_array()) return wrong(value, field, go_type);
  for (const Value& entry : value.elements()) {
    if (!entry.is_object() && !unset(entry)) return wrong(entry, field, go_type.substr(2));
    kube::GroupVersionKind kind;
    PC_TRY(kind.group, read_text(entry.get("group"), field + ".group"));
    PC_TRY(kind.version, read_text(entry.get("version"), field + ".version"));
    PC_TRY(kind.kind, read_text(entry.get("kind"), field + ".kind"));
    out.push_back(std::move(kind));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

Result<Config> decode_config(const Value& object) {
  Config config;
  const Value spec = object.get("spec");
  if (!spec.is_object()) {
    if (unset(spec)) return config;
    return wrong(spec, "Config.spec", "v1alpha1.ConfigSpec");
  }
  const Value sync = spec.get("sync");
  if (!unset(sync) && !sync.is_object()) return wrong(sync, "Config.spec.sync", "v1alpha1.Sync");
  PC_TRY(config.sync_only, read_kinds(sync.get("syncOnly"), "Config.spec.sync.syncOnly", "[]v1alpha1.SyncOnlyEntry"));
  const Value match = spec.get("match");
  if (!unset(match) && !match.is_array()) return wrong(match, "Config.spec.match", "[]v1alpha1.MatchEntry");
  for (const Value& entry : match.elements()) {
    if (!entry.is_object()) return wrong(entry, "Config.spec.match", "v1alpha1.MatchEntry");
    ExclusionEntry out;
    PC_TRY(out.processes, read_texts(entry.get("processes"), "Config.spec.match.processes", "[]string"));
    PC_TRY(out.namespaces,
           read_texts(entry.get("excludedNamespaces"), "Config.spec.match.excludedNamespaces", "[]wildcard.Wildcard"));
    config.match.push_back(std::move(out));
  }
  for (const Value& entry : spec.path({"validation", "traces"}).elements()) {
    const Value kind = entry.get("kind");
    config.traces.push_back({std::string(entry.string_or("user")),
                             {std::string(kind.string_or("group")), std::string(kind.string_or("version")),
                              std::string(kind.string_or("kind"))},
                             text::to_lower_ascii(entry.string_or("dump")) == "all"});
  }
  const Value stats = spec.path({"readiness", "statsEnabled"});
  if (!unset(stats) && !stats.is_bool()) return wrong(stats, "Config.spec.readiness.statsEnabled", "bool");
  config.readiness_stats = stats.is_true();
  return config;
}

Result<std::vector<kube::GroupVersionKind>> decode_sync_set(const Value& object) {
  const Value spec = object.get("spec");
  if (!unset(spec) && !spec.is_object()) return wrong(spec, "SyncSet.spec", "v1alpha1.SyncSetSpec");
  return read_kinds(spec.get("gvks"), "SyncSet.spec.gvks", "[]v1alpha1.GVKEntry");
}

}  // namespace portcullis::policy
