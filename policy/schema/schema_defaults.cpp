// Defaulting and the search for unknown fields.
#include <algorithm>

#include "base/text.h"
#include "policy/schema/schema.h"
#include "policy/schema/schema_node.h"

namespace portcullis::policy {
namespace {

bool non_nullable_null(const Value& value, const SchemaNode* node) noexcept {
  return value.is_null() && node != nullptr && !node->nullable;
}

Value fill(Arena& arena, const Value& value, const SchemaNode* node);

Value fill_object(Arena& arena, const Value& object, const SchemaNode& node) {
  std::vector<Member> members;
  bool changed = false;
  for (std::size_t i = 0; i < object.keys().size(); ++i) {
    const Value& key = object.keys()[i];
    Value value = object.values()[i];
    const SchemaNode* child = key.is_string() ? node.property(key.as_string()) : nullptr;
    const bool regular = child != nullptr;
    if (!regular) child = node.additional.get();
    if (child != nullptr) {
      if (non_nullable_null(value, child) && (child->default_value.defined() || !regular)) {
        value = child->default_value.defined() ? child->default_value : Value::null();
      }
      value = fill(arena, value, child);
    }
    changed = changed || !value.identical(object.values()[i]);
    members.push_back({key, value});
  }
  for (const auto& [name, child] : node.properties) {
    if (!child->default_value.defined() || object.get(name).defined()) continue;
    members.push_back({make_symbol_or_string(arena, name), fill(arena, child->default_value, child.get())});
    changed = true;
  }
  return changed ? make_object(arena, members) : object;
}

Value fill_array(Arena& arena, const Value& array, const SchemaNode& node) {
  std::vector<Value> elements;
  bool changed = false;
  for (const Value& element : array.elements()) {
    Value value = element;
    if (non_nullable_null(value, node.items.get()) && node.items->default_value.defined()) {
      value = node.items->default_value;
    }
    value = fill(arena, value, node.items.get());
    changed = changed || !value.identical(element);
    elements.push_back(value);
  }
  return changed ? make_array(arena, elements) : array;
}

Value fill(Arena& arena, const Value& value, const SchemaNode* node) {
  if (node == nullptr) return value;
  if (value.is_object()) return fill_object(arena, value, *node);
  if (value.is_array()) return fill_array(arena, value, *node);
  return value;
}

bool is_meta_field(std::string_view name) noexcept {
  return name == "apiVersion" || name == "kind" || name == "metadata";
}

// Walks as the API server prunes, noting what it would drop.
class UnknownFields {
 public:
  void walk(const Value& value, const SchemaNode* node, const std::string& path, bool root) {
    const bool preserve = node != nullptr && node->preserve_unknown;
    if (value.is_object()) {
      walk_object(value, node, path, root, preserve);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.elements().size(); ++i) {
        const std::string below = path + "[" + std::to_string(i) + "]";
        const SchemaNode* items = node == nullptr ? nullptr : node->items.get();
        if (preserve && items == nullptr) continue;
        // Below a preserving array nothing is pruned until a schema says more.
        walk_element(value.elements()[i], items, below, preserve);
      }
    }
  }

  std::vector<std::string> found;

 private:
  void walk_element(const Value& value, const SchemaNode* node, const std::string& path, bool preserving) {
    if (!preserving) {
      walk(value, node, path, false);
      return;
    }
    walk_preserved(value, node, path, false);
  }

  void walk_preserved(const Value& value, const SchemaNode* node, const std::string& path, bool root) {
    if (node == nullptr) return;
    if (value.is_object()) {
      walk_object(value, node, path, root, true);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.elements().size(); ++i) {
        walk_preserved(value.elements()[i], node->items.get(), path + "[" + std::to_string(i) + "]", false);
      }
    }
  }

  void walk_object(const Value& value, const SchemaNode* node, const std::string& path, bool root, bool preserve) {
    for (std::size_t i = 0; i < value.keys().size(); ++i) {
      if (!value.keys()[i].is_string()) continue;
      const std::string_view name = value.keys()[i].as_string();
      if ((root || (node != nullptr && node->embedded_resource)) && is_meta_field(name)) continue;
      const std::string below = path.empty() ? std::string(name) : path + "." + std::string(name);
      const SchemaNode* child = node == nullptr ? nullptr : node->property(name);
      if (child == nullptr && node != nullptr) child = node->additional.get();
      if (child != nullptr) {
        walk(value.values()[i], child, below, false);
      } else if (!preserve) {
        found.push_back(below);
      }
    }
  }
};

}  // namespace

Value Schema::with_defaults(Arena& arena, const Value& value) const { return fill(arena, value, root_.get()); }

std::vector<std::string> unknown_fields_of(const SchemaNode& node, const Value& value) {
  UnknownFields walker;
  walker.walk(value, &node, "", false);
  return std::move(walker.found);
}

std::vector<std::string> Schema::unknown_fields(const Value& value) const {
  UnknownFields walker;
  walker.walk(value, root_.get(), "", true);
  std::sort(walker.found.begin(), walker.found.end());
  return std::move(walker.found);
}

}  // namespace portcullis::policy
