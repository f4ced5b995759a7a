#include "controller/status/kinds.h"

#include "policy/model/resources.h"

namespace portcullis::controller {

namespace {

constexpr std::string_view kPrefix = "internal.gatekeeper.sh/";

kube::ApiResource template_parent(std::string_view) { return policy::constraint_templates(); }
kube::ApiResource config_parent(std::string_view) { return policy::configs(); }

constexpr StatusKind kKinds[kStatusKinds] = {
    {StatusOf::kTemplate, "ConstraintTemplatePodStatus", policy::constraint_template_pod_statuses, template_parent,
     "constrainttemplate-name", "", "templateUID", false, true},
    {StatusOf::kConstraint, "ConstraintPodStatus", policy::constraint_pod_statuses, policy::constraints_of,
     "constraint-name", "constraint-kind", "constraintUID", false, false},
    {StatusOf::kConfig, "ConfigPodStatus", policy::config_pod_statuses, config_parent, "config-name", "", "configUID",
     true, false},
};

}  // namespace

std::span<const StatusKind> status_kinds() noexcept { return kKinds; }

const StatusKind& status_kind(StatusOf of) noexcept { return kKinds[static_cast<std::size_t>(of)]; }

const StatusKind* find_status_kind(std::string_view name) noexcept {
  for (const StatusKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::string ParentKey::text() const { return std::to_string(static_cast<int>(of)) + "/" + kind + "/" + name; }

ParentKey ParentKey::parse(std::string_view text) {
  ParentKey key;
  key.of = static_cast<StatusOf>(text.front() - '0');
  const std::size_t slash = text.find('/', 2);
  key.kind = text.substr(2, slash - 2);
  key.name = text.substr(slash + 1);
  return key;
}

ParentKey parent_of(const StatusKind& kind, const kube::Meta& status) {
  const auto label = [&status](std::string_view name) {
    return name.empty() ? std::string() : std::string(status.label(std::string(kPrefix) + std::string(name)));
  };
  return {kind.of, label(kind.kind_label), label(kind.name_label)};
}

}  // namespace portcullis::controller
