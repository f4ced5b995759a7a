// Calls: of functions that exist, with as many arguments as they take; of builtins that are allowed.
#include <algorithm>
#include <span>

#include "engine/rego/compile/passes.h"
#include "engine/rego/compile/type_check.h"

namespace portcullis::rego::passes {

namespace {

// Whether the call is wrong (what is inside it is not looked at then).
bool check_call(Context& context, const Expr& e) {
  const Term& op = e.terms[0];
  const int arity = context.arity(op);
  const std::string name = arity < 0 ? author_string(context.names, op) : std::string();
  if (arity < 0) {
    context.errors.add(kTypeError, e.location, "undefined function " + name);
    return true;
  }
  const int operands = static_cast<int>(e.terms.size()) - 1;
  const bool equality = is_operator(op, context.names.eq);
  int given = operands;
  if (e.generated) {
    if (equality || operands == arity + 1) return false;
    given = operands - 1;
  } else if (operands == arity || operands == arity + 1) {
    return false;
  }
  const std::string function = author_string(context.names, op);
  if (const BuiltinRegistry::Entry* entry = context.builtin(op)) {
    context.errors.add(kTypeError, e.location, function + ": arity mismatch",
                       arity_details(*entry->decl, std::span(e.terms).subspan(1)));
  } else {
    context.errors.add(kTypeError, e.location,
                       "function " + function + " has arity " + std::to_string(arity) + ", got " +
                           std::to_string(given) + (given == 1 ? " argument" : " arguments"));
  }
  return true;
}

void check_functions(Context& context, Body& body) {
  walk_exprs(body, [&](Expr& e) { return e.kind == ExprKind::kCall && check_call(context, e); });
}

bool is_unsafe(const Context& context, const std::string& name) {
  const std::vector<std::string>& unsafe = context.options.unsafe_builtins;
  return std::find(unsafe.begin(), unsafe.end(), name) != unsafe.end();
}

}  // namespace

void check_undefined_functions(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      check_functions(context, rule.body);
      return false;
    });
  }
}

void check_undefined_functions(Context& context, Body& body) { check_functions(context, body); }

void check_unsafe_builtins(Context& context, Body& body) {
  if (context.options.unsafe_builtins.empty()) return;
  walk_exprs(body, [&](Expr& e) {
    if (e.kind != ExprKind::kCall) return false;
    const std::string name = e.operator_name();
    if (is_unsafe(context, name)) {
      context.errors.add_recoverable(kTypeError, e.location, "unsafe built-in function calls in expression: " + name);
    }
    return false;
  });
}

void check_unsafe_builtins(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      check_unsafe_builtins(context, rule.body);
      return false;
    });
  }
}

void check_deprecated_builtins(Context& context, Body& body) {
  walk_exprs(body, [&](Expr& e) {
    if (e.kind != ExprKind::kCall) return false;
    const BuiltinRegistry::Entry* entry = context.builtin(e.terms[0]);
    if (entry != nullptr && (entry->decl->flags & kDeprecated) != 0) {
      context.errors.add_recoverable(
          kTypeError, e.location,
          "deprecated built-in function calls in expression: " + std::string(entry->decl->name));
    }
    return false;
  });
}

void check_deprecated_builtins(Context& context) {
  for (Module* module : context.modules) {
    if (!context.strict_for(*module)) continue;
    walk_rules(*module, [&](Rule& rule) {
      check_deprecated_builtins(context, rule.body);
      return false;
    });
  }
}

}  // namespace portcullis::rego::passes
