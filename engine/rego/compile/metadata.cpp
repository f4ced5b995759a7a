// rego.metadata.chain() and rego.metadata.rule() are known when the module is: the rule's body begins with the metadata
// as a constant in a variable of its own, and the calls become that variable.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

bool is_metadata_call(const Expr& e, std::string_view which) {
  if (e.kind != ExprKind::kCall) return false;
  const std::vector<Term>& items = e.terms[0].items;
  return items.size() == 3 && items[0].text == "rego" && items[1].text == "metadata" && items[2].text == which;
}

class MetadataRewriter {
 public:
  explicit MetadataRewriter(Context& context) : context_(context), names_(context.names) {}

  void rule(const Module& module, Rule& rule) {
    const Expr* chain_call = find(rule, "chain");
    const Expr* rule_call = find(rule, "rule");
    if (chain_call == nullptr && rule_call == nullptr) return;
    std::vector<Expr> front;
    Variable chain_var = 0;
    Variable rule_var = 0;
    if (chain_call != nullptr) {
      Term value = chain(module, rule);
      value.location = chain_call->location;
      front.push_back(hoist(names_, value));
      chain_var = value.variable;
    }
    if (rule_call != nullptr) {
      const std::vector<const Annotations*> own = rule_annotations(module, rule);
      Term value = own.empty() ? Term(TermKind::kObject, rule.location) : own.front()->yaml;
      value.location = rule_call->location;
      front.push_back(hoist(names_, value));
      rule_var = value.variable;
    }
    for (Expr& e : rule.body.exprs) front.push_back(std::move(e));
    rule.body.exprs = std::move(front);
    renumber(rule.body);
    replace(rule.body, chain_var, rule_var);
    walk_terms(rule.head, [&](Term& t) {
      if (t.is_comprehension()) replace(*t.body, chain_var, rule_var);
      return false;
    });
  }

 private:
  static const Expr* find(Rule& rule, std::string_view which) {
    const Expr* found = nullptr;
    const auto visit = [&](Expr& e) {
      if (found == nullptr && is_metadata_call(e, which)) found = &e;
      return found != nullptr;
    };
    walk_exprs(rule.head, visit);
    walk_exprs(rule.body, visit);
    return found;
  }

  // The calls become the variables, in this body and the ones inside it.
  void replace(Body& body, Variable chain_var, Variable rule_var) {
    walk_exprs(body, [&](Expr& e) {
      Variable source = 0;
      if (chain_var != 0 && is_metadata_call(e, "chain")) source = chain_var;
      if (rule_var != 0 && is_metadata_call(e, "rule")) source = rule_var;
      if (source == 0) return false;
      const Location where = e.location;
      const std::uint32_t index = e.index;
      Expr replacement;
      if (e.terms.size() > 1) {
        replacement = make_equality(names_, std::move(e.terms[1]), names_.term(source, where), where);
      } else {
        replacement.terms.push_back(names_.term(source, where));
        replacement.location = where;
      }
      replacement.generated = true;
      replacement.index = index;
      replacement.negated = e.negated;
      e = std::move(replacement);
      return false;
    });
  }

  static std::vector<const Annotations*> rule_annotations(const Module& module, const Rule& rule) {
    std::vector<const Annotations*> result;
    for (const Annotations& a : module.annotations) {
      if (a.scope != "rule" || a.rule < 0) continue;
      if (&module.rules[static_cast<std::size_t>(a.rule)] == &rule) result.push_back(&a);
    }
    return result;
  }

  static std::vector<Term> ground_path(const Module& module, const Rule& rule) {
    std::vector<Term> path = full_reference(module, rule);
    path.resize(path.size() - steps_below(rule).size());
    return path;
  }

  // {"path": […], "annotations": {…}}; `path` with `data` in front.
  static Term link(const std::vector<Term>& path, const Annotations* annotations, const Location& where) {
    Term steps(TermKind::kArray, where);
    steps.items.assign(path.begin() + 1, path.end());
    Term result(TermKind::kObject, where);
    if (annotations != nullptr) {
      result.items.push_back(Term::string("annotations", where));
      result.items.push_back(annotations->yaml);
    }
    result.items.push_back(Term::string("path", where));
    result.items.push_back(std::move(steps));
    return result;
  }

  static bool same_path(const std::vector<Term>& a, const std::vector<Term>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Term& x, const Term& y) { return equal(x, y); });
  }

  // From the rule outwards to the root: rule, document, package, subpackages.
  Term chain(const Module& module, const Rule& rule) const {
    const Location where = rule.location;
    const std::vector<Term> path = ground_path(module, rule);
    Term result(TermKind::kArray, where);
    const std::vector<const Annotations*> own = rule_annotations(module, rule);
    for (auto at = own.rbegin(); at != own.rend(); ++at) result.items.push_back(link(path, *at, where));
    if (own.empty()) result.items.push_back(link(path, nullptr, where));
    const std::vector<Term>& package = module.package.items;
    const Annotations* document = nullptr;
    const Annotations* of_package = nullptr;
    std::vector<std::pair<const Module*, const Annotations*>> subpackages;
    for (const Module* other : context_.modules) {
      for (const Annotations& a : other->annotations) {
        if (a.scope == "document" && a.rule >= 0) {
          const Rule& target = other->rules[static_cast<std::size_t>(a.rule)];
          if (same_path(ground_path(*other, target), path)) document = &a;
        } else if (a.scope == "package" && same_path(other->package.items, package)) {
          of_package = &a;
        } else if (a.scope == "subpackages" && other->package.items.size() <= package.size() &&
                   same_path(
                       other->package.items,
                       {package.begin(), package.begin() + static_cast<std::ptrdiff_t>(other->package.items.size())})) {
          subpackages.emplace_back(other, &a);
        }
      }
    }
    if (document != nullptr) result.items.push_back(link(path, document, where));
    if (of_package != nullptr) result.items.push_back(link(package, of_package, where));
    std::stable_sort(subpackages.begin(), subpackages.end(), [](const auto& a, const auto& b) {
      return a.first->package.items.size() > b.first->package.items.size();
    });
    for (const auto& [other, a] : subpackages) result.items.push_back(link(other->package.items, a, where));
    return result;
  }

  Context& context_;
  Names& names_;
};

}  // namespace

void rewrite_metadata_calls(Context& context) {
  MetadataRewriter rewriter(context);
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      rewriter.rule(*module, rule);
      return false;
    });
  }
}

}  // namespace portcullis::rego::passes
