// The policy engine as the offline commands use it: templates, constraints, inventory and one thread's scratch.
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/rego/eval/program.h"
#include "policy/inventory/inventory.h"
#include "policy/review/snapshot.h"

namespace portcullis::gator {

// Keeps what print() writes, up to a bound; gives the wall clock to time.now_ns.
class PrintHost : public rego::Host {
 public:
  std::int64_t now_ns() override;
  std::uint64_t random_seed() override;
  void print(std::string_view line) override;
  // Everything printed so far; empties the buffer.
  std::string take();

 private:
  std::string printed_;
  bool truncated_ = false;
};

class Engine {
 public:
  explicit Engine(bool keep_print);

  Result<policy::TemplateChange> add_template(const Value& object) { return builder_.set_template(object); }
  Result<policy::SnapshotBuilder::ConstraintChange> add_constraint(const Value& object) {
    return builder_.set_constraint(object);
  }
  // Call once, after the last template and constraint.
  void seal() { snapshot_ = builder_.build(); }

  policy::Inventory& inventory() noexcept { return *inventory_; }
  void clear_inventory();
  rego::EvalScratch& scratch() noexcept { return scratch_; }
  PrintHost& host() noexcept { return host_; }

  // The review must lie in scratch() or outlive the call.
  policy::ReviewResult review(const policy::Review& review, bool stats = false);

 private:
  policy::SnapshotBuilder builder_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
  std::unique_ptr<policy::Inventory> inventory_ = std::make_unique<policy::Inventory>();
  policy::CachedInventory cached_;
  rego::EvalScratch scratch_;
  PrintHost host_;
};

}  // namespace portcullis::gator
