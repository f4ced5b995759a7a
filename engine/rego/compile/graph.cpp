#include "engine/rego/compile/graph.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace portcullis::rego::passes {

namespace {

const Term* member(const Term& collection, const Term& key) {
  switch (collection.kind) {
    case TermKind::kArray:
      for (std::size_t i = 0; i < collection.items.size(); ++i) {
        if (key.kind == TermKind::kNumber && key.text == std::to_string(i)) return &collection.items[i];
      }
      return nullptr;
    case TermKind::kSet:
      for (const Term& item : collection.items) {
        if (equal(item, key)) return &item;
      }
      return nullptr;
    case TermKind::kObject:
      for (std::size_t i = 0; i + 1 < collection.items.size(); i += 2) {
        if (equal(collection.items[i], key)) return &collection.items[i + 1];
      }
      return nullptr;
    default: return nullptr;
  }
}

using Values = std::vector<const Term*>;
using Known = std::map<Variable, Values>;
constexpr std::size_t kMaxExpansion = 64;

bool values_of(const Term& term, const Known& known, Values& out) {
  if (term.kind == TermKind::kVar) {
    const auto at = known.find(term.variable);
    if (at == known.end()) return false;
    out = at->second;
    return true;
  }
  if (term.kind == TermKind::kRef) {
    Values values;
    if (!values_of(term.items[0], known, values)) return false;
    for (std::size_t i = 1; i < term.items.size(); ++i) {
      Values next;
      for (const Term* value : values) {
        if (!is_constant(term.items[i])) {
          if (!members_of(*value, next)) return false;
        } else if (const Term* found = member(*value, term.items[i])) {
          next.push_back(found);
        }
      }
      if (next.size() > kMaxExpansion) return false;
      values = std::move(next);
    }
    out = std::move(values);
    return true;
  }
  if (!is_constant(term)) return false;
  out.assign(1, &term);
  return true;
}

// A variable that the expression at `index` binds to one of a few constants.
struct Binding {
  std::size_t index;
  Variable variable;
  Values values;
};

std::vector<Binding> bindings_of(const Names& names, const Body& body) {
  std::vector<Binding> result;
  Known known;
  for (std::size_t i = 0; i < body.exprs.size(); ++i) {
    const Expr& e = body.exprs[i];
    if (!is_call_of(e, names.eq) || e.terms.size() != 3 || e.negated || !e.with.empty()) continue;
    for (int side = 0; side < 2; ++side) {
      const Term& variable = e.terms[side == 0 ? 1 : 2];
      const Term& value = e.terms[side == 0 ? 2 : 1];
      Values values;
      if (variable.kind != TermKind::kVar || !values_of(value, known, values)) continue;
      if (known.emplace(variable.variable, values).second) result.push_back({i, variable.variable, std::move(values)});
      break;
    }
  }
  return result;
}

}  // namespace

class GraphBuilder {
 public:
  GraphBuilder(Context& context, RuleGraph& graph) : context_(context), names_(context.names), graph_(graph) {}

  void nodes() {
    for (Module* module : context_.modules) {
      walk_rules(*module, [&](Rule& rule) {
        graph_.index_.emplace(&rule, static_cast<std::uint32_t>(graph_.nodes_.size()));
        graph_.nodes_.push_back({&rule, module, {}});
        return false;
      });
    }
  }

  void edges() {
    for (std::uint32_t i = 0; i < graph_.nodes_.size(); ++i) rule(i);
  }

 private:
  void rule(std::uint32_t node);
  void references_in(const Term& term);
  void references_in(const Expr& expr);
  void reference(const Term& ref);
  void dependencies(const Term& source, const std::vector<const Term*>& selected,
                    const std::vector<const Term*>& looked_up, bool has_variable);
  void select(const RuleTreeNode& node, const std::vector<const Term*>& ref, std::size_t at);
  void select_rules(const RuleTreeNode& node, const std::vector<const Term*>& ref, std::size_t at);
  void select_all(const RuleTreeNode& node);
  const Known& known_here();
  const VarSet& bound_here();
  void add_edge(const Rule& target, const CauseSite* site, const std::vector<Term>& full);

  Context& context_;
  Names& names_;
  RuleGraph& graph_;
  // Of the rule that is being walked.
  std::uint32_t node_ = 0;
  std::size_t at_ = 0;  // index of the body's expression; its size for the head
  std::vector<Binding> bindings_;
  bool bindings_ready_ = false;
  Known known_;
  std::size_t known_at_ = 0;
  VarSet bound_;
  std::size_t bound_at_ = 0;
  std::vector<const Rule*> selected_;
  std::vector<const Term*> buffer_;
  std::map<std::uint32_t, RuleGraph::Edge> out_;
};

