#include "policy/inventory/inventory.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "policy/inventory/object_index.h"
#include "policy/model/go_error.h"
#include "policy/model/object.h"

namespace portcullis::policy {
namespace {

// One finished group: its object, and what that object points into.
struct Built {
  Arena arena{0, 256};
  Value value;
  std::vector<std::shared_ptr<const void>> parts;
};

// A level of the tree: groups below it, or objects. `built` is null when something below changed since.
struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> groups;
  std::map<std::string, Stored, std::less<>> objects;
  std::shared_ptr<const Built> built;

  bool empty() const noexcept { return groups.empty() && objects.empty(); }
};

std::shared_ptr<const Built> build(Node& node) {
  if (node.built) return node.built;
  auto out = std::make_shared<Built>();
  std::vector<Member> members;
  members.reserve(node.groups.size() + node.objects.size());
  out->parts.reserve(members.capacity());
  // The maps' keys go when their entries do, versions live longer: so keys are copied, or the object's own.
  for (auto& [name, group] : node.groups) {
    std::shared_ptr<const Built> below = build(*group);
    members.push_back({make_symbol_or_string(out->arena, name), below->value});
    out->parts.push_back(std::move(below));
  }
  for (const auto& [name, object] : node.objects) {
    members.push_back({object->path[object->path_size - 1], object->document.root()});
    out->parts.push_back(object);
  }
  out->value = make_object(out->arena, members);
  node.built = out;
  return out;
}

std::vector<std::string> path_of(std::string_view api_version, std::string_view kind, std::string_view ns) {
  if (ns.empty()) return {"cluster", std::string(api_version), std::string(kind)};
  return {"namespace", std::string(ns), std::string(api_version), std::string(kind)};
}

// A Namespace is also kept for matching, where its metadata must have the types of Kubernetes' own.
Result<void> check_namespace(const Value& object) {
  const auto wrong = [](const std::string& what) {
    return make_error(Code::kInvalid, "cannot cache non-namespace type: cannot cache Namespace: " + what);
  };
  const Value metadata = object.get("metadata");
  if (!metadata.defined() || metadata.is_null()) return ok();
  if (!metadata.is_object()) return wrong("cannot restore struct from: " + std::string(go_type(metadata)));
  const auto check_text = [&](const Value& value) -> Result<void> {
    if (!value.defined() || value.is_null() || value.is_string()) return ok();
    return wrong("cannot convert " + std::string(go_type(value)) + " to string");
  };
  for (const std::string_view name : {"name", "generateName", "namespace", "uid", "resourceVersion"}) {
    PC_TRY_VOID(check_text(metadata.get(name)));
  }
  for (const std::string_view name : {"labels", "annotations"}) {
    const Value map = metadata.get(name);
    if (map.defined() && !map.is_null() && !map.is_object()) {
      return wrong("cannot restore map from " + std::string(go_type(map)));
    }
    for (const Value& value : map.values()) PC_TRY_VOID(check_text(value));
  }
  return ok();
}

Result<ObjectKind> identity(const Value& object) {
  const ObjectKind kind = kind_of(object);
  const auto missing = [&](std::string_view what) {
    return make_error(Code::kInvalid, "invalid request object: resource " + std::string(name_of(object)) + " has no " +
                                          std::string(what));
  };
  if (kind.version.empty()) return missing("version");
  if (kind.kind.empty()) return missing("kind");
  return kind;
}

Stored make_stored(const Value& object, const std::vector<std::string>& path, std::string_view name) {
  Arena scratch;
  auto stored = std::make_shared<StoredObject>();
  stored->document = Document::copy_of(as_float64(scratch, object));
  const auto add = [&](std::string_view step) {
    stored->path[stored->path_size++] = make_symbol_or_string(stored->arena, step);
  };
  add("inventory");
  for (const std::string& step : path) add(step);
  add(name);
  return stored;
}

constexpr std::size_t kMaxIndexes = 64;

}  // namespace

// Indexes that evaluations asked for and did not find. Threads: any.
struct IndexRequests {
  std::mutex mutex;
  std::vector<std::weak_ptr<const rego::DataIndexSpec>> wanted;
  std::atomic<bool> pending{false};

  void want(const std::shared_ptr<const rego::DataIndexSpec>& spec) {
    if (pending.load(std::memory_order_relaxed)) return;  // one at a time: the others ask again
    const std::lock_guard lock(mutex);
    wanted.assign(1, spec);
    pending.store(true, std::memory_order_release);
  }
};

