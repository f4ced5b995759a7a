// $"…{x}…" becomes internal.template_string(["…", {v | v = x}, "…"]): each part is a set, so that an undefined one does
// not make the whole undefined. A part that cannot be undefined needs no comprehension.
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

class TemplateRewriter {
 public:
  explicit TemplateRewriter(Context& context) : context_(context) {}

  // What is bound in the body, for the head that follows it.
  VarSet body(Body& b, const VarSet& globals) {
    VarSet safe = output_vars(context_, b, globals);
    safe.insert(globals);
    for (Expr& e : b.exprs) expr(e, safe);
    return safe;
  }

  void term(Term& t, const VarSet& safe) {
    if (t.kind == TermKind::kTemplateString) {
      rewrite(t, safe);
    }
    if (t.is_comprehension()) {
      const VarSet inner = body(*t.body, safe);
      for (Term& head : t.items) term(head, inner);
      return;
    }
    for (Term& item : t.items) term(item, safe);
    if (t.body) {
      for (Expr& e : t.body->exprs) expr(e, safe);
    }
  }

 private:
  void expr(Expr& e, const VarSet& safe) {
    for (Term& t : e.terms) term(t, safe);
    if (e.kind == ExprKind::kEvery) {
      term(e.every_domain, safe);
      VarSet inner = safe;
      if (e.every_key) collect_vars(*e.every_key, VarParams{}, inner);
      collect_vars(e.every_value, VarParams{}, inner);
      body(*e.every_body, inner);
    } else {
      for_each_body(e, [&](Body& operand) {
        for (Expr& inner : operand.exprs) expr(inner, safe);
      });
    }
    for (With& with : e.with) {
      term(with.target, safe);
      term(with.value, safe);
    }
  }

  void rewrite(Term& t, const VarSet& safe);
  bool part_term(Term& p, std::vector<With>& with);
  void part(Term& p, const VarSet& safe);
  bool always_defined(const Term& reference) const;

  Context& context_;
};

Term set_of(Term element) {
  Term result(TermKind::kSet, element.location);
  result.items.push_back(std::move(element));
  return result;
}

// A rule whose value is always there: with a default, a set, or one constant definition without a body.
bool TemplateRewriter::always_defined(const Term& reference) const {
  if (context_.tree == nullptr || reference.items.size() < 2) return false;
  const RuleTreeNode* node = find_exact(*context_.tree, reference.items);
  if (node == nullptr || node->rules.empty()) return false;
  const Rule& first = *node->rules[0];
  if (!first.head.arguments.empty()) return false;
  if (node->default_rule != nullptr || first.head.contains) return true;
  return node->rules.size() == 1 && is_true_body(first.body) && first.head.value &&
         (is_constant(*first.head.value) || first.head.value->kind == TermKind::kVar);
}

// Unpacks the expression in the braces. False when it can be no part.
bool TemplateRewriter::part_term(Term& p, std::vector<With>& with) {
  if (p.kind != TermKind::kTemplateExpr) return true;
  Expr e = std::move(p.body->exprs[0]);
  if (e.kind != ExprKind::kTerm && e.kind != ExprKind::kCall) {
    context_.errors.add(kCompileError, e.location, "unexpected template-string expression type");
    return false;
  }
  with = std::move(e.with);
  Term inner = e.kind == ExprKind::kCall ? Term::call(std::move(e.terms), e.location) : std::move(e.terms[0]);
  p = std::move(inner);
  return true;
}

// Replaces one interpolated part.
void TemplateRewriter::part(Term& p, const VarSet& safe) {
  std::vector<With> with;
  if (!part_term(p, with)) return;
  // OPA has no place for a call in a part.
  const Location place = p.kind == TermKind::kCall ? Location{} : p.location;
  if (p.kind == TermKind::kCall) {
    const BuiltinRegistry::Entry* entry = context_.builtin(p.items[0]);
    if (entry != nullptr && (entry->decl->flags & kRelation) != 0) {
      context_.errors.add(
          kCompileError, Location{},
          "illegal call to relation built-in '" + std::string(entry->decl->name) + "' that may cause multiple outputs");
      return;
    }
  }
  if (p.kind == TermKind::kVar || (p.kind == TermKind::kRef && always_defined(p))) {
    p = set_of(std::move(p));
    return;
  }
  VarSet vars;
  collect_vars(p, kSafetyParams, vars);
  const VarSet undeclared = vars.without(safe);
  for (const Variable v : context_.names.sorted(undeclared)) {
    context_.errors.add(kCompileError, place, "var " + std::string(context_.names.author_text(v)) + " is undeclared");
  }
  const Location where = p.location;
  Term captured = context_.names.fresh_term(where);
  Term comprehension(TermKind::kSetComprehension, where);
  comprehension.items.push_back(captured);
  comprehension.body = std::make_unique<Body>();
  comprehension.body->exprs.push_back(make_equality(context_.names, std::move(captured), std::move(p), where));
  comprehension.body->exprs.back().with = std::move(with);
  p = std::move(comprehension);
}

void TemplateRewriter::rewrite(Term& t, const VarSet& safe) {
  const Location where = t.location;
  Term parts(TermKind::kArray, where);
  if (t.items.empty()) parts.items.push_back(Term::string("", where));
  for (Term& item : t.items) {
    if (!is_scalar(item)) part(item, safe);
    parts.items.push_back(std::move(item));
  }
  Term op(TermKind::kRef, where);
  op.items.push_back(context_.names.term(context_.names.internal, where));
  op.items.push_back(Term::string("template_string", where));
  std::vector<Term> items;
  items.push_back(std::move(op));
  items.push_back(std::move(parts));
  t = Term::call(std::move(items), where);
}

bool contains_template(Body& body) {
  bool found = false;
  walk_terms(body, [&](Term& t) { return found = found || t.kind == TermKind::kTemplateString; });
  return found;
}

bool contains_template(Head& head) {
  bool found = false;
  walk_terms(head, [&](Term& t) { return found = found || t.kind == TermKind::kTemplateString; });
  return found;
}

}  // namespace

void rewrite_template_strings(Context& context) {
  TemplateRewriter rewriter(context);
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      if (!contains_template(rule.body) && !contains_template(rule.head)) return false;
      VarSet safe = reserved_vars(context.names);
      for (const Term& argument : rule.head.arguments) collect_vars(argument, kSafetyParams, safe);
      safe = rewriter.body(rule.body, safe);
      for (Term& argument : rule.head.arguments) rewriter.term(argument, safe);
      if (rule.head.key) rewriter.term(*rule.head.key, safe);
      if (rule.head.value) rewriter.term(*rule.head.value, safe);
      return false;
    });
  }
}

void rewrite_template_strings(Context& context, Body& body) {
  if (contains_template(body)) TemplateRewriter(context).body(body, reserved_vars(context.names));
}

}  // namespace portcullis::rego::passes
