// The published state of all policies, and how it is built and handed to evaluation threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/driver/rego_driver.h"
#include "policy/inventory/inventory.h"
#include "policy/match/index.h"
#include "policy/match/match.h"
#include "policy/model/constraint.h"
#include "policy/model/template.h"
#include "policy/review/result.h"
#include "policy/review/review.h"
#include "policy/schema/crd.h"

namespace portcullis::policy {

// One loaded constraint. Threads: immutable, shared between Snapshots.
struct LoadedConstraint {
  ConstraintPtr constraint;
  Match match;
  CompiledConstraint compiled;
};

struct LoadedTemplate {
  TemplatePtr constraint_template;
  std::shared_ptr<const ConstraintSchema> schema;
  std::shared_ptr<const CompiledTemplate> compiled;
};

// A bounded run of one template's constraints with its kind index. Immutable, shared between Snapshots.
struct ConstraintSegment {
  std::vector<std::shared_ptr<const LoadedConstraint>> constraints;  // by name
  KindIndex kinds;
};

// All of one template. Immutable, shared between Snapshots.
struct TemplateSet {
  std::shared_ptr<const LoadedTemplate> loaded;
  std::vector<std::shared_ptr<const ConstraintSegment>> segments;  // by name
  KindIndex segment_kinds;                                         // object kind -> segments
  std::size_t constraint_count = 0;
};

struct ReviewOptions {
  EnforcementPoint point = EnforcementPoint::kWebhook;
  rego::EvalLimits limits;  // of the review as a whole (deadline) and of each constraint (the rest)
  bool stats = false;       // ReviewResult::stats
  bool times = false;       // ReviewResult::times
};

// Threads: any number may call const members at once; never changes after build().
// Lifetime: a ReviewResult may outlive it.
class Snapshot {
 public:
  // Runs every matching constraint. Violations are data; a failing constraint harms no other; what fails the review as
  // a whole is in ReviewResult::failure beside the violations of the others. `inventory` must outlive the call.
  // `scratch` is not reset (the review lies in it); the caller resets between reviews. Cost: one lookup per object
  // kind, then linear in the constraints of that kind.
  ReviewResult review(const Review& review, const InventoryVersion& inventory, rego::EvalScratch& scratch,
                      rego::Host& host, const ReviewOptions& options) const;

  std::size_t template_count() const noexcept { return sets_.size(); }
  std::size_t constraint_count() const noexcept { return constraint_count_; }
  // In order of kind, then name.
  void for_each_constraint(const std::function<void(const LoadedConstraint&)>& f) const;
  void for_each_template(const std::function<void(const LoadedTemplate&)>& f) const;  // in order of kind
  // Null when there is none. `kind` in any case for templates (they are found by lower(kind)).
  const LoadedTemplate* find_template(std::string_view kind) const noexcept;
  const LoadedConstraint* find_constraint(std::string_view kind, std::string_view name) const noexcept;
  std::uint64_t number() const noexcept { return number_; }

 private:
  friend class SnapshotBuilder;
  std::vector<std::shared_ptr<const TemplateSet>> sets_;  // by kind
  KindIndex set_kinds_;                                   // object kind -> sets
  std::size_t constraint_count_ = 0;
  std::uint64_t number_ = 0;
};

struct TemplateChange {
  bool changed = true;  // false: same spec and labels as before
  TemplatePtr constraint_template;
  std::string note;  // for an Info log line; usually empty (engine choice)
};

// The writer's side: holds the current templates and constraints, makes Snapshots.
// Threads: one at a time (one strand). Every failed call leaves the previous state in place: a template that no longer
// compiles keeps its last good program.
class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(DriverOptions options = {});
  ~SnapshotBuilder();

  // Validates, compiles and takes over a template. Its constraints stay and are recompiled against it.
  // Errors (kInvalid, kUnsupported): Gatekeeper's texts ("Could not ingest Rego: " is the caller's to add).
  Result<TemplateChange> set_template(const Value& object, const TemplateDecodeOptions& options = {});
  // Removes a template and its constraints. False: there was none.
  bool remove_template(std::string_view name);

  // Validates, defaults and takes over a constraint. Errors (kInvalid; kNotFound when the template is missing, text
  // `missing ConstraintTemplate: template "x" not found`).
  struct ConstraintChange {
    bool changed = true;
    ConstraintPtr constraint;
  };
  Result<ConstraintChange> set_constraint(const Value& object);
  bool remove_constraint(std::string_view kind, std::string_view name);

  // Checks only, as the webhook does. Errors as set_constraint's, without taking anything over.
  Result<void> check_constraint(const Value& object) const;

  // A Snapshot of the current state; everything unchanged is shared with earlier ones.
  std::shared_ptr<const Snapshot> build();

 private:
  struct TemplateEntry;
  struct State;
  std::unique_ptr<State> state_;
};

// An evaluation thread's own pointer to the Snapshot it works with.
struct CachedSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  std::uint64_t version = 0;
};

// Publication. Threads: any.
class SnapshotCell {
 public:
  SnapshotCell();  // holds an empty Snapshot
  void publish(std::shared_ptr<const Snapshot> snapshot);
  // Takes the lock only after a publish(); no reference count is touched otherwise.
  const Snapshot& refresh(CachedSnapshot& mine) const;
  std::shared_ptr<const Snapshot> load() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace portcullis::policy
