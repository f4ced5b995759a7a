// Type checking as a pass over modules and queries: what the checker needs to know of the rules' graph and tree.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/rego/compile/graph.h"
#include "engine/rego/compile/passes.h"
#include "engine/rego/compile/type_check.h"

namespace portcullis::rego::passes {
namespace {

// Could references equal `reference` from step `from` on? Steps that are no constants may be anything.
bool may_intersect(const std::vector<Term>& rule, const std::vector<Term>& reference, std::size_t from) {
  for (std::size_t i = from; i < rule.size() && i < reference.size(); ++i) {
    if (is_constant(rule[i]) && is_constant(reference[i]) && !equal(rule[i], reference[i])) return false;
  }
  return true;
}

// The rules that a reference may denote, in whole or in part.
class DenotedRules {
 public:
  DenotedRules(const RuleGraph& graph, const Term& reference) : graph_(graph), reference_(reference.items) {}

  std::vector<const Rule*> find(const RuleTreeNode& root) {
    if (reference_.empty() || !reference_[0].is_var("data")) return {};
    walk(root, 1);
    return std::move(found_);
  }

 private:
  void walk(const RuleTreeNode& node, std::size_t at) {
    if (at >= reference_.size()) {
      for_each_node(node, [&](const RuleTreeNode& below) {
        found_.insert(found_.end(), below.rules.begin(), below.rules.end());
      });
    } else if (is_constant(reference_[at])) {
      if (const RuleTreeNode* child = node.child(reference_[at])) enter(*child, at + 1);
    } else {
      for (const RuleTreeNode& child : node.children) enter(child, at + 1);
    }
  }

  void enter(const RuleTreeNode& node, std::size_t at) {
    for (const Rule* rule : node.rules) {
      if (may_intersect(full_reference(graph_.module_of(*rule), *rule), reference_, at)) found_.push_back(rule);
    }
    walk(node, at);
  }

  const RuleGraph& graph_;
  const std::vector<Term>& reference_;
  std::vector<const Rule*> found_;
};

// What generated variables stand for: the right side of the equality that binds one, or the call whose output it is.
class Subjects {
 public:
  explicit Subjects(const Names& names) : names_(names) {}

  void add(const Body& body) {
    for (const Expr& expr : body.exprs) {
      if (expr.generated && expr.kind == ExprKind::kCall && expr.terms.size() > 1) add_definition(expr);
      for (const Term& term : expr.terms) add(term);
      for (const With& with : expr.with) add(with.value);
      for (const auto* inner : {expr.every_body.get(), expr.left.get(), expr.right.get()}) {
        if (inner != nullptr) add(*inner);
      }
    }
  }

  // Puts the author's names, and what he wrote, back into a term.
  void restore(Term& term, int depth = 0) const {
    if (term.kind == TermKind::kVar && term.variable != 0 && depth < kMaxDepth) {
      const auto found = subjects_.find(term.variable);
      if (found != subjects_.end()) {
        term = found->second;
        ++depth;
      } else if (names_.rewritten(term.variable)) {
        term.text = std::string(names_.text(names_.author(term.variable)));
      }
    }
    for (Term& item : term.items) restore(item, depth);
    if (term.body) {
      for (Expr& expr : term.body->exprs) {
        for (Term& inner : expr.terms) restore(inner, depth);
      }
    }
  }

 private:
  static constexpr int kMaxDepth = 8;

  void add(const Term& term) {
    for (const Term& item : term.items) add(item);
    if (term.body) add(*term.body);
  }

  void add_definition(const Expr& expr) {
    const bool equality = is_call_of(expr, names_.eq) && expr.terms.size() == 3;
    const Term& variable = equality ? expr.terms[1] : expr.terms.back();
    if (variable.kind != TermKind::kVar || !names_.generated(variable.variable) ||
        names_.rewritten(variable.variable)) {
      return;
    }
    subjects_.emplace(variable.variable,
                      equality ? expr.terms[2] : Term::call({expr.terms.begin(), expr.terms.end() - 1}, expr.location));
  }

  const Names& names_;
  std::map<Variable, Term> subjects_;
};

std::vector<std::vector<Term>> dependents(const RuleGraph& graph, const RuleTreeNode& root, const Term& reference) {
  std::vector<std::vector<Term>> result;
  for (const Rule* rule : graph.dependents(DenotedRules(graph, reference).find(root))) {
    std::vector<Term> full = full_reference(graph.module_of(*rule), *rule);
    const auto variable =
        std::find_if(full.begin() + 1, full.end(), [](const Term& step) { return !is_constant(step); });
    full.erase(variable, full.end());
    result.push_back(std::move(full));
  }
  return result;
}

// `add_bodies` gives the bodies in which generated variables are bound; asked for only when there is an error to print.
template <typename AddBodies>
TypeCheckOptions options_for(const Context& context, AddBodies add_bodies) {
  TypeCheckOptions options;
  options.author_reference = [&context, add_bodies,
                              subjects = std::optional<Subjects>()](const Term& reference) mutable {
    if (!subjects) add_bodies(subjects.emplace(context.names));
    Term shown = reference;
    subjects->restore(shown);
    return shown;
  };
  return options;
}

void record(Context& context, const Diagnostics& found) {
  for (const Diagnostic& diagnostic : found.list) {
    Location where;
    where.file = diagnostic.file;
    where.row = diagnostic.row;
    where.column = diagnostic.column;
    if (!context.errors.add_recoverable(diagnostic.code, where, diagnostic.message, diagnostic.details)) return;
  }
}

}  // namespace

std::shared_ptr<const TypeEnvironment> check_types(Context& context, const RuleGraph& graph) {
  auto environment = std::make_shared<TypeEnvironment>(context.builtins);
  std::vector<TypedRule> rules;
  rules.reserve(context.sorted_rules.size());
  for (const Rule* rule : context.sorted_rules) {
    rules.push_back({rule, full_reference(graph.module_of(*rule), *rule)});
  }
  Diagnostics found;
  TypeCheckOptions options = options_for(context, [&context](Subjects& subjects) {
    for (const Rule* rule : context.sorted_rules) subjects.add(rule->body);
  });
  if (context.tree != nullptr) {
    options.dependents = [&](const Term& reference) { return dependents(graph, *context.tree, reference); };
  }
  rego::check_types(*environment, rules, options, found);
  record(context, found);
  return environment;
}

void check_types(Context& context, const TypeEnvironment& environment, const Body& body) {
  Diagnostics found;
  const TypeCheckOptions options = options_for(context, [&body](Subjects& subjects) { subjects.add(body); });
  check_query_types(environment, body, options, found);
  record(context, found);
}

}  // namespace portcullis::rego::passes