bool InventoryVersion::find(const std::shared_ptr<const rego::DataIndexSpec>& spec, const Value& key,
                            std::span<const rego::DataIndexHit>& hits) const {
  for (const Index& index : indexes_) {
    if (index.spec->text != spec->text) continue;
    hits = ObjectIndex::find(index.root.get(), key);
    return true;
  }
  if (requests_) requests_->want(spec);
  return false;
}

struct Inventory::State {
  mutable std::mutex mutex;
  Node root;
  std::size_t size = 0;
  std::size_t memory = 0;
  std::shared_ptr<const InventoryVersion> published;
  std::uint64_t epoch = 1;  // of index nodes: those of earlier epochs are seen by a version
  struct Index {
    ObjectIndex index;
    std::weak_ptr<const rego::DataIndexSpec> asked_by;
  };
  std::vector<Index> indexes;
  std::size_t max_index_bytes = kMaxIndexBytes;
  std::shared_ptr<IndexRequests> requests = std::make_shared<IndexRequests>();

  template <typename F>
  static void for_each_object(const Node& node, F&& f) {
    for (const auto& [name, object] : node.objects) f(object);
    for (const auto& [name, group] : node.groups) for_each_object(*group, f);
  }

  std::size_t index_memory() const {
    std::size_t bytes = 0;
    for (const Index& one : indexes) bytes += one.index.memory();
    return bytes;
  }

  bool room_for_indexes() const { return indexes.size() < kMaxIndexes && index_memory() < max_index_bytes; }

  // Makes the indexes asked for, drops those whose programs have gone. True: there is a new one, or no room for it.
  bool take_requests() {
    if (!requests->pending.load(std::memory_order_acquire)) return false;
    std::vector<std::weak_ptr<const rego::DataIndexSpec>> wanted;
    {
      const std::lock_guard lock(requests->mutex);
      wanted.swap(requests->wanted);
      requests->pending.store(false, std::memory_order_release);
    }
    bool made = false;
    for (const auto& weak : wanted) {
      const std::shared_ptr<const rego::DataIndexSpec> spec = weak.lock();
      if (!spec) continue;
      std::erase_if(indexes, [](const Index& one) { return one.asked_by.expired(); });
      const bool have = std::any_of(indexes.begin(), indexes.end(),
                                    [&](const Index& one) { return one.index.spec().text == spec->text; });
      if (have) continue;
      made = true;  // or the versions from now on don't ask
      if (!room_for_indexes()) continue;
      // A copy of the spec: the askers' own, one object for all of them, is only watched.
      indexes.push_back({ObjectIndex(std::make_shared<rego::DataIndexSpec>(*spec)), spec});
      for_each_object(root, [&](const Stored& object) { indexes.back().index.add(object, epoch); });
    }
    return made;
  }

  // Bytes of the object that is there now; 0: none.
  std::size_t memory_of(const std::vector<std::string>& path, std::string_view name) const {
    const Node* node = &root;
    for (const std::string& step : path) {
      const auto found = node->groups.find(step);
      if (found == node->groups.end()) return 0;
      node = found->second.get();
    }
    const auto found = node->objects.find(name);
    return found == node->objects.end() ? 0 : found->second->document.memory();
  }

  void put(const std::vector<std::string>& path, std::string_view name, Stored object) {
    Node* node = &root;
    node->built.reset();
    for (const std::string& step : path) {
      std::unique_ptr<Node>& next = node->groups[step];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
      node->built.reset();
    }
    memory += object->document.memory();
    Stored& slot = node->objects[std::string(name)];
    if (slot) {
      memory -= slot->document.memory();
      for (Index& one : indexes) one.index.remove(*slot, epoch);
    } else {
      ++size;
    }
    for (Index& one : indexes) one.index.add(object, epoch);
    slot = std::move(object);
  }

  bool erase(const std::vector<std::string>& path, std::string_view name) {
    std::vector<Node*> nodes = {&root};
    for (const std::string& step : path) {
      const auto found = nodes.back()->groups.find(step);
      if (found == nodes.back()->groups.end()) return false;
      nodes.push_back(found->second.get());
    }
    const auto found = nodes.back()->objects.find(name);
    if (found == nodes.back()->objects.end()) return false;
    memory -= found->second->document.memory();
    for (Index& one : indexes) one.index.remove(*found->second, epoch);
    --size;
    nodes.back()->objects.erase(found);
    for (Node* node : nodes) node->built.reset();
    for (std::size_t i = path.size(); i > 0 && nodes[i]->empty(); --i) nodes[i - 1]->groups.erase(path[i - 1]);
    return true;
  }
};

