// Nested calls become expressions of their own: f(g(x)) is g(x, __local0__); f(__local0__). References to what is no
// variable get one: [1, 2][i] is __local0__ = [1, 2]; __local0__[i].
#include <iterator>

#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

class Expander {
 public:
  explicit Expander(Names& names) : names_(names) {}

  void body(Body& b) {
    std::vector<Expr> result;
    result.reserve(b.exprs.size() + 4);
    for (Expr& e : b.exprs) expr(std::move(e), result);
    b.exprs = std::move(result);
    renumber(b);
  }

  // Appends what must be evaluated before `t` to `support` and leaves in `t` what stands for its value.
  void term(Term& t, std::vector<Expr>& support) {
    switch (t.kind) {
      case TermKind::kCall: call(t, support); return;
      case TermKind::kRef: reference(t, support); return;
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension: {
        for (Term& head : t.items) {
          std::vector<Expr> inside;
          term(head, inside);
          append_to_body(*t.body, std::move(inside));
        }
        body(*t.body);
        return;
      }
      default:
        for (Term& item : t.items) term(item, support);
    }
  }

 private:
  void call(Term& t, std::vector<Expr>& support) {
    for (std::size_t i = 1; i < t.items.size(); ++i) term(t.items[i], support);
    const Location where = t.location;
    Term output = names_.fresh_term(where);
    Expr e;
    e.kind = ExprKind::kCall;
    e.generated = true;
    e.location = where;
    e.terms = std::move(t.items);
    e.terms.push_back(output);
    support.push_back(std::move(e));
    t = std::move(output);
  }

  void reference(Term& t, std::vector<Expr>& support) {
    for (Term& item : t.items) term(item, support);
    Term& head = t.items[0];
    if (head.kind != TermKind::kVar && head.kind != TermKind::kRef) support.push_back(hoist(names_, head));
  }

  void expr(Expr e, std::vector<Expr>& result) {
    for (With& with : e.with) term(with.value, result);
    const std::size_t first = result.size();
    switch (e.kind) {
      case ExprKind::kTerm: term(e.terms[0], result); break;
      case ExprKind::kCall:
        for (std::size_t i = 1; i < e.terms.size(); ++i) term(e.terms[i], result);
        break;
      case ExprKind::kEvery: {
        const Location where = e.every_domain.location;
        Term fresh = names_.fresh_term(where);
        Expr domain = make_equality(names_, fresh, std::move(e.every_domain), where);
        domain.generated = true;
        term(domain.terms[2], result);
        result.push_back(std::move(domain));
        e.every_domain = std::move(fresh);
        body(*e.every_body);
        break;
      }
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr: for_each_body(e, [this](Body& b) { body(b); }); break;
      case ExprKind::kSome: break;
    }
    if (!e.with.empty()) {
      for (std::size_t i = first; i < result.size(); ++i) result[i].with = e.with;
    }
    result.push_back(std::move(e));
  }

  Names& names_;
};

}  // namespace

void rewrite_expression_terms(Context& context) {
  Expander expander(context.names);
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      const auto head = [&](Term& term) {
        if (is_scalar(term) || term.kind == TermKind::kVar) return;
        std::vector<Expr> support;
        expander.term(term, support);
        append_to_body(rule.body, std::move(support));
      };
      for (Term& argument : rule.head.arguments) head(argument);
      if (rule.head.key) head(*rule.head.key);
      if (rule.head.value) head(*rule.head.value);
      expander.body(rule.body);
      return false;
    });
  }
}

void rewrite_expression_terms(Context& context, Body& body) { Expander(context.names).body(body); }

}  // namespace portcullis::rego::passes
