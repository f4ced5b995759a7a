// Names become full references: rules of the same package and imports are replaced by data.… and input.… paths, except
// where a local variable of that name hides them. In strict mode unused imports are errors.
#include <unordered_map>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

// What a name stands for in one module.
struct Global {
  Term reference;
  bool used = false;
};

bool is_root_import(const Import& import) {
  const std::string& root = import.path.items[0].text;
  return root == "future" || root == "rego";
}

std::string_view import_name(const Import& import) {
  return import.alias.empty() ? std::string_view(import.path.items.back().text) : std::string_view(import.alias);
}

class Resolver {
 public:
  explicit Resolver(Context& context) : context_(context), names_(context.names) {}

  void begin_module() {
    for (const Variable v : defined_) index_[v] = 0;
    defined_.clear();
    globals_.clear();
  }

  void define(Variable name, Term reference) {
    grow();
    if (index_[name] == 0) {
      globals_.push_back({std::move(reference), false});
      index_[name] = static_cast<std::uint32_t>(globals_.size());
      defined_.push_back(name);
    } else {
      globals_[index_[name] - 1] = {std::move(reference), false};
    }
  }

  void define_rule(const Term& package, Variable name) {
    grow();
    if (index_[name] != 0) return;
    Term reference = package;
    reference.items.push_back(Term::string(std::string(names_.text(name)), package.location));
    define(name, std::move(reference));
  }

  bool used(Variable name) const {
    return name < index_.size() && index_[name] != 0 && globals_[index_[name] - 1].used;
  }

  void rule(Rule& r) {
    grow();
    VarSet arguments;
    for (Term& argument : r.head.arguments) {
      if (!argument_vars(argument, arguments)) return;
    }
    hide(arguments);
    const VarSet declared = declared_vars(r.body);
    hide(declared);
    for (std::size_t i = 1; i < r.head.reference.items.size(); ++i) term(r.head.reference.items[i]);
    if (r.head.key) term(*r.head.key);
    if (r.head.value) term(*r.head.value);
    body(r.body);
    show(declared);
    show(arguments);
  }

  void query(Body& b) {
    grow();
    const VarSet declared = declared_vars(b);
    hide(declared);
    body(b);
    show(declared);
  }

 private:
  void grow() {
    index_.resize(names_.size(), 0);
    hidden_.resize(names_.size(), 0);
  }
  void hide(const VarSet& vars) {
    for (const Variable v : vars) ++hidden_[v];
  }
  void show(const VarSet& vars) {
    for (const Variable v : vars) --hidden_[v];
  }
  Global* global(const Term& var) {
    const Variable v = var.variable;
    return index_[v] != 0 && hidden_[v] == 0 ? &globals_[index_[v] - 1] : nullptr;
  }

  // Variables that patterns in arguments bind. False after an error.
  bool argument_vars(const Term& t, VarSet& out) {
    switch (t.kind) {
      case TermKind::kVar: out.insert(t.variable); return true;
      case TermKind::kRef:
        if (t.items.size() == 1 && (t.items[0].variable == names_.input || t.items[0].variable == names_.data)) {
          return context_.errors.add(kCompileError, rule_location_,
                                     "args must not shadow " + t.items[0].text + " (use a different variable name)") &&
                 false;
        }
        break;
      case TermKind::kSet:
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
      case TermKind::kCall: return true;
      default: break;
    }
    for (const Term& item : t.items) {
      if (!argument_vars(item, out)) return false;
    }
    return true;
  }

  static void all_vars(const Term& t, VarSet& out) { collect_vars(t, VarParams{}, out); }

  void declared_by(const Expr& e, VarSet& out) {
    if (is_call_of(e, names_.assign) && e.terms.size() == 3) {
      all_vars(e.terms[1], out);
    } else if (e.kind == ExprKind::kSome) {
      for (const Term& symbol : e.terms) {
        if (symbol.kind == TermKind::kVar) {
          out.insert(symbol.variable);
        } else if (symbol.kind == TermKind::kCall) {
          all_vars(symbol.items[1], out);
          if (symbol.items.size() == 4) all_vars(symbol.items[2], out);
        }
      }
    }
    for_each_body(e, [&](const Body& b) {
      for (const Expr& inner : b.exprs) declared_by(inner, out);
    });
  }
  VarSet declared_vars(const Body& b) {
    VarSet result;
    for (const Expr& e : b.exprs) declared_by(e, result);
    return result;
  }

  void body(Body& b) {
    for (Expr& e : b.exprs) expr(e);
  }

  void expr(Expr& e) {
    switch (e.kind) {
      case ExprKind::kTerm:
      case ExprKind::kCall:
        for (Term& t : e.terms) term(t);
        break;
      case ExprKind::kSome:
        if (e.terms[0].kind == TermKind::kCall) term(e.terms[0]);
        break;
      case ExprKind::kEvery: {
        VarSet bound;
        if (e.every_key) all_vars(*e.every_key, bound);
        all_vars(e.every_value, bound);
        hide(bound);
        term(e.every_domain);
        body(*e.every_body);
        show(bound);
        break;
      }
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr: for_each_body(e, [this](Body& b) { body(b); }); break;
    }
    for (With& w : e.with) {
      term(w.target);
      term(w.value);
    }
  }

  void become_global(Term& var, Global& g) {
    const Location where = var.location;
    g.used = true;
    Term reference = g.reference;
    reference.location = where;
    for (Term& item : reference.items) item.location = where;
    var = std::move(reference);
  }

