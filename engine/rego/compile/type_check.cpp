// The checker: expressions, references, rules.
#include "engine/rego/compile/type_check.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "base/text.h"
#include "engine/rego/compile/type_errors.h"
#include "engine/rego/compile/type_scope.h"
#include "engine/rego/compile/type_unify.h"

namespace portcullis::rego {
namespace {

constexpr const char* kTypeError = "rego_type_error";

bool is_root(const Term& term) { return term.is_var("data") || term.is_var("input"); }

bool is_scalar_term(const Term& term) {
  return is_constant_term(term) && term.items.empty() && term.kind < TermKind::kVar;
}

// An error, and whether it stems from a type that is unknown: then a more telling one is likely to be there.
struct Finding {
  Diagnostic diagnostic;
  bool from_unknown = false;
};
using MaybeFinding = std::optional<Finding>;

Diagnostic error_at(const Location& where, std::string message, std::vector<std::string> details = {}) {
  return {kTypeError, std::move(message), std::string(where.file), where.row, where.column, std::move(details)};
}

std::string prefix_text(const Term& reference, std::size_t steps) {
  Term prefix(TermKind::kRef, {});
  prefix.items.assign(reference.items.begin(), reference.items.begin() + static_cast<std::ptrdiff_t>(steps));
  return to_string(prefix);
}

bool names_local(std::string_view text) {
  const std::size_t at = text.find("__local");
  if (at == std::string_view::npos) return false;
  std::size_t end = at + 7;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return end > at + 7 && text.substr(end, 2) == "__";
}

// A constant's JSON text as Rego spells it: a space after commas and colons.
std::string spaced(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    out += json[i];
    if (json[i] == '\\' && quoted && i + 1 < json.size()) {
      out += json[++i];
    } else if (json[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (json[i] == ',' || json[i] == ':')) {
      out += ' ';
    }
  }
  return out;
}

// Sorted, as JSON texts.
std::vector<std::string> json_keys_of(const TypePtr& type) {
  std::vector<std::string> keys;
  if (!type) return keys;
  if (type->kind == TypeKind::kObject) {
    for (const auto& property : type->properties) keys.push_back(property.first);
  } else if (type->kind == TypeKind::kAny) {
    for (const TypePtr& alternative : type->alternatives) {
      for (std::string& key : json_keys_of(alternative)) keys.push_back(std::move(key));
    }
  }
  std::sort(keys.begin(), keys.end(),
            [](const std::string& a, const std::string& b) { return types::compare_keys(a, b) < 0; });
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::vector<std::string> keys_of(const TypePtr& type) {
  std::vector<std::string> keys = json_keys_of(type);
  for (std::string& key : keys) key = spaced(key);
  return keys;
}

std::vector<std::string> keys_of(const TypeNode& node) {
  std::vector<const Term*> terms;
  for (const auto& [name, child] : node.children) terms.push_back(&child->key);
  std::sort(terms.begin(), terms.end(), [](const Term* a, const Term* b) { return compare(*a, *b) < 0; });
  std::vector<std::string> keys;
  for (const Term* term : terms) keys.push_back(to_string(*term));
  return keys;
}

TypePtr function_type(const BuiltinDecl& decl) {
  std::vector<TypePtr> arguments;
  for (const std::string_view text : decl.arguments) {
    if (!text.empty()) arguments.push_back(parse_type(text));
  }
  TypePtr rest;
  if (decl.variadic && !arguments.empty()) {
    rest = std::move(arguments.back());
    arguments.pop_back();
  }
  return types::function(std::move(arguments), decl.result.empty() ? nullptr : parse_type(decl.result),
                         std::move(rest));
}

std::vector<Term> path_of(std::string_view dotted) {
  std::vector<Term> path;
  for (const std::string_view part : text::split(dotted, '.')) {
    path.push_back(path.empty() ? Term::var(std::string(part), {}) : Term::string(std::string(part), {}));
  }
  return path;
}

std::vector<NamedType> named_arguments(std::string_view builtin, const Type& function) {
  const std::vector<std::string_view> names = text::split(builtin_names(builtin).arguments, ',');
  std::vector<NamedType> result;
  for (std::size_t i = 0; i < function.items.size(); ++i) {
    result.push_back({i < names.size() ? std::string(names[i]) : std::string(), function.items[i]});
  }
  return result;
}

template <typename Visit>
void for_each_term(const Term& term, Visit&& visit) {
  visit(term);
  for (const Term& item : term.items) for_each_term(item, visit);
}

}  // namespace

class TypeChecker : public ClosureChecker {
 public:
  explicit TypeChecker(const TypeCheckOptions& options) : options_(options) {}

