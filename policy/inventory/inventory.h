// data.inventory: the synced objects that referential policies read, and the Namespaces that matching uses.
// Threads: all members may be called from any thread. Writers take a lock; readers hold a version of their own and take
// the lock only after something changed, and never wait for an index that is being made. Ownership: a version keeps
// alive what it shows. Cost: upsert/remove O(log n), indexes included; the first refresh() after changes rebuilds the
// changed groups (kind in a namespace) only. Indexes: an evaluation that asks a version for an index it lacks goes
// without, and the next refresh() makes it (linear in the objects, once). An index goes when the last program that asks
// for it has gone; there are at most 64, and no new one is made while they take kMaxIndexBytes or more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/eval/data_index.h"
#include "engine/value/document.h"
#include "engine/value/value.h"

namespace portcullis::policy {

struct IndexNode;
struct IndexRequests;

// One consistent state, with the indexes over it. Threads: immutable.
class InventoryVersion final : public rego::DataIndex {
 public:
  bool find(const std::shared_ptr<const rego::DataIndexSpec>& spec, const Value& key,
            std::span<const rego::DataIndexHit>& hits) const override;
  // The `data` document of evaluations: {"inventory": {"cluster": …, "namespace": …}}; absent parts are left out.
  Value data() const noexcept { return data_; }
  // A synced Namespace object by name; undefined when there is none.
  Value namespace_object(std::string_view name) const noexcept;
  std::uint64_t number() const noexcept { return number_; }
  // Every object: cluster-scoped ones first, then by namespace; within that by apiVersion, kind and name. O(objects).
  // For audit from the cache; the Values live as long as this version.
  std::vector<Value> objects() const;

 private:
  friend class Inventory;
  struct Index {
    std::shared_ptr<const rego::DataIndexSpec> spec;
    std::shared_ptr<const IndexNode> root;
  };
  std::shared_ptr<const void> owner_;
  std::vector<Index> indexes_;
  std::shared_ptr<IndexRequests> requests_;
  Value data_;
  Value namespaces_;  // name -> object
  std::uint64_t number_ = 0;
};

// A reader's own copy of the current version (one per evaluation thread).
struct CachedInventory {
  std::shared_ptr<const InventoryVersion> version;
};

class Inventory {
 public:
  static constexpr std::size_t kMaxIndexBytes = std::size_t{256} << 20;

  Inventory();
  explicit Inventory(std::size_t max_index_bytes);
  ~Inventory();
  Inventory(const Inventory&) = delete;
  Inventory& operator=(const Inventory&) = delete;

  // Adds or replaces one object, found by its own apiVersion, kind, namespace and name. `object` is copied; numbers
  // become float64 as in Gatekeeper. Errors (kInvalid): "invalid request object: resource <name> has no version |
  // kind".
  Result<void> upsert(const Value& object);
  // The same unless memory() would then be more than `max_memory` and more than before: kLimit, and what was there
  // stays.
  Result<void> upsert(const Value& object, std::size_t max_memory);
  // Removes by the same identity; absent is fine.
  Result<void> remove(const Value& object);
  void remove(std::string_view api_version, std::string_view kind, std::string_view ns, std::string_view name);
  void clear();

  // The current version; mine is replaced when something changed since.
  const InventoryVersion& refresh(CachedInventory& mine) const;
  std::size_t size() const noexcept;
  std::size_t memory() const noexcept;  // bytes of stored objects and of the indexes over them, approximately
  std::size_t index_count() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
  mutable std::atomic<std::uint64_t> number_{1};
};

}  // namespace portcullis::policy