  void term(Term& t) {
    switch (t.kind) {
      case TermKind::kVar:
        if (Global* g = global(t)) become_global(t, *g);
        return;
      case TermKind::kRef: reference(t); return;
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension: {
        const VarSet declared = declared_vars(*t.body);
        hide(declared);
        for (Term& item : t.items) term(item);
        body(*t.body);
        show(declared);
        return;
      }
      default:
        for (Term& item : t.items) term(item);
        if (t.body) body(*t.body);
    }
  }

  void reference(Term& ref) {
    for (std::size_t i = 1; i < ref.items.size(); ++i) term(ref.items[i]);
    Term& head = ref.items[0];
    if (head.kind != TermKind::kVar) {
      term(head);
      return;
    }
    Global* g = global(head);
    if (g == nullptr) return;
    become_global(head, *g);
    std::vector<Term> items = std::move(head.items);
    items.reserve(items.size() + ref.items.size() - 1);
    for (std::size_t i = 1; i < ref.items.size(); ++i) items.push_back(std::move(ref.items[i]));
    ref.items = std::move(items);
  }

 public:
  Location rule_location_;

 private:
  Context& context_;
  Names& names_;
  std::vector<Global> globals_;
  std::vector<std::uint32_t> index_;   // by variable: 1 + index into globals_
  std::vector<std::uint32_t> hidden_;  // by variable: how many scopes declare it
  std::vector<Variable> defined_;
};

// Names of the rules of each package, over all its modules.
using Exports = std::unordered_map<std::string, std::vector<Variable>>;

std::string package_key(const Term& package) {
  std::string key;
  for (const Term& item : package.items) {
    key += item.text;
    key += '\0';
  }
  return key;
}

void check_unused_imports(Context& context, const Module& module, const Resolver& resolver) {
  for (const Import& import : module.imports) {
    if (is_root_import(import)) continue;
    if (resolver.used(context.names.intern(import_name(import)))) continue;
    if (!context.errors.add_recoverable(kCompileError, import.location, to_string(import) + " unused")) return;
  }
}

}  // namespace

void resolve_references(Context& context) {
  Exports exports;
  for (const Module* module : context.modules) {
    std::vector<Variable>& names = exports[package_key(module->package)];
    for (const Rule& rule : module->rules) names.push_back(rule.head.reference.items[0].variable);
  }
  Resolver resolver(context);
  for (Module* module : context.modules) {
    resolver.begin_module();
    for (const Variable name : exports[package_key(module->package)]) resolver.define_rule(module->package, name);
    for (const Import& import : module->imports) {
      if (!is_root_import(import)) resolver.define(context.names.intern(import_name(import)), import.path);
    }
    walk_rules(*module, [&](Rule& rule) {
      resolver.rule_location_ = rule.location;
      resolver.rule(rule);
      return false;
    });
    if (context.options.strict) check_unused_imports(context, *module, resolver);
  }
}

void resolve_in_query(Context& context, Body& body, const CheckedModules& modules, const QueryContext& query) {
  Resolver resolver(context);
  if (!query.package.empty()) {
    for (const Module& module : modules.modules) {
      if (to_string(module.package) != query.package) continue;
      for (const Rule& rule : module.rules) {
        resolver.define_rule(module.package, context.names.intern(rule.head.reference.items[0].text));
      }
    }
  }
  for (const Import& import : query.imports) {
    if (is_root_import(import)) continue;
    Term path = import.path;
    if (!path.items.empty()) path.items[0].variable = context.names.intern(path.items[0].text);
    resolver.define(context.names.intern(import_name(import)), std::move(path));
  }
  resolver.query(body);
}

void check_keyword_overrides(Context& context, Body& body) {
  walk_exprs(body, [&](Expr& expr) {
    if (!is_call_of(expr, context.names.assign) || expr.terms.size() < 2) return false;
    const Term& target = expr.terms[1];
    const Term& name = target.kind == TermKind::kRef && target.items.size() == 1 ? target.items[0] : target;
    if (name.kind == TermKind::kVar && (name.variable == context.names.input || name.variable == context.names.data)) {
      context.errors.add_recoverable(kCompileError, expr.location,
                                     "variables must not shadow " + name.text + " (use a different variable name)");
    }
    return false;
  });
}

void check_keyword_overrides(Context& context) {
  const Names& names = context.names;
  for (Module* module : context.modules) {
    if (!context.strict_for(*module)) continue;
    for (Rule& rule : module->rules) {
      const Term& name = rule.head.reference.items[0];
      if (name.variable == names.input || name.variable == names.data) {
        context.errors.add_recoverable(kCompileError, rule.location,
                                       "rules must not shadow " + name.text + " (use a different rule name)");
      }
      for (const Term& argument : rule.head.arguments) {
        if (argument.kind == TermKind::kRef && argument.items.size() == 1) {
          context.errors.add_recoverable(
              kCompileError, argument.location,
              "args must not shadow " + to_string(argument) + " (use a different variable name)");
        }
      }
    }
    walk_rules(*module, [&](Rule& rule) {
      check_keyword_overrides(context, rule.body);
      return false;
    });
  }
}

void check_imports(Context& context) {
  for (const Module* module : context.modules) {
    if (!context.strict_for(*module)) continue;
    std::unordered_map<std::string_view, const Import*> seen;
    for (const Import& import : module->imports) {
      const auto [at, added] = seen.emplace(import_name(import), &import);
      if (added) continue;
      context.errors.add_recoverable(kCompileError, import.location,
                                     "import must not shadow " + to_string(*at->second));
    }
  }
}

void remove_imports(Context& context) {
  for (Module* module : context.modules) module->imports.clear();
}

}  // namespace portcullis::rego::passes
