#include "engine/rego/partial/partial.h"

#include <algorithm>

#include "engine/rego/compile/type_check.h"
#include "engine/rego/partial/run.h"

namespace portcullis::rego {
namespace partial {
namespace {

CheckOptions options_with(const BuiltinRegistry* builtins) {
  CheckOptions options;
  options.builtins = builtins;
  return options;
}

int compare_rules(const Rule& a, const Rule& b) {
  if (const int order = compare(a.head, b.head); order != 0) return order;
  if (a.is_default != b.is_default) return a.is_default ? 1 : -1;
  return compare(a.body, b.body);
}

}  // namespace

Run::Run(const CheckedModules& modules, const CheckedQuery& query, Arena& arena, Host& host,
         const PartialOptions& options)
    : modules_(modules),
      query_(query),
      arena_(arena),
      options_(options),
      check_options_(options_with(modules.builtins)),
      context_(check_options_, "__localp"),
      builtin_context_(arena, host) {
  context_.names.adopt(query.variables);
  context_.tree = modules.tree.get();
  context_.errors = passes::Errors(1);
  builtin_context_.deadline = options.limits.deadline;
  builtin_context_.now_ns = host.now_ns();
}

Result<PartialResult, EvalError> Run::run(const Value& input, const Value& data) {
  const char here = 0;
  stack_start_ = reinterpret_cast<std::uintptr_t>(&here);
  data_ = data;
  cache_.emplace_back();
  mocks_.emplace_back();
  save_stack_.emplace_back();
  root_ = new_bindings(0);
  SaveSetElement unknowns{{}, {}, root_};
  passes::VarSet live;
  std::vector<Term> list = options_.unknowns;
  if (list.empty()) list.push_back(Term::ref({Term::var("input", {})}, {}));
  for (Term& unknown : list) {
    number(unknown);
    const Term* term = keep(std::move(unknown));
    const Term& head = term->kind == TermKind::kRef ? term->items[0] : *term;
    (term->kind == TermKind::kRef ? unknowns.refs : unknowns.vars).push_back(term);
    live.insert(context_.names.intern(head.text));
  }
  save_set_.push_back(std::move(unknowns));
  if (!options_.disable_inlining.empty()) {
    Disabled frame;
    for (const Term& ref : options_.disable_inlining) frame.refs.push_back(&ref);
    disabled_.push_back(std::move(frame));
  }
  Body body = query_.body;
  number(body);
  passes::walk_terms(body, [&](const Term& term) {
    if (term.kind == TermKind::kVar && !is_generated(term.text)) live.insert(term.variable);
    return false;
  });

  Frame frame;
  frame.query = keep(std::move(body));
  frame.id = next_id_++;
  frame.bindings = root_;
  frame.input = from_value(input);
  PartialResult result;
  const bool ok = eval(frame, [&] {
    Body query;
    for (const Saved& saved : save_stack_.back()) query.exprs.push_back(plugged_expr(saved));
    const std::size_t saved = query.exprs.size();
    for (const Bindings::Entry& entry : root_->values) {
      query.exprs.push_back(equality(*entry.key, *plug(root_, entry.key, root_)));
    }
    std::sort(query.exprs.begin() + static_cast<std::ptrdiff_t>(saved), query.exprs.end(),
              [](const Expr& a, const Expr& b) { return compare(a, b) < 0; });
    passes::renumber(query);
    if (!type_checks(query)) return step();
    if (!options_.shallow_inlining) query = propagated(std::move(query), live, false);
    result.queries.push_back(std::move(query));
    return step();
  });
  if (!ok || error_) return error_ ? *error_ : EvalError{"eval_internal_error", "partial evaluation ended", {}, 0, 0};
  for (auto& [name, module] : support_) {
    std::stable_sort(module.rules.begin(), module.rules.end(),
                     [](const Rule& a, const Rule& b) { return compare_rules(a, b) < 0; });
    result.support.push_back(std::move(module));
  }
  return result;
}

}  // namespace partial

void unify_equals(Body& query) {
  passes::walk_exprs(query, [](Expr& expr) {
    if (expr.kind == ExprKind::kCall && expr.terms.size() == 3 && expr.operator_name() == "equal") {
      expr.terms[0].items[0].text = "eq";
    }
    return false;
  });
}

Result<PartialResult, EvalError> partial_evaluate(const CheckedModules& modules, const CheckedQuery& query,
                                                  const Value& input, const Value& data, Arena& arena, Host& host,
                                                  const PartialOptions& options) {
  partial::Run run(modules, query, arena, host, options);
  return run.run(input, data);
}

}  // namespace portcullis::rego
