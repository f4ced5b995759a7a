#include "policy/inventory/inventory.h"

#include <map>
#include <utility>
#include <vector>

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

using Stored = std::shared_ptr<const Document>;

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
  // The maps' keys go when their entries do, versions live longer: so keys are copied.
  for (auto& [name, group] : node.groups) {
    std::shared_ptr<const Built> below = build(*group);
    members.push_back({make_symbol_or_string(out->arena, name), below->value});
    out->parts.push_back(std::move(below));
  }
  for (const auto& [name, object] : node.objects) {
    members.push_back({make_symbol_or_string(out->arena, name), object->root()});
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

}  // namespace

struct Inventory::State {
  mutable std::mutex mutex;
  Node root;
  std::size_t size = 0;
  std::size_t memory = 0;
  std::shared_ptr<const InventoryVersion> published;

  void put(const std::vector<std::string>& path, std::string_view name, Stored object) {
    Node* node = &root;
    node->built.reset();
    for (const std::string& step : path) {
      std::unique_ptr<Node>& next = node->groups[step];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
      node->built.reset();
    }
    memory += object->memory();
    Stored& slot = node->objects[std::string(name)];
    if (slot) {
      memory -= slot->memory();
    } else {
      ++size;
    }
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
    memory -= found->second->memory();
    --size;
    nodes.back()->objects.erase(found);
    for (Node* node : nodes) node->built.reset();
    for (std::size_t i = path.size(); i > 0 && nodes[i]->empty(); --i) nodes[i - 1]->groups.erase(path[i - 1]);
    return true;
  }
};

Value InventoryVersion::namespace_object(std::string_view name) const noexcept { return namespaces_.get(name); }

Inventory::Inventory() : state_(std::make_unique<State>()) {}
Inventory::~Inventory() = default;

Result<void> Inventory::upsert(const Value& object) {
  PC_TRY(const ObjectKind kind, identity(object));
  if (kind.is_namespace()) PC_TRY_VOID(check_namespace(object));
  Arena scratch;
  auto stored = std::make_shared<const Document>(Document::copy_of(as_float64(scratch, object)));
  const std::vector<std::string> path = path_of(kind.api_version(), kind.kind, namespace_of(object));
  const std::lock_guard lock(state_->mutex);
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
  number_.fetch_add(1, std::memory_order_release);
}

const InventoryVersion& Inventory::refresh(CachedInventory& mine) const {
  if (mine.version && mine.version->number() == number_.load(std::memory_order_acquire)) return *mine.version;
  const std::lock_guard lock(state_->mutex);
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

std::size_t Inventory::memory() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->memory;
}

}  // namespace portcullis::policy
