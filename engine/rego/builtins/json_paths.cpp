// json.filter and json.remove: both walk the object beside a tree made of the paths.
#include "engine/rego/builtins/json_paths.h"

#include <map>
#include <string>

namespace portcullis::rego::builtins {
namespace {

struct ByValue {
  bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
};

// Nodes refer to each other by index, so that a very long path does not mean a deep destructor.
struct PathNode {
  bool leaf = false;
  std::map<Value, std::size_t, ByValue> children;
};
using PathTree = std::vector<PathNode>;

// A path that runs through the end of a shorter one is dropped, whichever came first.
void insert_path(PathTree& tree, const std::vector<Value>& path) {
  if (path.empty()) return;
  std::size_t node = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto found = tree[node].children.find(path[i]);
    std::size_t child = 0;
    if (found == tree[node].children.end()) {
      child = tree.size();
      tree[node].children.emplace(path[i], child);
      tree.emplace_back();
    } else {
      child = found->second;
      if (tree[child].leaf) return;
    }
    node = child;
  }
  tree[node].leaf = true;
}

std::optional<PathTree> path_tree(BuiltinContext& c, const Value& paths) {
  if (!paths.is_array() && !paths.is_set()) {
    operand_type_error(c, 2, {"set", "array"}, paths);
    return std::nullopt;
  }
  PathTree tree(1);
  for (const Value& path : paths.elements()) {
    const auto steps = parse_path(c, path);
    if (!steps) return std::nullopt;
    insert_path(tree, *steps);
    if (c.over_budget()) return std::nullopt;
  }
  return tree;
}

const PathNode* child_of(const PathTree& tree, const PathNode& node, const Value& key) {
  const auto found = node.children.find(key);
  return found == node.children.end() ? nullptr : &tree[found->second];
}

// Array steps are strings in paths ("/a/0").
const PathNode* child_of(const PathTree& tree, const PathNode& node, std::size_t index) {
  const std::string text = std::to_string(index);
  return child_of(tree, node, Value::string(text));
}

Value filter(Arena& arena, const PathTree& tree, const PathNode& node, const Value& value) {
  if (node.leaf) return value;
  std::vector<Value> kept;
  switch (value.kind()) {
    case Kind::kObject: {
      std::vector<Member> members;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        const PathNode* child = child_of(tree, node, value.keys()[i]);
        if (child != nullptr) members.push_back({value.keys()[i], filter(arena, tree, *child, value.values()[i])});
      }
      return make_object(arena, members);
    }
    case Kind::kArray:
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        const PathNode* child = child_of(tree, node, i);
        if (child != nullptr) kept.push_back(filter(arena, tree, *child, value.elements()[i]));
      }
      return make_array(arena, kept);
    case Kind::kSet:
      for (const Value& element : value.elements()) {
        const PathNode* child = child_of(tree, node, element);
        if (child != nullptr) kept.push_back(filter(arena, tree, *child, element));
      }
      return make_set(arena, kept);
    default: return value;
  }
}

// Undefined: the value itself goes.
Value without(Arena& arena, const PathTree& tree, const PathNode* node, const Value& value) {
  if (node == nullptr) return value;
  if (node->leaf) return Value::undefined();
  std::vector<Value> kept;
  switch (value.kind()) {
    case Kind::kObject: {
      std::vector<Member> members;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        const Value rest = without(arena, tree, child_of(tree, *node, value.keys()[i]), value.values()[i]);
        if (rest.defined()) members.push_back({value.keys()[i], rest});
      }
      return make_object(arena, members);
    }
    case Kind::kArray:
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        const Value rest = without(arena, tree, child_of(tree, *node, i), value.elements()[i]);
        if (rest.defined()) kept.push_back(rest);
      }
      return make_array(arena, kept);
    case Kind::kSet:
      for (const Value& element : value.elements()) {
        const Value rest = without(arena, tree, child_of(tree, *node, element), element);
        if (rest.defined()) kept.push_back(rest);
      }
      return make_set(arena, kept);
    default: return value;
  }
}

std::string unescape_step(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1')) {
      out += step[++i] == '0' ? '~' : '/';
    } else {
      out += step[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::vector<Value>> parse_path(BuiltinContext& c, const Value& path) {
  std::vector<Value> steps;
  if (path.is_array()) {
    steps.assign(path.elements().begin(), path.elements().end());
    return steps;
  }
  if (!path.is_string()) {
    operand_error(c, 2,
                  "must be one of {set, array} containing string paths or array of path segments but got " +
                      std::string(kind_name(path.kind())));
    return std::nullopt;
  }
  std::string_view text = path.as_string();
  if (text.empty()) return steps;
  while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  while (true) {
    const std::size_t slash = text.find('/');
    steps.push_back(make_string(c.arena, unescape_step(text.substr(0, slash))));
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  return steps;
}

Value json_filter(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  const auto tree = path_tree(c, a[1]);
  return tree ? filter(c.arena, *tree, tree->front(), a[0]) : Value::undefined();
}

Value json_remove(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  const auto tree = path_tree(c, a[1]);
  return tree ? without(c.arena, *tree, &tree->front(), a[0]) : Value::undefined();
}

}  // namespace portcullis::rego::builtins