namespace {

bool has_variable_step(const Term& ref) {
  return std::any_of(ref.items.begin() + 1, ref.items.end(), [](const Term& step) { return !is_constant(step); });
}

}  // namespace

void GraphBuilder::rule(std::uint32_t node) {
  node_ = node;
  bindings_ready_ = false;
  known_at_ = bound_at_ = static_cast<std::size_t>(-1);
  out_.clear();
  const Rule& r = *graph_.nodes_[node].rule;
  for (at_ = 0; at_ < r.body.exprs.size(); ++at_) references_in(r.body.exprs[at_]);
  for (const Term& argument : r.head.arguments) references_in(argument);
  if (r.head.key) references_in(*r.head.key);
  if (r.head.value) references_in(*r.head.value);
  std::vector<RuleGraph::Edge>& edges = graph_.nodes_[node].edges;
  edges.reserve(out_.size());
  for (auto& [to, edge] : out_) edges.push_back(std::move(edge));
}

void GraphBuilder::references_in(const Term& term) {
  walk_terms(term, [&](const Term& t) {
    if (t.kind == TermKind::kRef) reference(t);
    return false;
  });
}

void GraphBuilder::references_in(const Expr& expr) {
  walk_terms(expr, [&](const Term& t) {
    if (t.kind == TermKind::kRef) reference(t);
    return false;
  });
}

const Known& GraphBuilder::known_here() {
  if (!bindings_ready_) {
    bindings_ = bindings_of(names_, graph_.nodes_[node_].rule->body);
    bindings_ready_ = true;
  }
  if (known_at_ != at_) {
    known_.clear();
    for (const Binding& binding : bindings_) {
      if (binding.index < at_) known_.emplace(binding.variable, binding.values);
    }
    known_at_ = at_;
  }
  return known_;
}

const VarSet& GraphBuilder::bound_here() {
  if (bound_at_ != at_) {
    bound_.clear();
    const Rule& r = *graph_.nodes_[node_].rule;
    for (const Term& argument : r.head.arguments) collect_vars(argument, VarParams{}, bound_);
    if (r.head.key) collect_vars(*r.head.key, VarParams{}, bound_);
    // p[k] := v has k as its key; longer names have none.
    const std::vector<Term>& name = r.head.reference.items;
    if (!r.head.contains && name.size() == 2) collect_vars(name[1], VarParams{}, bound_);
    if (r.head.value) collect_vars(*r.head.value, VarParams{}, bound_);
    for (std::size_t i = 0; i < std::min(at_, r.body.exprs.size()); ++i) {
      collect_vars(r.body.exprs[i], VarParams{}, bound_);
    }
    bound_at_ = at_;
  }
  return bound_;
}

void GraphBuilder::reference(const Term& ref) {
  const Term& head = ref.items[0];
  if (head.kind != TermKind::kVar || head.variable != names_.data) return;
  std::vector<const Term*> plain;
  plain.reserve(ref.items.size());
  for (const Term& item : ref.items) plain.push_back(&item);
  if (!has_variable_step(ref)) {
    dependencies(ref, plain, plain, false);
    return;
  }
  const Known& known = known_here();
  std::vector<std::vector<const Term*>> expanded{plain};
  for (std::size_t i = 1; i < ref.items.size() && !known.empty(); ++i) {
    Values values;
    if (is_constant(ref.items[i]) || !values_of(ref.items[i], known, values) || values.empty()) continue;
    if (expanded.size() * values.size() > kMaxExpansion) continue;
    std::vector<std::vector<const Term*>> next;
    next.reserve(expanded.size() * values.size());
    for (const std::vector<const Term*>& prefix : expanded) {
      for (const Term* value : values) {
        next.push_back(prefix);
        next.back()[i] = value;
      }
    }
    expanded = std::move(next);
  }
  const std::vector<const Term*> selected = expanded.size() == 1 ? expanded[0] : plain;
  for (const std::vector<const Term*>& one : expanded) dependencies(ref, selected, one, true);
}

