// `with` replaces documents and functions: targets are checked, and values that have to be evaluated move in front of
// the expression.
#include <algorithm>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

enum class Verdict : std::uint8_t { kKeep, kEvaluate, kError };

class WithRewriter {
 public:
  explicit WithRewriter(Context& context) : context_(context), names_(context.names) {}

  // False after an error; the rest of this body is left as it is.
  bool body(Body& b) {
    std::vector<Expr> result;
    result.reserve(b.exprs.size());
    bool good = true;
    for (Expr& e : b.exprs) {
      good = good && expr(e, result);
      result.push_back(std::move(e));
    }
    b.exprs = std::move(result);
    renumber(b);
    return good && inner_bodies(b);
  }

 private:
  bool expr(Expr& e, std::vector<Expr>& result) {
    for (With& with : e.with) {
      const Verdict verdict = validate(with);
      if (verdict == Verdict::kError) return false;
      if (verdict == Verdict::kEvaluate) result.push_back(hoist(names_, with.value));
    }
    return true;
  }

  bool inner_bodies(Body& b) {
    bool good = true;
    for (Expr& e : b.exprs) {
      const auto in_term = [&](Term& t) {
        if (t.is_comprehension()) good = body(*t.body) && good;
        return t.is_comprehension();
      };
      for (Term& t : e.terms) walk_terms(t, in_term);
      if (e.kind == ExprKind::kEvery) walk_terms(e.every_domain, in_term);
      for_each_body(e, [&](Body& inner) { good = body(inner) && good; });
    }
    return good;
  }

  Verdict fail(std::string_view code, const Location& where, std::string message) {
    context_.errors.add(code, where, std::move(message));
    return Verdict::kError;
  }

  Verdict validate(With& with);
  Verdict data_target(const Term& target, Term& value, bool& decided);
  Verdict builtin_target(Term& target, const BuiltinRegistry::Entry& entry);
  // Whether the value names a function, which is taken as it is.
  bool names_function(const Term& value, bool& bad);
  const BuiltinRegistry::Entry* named_builtin(const Term& term, bool& bad);
  bool starts_with(const Term& t, Variable root) const {
    return t.kind == TermKind::kRef && t.items[0].kind == TermKind::kVar && t.items[0].variable == root;
  }
  void as_function_reference(Term& t) {
    const Location where = t.location;
    std::vector<Term> items;
    items.push_back(std::move(t));
    t = Term::ref(std::move(items), where);
  }

  Context& context_;
  Names& names_;
};

const BuiltinRegistry::Entry* WithRewriter::named_builtin(const Term& term, bool& bad) {
  if (term.kind != TermKind::kVar && term.kind != TermKind::kRef) return nullptr;
  const std::vector<std::string>& unsafe = context_.options.unsafe_builtins;
  if (!unsafe.empty() && std::find(unsafe.begin(), unsafe.end(), to_string(term)) != unsafe.end()) {
    fail(kCompileError, term.location,
         "with keyword replacing built-in function: target must not be unsafe: \"" + to_string(term) + "\"");
    bad = true;
    return nullptr;
  }
  return term.kind == TermKind::kVar ? names_.builtin(term.variable) : context_.builtin(term);
}

bool WithRewriter::names_function(const Term& value, bool& bad) {
  if (value.kind == TermKind::kRef && find_exact(*context_.tree, value.items) != nullptr) return true;
  return named_builtin(value, bad) != nullptr;
}

Verdict WithRewriter::builtin_target(Term& target, const BuiltinRegistry::Entry& entry) {
  const BuiltinDecl& decl = *entry.decl;
  const std::string prefix = "with keyword replacing built-in function: ";
  if (decl.name == "eq" || decl.name == "rego.metadata.chain" || decl.name == "rego.metadata.rule") {
    return fail(kCompileError, target.location, prefix + "replacement of \"" + std::string(decl.name) + "\" invalid");
  }
  if (target.items[0].variable == names_.internal) {
    return fail(kCompileError, target.location,
                prefix + "replacement of internal function \"" + to_string(target) + "\" invalid");
  }
  if ((decl.flags & kRelation) != 0) {
    return fail(kCompileError, target.location, prefix + "target must not be a relation");
  }
  if (decl.result.empty()) {
    return fail(kCompileError, target.location, prefix + "target must not be a void function");
  }
  return Verdict::kKeep;
}

Verdict WithRewriter::data_target(const Term& target, Term& value, bool& decided) {
  const RuleTreeNode* node = context_.tree;
  for (std::size_t i = 1; i + 1 < target.items.size(); ++i) {
    const RuleTreeNode* child = node->child(target.items[i]);
    if (child == nullptr) break;
    if (!child->rules.empty()) {
      return fail(kCompileError, target.location, "with keyword cannot partially replace virtual document(s)");
    }
    node = child;
  }
  const auto is_function = [](const RuleTreeNode* n) { return n != nullptr && n->kind == DocumentKind::kFunction; };
  if (target.items.size() > 1 && is_function(node->child(target.items.back()))) {
    bool bad = false;
    decided = names_function(value, bad);
    if (bad) return Verdict::kError;
    if (decided) return Verdict::kKeep;
  }
  // A function's name is no value: it stays, for the target to become it.
  if (value.kind == TermKind::kRef && is_function(find_exact(*context_.tree, value.items))) decided = true;
  return Verdict::kKeep;
}

Verdict WithRewriter::validate(With& with) {
  Term& target = with.target;
  Term& value = with.value;
  if (value.kind == TermKind::kVar && names_.builtin(value.variable) != nullptr) as_function_reference(value);
  bool bad = false;
  const BuiltinRegistry::Entry* entry = named_builtin(target, bad);
  if (bad) return Verdict::kError;
  bool decided = false;
  if (starts_with(target, names_.data)) {
    if (data_target(target, value, decided) == Verdict::kError) return Verdict::kError;
  } else if (starts_with(target, names_.input)) {
    // Any part of the input may be replaced.
  } else if (entry != nullptr) {
    if (target.kind == TermKind::kVar) as_function_reference(target);
    if (builtin_target(target, *entry) == Verdict::kError) return Verdict::kError;
    decided = names_function(value, bad);
    if (bad) return Verdict::kError;
  } else {
    return fail(kTypeError, target.location, "with keyword target must reference existing input, data, or a function");
  }
  return !decided && requires_evaluation(value) ? Verdict::kEvaluate : Verdict::kKeep;
}

bool contains_with(Body& body) {
  bool found = false;
  walk_exprs(body, [&](Expr& e) { return found = found || !e.with.empty(); });
  return found;
}

}  // namespace

bool rewrite_with_values(Context& context, Body& body) {
  return !contains_with(body) || WithRewriter(context).body(body);
}

void rewrite_with_values(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      rewrite_with_values(context, rule.body);
      return false;
    });
  }
}

}  // namespace portcullis::rego::passes
