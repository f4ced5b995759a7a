// Sorts the rules of all modules into the tree of documents that they define.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

RuleTreeNode& child_of(RuleTreeNode& node, const Term& key) {
  const auto at = std::lower_bound(
      node.children.begin(), node.children.end(), key,
      [](const RuleTreeNode& child, const Term& term) { return compare_scalars(child.key, term) < 0; });
  if (at != node.children.end() && compare_scalars(at->key, key) == 0) return *at;
  RuleTreeNode fresh;
  fresh.key = key;
  fresh.depth = node.depth + 1;
  return *node.children.insert(at, std::move(fresh));
}

RuleTreeNode& package_node(RuleTreeNode& root, const Module& module) {
  RuleTreeNode* node = &root;
  for (std::size_t i = 1; i < module.package.items.size(); ++i) node = &child_of(*node, module.package.items[i]);
  return *node;
}

void add_rule(RuleTreeNode& package, const Rule& rule) {
  const std::vector<Term>& items = rule.head.reference.items;
  RuleTreeNode* node = &child_of(package, Term::string(items[0].text, items[0].location));
  for (std::size_t i = 1; i < items.size() && is_scalar(items[i]); ++i) node = &child_of(*node, items[i]);
  node->rules.push_back(&rule);
  if (rule.is_default && node->default_rule == nullptr) node->default_rule = &rule;
}

void set_kind(RuleTreeNode& node) {
  const bool below =
      std::any_of(node.rules.begin(), node.rules.end(), [](const Rule* rule) { return !steps_below(*rule).empty(); });
  if (node.rules.empty()) {
    node.kind = DocumentKind::kNone;
  } else if (!node.rules[0]->head.arguments.empty()) {
    node.kind = DocumentKind::kFunction;
  } else if (below) {
    node.kind = DocumentKind::kPartialObject;
  } else {
    node.kind = node.rules[0]->head.contains ? DocumentKind::kPartialSet : DocumentKind::kComplete;
  }
  for (RuleTreeNode& child : node.children) set_kind(child);
}

}  // namespace

std::shared_ptr<RuleTreeNode> build_rule_tree(Context& context) {
  auto root = std::make_shared<RuleTreeNode>();
  root->key = Term::string("data", Location{});
  // Packages above others first, as a walk down the tree of packages meets them.
  std::vector<const Module*> modules(context.modules.begin(), context.modules.end());
  std::stable_sort(modules.begin(), modules.end(),
                   [](const Module* a, const Module* b) { return a->package.items.size() < b->package.items.size(); });
  for (const Module* module : modules) package_node(*root, *module).is_package = true;
  for (const Module* module : modules) {
    for (const Rule& rule : module->rules) add_rule(package_node(*root, *module), rule);
  }
  if (RuleTreeNode* system = const_cast<RuleTreeNode*>(root->child("system"))) system->hidden = true;
  set_kind(*root);
  return root;
}

}  // namespace portcullis::rego::passes
