// Why an object does not match, field by field. Says what match.cpp decides.
#include <algorithm>

#include "base/text.h"
#include "engine/value/json.h"
#include "policy/match/match.h"

namespace portcullis::policy {

namespace {

std::string labels_text(const Value& object) {
  const Value labels = labels_of(object);
  return labels.is_object() && labels.size() > 0 ? to_json(labels) : "no labels";
}

std::string api_kind(const ObjectKind& kind) { return kind.api_version() + " " + std::string(kind.kind); }

}  // namespace

std::vector<Match::Refusal> Match::refusals(const Value& object, const Value& ns, Source source) const {
  std::vector<Refusal> out;
  if (!present_ || !object.defined()) return out;
  const Matchable target(object);
  std::string error;
  const bool has_namespace = !target.ns_name.empty() || ns.defined();
  if (!kinds_match(target.kind)) out.push_back({"kinds", api_kind(target.kind)});
  if (!scope_matches(target, has_namespace)) {
    out.push_back({"scope", target.kind.is_namespace() || !has_namespace ? "Cluster" : "Namespaced"});
  }
  if (!namespaces_match(target, ns)) {
    std::string_view name = target.ns_name;
    if (target.kind.is_namespace()) {
      name = target.name;
    } else if (ns.defined()) {
      name = name_of(ns);
    }
    const auto matches = [name](const std::string& pattern) { return wildcard_matches(pattern, name); };
    const bool listed = namespaces_.empty() || std::any_of(namespaces_.begin(), namespaces_.end(), matches);
    const bool excluded = std::any_of(excluded_namespaces_.begin(), excluded_namespaces_.end(), matches);
    if (!listed) out.push_back({"namespaces", "namespace " + std::string(name)});
    if (excluded) out.push_back({"excludedNamespaces", "namespace " + std::string(name)});
  }
  const Value labels = labels_of(object);
  const bool readable_labels = labels.is_object() && std::all_of(labels.values().begin(), labels.values().end(),
                                                                 [](const Value& value) { return value.is_string(); });
  if (has_label_selector_ &&
      label_selector_.matches(readable_labels ? labels : Value::undefined()) == MatchOutcome::kNo) {
    out.push_back({"labelSelector", labels_text(object)});
  }
  if (namespace_selector_matches(target, ns, error) == MatchOutcome::kNo) {
    out.push_back({"namespaceSelector", labels_text(target.kind.is_namespace() ? object : ns)});
  }
  if (!names_match(target)) {
    const std::string_view name = target.name.empty() ? target.generate_name : target.name;
    out.push_back({"name", std::string(name)});
  }
  if (source_matches(target, source, error) == MatchOutcome::kNo) {
    out.push_back({"source", source == Source::kGenerated ? "Generated" : "Original"});
  }
  return out;
}

}  // namespace portcullis::policy
