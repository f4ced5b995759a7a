// The kinds of pod status in one table: how each belongs to its parent, and where that is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kube/core/object.h"
#include "kube/core/resource.h"

namespace portcullis::controller {

enum class StatusOf : std::uint8_t { kTemplate, kConstraint, kConfig };
inline constexpr std::size_t kStatusKinds = 3;

struct StatusKind {
  StatusOf of;
  std::string_view name;  // of the kind in status.gatekeeper.sh/v1beta1
  kube::ApiResource (*resource)();
  kube::ApiResource (*parent)(std::string_view parent_kind);
  std::string_view name_label;  // of the parent, below internal.gatekeeper.sh/
  std::string_view kind_label;  // empty: parents have one kind
  std::string_view uid_field;   // in .status: the parent's UID
  bool namespaced_parent;       // in Gatekeeper's namespace
  bool has_created;             // the parent has status.created
};

std::span<const StatusKind> status_kinds() noexcept;  // in the order of StatusOf
const StatusKind& status_kind(StatusOf of) noexcept;
const StatusKind* find_status_kind(std::string_view name) noexcept;  // null: none of ours

// A parent as work queues name it: "0//k8sfoo", "1/K8sFoo/bar".
struct ParentKey {
  StatusOf of = StatusOf::kTemplate;
  std::string kind;  // of a constraint, else empty
  std::string name;
  std::string text() const;
  static ParentKey parse(std::string_view text);
};
// The parent that a pod status names in its labels. `kind` is the status's own.
ParentKey parent_of(const StatusKind& kind, const kube::Meta& status);

}  // namespace portcullis::controller
