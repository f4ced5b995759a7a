#include "opa/test_cases.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

namespace portcullis::opa {
namespace {

using rego::Body;
using rego::Expr;
using rego::ExprKind;
using rego::Rule;
using rego::Term;
using rego::TermKind;

bool is_test(std::string_view name) { return name.starts_with("test_"); }
bool is_todo(std::string_view name) { return name.starts_with("todo_test_"); }

// How many steps of the rule's name there are up to the one that makes it a test; 0: it is none.
std::size_t steps_of_name(const Rule& rule) {
  const std::vector<Term>& steps = rule.head.reference.items;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0 && steps[i].kind != TermKind::kString) return 0;
    if (is_test(steps[i].text) || is_todo(steps[i].text)) return i + 1;
  }
  return 0;
}

Term reference(const std::vector<Term>& first, const std::vector<Term>& second, std::size_t count) {
  std::vector<Term> items = first;
  for (std::size_t i = 0; i < count; ++i) {
    Term step = second[i];
    if (!items.empty() && step.kind == TermKind::kVar) step.kind = TermKind::kString;
    items.push_back(std::move(step));
  }
  return Term::ref(std::move(items), {});
}

template <typename Visit>
void for_each_variable(const Term& term, Visit&& visit) {
  if (term.kind == TermKind::kVar) visit(term.text);
  for (std::size_t i = 0; i < term.items.size(); ++i) {
    if (i == 0 && term.kind == TermKind::kCall) continue;  // the operator
    for_each_variable(term.items[i], visit);
  }
}

bool mentions(const Expr& expr, std::string_view name) {
  bool found = false;
  const auto look = [&](const std::string& other) { found = found || other == name; };
  for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
    for_each_variable(expr.terms[i], look);
  }
  if (expr.kind == ExprKind::kEvery) for_each_variable(expr.every_domain, look);
  return found;
}

bool only_declares(const Expr& expr) {
  return expr.kind == ExprKind::kSome && std::all_of(expr.terms.begin(), expr.terms.end(),
                                                     [](const Term& term) { return term.kind == TermKind::kVar; });
}

void call_test_case(Rule& rule, std::size_t name_steps) {
  const std::vector<Term>& steps = rule.head.reference.items;
  Term keys(TermKind::kArray, rule.location);
  keys.items.assign(steps.begin() + static_cast<std::ptrdiff_t>(name_steps), steps.end());
  std::vector<Expr>& body = rule.body.exprs;
  // Behind the first expression that each of the keys' variables stands in.
  std::size_t at = 0;
  for_each_variable(keys, [&](const std::string& name) {
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (only_declares(body[i]) || !mentions(body[i], name)) continue;
      at = std::max(at, i + 1);
      break;
    }
  });
  Expr call;
  call.kind = ExprKind::kCall;
  call.location = rule.location;
  call.terms.push_back(
      Term::ref({Term::var("internal", rule.location), Term::string("test_case", rule.location)}, rule.location));
  call.terms.push_back(std::move(keys));
  body.insert(body.begin() + static_cast<std::ptrdiff_t>(at), std::move(call));
  for (std::size_t i = 0; i < body.size(); ++i) body[i].index = static_cast<std::uint32_t>(i);
}

}  // namespace

std::vector<TestRule> prepare_tests(std::vector<rego::Module>& modules) {
  std::vector<TestRule> out;
  std::map<std::string, int> seen;
  for (rego::Module& module : modules) {
    for (Rule& rule : module.rules) {
      const std::size_t count = steps_of_name(rule);
      if (count == 0) continue;
      std::vector<Term>& steps = rule.head.reference.items;
      Term& last = steps[count - 1];
      TestRule test;
      test.skipped = is_todo(last.text);
      if (!test.skipped) {
        const int number = seen[rego::to_string(reference(module.package.items, steps, count))]++;
        if (number > 0) {
          char suffix[16];
          std::snprintf(suffix, sizeof suffix, "#%02d", number);
          last.text += suffix;
        }
        test.has_cases = steps.size() > count && !rule.head.contains;
        if (test.has_cases) call_test_case(rule, count);
      }
      test.location = rule.location;
      test.package = rego::to_string(module.package);
      test.name = rego::to_string(reference({}, steps, count));
      test.entry_point = rego::to_string(reference(module.package.items, steps, count));
      out.push_back(std::move(test));
    }
  }
  return out;
}

}  // namespace portcullis::opa