void GraphBuilder::dependencies(const Term& source, const std::vector<const Term*>& selected,
                                const std::vector<const Term*>& looked_up, bool has_variable) {
  selected_.clear();
  select(*context_.tree, looked_up, 1);
  if (selected_.empty()) return;
  const CauseSite site{context_,
                       *graph_.nodes_[node_].rule,
                       *graph_.nodes_[node_].module,
                       at_,
                       source,
                       selected,
                       has_variable ? &bound_here() : nullptr};
  for (const Rule* target : selected_) {
    if (!has_variable) {
      add_edge(*target, nullptr, {});
      continue;
    }
    const std::vector<Term> full = full_reference(*graph_.nodes_[graph_.index_.at(target)].module, *target);
    add_edge(*target, selects_rule(site, full, nullptr) ? nullptr : &site, full);
  }
}

// `site`: where an edge that may not be there comes from; null when it is certain.
void GraphBuilder::add_edge(const Rule& target, const CauseSite* site, const std::vector<Term>& full) {
  for (const Rule* branch = &target; branch != nullptr; branch = branch->otherwise.get()) {
    const std::uint32_t to = graph_.index_.at(branch);
    const auto [at, added] = out_.emplace(to, RuleGraph::Edge{to, site != nullptr, {}});
    if (site == nullptr) {
      at->second.dynamic = false;
    } else if (added) {
      at->second.cause = describe_cause(*site, full);
    }
  }
}

void GraphBuilder::select_rules(const RuleTreeNode& node, const std::vector<const Term*>& ref, std::size_t at) {
  for (const Rule* candidate : node.rules) {
    const std::span<const Term> below = steps_below(*candidate);
    bool possible = true;
    for (std::size_t i = 0; possible && i < below.size() && at + i < ref.size(); ++i) {
      possible = !is_constant(below[i]) || !is_constant(*ref[at + i]) || equal(below[i], *ref[at + i]);
    }
    if (possible) selected_.push_back(candidate);
  }
}

void GraphBuilder::select_all(const RuleTreeNode& node) {
  selected_.insert(selected_.end(), node.rules.begin(), node.rules.end());
  for (const RuleTreeNode& child : node.children) select_all(child);
}

void GraphBuilder::select(const RuleTreeNode& node, const std::vector<const Term*>& ref, std::size_t at) {
  if (at >= ref.size()) {
    for (const RuleTreeNode& child : node.children) select_all(child);
    return;
  }
  const auto into = [&](const RuleTreeNode& child) {
    select_rules(child, ref, at + 1);
    select(child, ref, at + 1);
  };
  if (is_constant(*ref[at])) {
    if (const RuleTreeNode* child = node.child(*ref[at])) into(*child);
    return;
  }
  for (const RuleTreeNode& child : node.children) into(child);
}

std::shared_ptr<RuleGraph> RuleGraph::build(Context& context) {
  auto graph = std::make_shared<RuleGraph>();
  GraphBuilder builder(context, *graph);
  builder.nodes();
  builder.edges();
  return graph;
}

std::string RuleGraph::name(const Names& names, std::uint32_t node) const {
  return author_string(names, full_reference(*nodes_[node].module, *nodes_[node].rule));
}

bool RuleGraph::find_path(std::uint32_t from, std::uint32_t goal, bool static_only, std::vector<bool>& visited,
                          std::vector<std::uint32_t>& path) const {
  if (visited[from]) return false;
  visited[from] = true;
  path.push_back(from);
  const auto usable = [&](const Edge& edge) { return !static_only || !edge.dynamic; };
  for (const Edge& edge : nodes_[from].edges) {
    if (edge.to != goal || !usable(edge)) continue;
    path.push_back(goal);
    return true;
  }
  for (const Edge& edge : nodes_[from].edges) {
    if (usable(edge) && find_path(edge.to, goal, static_only, visited, path)) return true;
  }
  path.pop_back();
  return false;
}

void RuleGraph::check_recursion(Context& context) const {
  // Only rules that reach themselves get the search for a path: one pass finds the rules on cycles.
  const std::vector<bool> cyclic = on_cycles();
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (!cyclic[i]) continue;
    std::vector<bool> visited(nodes_.size());
    std::vector<std::uint32_t> path;
    const char* how = " is recursive: ";
    std::string cause;
    if (!find_path(i, i, true, visited, path)) {
      visited.assign(nodes_.size(), false);
      path.clear();
      if (!find_path(i, i, false, visited, path)) continue;
      how = " may be recursive: ";
      cause = first_cause(context.names, path);
    }
    std::string text;
    for (const std::uint32_t step : path) text += (text.empty() ? "" : " -> ") + name(context.names, step);
    if (!context.errors.add(kRecursionError, nodes_[i].rule->location,
                            "rule " + name(context.names, i) + how + text + cause)) {
      return;
    }
  }
}

