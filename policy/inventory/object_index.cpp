#include "policy/inventory/object_index.h"

#include <algorithm>
#include <utility>

namespace portcullis::policy {
namespace {

constexpr std::size_t kMaxLeaf = 8;
constexpr std::uint32_t kBits = 4;
constexpr std::uint32_t kLevels = 64 / kBits;

std::size_t slot(std::uint64_t hash, std::uint32_t level) { return (hash >> (level * kBits)) & 15; }

constexpr std::size_t kHitBytes = sizeof(rego::DataIndexHit) + sizeof(Stored);

std::shared_ptr<IndexNode> fresh_node(std::uint64_t epoch) {
  auto node = std::make_shared<IndexNode>();
  node->epoch = epoch;
  return node;
}

// The node itself when no version has seen it, else a copy in its place.
IndexNode& own(std::shared_ptr<IndexNode>& node, std::uint64_t epoch) {
  if (!node) {
    node = fresh_node(epoch);
  } else if (node->epoch != epoch) {
    node = std::make_shared<IndexNode>(*node);
    node->epoch = epoch;
  }
  return *node;
}

IndexPostings& own(std::shared_ptr<IndexPostings>& postings, std::uint64_t epoch) {
  if (postings->epoch != epoch) {
    auto copy = std::make_shared<IndexPostings>();
    copy->epoch = epoch;
    copy->hash = postings->hash;
    copy->bytes = postings->bytes;
    copy->key = deep_copy(copy->arena, postings->key);
    copy->hits = postings->hits;
    copy->owners = postings->owners;
    postings = std::move(copy);
  }
  return *postings;
}

// A leaf that grew too large becomes an inner node; its postings move one level down.
void split(IndexNode& node, std::uint32_t level, std::uint64_t epoch, std::size_t& memory) {
  node.leaf = false;
  for (auto& postings : node.postings) {
    std::shared_ptr<IndexNode>& child = node.children[slot(postings->hash, level)];
    if (!child) memory += sizeof(IndexNode);
    own(child, epoch).postings.push_back(std::move(postings));
  }
  node.postings.clear();
}

auto find_postings(IndexNode& leaf, const Value& key, std::uint64_t key_hash) {
  return std::find_if(leaf.postings.begin(), leaf.postings.end(),
                      [&](const auto& one) { return one->hash == key_hash && equal(one->key, key); });
}

bool before(const rego::DataIndexHit& hit, const StoredObject& object) {
  for (std::uint32_t i = 0; i < object.path_size; ++i) {
    if (const int order = compare(hit.steps[i], object.path[i]); order != 0) return order < 0;
  }
  return false;
}

bool same_place(const rego::DataIndexHit& hit, const StoredObject& object) {
  for (std::uint32_t i = 0; i < object.path_size; ++i) {
    if (!equal(hit.steps[i], object.path[i])) return false;
  }
  return true;
}

}  // namespace

ObjectIndex::ObjectIndex(std::shared_ptr<const rego::DataIndexSpec> spec) : spec_(std::move(spec)) {}

bool ObjectIndex::covers(const StoredObject& object) const {
  const auto& steps = spec_->collection;
  if (steps.size() != object.path_size) return false;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] && *steps[i] != object.path[i].as_string()) return false;
  }
  return true;
}

// The leaf where a hash belongs, ready to be changed, with room for one more when it is to be created.
IndexNode* ObjectIndex::leaf_of(std::uint64_t hash, std::uint64_t epoch, bool create) {
  std::shared_ptr<IndexNode>* at = &root_;
  for (std::uint32_t level = 0;; ++level) {
    if (!*at) {
      if (!create) return nullptr;
      memory_ += sizeof(IndexNode);
    }
    IndexNode& node = own(*at, epoch);
    if (node.leaf && create && node.postings.size() >= kMaxLeaf && level < kLevels) split(node, level, epoch, memory_);
    if (node.leaf) return &node;
    at = &node.children[slot(hash, level)];
  }
}

void ObjectIndex::add(const Stored& object, std::uint64_t epoch) {
  if (!covers(*object)) return;
  rego::for_each_at(object->document.root(), spec_->path, [&](const Value& key) {
    const std::uint64_t key_hash = hash(key);
    IndexNode& leaf = *leaf_of(key_hash, epoch, true);
    auto found = find_postings(leaf, key, key_hash);
    if (found == leaf.postings.end()) {
      auto fresh = std::make_shared<IndexPostings>();
      fresh->epoch = epoch;
      fresh->hash = key_hash;
      fresh->key = deep_copy(fresh->arena, key);
      fresh->bytes = sizeof(IndexPostings) + fresh->arena.bytes_held();
      memory_ += fresh->bytes;
      found = leaf.postings.insert(found, std::move(fresh));
    }
    IndexPostings& at = own(*found, epoch);
    const auto where = std::lower_bound(at.hits.begin(), at.hits.end(), *object, before);
    if (where != at.hits.end() && same_place(*where, *object)) return;  // it holds the value twice
    at.owners.insert(at.owners.begin() + (where - at.hits.begin()), object);
    at.hits.insert(where, {object->document.root(), object->path.data()});
    memory_ += kHitBytes;
  });
}

void ObjectIndex::remove(const StoredObject& object, std::uint64_t epoch) {
  if (!covers(object)) return;
  rego::for_each_at(object.document.root(), spec_->path, [&](const Value& key) {
    const std::uint64_t key_hash = hash(key);
    IndexNode* const leaf = leaf_of(key_hash, epoch, false);
    if (leaf == nullptr) return;
    const auto found = find_postings(*leaf, key, key_hash);
    if (found == leaf->postings.end()) return;
    IndexPostings& at = own(*found, epoch);
    const auto where = std::lower_bound(at.hits.begin(), at.hits.end(), object, before);
    if (where == at.hits.end() || !same_place(*where, object)) return;
    at.owners.erase(at.owners.begin() + (where - at.hits.begin()));
    at.hits.erase(where);
    memory_ -= kHitBytes;
    if (at.hits.empty()) {
      memory_ -= at.bytes;
      leaf->postings.erase(found);
    }
  });
}

std::span<const rego::DataIndexHit> ObjectIndex::find(const IndexNode* root, const Value& key) {
  const std::uint64_t wanted = hash(key);
  for (std::uint32_t level = 0; root != nullptr && !root->leaf; ++level)
    root = root->children[slot(wanted, level)].get();
  if (root == nullptr) return {};
  for (const auto& postings : root->postings) {
    if (postings->hash == wanted && equal(postings->key, key)) return postings->hits;
  }
  return {};
}

}  // namespace portcullis::policy
