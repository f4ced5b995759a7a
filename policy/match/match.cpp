#include "policy/match/match.h"

#include <algorithm>

#include "base/text.h"
#include "engine/value/json.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view kRunFailed = "failed to run Match criteria: ";

Error invalid(std::string message) {
  return make_error(Code::kInvalid, "unable to create matcher: could not convert JSON to Match: " + std::move(message));
}

bool absent(const Value& value) noexcept { return !value.defined() || value.is_null(); }

Result<std::vector<std::string>> read_strings(const Value& value, std::string_view field, std::string_view type) {
  std::vector<std::string> out;
  if (absent(value)) return out;
  if (!value.is_array()) return invalid(json_type_error(value, field, "[]" + std::string(type)));
  out.reserve(value.size());
  for (const Value& element : value.elements()) {
    if (!element.is_string()) return invalid(json_type_error(element, field, type));
    out.emplace_back(element.as_string());
  }
  return out;
}

Result<std::string> read_string(const Value& value, std::string_view field, std::string_view type) {
  if (absent(value)) return std::string();
  if (!value.is_string()) return invalid(json_type_error(value, field, type));
  return std::string(value.as_string());
}

bool list_has(const std::vector<std::string>& list, std::string_view text) noexcept {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_any(const std::vector<std::string>& list) noexcept { return list.empty() || list_has(list, "*"); }

// Labels count only when every value is a string; anything else is like no labels at all.
Value string_map(const Value& labels) noexcept {
  if (!labels.is_object()) return Value::undefined();
  for (const Value& value : labels.values()) {
    if (!value.is_string()) return Value::undefined();
  }
  return labels;
}

// What fails before anything is matched: an object that has no kind.
bool readable(const Value& object, std::string_view what, std::string& error) {
  if (!object.defined() || !kind_of(object).kind.empty()) return true;
  error = "invalid request object: failed to unmarshal gkReview ";
  error += what;
  error += ' ';
  error += to_json(object);
  return false;
}

}  // namespace

bool wildcard_matches(std::string_view pattern, std::string_view candidate) noexcept {
  const bool front = !pattern.empty() && pattern.front() == '*';
  const bool back = !pattern.empty() && pattern.back() == '*';
  if (front && back) {
    pattern.remove_prefix(1);
    if (!pattern.empty()) pattern.remove_suffix(1);
    return candidate.find(pattern) != std::string_view::npos;
  }
  if (front) return text::ends_with(candidate, pattern.substr(1));
  if (back) return text::starts_with(candidate, pattern.substr(0, pattern.size() - 1));
  return pattern == candidate;
}

bool wildcard_matches_generate_name(std::string_view pattern, std::string_view candidate) noexcept {
  return !pattern.empty() && pattern.back() == '*' && wildcard_matches(pattern, candidate);
}

Matchable::Matchable(const Value& o) noexcept : object(o), kind(kind_of(o)) {
  const Value metadata = o.get("metadata");
  name = metadata.string_or("name");
  generate_name = metadata.string_or("generateName");
  ns_name = metadata.string_or("namespace");
}

LabelSelector LabelSelector::compile(const Value& selector) {
  LabelSelector out;
  const Value labels = selector.get("matchLabels");
  for (std::size_t i = 0; i < labels.keys().size(); ++i) {
    const Value& value = labels.values()[i];
    out.requirements_.push_back({std::string(labels.keys()[i].as_string()),
                                 Operator::kIn,
                                 {std::string(value.is_string() ? value.as_string() : std::string_view{})}});
  }
  for (const Value& expression : selector.get("matchExpressions").elements()) {
    Requirement requirement{std::string(expression.string_or("key")), Operator::kIn, {}};
    const std::string_view op = expression.string_or("operator");
    if (op == "In") {
      requirement.op = Operator::kIn;
    } else if (op == "NotIn") {
      requirement.op = Operator::kNotIn;
    } else if (op == "Exists") {
      requirement.op = Operator::kExists;
    } else if (op == "DoesNotExist") {
      requirement.op = Operator::kDoesNotExist;
    } else {
      out.error_ = text::go_quote(op) + " is not a valid label selector operator";
      return out;
    }
    for (const Value& value : expression.get("values").elements()) {
      if (value.is_string()) requirement.values.emplace_back(value.as_string());
    }
    std::sort(requirement.values.begin(), requirement.values.end());
    out.requirements_.push_back(std::move(requirement));
  }
  return out;
}