// The first edge of the path that may not be there.
std::string RuleGraph::first_cause(const Names& names, const std::vector<std::uint32_t>& path) const {
  for (std::size_t i = 1; i < path.size(); ++i) {
    for (const Edge& edge : nodes_[path[i - 1]].edges) {
      if (edge.to != path[i] || !edge.dynamic) continue;
      return " (" + edge.cause.reference + (i > 1 ? " in " + name(names, path[i - 1]) : std::string()) +
             edge.cause.condition + ")";
    }
  }
  return {};
}

// Rules in a strongly connected component of more than one, or with an edge to themselves (Tarjan, without recursion).
std::vector<bool> RuleGraph::on_cycles() const {
  const std::size_t n = nodes_.size();
  std::vector<bool> cyclic(n);
  std::vector<std::uint32_t> order(n, 0);
  std::vector<std::uint32_t> low(n, 0);
  std::vector<bool> on_stack(n);
  std::vector<std::uint32_t> stack;
  std::vector<std::pair<std::uint32_t, std::size_t>> work;
  std::uint32_t next = 1;
  for (std::uint32_t root = 0; root < n; ++root) {
    if (order[root] != 0) continue;
    work.emplace_back(root, 0);
    while (!work.empty()) {
      const std::uint32_t v = work.back().first;
      std::size_t& edge = work.back().second;
      if (edge == 0) {
        order[v] = low[v] = next++;
        stack.push_back(v);
        on_stack[v] = true;
      }
      if (edge < nodes_[v].edges.size()) {
        const std::uint32_t w = nodes_[v].edges[edge++].to;
        if (w == v) cyclic[v] = true;
        if (order[w] == 0) {
          work.emplace_back(w, 0);
        } else if (on_stack[w]) {
          low[v] = std::min(low[v], order[w]);
        }
        continue;
      }
      if (low[v] == order[v]) {
        const bool several = stack.back() != v;
        while (true) {
          const std::uint32_t w = stack.back();
          stack.pop_back();
          on_stack[w] = false;
          if (several) cyclic[w] = true;
          if (w == v) break;
        }
      }
      work.pop_back();
      if (!work.empty()) low[work.back().first] = std::min(low[work.back().first], low[v]);
    }
  }
  return cyclic;
}

std::vector<std::uint32_t> RuleGraph::by_place() const {
  std::vector<std::uint32_t> order(nodes_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto key = [&](std::uint32_t i) {
    const Location& where = nodes_[i].rule->location;
    return std::make_tuple(where.file, where.row, where.column);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
  return order;
}

std::vector<const Rule*> RuleGraph::sorted() const {
  const std::vector<std::uint32_t> order = by_place();
  std::vector<std::uint32_t> rank(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::vector<const Rule*> result;
  result.reserve(order.size());
  std::vector<bool> started(order.size());
  struct Visit {
    std::uint32_t node;
    std::vector<std::uint32_t> targets;
    std::size_t next = 0;
  };
  std::vector<Visit> work;
  const auto start = [&](std::uint32_t node) {
    if (started[node]) return;
    started[node] = true;
    Visit visit{node, {}, 0};
    for (const Edge& edge : nodes_[node].edges) visit.targets.push_back(edge.to);
    std::sort(visit.targets.begin(), visit.targets.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank[a] < rank[b]; });
    work.push_back(std::move(visit));
  };
  for (const std::uint32_t root : order) {
    start(root);
    while (!work.empty()) {
      if (work.back().next < work.back().targets.size()) {
        const std::uint32_t target = work.back().targets[work.back().next++];
        start(target);
      } else {
        result.push_back(nodes_[work.back().node].rule);
        work.pop_back();
      }
    }
  }
  return result;
}

std::vector<const Rule*> RuleGraph::dependents(const std::vector<const Rule*>& rules) const {
  std::vector<std::vector<std::uint32_t>> readers(nodes_.size());
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    for (const Edge& edge : nodes_[i].edges) readers[edge.to].push_back(i);
  }
  std::vector<bool> seen(nodes_.size());
  std::vector<std::uint32_t> queue;
  const auto add = [&](std::uint32_t node) {
    if (!seen[node]) queue.push_back(node);
    seen[node] = true;
  };
  for (const Rule* rule : rules) {
    if (const auto found = index_.find(rule); found != index_.end()) add(found->second);
  }
  std::vector<const Rule*> result;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    result.push_back(nodes_[queue[i]].rule);
    for (const std::uint32_t reader : readers[queue[i]]) add(reader);
  }
  return result;
}

}  // namespace portcullis::rego::passes
