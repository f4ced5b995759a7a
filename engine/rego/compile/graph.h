// Which rule reads which: an edge from every rule (each else branch is one) to the rules that its references may mean.
// Built before references move around in bodies; used for the recursion check and the order of type checking.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/rego/compile/graph_cause.h"
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

class RuleGraph {
 public:
  // Variables whose few possible values are known where a reference uses them narrow what it may mean.
  static std::shared_ptr<RuleGraph> build(Context& context);

  // Errors: rego_recursion_error for every rule on a cycle.
  void check_recursion(Context& context) const;
  // Dependencies before dependents; rules without any order among them by place. Needs a graph without cycles.
  std::vector<const Rule*> sorted() const;
  // The rule must be one of the graph's.
  const Module& module_of(const Rule& rule) const { return *nodes_[index_.find(&rule)->second].module; }
  // These rules and all that read them, directly or not.
  std::vector<const Rule*> dependents(const std::vector<const Rule*>& rules) const;

 private:
  friend class GraphBuilder;

  struct Edge {
    std::uint32_t to;
    bool dynamic;  // only through a variable step: the rule may never be meant
    Cause cause;   // why, when dynamic
  };
  struct Node {
    const Rule* rule;
    const Module* module;
    std::vector<Edge> edges;  // by target, unique
  };

  bool find_path(std::uint32_t from, std::uint32_t goal, bool static_only, std::vector<bool>& visited,
                 std::vector<std::uint32_t>& path) const;
  std::string name(const Names& names, std::uint32_t node) const;
  std::string first_cause(const Names& names, const std::vector<std::uint32_t>& path) const;
  std::vector<bool> on_cycles() const;
  std::vector<std::uint32_t> by_place() const;

  std::vector<Node> nodes_;
  std::unordered_map<const Rule*, std::uint32_t> index_;
};

}  // namespace portcullis::rego::passes
