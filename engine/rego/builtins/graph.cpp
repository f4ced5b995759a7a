// walk, graph.reachable, graph.reachable_paths.
#include <algorithm>
#include <set>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

struct ByValue {
  bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
};

// Every [path, value] below and including `value`, parents first.
bool walk_into(BuiltinContext& c, std::vector<Value>& path, const Value& value, std::vector<Value>& out) {
  const Value pair[] = {make_array(c.arena, path), value};
  out.push_back(make_array(c.arena, pair));
  if (c.over_budget()) return false;
  const bool object = value.is_object();
  const std::span<const Value> children = object ? value.values() : value.elements();
  for (std::size_t i = 0; i < children.size(); ++i) {
    path.push_back(object           ? value.keys()[i]
                   : value.is_set() ? children[i]
                                    : Value::integer(static_cast<std::int64_t>(i)));
    if (!walk_into(c, path, children[i], out)) return false;
    path.pop_back();
  }
  return true;
}

Value walk(BuiltinContext& c, Args a) {
  Kept<Value> kept_path;
  Kept<Value> kept;
  std::vector<Value>& path = *kept_path;
  std::vector<Value>& out = *kept;
  if (!walk_into(c, path, a[0], out)) return {};
  return make_array(c.arena, out);
}

bool graph_operands(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return false;
  if (a[1].is_array() || a[1].is_set()) return true;
  c.fail_operand(2, "{array, set}", a[1]);
  return false;
}

Value reachable(BuiltinContext& c, Args a) {
  if (!graph_operands(c, a)) return {};
  // A node is a key of the graph: by its number.
  const std::span<const Value> nodes = a[0].keys();
  const std::span<const Value> edges = a[0].values();
  Kept<char> kept_seen;
  Kept<Value> kept;
  std::vector<char>& seen = *kept_seen;
  std::vector<Value>& out = *kept;
  Kept<std::uint32_t> kept_queue;
  std::vector<std::uint32_t>& queue = *kept_queue;
  seen.resize(nodes.size());
  const auto add = [&](const Value& node) {
    const auto at = std::lower_bound(nodes.begin(), nodes.end(), node, ByValue());
    if (at == nodes.end() || !equal(*at, node)) return;
    const auto number = static_cast<std::uint32_t>(at - nodes.begin());
    if (seen[number] != 0) return;
    seen[number] = 1;
    out.push_back(node);
    queue.push_back(number);
  };
  for (const Value& node : a[1].elements()) add(node);
  for (std::size_t at = 0; at < queue.size(); ++at) {
    for (const Value& next : edges[queue[at]].elements()) add(next);
    if (c.over_budget()) return {};
  }
  return make_set(c.arena, out);
}

// Depth first with a stack of its own, so that a long chain does not mean deep recursion.
class Paths {
 public:
  Paths(BuiltinContext& context, const Value& graph) : c_(context), graph_(graph) {}

  // All paths from `root` that end at a leaf, at a node that is not in the graph, or where they would close a loop.
  bool from(const Value& root) {
    const Value edges = graph_.get(root);
    if (!edges.defined()) return true;
    path_.assign(1, root);
    on_path_ = {root};
    if (edges.elements().empty()) emit();
    frames_.assign(1, Frame{edges, 0, true});
    while (!frames_.empty()) {
      if (c_.over_budget()) return false;
      Frame& frame = frames_.back();
      if (frame.next >= frame.edges.elements().size()) {
        if (frame.marked) on_path_.erase(path_.back());
        frames_.pop_back();
        path_.pop_back();
        continue;
      }
      visit(frame.edges.elements()[frame.next++]);
    }
    return true;
  }

  Value result() { return make_set(c_.arena, found_); }

 private:
  struct Frame {
    Value edges;
    std::size_t next;
    bool marked;  // this frame put its node into on_path_
  };

  void emit() { found_.push_back(make_array(c_.arena, path_)); }

  void visit(const Value& node) {
    // A start node with an edge to itself goes round once, as in OPA.
    if (on_path_.contains(node) && frames_.size() > 1) return emit();
    const Value edges = graph_.get(node);
    if (!edges.defined()) return emit();
    path_.push_back(node);
    if (edges.elements().empty()) {
      emit();
      path_.pop_back();
      return;
    }
    frames_.push_back(Frame{edges, 0, on_path_.insert(node).second});
  }

  BuiltinContext& c_;
  const Value& graph_;
  std::vector<Value> path_;
  std::set<Value, ByValue> on_path_;
  std::vector<Frame> frames_;
  std::vector<Value> found_;
};

Value reachable_paths(BuiltinContext& c, Args a) {
  if (!graph_operands(c, a)) return {};
  Paths paths(c, a[0]);
  for (const Value& root : a[1].elements()) {
    if (!paths.from(root)) return {};
  }
  return paths.result();
}

constexpr std::string_view kGraph = "object[any:array[any]|set[any]]";

constexpr BuiltinDecl kTable[] = {
    {"walk", {"any"}, "[array[any], any]", &walk, kRelation},
    {"graph.reachable", {kGraph, "array[any]|set[any]"}, "set[any]", &reachable},
    {"graph.reachable_paths", {kGraph, "array[any]|set[any]"}, "set[array[any]]", &reachable_paths},
};

}  // namespace

std::span<const BuiltinDecl> graph_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
