// Rules of one partial document often begin alike (`container := input.review.object.spec.containers[_]; not
// exempt(container)`). What they have in common is planned once: the rules become a tree by their leading expressions,
// equal but for the names of variables. The order in which elements are found changes, the set does not.
#include <algorithm>

#include "engine/rego/compile/planner.h"
#include "engine/rego/compile/walk.h"

namespace portcullis::rego {

// Compares two expressions. A variable that is bound must be bound to the same operand in the other rule; others must
// correspond one to one.
class FunctionPlanner::Likeness {
 public:
  Likeness(const std::vector<Binding>& a, const std::vector<Binding>& b) : a_(a), b_(b) {}

  bool alike(const Expr& a, const Expr& b) {
    if (a.kind != b.kind || a.negated != b.negated || a.terms.size() != b.terms.size() ||
        a.with.size() != b.with.size() || a.every_key.has_value() != b.every_key.has_value()) {
      return false;
    }
    for (std::size_t i = 0; i < a.with.size(); ++i) {
      if (!alike(a.with[i].target, b.with[i].target) || !alike(a.with[i].value, b.with[i].value)) return false;
    }
    for (std::size_t i = 0; i < a.terms.size(); ++i) {
      if (!alike(a.terms[i], b.terms[i])) return false;
    }
    if (a.kind == ExprKind::kEvery) {
      if (!alike(a.every_domain, b.every_domain) || !alike(a.every_value, b.every_value)) return false;
      if (a.every_key && !alike(*a.every_key, *b.every_key)) return false;
    }
    return alike(a.every_body.get(), b.every_body.get()) && alike(a.left.get(), b.left.get()) &&
           alike(a.right.get(), b.right.get());
  }

  // What `variable` of the first is called in the second; 0 when it does not occur.
  std::uint32_t counterpart(std::uint32_t variable) const {
    for (const auto& [x, y] : free_) {
      if (x == variable) return y;
    }
    return 0;
  }

 private:
  static const Binding* find(const std::vector<Binding>& bindings, std::uint32_t variable) {
    for (std::size_t i = bindings.size(); i-- > 0;) {
      if (bindings[i].variable == variable) return &bindings[i];
    }
    return nullptr;
  }

  bool alike(const Body* a, const Body* b) {
    if (a == nullptr || b == nullptr) return a == b;
    if (a->exprs.size() != b->exprs.size()) return false;
    for (std::size_t i = 0; i < a->exprs.size(); ++i) {
      if (!alike(a->exprs[i], b->exprs[i])) return false;
    }
    return true;
  }

  bool alike(const Term& a, const Term& b) {
    if (a.kind != b.kind || a.items.size() != b.items.size() || a.boolean != b.boolean) return false;
    if (a.kind == TermKind::kVar) return alike_variables(a, b);
    if (a.text != b.text) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      if (!alike(a.items[i], b.items[i])) return false;
    }
    return alike(a.body.get(), b.body.get());
  }

  bool alike_variables(const Term& a, const Term& b) {
    if (a.is_var("input") || a.is_var("data") || b.is_var("input") || b.is_var("data")) return a.text == b.text;
    if (a.variable == 0 || b.variable == 0) return a.variable == b.variable && a.text == b.text;
    const Binding* x = find(a_, a.variable);
    const Binding* y = find(b_, b.variable);
    if (x != nullptr || y != nullptr) return x != nullptr && y != nullptr && x->operand == y->operand;
    for (const auto& [p, q] : free_) {
      if (p == a.variable || q == b.variable) return p == a.variable && q == b.variable;
    }
    free_.emplace_back(a.variable, b.variable);
    return true;
  }

  const std::vector<Binding>& a_;
  const std::vector<Binding>& b_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> free_;
};

// Plans the bodies of `rules` from their expression number `depth` on; `finish` plans what a solution of a rule adds.
void FunctionPlanner::shared_bodies(std::vector<Sharer>& rules, std::size_t depth, const Finish& finish) {
  std::vector<bool> done(rules.size(), false);
  for (std::size_t first = 0; first < rules.size(); ++first) {
    if (done[first]) continue;
    Sharer& leader = rules[first];
    const std::uint32_t registers = code_.next_register;
    const Label next = code_.label();
    const Label outer = fail_;
    fail_ = next;
    bindings_ = leader.bindings;
    const std::vector<Expr>& exprs = leader.rule->body.exprs;
    std::vector<Sharer> followers;
    if (depth < exprs.size() && planner_.optimise &&
        !joins_follow(exprs[depth], std::span<const Expr>(exprs).subspan(depth + 1))) {
      for (std::size_t i = first + 1; i < rules.size(); ++i) {
        if (done[i] || depth >= rules[i].rule->body.exprs.size()) continue;
        Likeness likeness(leader.bindings, rules[i].bindings);
        if (likeness.alike(exprs[depth], rules[i].rule->body.exprs[depth])) {
          followers.push_back(rules[i]);
          done[i] = true;
        }
      }
    }
    if (followers.empty()) {
      expressions(std::span<const Expr>(exprs).subspan(depth));
      finish(*leader.rule);
      jump_fail();
    } else {
      for (Sharer& follower : followers) {
        Likeness likeness(leader.bindings, follower.bindings);
        likeness.alike(exprs[depth], follower.rule->body.exprs[depth]);
        follower.likeness_names.clear();
        for (std::uint32_t variable : variables_of(exprs[depth])) {
          if (const std::uint32_t other = likeness.counterpart(variable); other != 0) {
            follower.likeness_names.emplace_back(variable, other);
          }
        }
      }
      const std::size_t before = bindings_.size();
      expression(exprs[depth]);
      for (std::size_t i = before; i < bindings_.size(); ++i) {
        const Binding made = bindings_[i];
        leader.bindings.push_back(made);
        for (Sharer& follower : followers) {
          for (const auto& [mine, theirs] : follower.likeness_names) {
            if (mine == made.variable) follower.bindings.push_back({theirs, made.operand, made.whole_input});
          }
        }
      }
      const Label inner = fail_;
      std::vector<Sharer> group;
      group.push_back(leader);
      group.insert(group.end(), followers.begin(), followers.end());
      shared_bodies(group, depth + 1, finish);
      fail_ = inner;
      jump_fail();
    }
    fail_ = outer;
    code_.bind(next);
    code_.release_to(registers);
  }
}

std::vector<std::uint32_t> FunctionPlanner::variables_of(const Expr& expr) {
  std::vector<std::uint32_t> out;
  passes::walk_terms(expr, [&](const Term& term) {
    if (term.kind == TermKind::kVar && term.variable != 0) out.push_back(term.variable);
    return false;
  });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace portcullis::rego