MatchOutcome LabelSelector::matches(const Value& labels) const noexcept {
  if (!error_.empty()) return MatchOutcome::kError;
  for (const Requirement& requirement : requirements_) {
    const Value value = labels.get(requirement.key);
    const bool has = value.is_string();
    bool satisfied = false;
    switch (requirement.op) {
      case Operator::kIn:
        satisfied = has && std::binary_search(requirement.values.begin(), requirement.values.end(), value.as_string(),
                                              std::less<>());
        break;
      case Operator::kNotIn:
        satisfied = !has || !std::binary_search(requirement.values.begin(), requirement.values.end(), value.as_string(),
                                                std::less<>());
        break;
      case Operator::kExists: satisfied = has; break;
      case Operator::kDoesNotExist: satisfied = !has; break;
    }
    if (!satisfied) return MatchOutcome::kNo;
  }
  return MatchOutcome::kYes;
}

Result<Match> Match::compile(const Value& match) {
  Match out;
  if (absent(match)) return out;
  if (!match.is_object()) {
    return make_error(Code::kInvalid,
                      "unable to create matcher: " + accessor_error(".spec.match", match, "map[string]interface{}"));
  }
  out.present_ = true;
  PC_TRY(out.source_, read_string(match.get("source"), "Match.source", "string"));
  PC_TRY(out.name_, read_string(match.get("name"), "Match.name", "wildcard.Wildcard"));
  PC_TRY(const std::string scope, read_string(match.get("scope"), "Match.scope", "v1.ResourceScope"));
  if (scope == "Cluster") out.scope_ = Scope::kCluster;
  if (scope == "Namespaced") out.scope_ = Scope::kNamespaced;
  PC_TRY(out.namespaces_, read_strings(match.get("namespaces"), "Match.namespaces", "wildcard.Wildcard"));
  PC_TRY(out.excluded_namespaces_,
         read_strings(match.get("excludedNamespaces"), "Match.excludedNamespaces", "wildcard.Wildcard"));

  const Value kinds = match.get("kinds");
  if (!absent(kinds) && !kinds.is_array()) return invalid(json_type_error(kinds, "Match.kinds", "[]match.Kinds"));
  for (const Value& value : kinds.elements()) {
    KindEntry entry;
    if (!value.is_object() && !value.is_null()) return invalid(json_type_error(value, "Match.kinds", "match.Kinds"));
    PC_TRY(entry.groups, read_strings(value.get("apiGroups"), "Match.kinds.apiGroups", "string"));
    PC_TRY(entry.kinds, read_strings(value.get("kinds"), "Match.kinds.kinds", "string"));
    entry.any_group = is_any(entry.groups);
    entry.any_kind = is_any(entry.kinds);
    out.kinds_.push_back(std::move(entry));
  }

  const Value labels = match.get("labelSelector");
  out.has_label_selector_ = labels.is_object();
  if (out.has_label_selector_) out.label_selector_ = LabelSelector::compile(labels);
  const Value namespaces = match.get("namespaceSelector");
  out.has_namespace_selector_ = namespaces.is_object();
  if (out.has_namespace_selector_) out.namespace_selector_ = LabelSelector::compile(namespaces);
  return out;
}

MatchOutcome Match::matches(const Value& object, const Value& old_object, const Value& ns, Source source,
                            std::string& error) const {
  if (!present_) return MatchOutcome::kYes;
  if (!readable(object, "object", error) || !readable(old_object, "oldObject", error)) return MatchOutcome::kError;
  if (!object.defined() && !old_object.defined()) {
    error = "invalid request object: neither object nor old object are defined";
    return MatchOutcome::kError;
  }
  const Value* const candidates[] = {&object, &old_object};
  for (const Value* candidate : candidates) {
    // On DELETE both are the same object.
    if (!candidate->defined() || (candidate == &old_object && old_object.identical(object))) continue;
    const Matchable target(*candidate);
    const MatchOutcome outcome = match_one(target, ns, source, error);
    if (outcome == MatchOutcome::kError) {
      std::string full = "error matching the requested object: ";
      full += target.name;
      full += " :";
      full += kRunFailed;
      full += error;
      error = std::move(full);
      return outcome;
    }
    if (outcome == MatchOutcome::kYes) return outcome;
  }
  return MatchOutcome::kNo;
}

