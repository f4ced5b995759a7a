// Calls of builtins and of functions.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {
namespace {

bool is_false(const Term& term) { return term.kind == TermKind::kBoolean && !term.boolean; }

bool needs_evaluation(const Term& term) {
  return term.kind == TermKind::kRef || term.kind == TermKind::kCall || term.is_comprehension() || !is_ground(term);
}

}  // namespace

Rules Run::rules_at(const RuleTreeNode* node) const {
  Rules out;
  if (node == nullptr) return out;
  out.otherwise = node->default_rule;
  for (const Rule* rule : node->rules) {
    if (rule == node->default_rule) continue;
    out.rules.push_back(rule);
    out.has_else = out.has_else || rule->otherwise;
    out.multi = rule->head.contains;
  }
  out.ground = node->kind != DocumentKind::kPartialObject;
  return out;
}

const Term* Run::mock_of(const Term& op) const {
  const std::vector<Mocks>& in_force = mocks_.back();
  for (auto frame = in_force.rbegin(); frame != in_force.rend(); ++frame) {
    for (const auto& [target, value] : *frame) {
      if (equal(*target, op)) return value;
    }
  }
  return nullptr;
}

bool Run::eval_call(Frame& frame, const std::vector<Term>& terms, Next next) {
  if (!step()) return false;
  const Term& op = terms[0];
  const Term* mock = mock_of(op);
  if (mock != nullptr && is_function(*mock)) {
    std::vector<Term> call = terms;
    call[0] = *mock;
    mocks_.emplace_back();
    const bool ok = eval_call(frame, call, [&] {
      std::vector<Mocks> inner = std::move(mocks_.back());
      mocks_.pop_back();
      const bool went_on = next();
      mocks_.push_back(std::move(inner));
      return went_on;
    });
    mocks_.pop_back();
    return ok;
  }
  if (op.items[0].is_var("data")) {
    const RuleTreeNode* node = modules_.tree ? find_exact(*modules_.tree, op.items) : nullptr;
    if (mock != nullptr) {
      return eval_mock_value(frame, static_cast<std::size_t>(std::max(0, context_.arity(op))), terms, mock, next);
    }
    if (node == nullptr) return true;
    return eval_function(frame, rules_at(node), terms, next);
  }
  const BuiltinRegistry::Entry* entry = context_.builtin(op);
  if (entry == nullptr) {
    return fail("eval_internal_error", "unsupported built-in function: " + to_string(op), frame.expr().location);
  }
  const auto arity = static_cast<std::size_t>(passes::arity_of(*entry->decl));
  if (mock != nullptr) return eval_mock_value(frame, arity, terms, mock, next);
  if (required(frame.expr(), frame.bindings)) return !error_ && save_call(frame, arity, terms, next);
  return eval_builtin(frame, *entry->decl, std::span<const Term>(terms).subspan(1), next);
}

bool Run::eval_mock_value(Frame& frame, std::size_t arity, const std::vector<Term>& terms, const Term* value,
                          Next next) {
  if (terms.size() == arity + 2) return unify(frame, &terms.back(), value, next);
  return is_false(*value) || next();
}

bool Run::eval_builtin(Frame& frame, const BuiltinDecl& decl, std::span<const Term> operands, Next next) {
  if (decl.function == nullptr) return next();  // print and its like
  const auto arity = static_cast<std::size_t>(passes::arity_of(decl));
  std::vector<Value> arguments;
  for (std::size_t i = 0; i < std::min(arity, operands.size()); ++i) {
    const Term* operand = plug(frame.bindings, &operands[i]);
    if (needs_evaluation(*operand)) {
      return fail(
          "eval_internal_error",
          std::string(decl.name) + ": operand " + std::to_string(i + 1) + " is not evaluated: " + to_string(*operand),
          frame.expr().location);
    }
    arguments.push_back(to_value(*operand));
  }
  const Value result = decl.function(builtin_context_, arguments);
  if (builtin_context_.failed()) {
    const bool aborts = builtin_context_.error_aborts || options_.strict_builtin_errors;
    const char* code = builtin_context_.error_is_type ? "eval_type_error" : "eval_builtin_error";
    std::string message = std::string(decl.name) + ": " + builtin_context_.error;
    builtin_context_.error.clear();
    builtin_context_.error_is_type = builtin_context_.error_aborts = false;
    return !aborts || fail(code, std::move(message), frame.expr().location);
  }
  if (!result.defined()) return true;
  if ((decl.flags & kRelation) == 0) return builtin_result(frame, operands, arity, result, next);
  for (const Value& each : result.elements()) {
    if (!builtin_result(frame, operands, arity, each, next)) return false;
  }
  return true;
}

bool Run::builtin_result(Frame& frame, std::span<const Term> operands, std::size_t arity, const Value& value,
                         Next next) {
  if (operands.size() <= arity) return value.is_false() || next();
  return unify(frame, &operands[arity], from_value(value), next);
}