  ClosureTypes check_closure(TypeScope& scope, const Term& comprehension) override;
  std::vector<Diagnostic> check_body(TypeScope& scope, const Body& body);
  void check_rule(TypeScope& rules, const TypedRule& typed, std::vector<Diagnostic>& errors);

  static TypeScope& rules_of(const TypeEnvironment& environment) { return *environment.rules_; }

 private:
  struct ReferenceCheck {
    TypeScope& scope;
    std::vector<Finding> findings;
  };

  void check_expression(TypeScope& scope, const Expr& expr, std::vector<Diagnostic>& errors);
  void collect_closures(TypeScope& scope, const Term& term, std::vector<Diagnostic>& errors);
  void collect_closures(TypeScope& scope, const Body& body, std::vector<Diagnostic>& errors);
  void collect_closures(TypeScope& scope, const Expr& expr, std::vector<Diagnostic>& errors);

  void visit_references(ReferenceCheck& check, const Term& term);
  void visit_references(ReferenceCheck& check, const Expr& expr);
  void visit_references(ReferenceCheck& check, const Body* body);
  void check_reference(ReferenceCheck& check, const Term& reference);
  MaybeFinding walk(ReferenceCheck& check, TypeScope* at, const TypeNode& node, const Term& reference,
                    std::size_t index);
  MaybeFinding walk_type(ReferenceCheck& check, TypePtr type, const Term& reference, std::size_t index);
  MaybeFinding step_into_empty(ReferenceCheck& check, const TypePtr& type, const Term& reference, std::size_t index);
  MaybeFinding check_step(ReferenceCheck& check, const TypePtr& type, const TypePtr& keys, const Term& reference,
                          std::size_t index);
  Finding invalid(const Term& reference, std::size_t at, const TypePtr& have, const TypePtr& want,
                  const std::vector<std::string>& one_of) const;
  Finding unsupported(const Term& reference, std::size_t at, const TypePtr& have) const;

  MaybeFinding check_call(TypeScope& scope, const Expr& expr);
  MaybeFinding check_equality(TypeScope& scope, const Expr& expr);
  MaybeFinding check_member(TypeScope& scope, const Expr& expr, std::size_t arity);
  MaybeFinding check_member_operand(TypeScope& scope, const Expr& expr, const Term& term, const TypePtr& type);
  MaybeFinding check_arguments(TypeScope& scope, const Expr& expr);
  MaybeFinding check_with(TypeScope& scope, const Expr& expr);
  Finding argument_error(const Location& where, const Term& op, std::string_view what, std::vector<TypePtr> have,
                         const Type& function, bool with_result) const;
  std::vector<std::unique_ptr<TypeScope>> with_scopes(TypeScope& scope, const Expr& expr);
  TypeNode* relaxed(const Term& target, bool is_function);
  TypePtr rule_type(TypeScope& scope, const Rule& rule, std::vector<Term>& path);
  Term author(const Term& reference) const {
    return options_.author_reference ? options_.author_reference(reference) : reference;
  }

