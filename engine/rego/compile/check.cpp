// The passes in OPA's order.
#include <algorithm>

#include "engine/rego/compile/graph.h"
#include "engine/rego/compile/passes.h"

namespace portcullis::rego {

namespace {

using passes::Context;

std::vector<Module*> in_order(std::vector<Module>& modules) {
  std::stable_sort(modules.begin(), modules.end(), [](const Module& a, const Module& b) {
    return a.file && b.file ? *a.file < *b.file : b.file != nullptr && a.file == nullptr;
  });
  std::vector<Module*> result;
  result.reserve(modules.size());
  for (Module& module : modules) result.push_back(&module);
  return result;
}

// Everything up to the tree of rules. False: stop.
bool check_names(Context& context) {
  passes::prepare(context);
  passes::resolve_references(context);
  if (context.errors.stopped()) return false;
  passes::rewrite_head_references(context);
  passes::check_keyword_overrides(context);
  if (context.errors.stopped()) return false;
  passes::check_imports(context);
  if (context.errors.stopped()) return false;
  passes::remove_imports(context);
  return true;
}

using Pass = void (*)(Context&);

bool run(Context& context, std::initializer_list<Pass> list) {
  for (const Pass pass : list) {
    pass(context);
    if (context.errors.stopped()) return false;
  }
  return true;
}

}  // namespace

Parsed<CheckedModules> check(std::vector<Module> modules, const CheckOptions& options) {
  CheckedModules result;
  result.modules = std::move(modules);
  result.builtins = options.builtins;
  Context context(options, "__local");
  context.modules = in_order(result.modules);
  const auto failed = [&] { return context.errors.take(true); };
  if (!check_names(context)) return failed();
  const std::shared_ptr<RuleTreeNode> tree = passes::build_rule_tree(context);
  context.tree = tree.get();
  result.tree = tree;
  if (!run(context, {passes::rewrite_local_variables, passes::rewrite_template_strings, passes::check_void_calls,
                     passes::rewrite_print_calls, passes::rewrite_expression_terms, passes::rewrite_metadata_calls})) {
    return failed();
  }
  const std::shared_ptr<passes::RuleGraph> graph = passes::RuleGraph::build(context);
  if (!run(context, {passes::rewrite_comprehension_terms, passes::rewrite_references_in_heads,
                     passes::rewrite_with_values, passes::check_rule_conflicts, passes::check_undefined_functions,
                     passes::check_head_safety, passes::check_body_safety, passes::rewrite_dynamic_terms})) {
    return failed();
  }
  graph->check_recursion(context);
  if (context.errors.stopped()) return failed();
  context.sorted_rules = graph->sorted();
  result.types = passes::check_types(context, *graph);
  if (context.errors.stopped()) return failed();
  if (!run(context, {passes::check_unsafe_builtins, passes::check_deprecated_builtins}) || !context.errors.empty()) {
    return failed();
  }
  result.variables = context.names.take();
  return result;
}

}  // namespace portcullis::rego
