// Rules that cannot stand beside each other: of different kinds or arities under one name, several defaults, a rule
// below another's value, a package where a rule is, base data where a rule is.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

// A rule's whole reference beside its place, for listing conflicts.
struct RulePlace {
  std::vector<Term> reference;
  Location location;
};

int compare_terms(const Term& a, const Term& b) {
  if (is_scalar(a) && is_scalar(b)) return compare_scalars(a, b);
  if (is_scalar(a) != is_scalar(b)) return is_scalar(a) ? -1 : 1;
  return a.text.compare(b.text);
}

int compare_references(const std::vector<Term>& a, const std::vector<Term>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (const int order = compare_terms(a[i], b[i]); order != 0) return order;
  }
  return static_cast<int>(a.size()) - static_cast<int>(b.size());
}

bool has_prefix(const std::vector<Term>& reference, const std::vector<Term>& prefix) {
  if (prefix.size() > reference.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (!equal(reference[i], prefix[i])) return false;
  }
  return true;
}

class ConflictChecker {
 public:
  explicit ConflictChecker(Context& context) : context_(context) {
    for (const Module* module : context.modules) {
      for (const Rule& rule : module->rules) modules_.emplace_back(&rule, module);
    }
    std::sort(modules_.begin(), modules_.end());
  }

  void node(const RuleTreeNode& n) {
    if (!n.rules.empty() && check(n)) return;
    for (const RuleTreeNode& child : n.children) node(child);
  }

  void packages();
  void base_data(const RuleTreeNode& n, std::vector<std::string_view>& path);

 private:
  const Module& module_of(const Rule& rule) const {
    const auto at = std::lower_bound(modules_.begin(), modules_.end(), &rule,
                                     [](const auto& entry, const Rule* wanted) { return entry.first < wanted; });
    return *at->second;
  }
  // Whether there was an error (what is below the node is not looked at then).
  bool check(const RuleTreeNode& n);
  void collect(const RuleTreeNode& n, bool functions_only, std::vector<RulePlace>& out) const;
  std::string listing(std::vector<RulePlace> places) const;

  Context& context_;
  std::vector<std::pair<const Rule*, const Module*>> modules_;
};

void ConflictChecker::collect(const RuleTreeNode& n, bool functions_only, std::vector<RulePlace>& out) const {
  for (const RuleTreeNode& child : n.children) {
    for (const Rule* rule : child.rules) {
      if (functions_only && rule->head.arguments.empty()) continue;
      RulePlace place{full_reference(module_of(*rule), *rule), rule->location};
      const bool covered = std::any_of(
          out.begin(), out.end(), [&](const RulePlace& other) { return has_prefix(place.reference, other.reference); });
      if (covered) continue;
      std::erase_if(out, [&](const RulePlace& other) { return has_prefix(other.reference, place.reference); });
      out.push_back(std::move(place));
    }
    collect(child, functions_only, out);
  }
}

std::string ConflictChecker::listing(std::vector<RulePlace> places) const {
  std::sort(places.begin(), places.end(),
            [](const RulePlace& a, const RulePlace& b) { return compare_references(a.reference, b.reference) < 0; });
  std::string text = ":";
  for (RulePlace& place : places) {
    text +=
        "\n  rule " + author_string(context_.names, std::move(place.reference)) + " at " + to_string(place.location);
  }
  return text;
}

bool ConflictChecker::check(const RuleTreeNode& n) {
  const Rule& first = *n.rules[0];
  bool single = false;
  bool multi = false;
  bool complete = false;
  bool partial = false;
  bool set = false;
  bool object_of_sets = false;
  bool arities_differ = false;
  bool any_dynamic = false;
  bool any_ground = false;
  std::vector<const Rule*> defaults;
  for (const Rule* rule : n.rules) {
    const bool ground = steps_below(*rule).empty();
    const bool contains = rule->head.contains;
    (contains ? multi : single) = true;
    (!contains && ground ? complete : partial) = true;
    if (contains) (ground ? set : object_of_sets) = true;
    (ground ? any_ground : any_dynamic) = true;
    arities_differ = arities_differ || rule->head.arguments.size() != first.head.arguments.size();
    if (rule->is_default) defaults.push_back(rule);
  }
  std::vector<RulePlace> below;
  if (!n.children.empty()) {
    if (any_ground) {
      collect(n, false, below);
    } else if (any_dynamic) {
      collect(n, true, below);
    }
  }
  const auto name = [&] {
    const Rule& last = *n.rules.back();
    return author_string(context_.names, full_reference(module_of(last), last));
  };
  if (!below.empty()) {
    context_.errors.add(kTypeError, first.location, "rule " + name() + " conflicts with" + listing(std::move(below)));
    return true;
  }
  if ((single && multi) || arities_differ || (complete && partial) || (set && object_of_sets)) {
    context_.errors.add(kTypeError, first.location, "conflicting rules " + name() + " found");
    return true;
  }
  if (defaults.size() > 1) {
    std::string places;
    for (const Rule* rule : defaults) places += (places.empty() ? "" : ", ") + to_string(rule->location);
    context_.errors.add(kTypeError, module_of(*defaults[0]).package_location,
                        "multiple default rules " + name() + " found at " + places);
    return true;
  }
  return false;
}

void ConflictChecker::packages() {
  for (const Module* module : context_.modules) {
    for (const Rule& rule : module->rules) {
      if (!steps_below(rule).empty()) continue;
      const std::vector<Term> reference = full_reference(*module, rule);
      const RuleTreeNode* node = find_exact(*context_.tree, reference);
      if (node == nullptr || !node->is_package) continue;
      for (const Module* other : context_.modules) {
        if (other == module || other->package.items.size() != reference.size()) continue;
        if (!has_prefix(other->package.items, reference)) continue;
        std::vector<Term> package = other->package.items;
        package.erase(package.begin());
        std::string name = to_string(as_reference(package));
        if (package[0].kind == TermKind::kString) {
          package[0].kind = TermKind::kVar;
          name = to_string(as_reference(std::move(package)));
        }
        if (!context_.errors.add(kTypeError, module->package_location,
                                 "package " + name + " conflicts with rule " + to_string(rule.head.reference) +
                                     " defined at " + to_string(rule.location))) {
          return;
        }
      }
    }
  }
}

void ConflictChecker::base_data(const RuleTreeNode& n, std::vector<std::string_view>& path) {
  for (const RuleTreeNode& child : n.children) {
    if (child.key.kind != TermKind::kString) continue;
    path.push_back(child.key.text);
    if (!child.rules.empty() && context_.options.has_base_data(path)) {
      std::string text;
      for (const std::string_view step : path) text += (text.empty() ? "" : "/") + std::string(step);
      context_.errors.add(kCompileError, child.rules[0]->location, "conflicting rule for data path " + text + " found");
    } else {
      base_data(child, path);
    }
    path.pop_back();
  }
}

}  // namespace

void check_rule_conflicts(Context& context) {
  ConflictChecker checker(context);
  checker.node(*context.tree);
  if (context.options.has_base_data) {
    std::vector<std::string_view> path;
    checker.base_data(*context.tree, path);
  }
  checker.packages();
}

}  // namespace portcullis::rego::passes