MatchOutcome Match::match_one(const Matchable& target, const Value& ns, Source source, std::string& error) const {
  if (!kinds_match(target.kind)) return MatchOutcome::kNo;
  if (!scope_matches(target, !target.ns_name.empty() || ns.defined())) return MatchOutcome::kNo;
  if (!namespaces_match(target, ns)) return MatchOutcome::kNo;
  if (has_label_selector_) {
    const MatchOutcome outcome = label_selector_.matches(string_map(labels_of(target.object)));
    if (outcome == MatchOutcome::kError) error = label_selector_.error();
    if (outcome != MatchOutcome::kYes) return outcome;
  }
  const MatchOutcome by_namespace = namespace_selector_matches(target, ns, error);
  if (by_namespace != MatchOutcome::kYes) return by_namespace;
  if (!names_match(target)) return MatchOutcome::kNo;
  return source_matches(target, source, error);
}

bool Match::kinds_match(const ObjectKind& kind) const noexcept {
  if (kinds_.empty()) return true;
  for (const KindEntry& entry : kinds_) {
    if ((entry.any_kind || list_has(entry.kinds, kind.kind)) &&
        (entry.any_group || list_has(entry.groups, kind.group))) {
      return true;
    }
  }
  return false;
}

bool Match::scope_matches(const Matchable& target, bool has_namespace) const noexcept {
  switch (scope_) {
    case Scope::kCluster: return target.kind.is_namespace() || !has_namespace;
    case Scope::kNamespaced: return !target.kind.is_namespace() && has_namespace;
    case Scope::kAny: break;
  }
  return true;
}

bool Match::namespaces_match(const Matchable& target, const Value& ns) const noexcept {
  if (namespaces_.empty() && excluded_namespaces_.empty()) return true;
  std::string_view name;
  if (target.kind.is_namespace()) {
    name = target.name;
  } else if (ns.defined()) {
    name = name_of(ns);
  } else if (!target.ns_name.empty()) {
    name = target.ns_name;
  } else {
    return true;  // cluster-scoped: both lists are satisfied
  }
  const auto matches = [name](const std::string& pattern) { return wildcard_matches(pattern, name); };
  if (!namespaces_.empty() && std::none_of(namespaces_.begin(), namespaces_.end(), matches)) return false;
  return std::none_of(excluded_namespaces_.begin(), excluded_namespaces_.end(), matches);
}

MatchOutcome Match::namespace_selector_matches(const Matchable& target, const Value& ns, std::string& error) const {
  if (!has_namespace_selector_) return MatchOutcome::kYes;
  const bool is_namespace = target.kind.is_namespace();
  if (!is_namespace && !ns.defined() && target.ns_name.empty()) return MatchOutcome::kYes;
  if (!namespace_selector_.error().empty()) {
    error = namespace_selector_.error();
    return MatchOutcome::kError;
  }
  if (is_namespace) return namespace_selector_.matches(string_map(labels_of(target.object)));
  if (!ns.defined()) {
    error = "namespace selector for namespace-scoped object but missing Namespace";
    return MatchOutcome::kError;
  }
  return namespace_selector_.matches(string_map(labels_of(ns)));
}

bool Match::names_match(const Matchable& target) const noexcept {
  return name_.empty() || wildcard_matches(name_, target.name) ||
         wildcard_matches_generate_name(name_, target.generate_name);
}

MatchOutcome Match::source_matches(const Matchable& target, Source source, std::string& error) const {
  if (source_.empty() || source_ == "All") return MatchOutcome::kYes;
  if (source_ != "Original" && source_ != "Generated") {
    error = "invalid source field " + text::go_quote(source_);
    return MatchOutcome::kError;
  }
  if (source == Source::kNone) {
    error = "source field not specified for resource " + std::string(target.name);
    return MatchOutcome::kError;
  }
  return (source == Source::kOriginal) == (source_ == "Original") ? MatchOutcome::kYes : MatchOutcome::kNo;
}

}  // namespace portcullis::policy