Value InventoryVersion::namespace_object(std::string_view name) const noexcept { return namespaces_.get(name); }

std::vector<Value> InventoryVersion::objects() const {
  std::vector<Value> out;
  const auto add = [&out](const Value& by_api_version) {
    for (const Value& by_kind : by_api_version.values()) {
      for (const Value& by_name : by_kind.values()) {
        out.insert(out.end(), by_name.values().begin(), by_name.values().end());
      }
    }
  };
  const Value tree = data_.get("inventory");
  add(tree.get("cluster"));
  for (const Value& ns : tree.get("namespace").values()) add(ns);
  return out;
}

Inventory::Inventory() : state_(std::make_unique<State>()) {}
Inventory::Inventory(std::size_t max_index_bytes) : Inventory() { state_->max_index_bytes = max_index_bytes; }
Inventory::~Inventory() = default;

Result<void> Inventory::upsert(const Value& object) { return upsert(object, std::numeric_limits<std::size_t>::max()); }

Result<void> Inventory::upsert(const Value& object, std::size_t max_memory) {
  PC_TRY(const ObjectKind kind, identity(object));
  if (kind.is_namespace()) PC_TRY_VOID(check_namespace(object));
  const std::vector<std::string> path = path_of(kind.api_version(), kind.kind, namespace_of(object));
  Stored stored = make_stored(object, path, name_of(object));
  const std::lock_guard lock(state_->mutex);
  const std::size_t before = state_->memory_of(path, name_of(object));
  const std::size_t size = stored->document.memory();
  if (size > before && state_->memory - before + size > max_memory) {
    return make_error(Code::kLimit, "the bound of synced objects is reached");
  }
  state_->put(path, name_of(object), std::move(stored));
  number_.fetch_add(1, std::memory_order_release);
  return ok();
}

Result<void> Inventory::remove(const Value& object) {
  PC_TRY(const ObjectKind kind, identity(object));
  remove(kind.api_version(), kind.kind, namespace_of(object), name_of(object));
  return ok();
}

void Inventory::remove(std::string_view api_version, std::string_view kind, std::string_view ns,
                       std::string_view name) {
  const std::vector<std::string> path = path_of(api_version, kind, ns);
  const std::lock_guard lock(state_->mutex);
  if (state_->erase(path, name)) number_.fetch_add(1, std::memory_order_release);
}

void Inventory::clear() {
  Node old;
  const std::lock_guard lock(state_->mutex);
  std::swap(old, state_->root);
  state_->size = 0;
  state_->memory = 0;
  for (State::Index& one : state_->indexes) one.index.clear();
  number_.fetch_add(1, std::memory_order_release);
}

const InventoryVersion& Inventory::refresh(CachedInventory& mine) const {
  std::unique_lock lock(state_->mutex, std::defer_lock);
  if (mine.version && mine.version->number() == number_.load(std::memory_order_acquire)) {
    if (!state_->requests->pending.load(std::memory_order_relaxed)) return *mine.version;
    // Somebody writes or makes an index: evaluate without it instead of waiting.
    if (!lock.try_lock()) return *mine.version;
  } else {
    lock.lock();
  }
  if (state_->take_requests()) number_.fetch_add(1, std::memory_order_release);
  const std::uint64_t number = number_.load(std::memory_order_relaxed);
  if (!state_->published || state_->published->number() != number) {
    struct Owner {
      std::shared_ptr<const Built> tree;
      Arena arena{0, 256};
    };
    auto owner = std::make_shared<Owner>();
    owner->tree = build(state_->root);
    const Member member{make_symbol_or_string(owner->arena, "inventory"), owner->tree->value};
    auto version = std::make_shared<InventoryVersion>();
    version->data_ = make_object(owner->arena, {&member, 1});
    version->namespaces_ = owner->tree->value.path({"cluster", "v1", "Namespace"});
    version->owner_ = std::move(owner);
    std::erase_if(state_->indexes, [](const State::Index& one) { return one.asked_by.expired(); });
    for (const State::Index& one : state_->indexes) {
      version->indexes_.push_back({one.index.shared_spec(), one.index.root()});
    }
    if (state_->room_for_indexes()) version->requests_ = state_->requests;
    ++state_->epoch;
    version->number_ = number;
    state_->published = std::move(version);
  }
  mine.version = state_->published;
  return *mine.version;
}

std::size_t Inventory::size() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->size;
}

std::size_t Inventory::index_count() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->indexes.size();
}

std::size_t Inventory::memory() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->memory + state_->index_memory();
}

}  // namespace portcullis::policy
