// Equality indexes over the stored objects: a hash trie from the values at a path to the objects that hold them.
// Threads: a published root is immutable and shared by any number of readers; the writer copies the nodes on the way to
// what it changes, those that no version has seen are changed in place. Ownership: a root keeps its objects alive.
// Cost: finding is O(1) in the number of objects; so is an update, but for a value that many objects share (linear in
// those, once per published version).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/rego/eval/data_index.h"
#include "engine/value/document.h"

namespace portcullis::policy {

// One object of the inventory with the keys under which it lies.
struct StoredObject {
  Document document;
  Arena arena{0, 128};
  std::array<Value, 6> path;  // below data: inventory, cluster | namespace, namespace's name, apiVersion, kind, name
  std::uint32_t path_size = 0;
};
using Stored = std::shared_ptr<const StoredObject>;

// The objects that hold one value.
struct IndexPostings {
  std::uint64_t epoch = 0;
  std::uint64_t hash = 0;
  Arena arena{0, 64};
  std::size_t bytes = 0;  // what it counts for, without hits
  Value key;
  std::vector<rego::DataIndexHit> hits;  // in order of their steps
  std::vector<Stored> owners;
};

struct IndexNode {
  std::uint64_t epoch = 0;
  bool leaf = true;
  std::array<std::shared_ptr<IndexNode>, 16> children;
  std::vector<std::shared_ptr<IndexPostings>> postings;
};

class ObjectIndex {
 public:
  explicit ObjectIndex(std::shared_ptr<const rego::DataIndexSpec> spec);

  const rego::DataIndexSpec& spec() const noexcept { return *spec_; }
  const std::shared_ptr<const rego::DataIndexSpec>& shared_spec() const noexcept { return spec_; }
  // Whether the object belongs to the collection.
  bool covers(const StoredObject& object) const;
  // `epoch` grows with every published version.
  void add(const Stored& object, std::uint64_t epoch);
  void remove(const StoredObject& object, std::uint64_t epoch);
  void clear() {
    root_.reset();
    memory_ = 0;
  }
  std::shared_ptr<const IndexNode> root() const noexcept { return root_; }
  // Bytes of nodes, values and hits, approximately; what older versions still hold of them is not in it.
  std::size_t memory() const noexcept { return memory_; }

  static std::span<const rego::DataIndexHit> find(const IndexNode* root, const Value& key);

 private:
  IndexNode* leaf_of(std::uint64_t hash, std::uint64_t epoch, bool create);

  std::shared_ptr<const rego::DataIndexSpec> spec_;
  std::shared_ptr<IndexNode> root_;
  std::size_t memory_ = 0;
};

}  // namespace portcullis::policy