  const TypeCheckOptions& options_;
  // Trees that type every rule a `with` on the target may change as any.
  std::map<std::string, std::unique_ptr<TypeNode>> relaxed_;
};

// --- bodies ---

ClosureTypes TypeChecker::check_closure(TypeScope& scope, const Term& comprehension) {
  ClosureTypes result;
  TypeScope inner(&scope, this);
  result.errors = check_body(inner, *comprehension.body);
  if (!result.errors.empty()) return result;
  TypePtr first = inner.type_of(comprehension.items[0]);
  if (comprehension.kind == TermKind::kArrayComprehension) {
    result.type = types::array({}, std::move(first));
  } else if (comprehension.kind == TermKind::kSetComprehension) {
    result.type = types::set(std::move(first));
  } else {
    result.type = types::object({}, std::move(first), inner.type_of(comprehension.items[1]), true);
  }
  return result;
}

std::vector<Diagnostic> TypeChecker::check_body(TypeScope& scope, const Body& body) {
  std::vector<Diagnostic> errors;
  for (const Expr& expr : body.exprs) check_expression(scope, expr, errors);
  return errors;
}

void TypeChecker::check_expression(TypeScope& scope, const Expr& expr, std::vector<Diagnostic>& errors) {
  const std::vector<std::unique_ptr<TypeScope>> with = with_scopes(scope, expr);
  TypeScope& inner = with.empty() ? scope : *with.back();

  std::vector<Diagnostic> closure_errors;
  collect_closures(inner, expr, closure_errors);
  const bool closures_failed = !closure_errors.empty();
  std::move(closure_errors.begin(), closure_errors.end(), std::back_inserter(errors));

  ReferenceCheck check{inner, {}};
  visit_references(check, expr);
  for (Finding& finding : check.findings) errors.push_back(std::move(finding.diagnostic));

  MaybeFinding finding = check_with(inner, expr);
  if (!finding && expr.kind == ExprKind::kCall) finding = check_call(inner, expr);
  if (!finding) return;
  if (finding->from_unknown && (closures_failed || !check.findings.empty())) return;
  errors.push_back(std::move(finding->diagnostic));
}

// Errors of the comprehensions in an expression: of several, the last one's stand, as in OPA.
void TypeChecker::collect_closures(TypeScope& scope, const Term& term, std::vector<Diagnostic>& errors) {
  if (term.is_comprehension()) {
    // What is inside a comprehension without errors has been checked with it.
    const ClosureTypes& closure = scope.closure(term);
    if (!closure.errors.empty()) errors = closure.errors;
    return;
  }
  for (const Term& item : term.items) collect_closures(scope, item, errors);
  if (term.body) collect_closures(scope, *term.body, errors);
}

void TypeChecker::collect_closures(TypeScope& scope, const Body& body, std::vector<Diagnostic>& errors) {
  for (const Expr& expr : body.exprs) collect_closures(scope, expr, errors);
}

void TypeChecker::collect_closures(TypeScope& scope, const Expr& expr, std::vector<Diagnostic>& errors) {
  for (const Term& term : expr.terms) collect_closures(scope, term, errors);
  if (expr.every_body) {
    if (expr.every_key) collect_closures(scope, *expr.every_key, errors);
    collect_closures(scope, expr.every_value, errors);
    collect_closures(scope, expr.every_domain, errors);
    collect_closures(scope, *expr.every_body, errors);
  }
  if (expr.left) collect_closures(scope, *expr.left, errors);
  if (expr.right) collect_closures(scope, *expr.right, errors);
  for (const With& with : expr.with) {
    collect_closures(scope, with.target, errors);
    collect_closures(scope, with.value, errors);
  }
}

// --- references ---

void TypeChecker::visit_references(ReferenceCheck& check, const Body* body) {
  if (body == nullptr) return;
  for (const Expr& expr : body->exprs) visit_references(check, expr);
}

void TypeChecker::visit_references(ReferenceCheck& check, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kCall:
      for (std::size_t i = 1; i < expr.terms.size(); ++i) visit_references(check, expr.terms[i]);
      return;
    case ExprKind::kTerm: visit_references(check, expr.terms[0]); return;
    case ExprKind::kNot: visit_references(check, expr.left.get()); return;
    case ExprKind::kSome:
      for (const Term& term : expr.terms) visit_references(check, term);
      break;
    case ExprKind::kEvery:
      if (expr.every_key) visit_references(check, *expr.every_key);
      visit_references(check, expr.every_value);
      visit_references(check, expr.every_domain);
      visit_references(check, expr.every_body.get());
      break;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      visit_references(check, expr.left.get());
      visit_references(check, expr.right.get());
      break;
  }
  for (const With& with : expr.with) {
    visit_references(check, with.target);
    visit_references(check, with.value);
  }
}

void TypeChecker::visit_references(ReferenceCheck& check, const Term& term) {
  if (term.is_comprehension()) return;
  if (term.kind == TermKind::kRef) {
    const TypePtr type = check.scope.type_of_reference(term.items);
    if (type && type->kind == TypeKind::kFunction) {
      check.findings.push_back(unsupported(term, term.items.size() - 1, type));
      return;
    }
    if (MaybeFinding finding = walk(check, &check.scope, check.scope.tree(), term, 0)) {
      check.findings.push_back(std::move(*finding));
    }
  }
  for (const Term& item : term.items) visit_references(check, item);
  visit_references(check, term.body.get());
}

// Follows a reference down the tree of documents from `index` on.
MaybeFinding TypeChecker::walk(ReferenceCheck& check, TypeScope* at, const TypeNode& node, const Term& reference,
                               std::size_t index) {
  if (index == reference.items.size()) return std::nullopt;
  const Term& step = reference.items[index];
  if ((index == 1 || index == 2) && step.kind != TermKind::kVar && step.kind != TermKind::kString) {
    return invalid(reference, index, check.scope.type_of(step), types::string(), keys_of(node));
  }
  if (step.kind == TermKind::kVar && index != 0) {
    const TypePtr keys = types::keys(check.scope.extent(node));
    if (const TypePtr known = check.scope.type_of_variable(step.text)) {
      if (!unifies(keys, known)) return invalid(reference, index, known, keys, keys_of(node));
    } else {
      check.scope.put_variable(step, keys);
    }
  }
  const TypeNode* child = node.child(step);
  if (child == nullptr) {
    if (TypeScope* next = at->next()) return walk(check, next, next->tree(), reference, 0);
    if (!is_root(reference.items[0])) return walk_type(check, types::any(), reference, 0);
    if (index == 0) return walk_type(check, types::any(), reference, 1);
    for (const auto& [name, below] : node.children) walk(check, at, *below, reference, index + 1);
    return std::nullopt;
  }
  if (child->type) return walk_type(check, child->type, reference, index + 1);
  return walk(check, at, *child, reference, index + 1);
}

// Follows the rest of a reference through a type.
MaybeFinding TypeChecker::walk_type(ReferenceCheck& check, TypePtr type, const Term& reference, std::size_t index) {
  for (; index < reference.items.size(); ++index) {
    const Term& step = reference.items[index];
    if (is_empty_collection(type)) return step_into_empty(check, type, reference, index);
    const TypePtr keys = types::keys(type);
    if (!keys) return unsupported(reference, index - 1, type);
    switch (step.kind) {
      case TermKind::kVar:
      case TermKind::kRef:
      case TermKind::kArray:
      case TermKind::kObject:
      case TermKind::kSet:
        if (MaybeFinding finding = check_step(check, type, keys, reference, index)) return finding;
        type = types::values(type);
        break;
      default: {
        TypePtr child = select_constant(type, step);
        if (!child) return invalid(reference, index, nullptr, keys, keys_of(type));
        type = std::move(child);
      }
    }
  }
  return std::nullopt;
}

// A constant never matches; iterating is fine and yields nothing.
MaybeFinding TypeChecker::step_into_empty(ReferenceCheck& check, const TypePtr& type, const Term& reference,
                                          std::size_t index) {
  const Term& step = reference.items[index];
  if (is_scalar_term(step)) return invalid(reference, index, nullptr, nullptr, {});
  if (step.kind != TermKind::kVar) return std::nullopt;
  const TypePtr known = check.scope.type_of_variable(step.text);
  if (!known) {
    check.scope.put_variable(step, types::any());
  } else if (const TypePtr keys = types::keys(type); keys && !unifies(known, keys)) {
    return invalid(reference, index, known, keys, {});
  }
  return std::nullopt;
}

MaybeFinding TypeChecker::check_step(ReferenceCheck& check, const TypePtr& type, const TypePtr& keys,
                                     const Term& reference, std::size_t index) {
  const Term& step = reference.items[index];
  if (step.kind == TermKind::kVar) {
    const TypePtr known = check.scope.type_of_variable(step.text);
    if (!known) {
      check.scope.put_variable(step, keys);
    } else if (!unifies(known, keys)) {
      return invalid(reference, index, known, keys, keys_of(type));
    }
  } else if (step.kind == TermKind::kRef) {
    const TypePtr known = check.scope.type_of_reference(step.items);
    if (known && !unifies(known, keys)) return invalid(reference, index, known, keys, keys_of(type));
  } else if (!unify_term(check.scope, step, keys, false)) {
    return invalid(reference, index, check.scope.type_of(step), keys, {});
  }
  return std::nullopt;
}

Finding TypeChecker::invalid(const Term& reference, std::size_t at, const TypePtr& have, const TypePtr& want,
                             const std::vector<std::string>& one_of) const {
  const Term shown = author(reference);
  const std::string pad(prefix_text(shown, at).size() + 1, ' ');
  std::vector<std::string> details = {to_string(shown), pad + "^"};
  details.push_back(pad + (have ? "have (type): " + to_string(have) : "have: " + to_string(shown.items[at])));
  if (!one_of.empty() || !want) {
    details.push_back(pad + "want (one of): [" + text::join(one_of, " ") + "]");
  } else {
    details.push_back(pad + "want (type): " + to_string(want));
  }
  return {error_at(reference.items[0].location, "undefined ref: " + to_string(shown), std::move(details)), false};
}

Finding TypeChecker::unsupported(const Term& reference, std::size_t at, const TypePtr& have) const {
  const Term shown = author(reference);
  std::string message = "undefined ref: " + to_string(shown);
  if (have && have->kind == TypeKind::kFunction) {
    const bool local = names_local(to_string(shown.items.back()));
    message = "function " + prefix_text(shown, shown.items.size() - (local ? 1 : 0)) + " used as reference, not called";
  }
  std::vector<std::string> details = {to_string(shown), std::string(prefix_text(shown, at + 1).size(), '^'),
                                      "have: " + (have ? to_string(have) : std::string("<nil>"))};
  return {error_at(reference.items[0].location, std::move(message), std::move(details)), false};
}

// --- calls ---

MaybeFinding TypeChecker::check_call(TypeScope& scope, const Expr& expr) {
  const std::string name = expr.operator_name();
  if (name == "eq") return check_equality(scope, expr);
  const std::size_t arity = name == "internal.member_2" ? 2 : (name == "internal.member_3" ? 3 : 0);
  if (arity != 0) {
    if (MaybeFinding finding = check_member(scope, expr, arity)) return finding;
  }
  return check_arguments(scope, expr);
}

MaybeFinding TypeChecker::check_equality(TypeScope& scope, const Expr& expr) {
  const Term& op = expr.terms[0];
  if (expr.terms.size() != 3) {
    std::vector<TypePtr> have;
    for (std::size_t i = 1; i < expr.terms.size(); ++i) have.push_back(scope.type_of(expr.terms[i]));
    const TypePtr equality = types::function({types::any(), types::any()}, types::boolean());
    return argument_error(expr.location, op, expr.terms.size() < 3 ? "too few arguments" : "too many arguments",
                          std::move(have), *equality, false);
  }
  const Term& a = expr.terms[1];
  const Term& b = expr.terms[2];
  const TypePtr type_a = scope.type_of(a);
  const TypePtr type_b = scope.type_of(b);
  if (unify_terms(scope, a, type_a, b, type_b)) return std::nullopt;
  return Finding{error_at(expr.location, "match error", match_details(type_a, type_b)),
                 types::unknown(type_a) || types::unknown(type_b)};
}

// What may be found in a collection depends on the collection, which the builtin's declaration can't say.
MaybeFinding TypeChecker::check_member(TypeScope& scope, const Expr& expr, std::size_t arity) {
  if (expr.terms.size() < arity + 1) return std::nullopt;
  const TypePtr collection = scope.type_of(expr.terms[arity]);
  const TypePtr values = types::values(collection);
  if (!values) return std::nullopt;
  if (arity == 3) {
    if (MaybeFinding finding = check_member_operand(scope, expr, expr.terms[1], types::keys(collection)))
      return finding;
  }
  return check_member_operand(scope, expr, expr.terms[arity - 1], values);
}

MaybeFinding TypeChecker::check_member_operand(TypeScope& scope, const Expr& expr, const Term& term,
                                               const TypePtr& type) {
  if (types::unknown(type)) return std::nullopt;
  const TypePtr have = scope.type_of(term);
  if ((types::unknown(have) || unifies(have, type)) && unify_term(scope, term, type, false)) return std::nullopt;
  return Finding{error_at(expr.location, "match error", match_details(have, type)), types::unknown(have)};
}

MaybeFinding TypeChecker::check_arguments(TypeScope& scope, const Expr& expr) {
  const Term& op = expr.terms[0];
  const TypePtr type = op.kind == TermKind::kRef ? scope.type_of_reference(op.items) : scope.type_of(op);
  if (types::is_any(type)) return std::nullopt;  // may be a function that is not known here
  if (!type || type->kind != TypeKind::kFunction) {
    return Finding{error_at(expr.location, "undefined function " + to_string(op)), false};
  }
  std::vector<TypePtr> want = type->items;
  if (type->dynamic) want.push_back(type->dynamic);
  const std::size_t count = expr.terms.size() - 1;
  std::vector<TypePtr> have;
  for (std::size_t i = 0; i < count; ++i) have.push_back(scope.type_of(expr.terms[i + 1]));
  if (count > want.size() && !type->rest) {
    return argument_error(expr.location, op, "too many arguments", std::move(have), *type, true);
  }
  if (count < type->items.size()) {
    return argument_error(expr.location, op, "too few arguments", std::move(have), *type, true);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const TypePtr& wanted = i < want.size() ? want[i] : type->rest;
    if (!types::unknown(have[i]) && !unifies(have[i], wanted)) {
      return argument_error(expr.location, op, "invalid argument(s)", std::move(have), *type, true);
    }
    if (!unify_term(scope, expr.terms[i + 1], wanted, false)) {
      for (std::size_t k = 0; k < count; ++k) have[k] = scope.type_of(expr.terms[k + 1]);
      return argument_error(expr.location, op, "invalid argument(s)", std::move(have), *type, true);
    }
  }
  return std::nullopt;
}

Finding TypeChecker::argument_error(const Location& where, const Term& op, std::string_view what,
                                    std::vector<TypePtr> have, const Type& function, bool with_result) const {
  const std::string name = to_string(op);
  std::vector<NamedType> want = named_arguments(with_result ? name : std::string(), function);
  if (with_result && function.dynamic) want.push_back({std::string(builtin_names(name).result), function.dynamic});
  const bool unknown = std::any_of(have.begin(), have.end(), types::unknown);
  return {error_at(where, name + ": " + std::string(what), argument_details(have, want, function.rest)), unknown};
}

// --- with ---

MaybeFinding TypeChecker::check_with(TypeScope& scope, const Expr& expr) {
  for (const With& with : expr.with) {
    const TypePtr target = scope.type_of(with.target);
    if (!target || target->kind != TypeKind::kFunction) continue;
    const TypePtr value = scope.type_of(with.value);
    if (!value || value->kind != TypeKind::kFunction || unifies(target, value)) continue;
    const std::string name = to_string(with.target);
    const std::vector<NamedType> want = named_arguments(name, *target);
    return Finding{
        error_at(with.location, name + ": arity mismatch", argument_details(value->items, want, target->rest)),
        std::any_of(value->items.begin(), value->items.end(), types::unknown)};
  }
  return std::nullopt;
}

// The scopes for an expression with `with`, outermost first: what it replaces may also have the replacement's type, and
// what depends on that may be anything.
std::vector<std::unique_ptr<TypeScope>> TypeChecker::with_scopes(TypeScope& scope, const Expr& expr) {
  std::vector<std::unique_ptr<TypeScope>> scopes;
  std::vector<std::pair<std::vector<Term>, TypePtr>> replaced;
  const auto innermost = [&]() -> TypeScope& { return scopes.empty() ? scope : *scopes.back(); };
  for (const With& with : expr.with) {
    if (with.target.kind != TermKind::kRef) continue;
    const TypePtr target = scope.type_of_reference(with.target.items);
    const bool is_function = target && target->kind == TypeKind::kFunction;
    if (TypeNode* tree = relaxed(with.target, is_function)) scopes.push_back(TypeScope::for_with(innermost(), tree));
    if (is_function) continue;
    TypePtr type = types::any();
    const std::size_t ground = constant_prefix(with.target.items);
    if (ground == with.target.items.size() && target) {
      if (const TypePtr value = scope.type_of(with.value)) {
        if (TypePtr both = types::either(target, value)) type = std::move(both);
      }
    }
    replaced.emplace_back(
        std::vector<Term>(with.target.items.begin(), with.target.items.begin() + static_cast<std::ptrdiff_t>(ground)),
        std::move(type));
  }
  if (replaced.empty()) return scopes;
  scopes.push_back(TypeScope::for_with(innermost(), nullptr));
  for (auto& [path, type] : replaced) scopes.back()->tree().put(path, std::move(type));
  return scopes;
}

TypeNode* TypeChecker::relaxed(const Term& target, bool is_function) {
  if (!options_.dependents) return nullptr;
  const std::string key = (is_function ? "f:" : "") + to_string(target);
  const auto found = relaxed_.find(key);
  if (found != relaxed_.end()) return found->second.get();
  std::unique_ptr<TypeNode> tree;
  for (const std::vector<Term>& reference : options_.dependents(target)) {
    const bool same =
        reference.size() == target.items.size() && std::equal(reference.begin(), reference.end(), target.items.begin(),
                                                              [](const Term& a, const Term& b) { return equal(a, b); });
    if (is_function && same) continue;
    if (!tree) tree = std::make_unique<TypeNode>();
    tree->put(reference, types::any());
  }
  return (relaxed_[key] = std::move(tree)).get();
}

// --- rules ---

void TypeChecker::check_rule(TypeScope& rules, const TypedRule& typed, std::vector<Diagnostic>& errors) {
  const Rule& rule = *typed.rule;
  TypeScope scope(&rules, this);
  std::vector<Diagnostic> found = check_body(scope, rule.body);
  if (!found.empty()) {
    // Whoever uses the rule is not to blame.
    std::move(found.begin(), found.end(), std::back_inserter(errors));
    rules.tree().put(typed.reference, types::any());
    return;
  }
  std::vector<Term> path = typed.reference;
  if (const TypePtr type = rule_type(scope, rule, path)) rules.tree().insert(path, type, rules);
}

// The type of the document at `path`, which is cut to its constant part.
TypePtr TypeChecker::rule_type(TypeScope& scope, const Rule& rule, std::vector<Term>& path) {
  const Head& head = rule.head;
  if (!head.arguments.empty()) {
    std::vector<TypePtr> arguments;
    for (const Term& argument : head.arguments) {
      for_each_term(argument, [&](const Term& term) {
        if (term.kind == TermKind::kVar && !scope.type_of_variable(term.text)) scope.put_variable(term, types::any());
      });
    }
    for (const Term& argument : head.arguments) arguments.push_back(scope.type_of(argument));
    return types::function(std::move(arguments), head.value ? scope.type_of(*head.value) : types::boolean());
  }
  TypePtr type;
  if (head.value) {
    type = scope.type_of(*head.value);
  } else if (head.key) {
    TypePtr key = scope.type_of(*head.key);
    if (!key) return nullptr;
    type = types::set(std::move(key));
  }
  const std::size_t ground = constant_prefix(path);
  for (std::size_t i = path.size(); type && i > ground; --i) {
    TypePtr key = scope.type_of(path[i - 1]);
    if (!key) return nullptr;
    type = types::object({}, std::move(key), std::move(type));
  }
  path.resize(ground);
  return type;
}

// --- entry points ---

TypeEnvironment::TypeEnvironment(const BuiltinRegistry& builtins)
    : builtins_(std::make_unique<TypeScope>(nullptr)), rules_(std::make_unique<TypeScope>(builtins_.get())) {
  for (const BuiltinRegistry::Entry& entry : builtins.entries()) {
    if (!entry.disabled) builtins_->tree().put(path_of(entry.decl->name), function_type(*entry.decl));
  }
}

TypeEnvironment::~TypeEnvironment() = default;

TypePtr TypeEnvironment::type_of(const Term& reference) const {
  return reference.kind == TermKind::kRef ? rules_->type_of_reference(reference.items) : rules_->type_of(reference);
}

std::vector<std::string> arity_details(const BuiltinDecl& builtin, std::span<const Term> arguments) {
  TypeScope scope(nullptr);
  std::vector<TypePtr> have;
  for (const Term& argument : arguments) have.push_back(scope.type_of(argument));
  const TypePtr function = function_type(builtin);
  return argument_details(have, named_arguments(builtin.name, *function), function->rest);
}

void check_types(TypeEnvironment& environment, std::span<const TypedRule> rules, const TypeCheckOptions& options,
                 Diagnostics& errors) {
  TypeChecker checker(options);
  std::vector<Diagnostic> found;
  for (const TypedRule& rule : rules) checker.check_rule(TypeChecker::rules_of(environment), rule, found);
  std::stable_sort(found.begin(), found.end(), [](const Diagnostic& a, const Diagnostic& b) {
    if (a.file != b.file) return a.file < b.file;
    if (a.row != b.row) return a.row < b.row;
    if (a.column != b.column) return a.column < b.column;
    return a.to_string() < b.to_string();
  });
  std::move(found.begin(), found.end(), std::back_inserter(errors.list));
}

void check_query_types(const TypeEnvironment& environment, const Body& query, const TypeCheckOptions& options,
                       Diagnostics& errors) {
  TypeChecker checker(options);
  TypeScope scope(&TypeChecker::rules_of(environment), &checker);
  std::vector<Diagnostic> found = checker.check_body(scope, query);
  std::move(found.begin(), found.end(), std::back_inserter(errors.list));
}

}  // namespace portcullis::rego