bool Run::eval_function(Frame& frame, const Rules& rules, const std::vector<Term>& terms, Next next) {
  if (rules.empty()) return true;
  const std::size_t arity = (rules.rules.empty() ? rules.otherwise : rules.rules[0])->head.arguments.size();
  if (rules.has_else && required(frame.expr(), frame.bindings)) {
    return !error_ && save_call(frame, arity, terms, next);
  }
  // A default may be what the call gives, unless it is false and nobody looks at the value.
  const bool output = terms.size() == arity + 2;
  bool support = options_.shallow_inlining || disabled(terms[0].items, false);
  if (rules.otherwise != nullptr) {
    support = support || output || !rules.otherwise->head.value || !is_false(*rules.otherwise->head.value);
  }
  if (support) {
    bool unknown = required(terms[0], frame.bindings);
    for (std::size_t i = 1; i <= arity && !unknown; ++i) unknown = required(terms[i], frame.bindings);
    if (error_) return false;
    if (unknown) return function_support(frame, rules, terms, arity, next);
  }
  bool any = false;
  const Term* previous = nullptr;
  for (const Rule* rule : rules.rules) {
    bool found = false;
    for (const Rule* branch = rule; branch != nullptr && !found; branch = branch->otherwise.get()) {
      if (!eval_function_rule(frame, *branch, terms, previous, found, next)) return false;
    }
    any = any || found;
  }
  if (rules.otherwise == nullptr || any) return true;
  bool found = false;
  return eval_function_rule(frame, *rules.otherwise, terms, previous, found, next);
}

bool Run::eval_function_rule(Frame& frame, const Rule& rule, const std::vector<Term>& terms, const Term*& previous,
                             bool& found, Next next) {
  Frame body = child(frame, &rule.body);
  std::vector<const Term*> given;
  std::vector<const Term*> wanted;
  for (std::size_t i = 1; i < terms.size(); ++i) given.push_back(&terms[i]);
  for (const Term& argument : rule.head.arguments) wanted.push_back(&argument);
  const bool output = given.size() == wanted.size() + 1;
  const Term* value = &*rule.head.value;
  if (output) wanted.push_back(value);
  return biunify_list(frame, given, wanted, frame.bindings, body.bindings, [&] {
    return eval(body, [&] {
      // An unknown value may turn out to be false.
      if (!output && is_unknown(*value, body.bindings)) {
        Expr test;
        test.terms.push_back(*value);
        return save_expr(frame, std::move(test), body.bindings, next);
      }
      found = true;
      const Term* result = plug(body.bindings, value);
      const bool conflict = !output && is_false(*result) && previous != nullptr && !equal(*previous, *result);
      previous = result;
      if (conflict) {
        return fail("eval_conflict_error",
                    "function " + to_string(terms[0]) + " produced conflicting values for the same inputs",
                    rule.location);
      }
      return (!output && is_false(*result)) || next();
    });
  });
}

bool Run::function_support(Frame& frame, const Rules& rules, const std::vector<Term>& terms, std::size_t arity,
                           Next next) {
  const Ref path = in_namespace(terms[0].items);
  if (!support_exists(path)) {
    for (const Rule* rule : rules.rules) {
      if (!function_support_rule(frame, *rule, path)) return false;
    }
    if (rules.otherwise != nullptr && !function_support_rule(frame, *rules.otherwise, path)) return false;
  }
  if (!support_exists(path)) return true;
  std::vector<Term> call = terms;
  call[0] = Term::ref(path, {});
  return save_call(frame, arity, call, next);
}

bool Run::function_support_rule(Frame& frame, const Rule& rule, const Ref& path) {
  Frame body = child(frame, &rule.body);
  SaveSetElement arguments{{}, {}, body.bindings};
  for (const Term& argument : rule.head.arguments) {
    passes::walk_terms(argument, [&](const Term& term) {
      if (term.kind == TermKind::kVar) arguments.vars.push_back(&term);
      return false;
    });
  }
  save_stack_.emplace_back();
  save_set_.push_back(std::move(arguments));
  const bool ok = eval(body, [&] {
    std::vector<Saved> current = std::move(save_stack_.back());
    save_stack_.pop_back();
    Body query = plugged_query(current);
    if (type_checks(query)) {
      Rule kept;
      kept.is_default = rule.is_default;
      kept.head.reference = rule.head.reference;
      kept.head.value = *plug(body.bindings, &*rule.head.value, root_);
      for (const Term& argument : rule.head.arguments) {
        kept.head.arguments.push_back(*plug(body.bindings, &argument, root_));
      }
      kept.body = std::move(query);
      add_support(Ref(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(package_size(path))), std::move(kept));
    }
    save_stack_.push_back(std::move(current));
    return true;
  });
  save_set_.pop_back();
  save_stack_.pop_back();
  return ok;
}

}  // namespace portcullis::rego::partial
