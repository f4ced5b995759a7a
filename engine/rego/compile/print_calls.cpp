// print(x, y) becomes internal.print([{v | v = x}, {v | v = y}]), so that an undefined argument doesn't stop the rule,
// or disappears when nobody listens. Also finds calls without a value (print) used as one.
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

class PrintRewriter {
 public:
  explicit PrintRewriter(Context& context) : context_(context), names_(context.names) {}

  bool is_print(const Expr& e) const { return is_call_of(e, names_.print); }

  bool contains_print(Body& b) const {
    bool found = false;
    walk_exprs(b, [&](Expr& e) { return found = found || is_print(e); });
    return found;
  }

  void erase(Body& b) const {
    const Location where = b.exprs.empty() ? Location{} : b.exprs[0].location;
    std::erase_if(b.exprs, [this](const Expr& e) { return is_print(e); });
    if (b.exprs.empty()) {
      Expr always;
      always.location = where;
      always.terms.push_back(Term::boolean_of(true, where));
      b.exprs.push_back(std::move(always));
    }
    renumber(b);
    for (Expr& e : b.exprs) {
      each_inner_body(e, [this](Body& inner) { erase(inner); });
    }
  }

  void erase(Head& head) const {
    walk_terms(head, [this](Term& t) {
      if (t.is_comprehension()) erase(*t.body);
      return t.is_comprehension();
    });
  }

  // False after an error.
  bool rewrite(Body& b, const VarSet& globals) {
    for (std::size_t i = 0; i < b.exprs.size(); ++i) {
      if (!contains_closure(b.exprs[i])) continue;
      VarSet safe = output_vars(context_, b, i, globals);
      safe.insert(globals);
      if (b.exprs[i].kind == ExprKind::kEvery) {
        if (b.exprs[i].every_key) collect_vars(*b.exprs[i].every_key, VarParams{}, safe);
        collect_vars(b.exprs[i].every_value, VarParams{}, safe);
      }
      bool good = true;
      each_inner_body(b.exprs[i], [&](Body& inner) { good = rewrite(inner, safe) && good; });
      if (!good) return false;
    }
    for (std::size_t i = 0; i < b.exprs.size(); ++i) {
      if (is_print(b.exprs[i]) && !call(b, i, globals)) return false;
    }
    return true;
  }

 private:
  template <typename Visit>
  static void each_inner_body(Expr& e, Visit&& visit) {
    const auto in_term = [&](Term& t) {
      if (t.is_comprehension()) visit(*t.body);
      return t.is_comprehension();
    };
    for (Term& t : e.terms) walk_terms(t, in_term);
    if (e.kind == ExprKind::kEvery) walk_terms(e.every_domain, in_term);
    for_each_body(e, visit);
    for (With& with : e.with) walk_terms(with.value, in_term);
  }

  bool call(Body& b, std::size_t at, const VarSet& globals) {
    VarSet safe = output_vars(context_, b, at, globals);
    safe.insert(globals);
    for (std::size_t i = 0; i < at; ++i) {
      VarSet vars;
      collect_vars(b.exprs[i], VarParams{}, vars);
      for (const Variable v : vars) {
        if (names_.generated(v)) safe.insert(v);
      }
    }
    Expr& e = b.exprs[at];
    bool good = true;
    for (std::size_t i = 1; i < e.terms.size(); ++i) {
      VarSet vars;
      collect_vars(e.terms[i], kSafetyParams, vars);
      for (const Variable v : names_.sorted(vars.without(safe))) {
        context_.errors.add(kCompileError, e.terms[i].location,
                            "var " + std::string(names_.author_text(v)) + " is undeclared");
        good = false;
      }
    }
    if (!good) return false;
    Term parts(TermKind::kArray, e.location);
    for (std::size_t i = 1; i < e.terms.size(); ++i) {
      const Location where = e.terms[i].location;
      Term captured = names_.fresh_term(where);
      Term comprehension(TermKind::kSetComprehension, where);
      comprehension.items.push_back(captured);
      comprehension.body = std::make_unique<Body>();
      comprehension.body->exprs.push_back(make_equality(names_, std::move(captured), std::move(e.terms[i]), where));
      parts.items.push_back(std::move(comprehension));
    }
    Expr replacement;
    replacement.kind = ExprKind::kCall;
    replacement.location = e.location;
    replacement.index = e.index;
    Term op(TermKind::kRef, e.location);
    op.items.push_back(names_.term(names_.internal, e.location));
    op.items.push_back(Term::string("print", e.location));
    replacement.terms.push_back(std::move(op));
    replacement.terms.push_back(std::move(parts));
    e = std::move(replacement);
    return true;
  }

  Context& context_;
  Names& names_;
};

template <typename Node>
void void_calls_in(Context& context, Node& node) {
  walk_terms(node, [&](Term& t) {
    if (t.kind != TermKind::kCall) return false;
    const BuiltinRegistry::Entry* entry = context.builtin(t.items[0]);
    if (entry != nullptr && entry->decl->result.empty()) {
      context.errors.add(kTypeError, t.location, to_string(t) + " used as value");
    }
    return false;
  });
}

}  // namespace

void check_void_calls(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      void_calls_in(context, rule.head);
      void_calls_in(context, rule.body);
      return false;
    });
  }
}

void check_void_calls(Context& context, Body& body) { void_calls_in(context, body); }

void rewrite_print_calls(Context& context) {
  PrintRewriter rewriter(context);
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      if (!context.options.keep_print) {
        bool in_head = false;
        walk_exprs(rule.head, [&](Expr& e) { return in_head = in_head || rewriter.is_print(e); });
        if (in_head) rewriter.erase(rule.head);
        if (rewriter.contains_print(rule.body)) rewriter.erase(rule.body);
        return false;
      }
      VarSet globals = reserved_vars(context.names);
      for (const Term& argument : rule.head.arguments) collect_vars(argument, VarParams{}, globals);
      bool good = true;
      walk_terms(rule.head, [&](Term& t) {
        if (t.is_comprehension()) good = rewriter.rewrite(*t.body, globals) && good;
        return t.is_comprehension();
      });
      if (good) rewriter.rewrite(rule.body, globals);
      return false;
    });
  }
}

void rewrite_print_calls(Context& context, Body& body) {
  PrintRewriter rewriter(context);
  if (!context.options.keep_print) {
    if (rewriter.contains_print(body)) rewriter.erase(body);
    return;
  }
  rewriter.rewrite(body, reserved_vars(context.names));
}

}  // namespace portcullis::rego::passes
