// What v1 asks of a module that its grammar does not show.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "engine/rego/format/format.h"
#include "engine/rego/format/walk.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego {
namespace {

constexpr const char* kCompileError = "rego_compile_error";
constexpr std::string_view kDeprecated[] = {"all",         "any",      "cast_array",  "cast_boolean",     "cast_null",
                                            "cast_object", "cast_set", "cast_string", "net.cidr_overlap", "re_match",
                                            "set_diff"};

bool is_reserved(std::string_view name) { return name == "data" || name == "input"; }

template <typename Visitor>
void walk_rule(const Rule& rule, Visitor& visit) {
  visit.before(rule.head);
  for (const Term& argument : rule.head.arguments) format::walk_term(argument, visit);
  if (rule.head.key) format::walk_term(*rule.head.key, visit);
  if (rule.head.value) format::walk_term(*rule.head.value, visit);
  format::walk_body(rule.body, visit);
  if (rule.otherwise) walk_rule(*rule.otherwise, visit);
}

struct Assignments {
  Diagnostics& errors;
  void before(const Head&) {}
  void term(const Term&) {}
  void with(const With&) {}
  void expr(const Expr& expr) {
    if (expr.kind != ExprKind::kCall || expr.terms.size() < 2 || expr.operator_name() != "assign") return;
    const std::string name = to_string(expr.terms[1]);
    if (!is_reserved(name)) return;
    errors.add(kCompileError, expr.location, "variables must not shadow " + name + " (use a different variable name)");
  }
};

struct DeprecatedCalls {
  Diagnostics& errors;
  void check(const std::string& name, const Location& where) {
    if (std::find(std::begin(kDeprecated), std::end(kDeprecated), name) == std::end(kDeprecated)) return;
    errors.add("rego_type_error", where, "deprecated built-in function calls in expression: " + name);
  }
  void before(const Head& head) { format::walk_term(head.reference, *this); }
  void term(const Term& term) {
    if (term.kind == TermKind::kCall) check(to_string(term.items[0]), term.items[0].location);
  }
  void with(const With&) {}
  void expr(const Expr& expr) {
    if (expr.kind == ExprKind::kCall) check(expr.operator_name(), expr.location);
  }
};

}  // namespace

Diagnostics check_for_v1(const Module& module) {
  Diagnostics errors;
  std::map<std::string_view, const Import*> names;
  for (const Import& import : module.imports) {
    const std::string_view name = import.alias.empty() ? import.path.items.back().text : std::string_view(import.alias);
    const auto [at, fresh] = names.emplace(name, &import);
    if (!fresh) errors.add(kCompileError, import.location, "import must not shadow " + to_string(*at->second));
  }
  for (const Rule& rule : module.rules) {
    const std::string& name = rule.head.reference.items[0].text;
    if (is_reserved(name)) {
      errors.add(kCompileError, rule.location, "rules must not shadow " + name + " (use a different rule name)");
    }
    for (const Term& argument : rule.head.arguments) {
      if (argument.kind != TermKind::kRef || argument.items.size() != 1 || !is_reserved(argument.items[0].text))
        continue;
      errors.add(kCompileError, argument.location,
                 "args must not shadow " + to_string(argument) + " (use a different variable name)");
    }
  }
  Assignments assignments{errors};
  for (const Rule& rule : module.rules) walk_rule(rule, assignments);
  DeprecatedCalls calls{errors};
  for (const Rule& rule : module.rules) walk_rule(rule, calls);
  for (const Rule& rule : module.rules) {
    const Term& reference = rule.head.reference;
    if (reference.items.size() >= 2 || !is_keyword_in(reference.items[0].text, RegoVersion::kV1)) continue;
    errors.add("rego_parse_error", rule.location, reference.items[0].text + " keyword cannot be used for rule name");
  }
  return errors;
}

}  // namespace portcullis::rego
