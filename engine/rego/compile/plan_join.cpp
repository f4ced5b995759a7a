// Equality joins over base data: `other := data.inventory.namespace[ns][v].Ingress[n]; …; other.spec.rules[_].host ==
// host` looks for the objects with that host. Where the evaluation brings an index, it is asked for them instead of a
// walk over all; what stands between is evaluated for the objects found as it would be in the walk. So an index only
// leaves out what the equality would drop, and nothing may stand before the equality that does more than fail.
#include <algorithm>

#include "engine/rego/compile/planner.h"

namespace portcullis::rego {

using Path = std::vector<DataIndexSpec::Step>;

// A loop over objects, and the equality that it ends in.
struct FunctionPlanner::Join {
  std::span<const Term> collection;  // the steps of the reference below data, down to the objects
  std::span<const Term> below;       // its steps inside an object
  Path path;                         // the value compared, from the object
  const Term* key = nullptr;         // what it is compared with
};

namespace {

constexpr std::size_t kMaxJoinPath = 16;

// A step of an index: constant strings are names, everything else may be any step.
DataIndexSpec::Step index_step(const Term& term) {
  if (term.kind == TermKind::kString) return term.text;
  return std::nullopt;
}

bool is_plain_step(const Term& term) { return term.kind == TermKind::kVar || is_scalar(term); }

struct Follow {
  std::vector<std::pair<std::uint32_t, Path>> names;  // variables that hold something of the object

  const Path* find(const Term& term) const {
    for (const auto& [variable, path] : names) {
      if (term.kind == TermKind::kVar && term.variable == variable) return &path;
    }
    return nullptr;
  }

  // The term's path from the object, when it is one.
  std::optional<Path> path_of(const Term& term) const {
    if (const Path* path = find(term)) return *path;
    if (term.kind != TermKind::kRef || term.items.empty()) return std::nullopt;
    const Path* head = find(term.items[0]);
    if (head == nullptr) return std::nullopt;
    Path path = *head;
    for (const Term& step : std::span<const Term>(term.items).subspan(1)) {
      if (!is_plain_step(step)) return std::nullopt;
      path.push_back(index_step(step));
    }
    if (path.size() > kMaxJoinPath) return std::nullopt;
    return path;
  }
};

}  // namespace

bool FunctionPlanner::harmless(const Body& body) const {
  return std::all_of(body.exprs.begin(), body.exprs.end(), [this](const Expr& expr) { return harmless(expr); });
}

// Rules whose values cannot contradict each other: those of a set, or all of the same constant.
bool FunctionPlanner::harmless(const RuleTreeNode& node) const {
  const auto [at, added] = planner_.harmless.emplace(&node, false);
  if (!added) return at->second;
  const Term* first = nullptr;
  for (const Rule* rule : node.rules) {
    for (const Rule* link = rule; link != nullptr; link = link->otherwise.get()) {
      if (!harmless(link->body)) return false;
      if (node.kind == DocumentKind::kPartialSet) {
        if (!harmless(*link->head.key)) return false;
        continue;
      }
      if (!link->head.value || !is_constant(*link->head.value)) return false;
      if (rule->is_default) continue;
      if (first != nullptr && !equal(*first, *link->head.value)) return false;
      first = &*link->head.value;
    }
  }
  const bool known_kind = node.kind == DocumentKind::kPartialSet || node.kind == DocumentKind::kComplete ||
                          node.kind == DocumentKind::kFunction;
  planner_.harmless[&node] = known_kind;
  return known_kind;
}

bool FunctionPlanner::harmless(const Term& term) const {
  if (term.kind == TermKind::kCall || term.kind == TermKind::kObjectComprehension || term.is_var("data")) return false;
  std::span<const Term> items = term.items;
  if (term.kind == TermKind::kRef && !items.empty() && items[0].is_var("data")) {
    std::size_t used = 0;
    if (const RuleTreeNode* node = find_document(*planner_.modules.tree, items, used)) {
      if (!harmless(*node)) return false;
    } else if (items.size() < 2 || !is_scalar(items[1]) || planner_.modules.tree->child(items[1]) != nullptr) {
      return false;
    }
    items = items.subspan(1);
  }
  return std::all_of(items.begin(), items.end(), [&](const Term& item) { return harmless(item); }) &&
         (!term.body || harmless(*term.body));
}

// Whether evaluating it can do nothing but succeed or fail: nothing in it can find conflicting values, print, or ask
// the outside.
bool FunctionPlanner::harmless(const Expr& expr) const {
  if (!expr.with.empty()) return false;
  std::span<const Term> terms = expr.terms;
  switch (expr.kind) {
    case ExprKind::kTerm: break;
    case ExprKind::kCall: {
      std::size_t used = 0;
      if (const RuleTreeNode* node = find_document(*planner_.modules.tree, terms[0].items, used)) {
        if (!harmless(*node)) return false;
      } else if (const std::string name = expr.operator_name(); name != "eq") {
        const BuiltinRegistry::Entry* entry = planner_.modules.builtins->find(name);
        if (entry == nullptr || entry->decl->function == nullptr ||
            (entry->decl->flags & (kNondeterministic | kCompilerOnly)) != 0) {
          return false;
        }
      }
      terms = terms.subspan(1);
      break;
    }
    default: return false;
  }
  return std::all_of(terms.begin(), terms.end(), [this](const Term& term) { return harmless(term); });
}

std::optional<FunctionPlanner::Join> FunctionPlanner::find_join(const Term& variable, const Term& reference,
                                                                std::span<const Expr> following) const {
  if (planner_.options.indexed.empty() || !planner_.optimise || following.empty()) return std::nullopt;
  if (variable.kind != TermKind::kVar || is_bound(variable) || is_wildcard(variable.text)) return std::nullopt;
  if (reference.kind != TermKind::kRef || reference.items.empty() || !reference.items[0].is_var("data") ||
      find(reference.items[0].variable) != nullptr) {
    return std::nullopt;
  }
  const World& world = planner_.world(world_);
  if (!world.data_paths.empty() || !world.functions.empty()) return std::nullopt;
  const std::span<const Term> steps = std::span<const Term>(reference.items).subspan(1);
  for (const PlanOptions::Indexed& indexed : planner_.options.indexed) {
    const std::size_t depth = indexed.path.size() + indexed.steps;
    if (steps.size() < depth || planner_.modules.tree->child(indexed.path[0]) != nullptr) continue;
    bool inside = true;
    for (std::size_t i = 0; i < indexed.path.size() && inside; ++i) {
      inside = steps[i].kind == TermKind::kString && steps[i].text == indexed.path[i];
    }
    if (!inside) continue;
    Join join;
    join.collection = steps.first(depth);
    join.below = steps.subspan(depth);
    std::vector<std::uint32_t> loops;
    for (const Term& step : join.collection) {
      if (step.kind != TermKind::kString && step.kind != TermKind::kVar) return std::nullopt;
      if (step.kind != TermKind::kVar) continue;
      // The walk goes through one namespace (or kind) then, the index would through all of them.
      if (is_bound(step)) return std::nullopt;
      if (std::find(loops.begin(), loops.end(), step.variable) != loops.end()) return std::nullopt;
      loops.push_back(step.variable);
    }
    if (loops.empty() || !std::all_of(join.below.begin(), join.below.end(), is_plain_step)) return std::nullopt;

    Follow follow;
    Path path;
    for (const Term& step : join.below) path.push_back(index_step(step));
    follow.names.emplace_back(variable.variable, std::move(path));
    const auto known = [&](const Term& term) {
      if (is_constant(term)) return true;
      if (term.kind == TermKind::kVar) return term.variable != 0 && find(term.variable) != nullptr;
      if (term.kind != TermKind::kRef || term.items[0].is_var("data") || !harmless(term)) return false;
      return is_bound(term);
    };
    std::optional<Join> by_constant;  // tells few objects apart: only where there is no other equality
    for (const Expr& expr : following) {
      const bool equality = expr.kind == ExprKind::kCall && !expr.negated && expr.with.empty() &&
                            expr.terms.size() == 3 && (expr.operator_name() == "eq" || expr.operator_name() == "equal");
      if (equality) {
        for (const bool swapped : {false, true}) {
          const Term& mine = expr.terms[swapped ? 2 : 1];
          const Term& other = expr.terms[swapped ? 1 : 2];
          std::optional<Path> at = follow.path_of(mine);
          if (!at) continue;
          if (known(other)) {
            if (at->empty()) break;  // the object as a whole: nobody compares that
            join.path = std::move(*at);
            join.key = &other;
            if (!is_constant(other)) return join;
            if (!by_constant) by_constant = join;
            break;
          }
          if (other.kind == TermKind::kVar && !is_bound(other) && follow.find(other) == nullptr) {
            follow.names.emplace_back(other.variable, std::move(*at));
            break;
          }
        }
      }
      if (!harmless(expr)) break;
    }
    return by_constant;
  }
  return std::nullopt;
}

bool FunctionPlanner::joins_follow(const Expr& expr, std::span<const Expr> following) const {
  if (expr.kind != ExprKind::kCall || expr.negated || !expr.with.empty() || expr.terms.size() != 3) return false;
  if (planner_.options.indexed.empty() || expr.operator_name() != "eq") return false;
  return find_join(expr.terms[1], expr.terms[2], following) || find_join(expr.terms[2], expr.terms[1], following);
}

// Plans `variable = reference` when it is a join. False: it is none, and nothing was planned.
bool FunctionPlanner::indexed_join(const Term& variable, const Term& reference, std::span<const Expr> following) {
  const std::optional<Join> join = find_join(variable, reference, following);
  if (!join) return false;
  const Operand object = loop_or_index(*join);
  match(variable, steps(object, join->below));
  return true;
}

// The objects, from the index or, where there is none, from a walk.
Operand FunctionPlanner::loop_or_index(const Join& join) {
  const Operand key = term(*join.key);
  const Label fail = fail_;
  Meeting meeting(*this);
  const Label walk = code_.label();

  Path collection;
  for (const Term& step : join.collection) collection.push_back(index_step(step));
  const std::uint32_t index = planner_.builder.data_index(DataIndexSpec::make(std::move(collection), join.path));
  const Operand hits = code_.allocate(2);
  const Operand found = code_.allocate();
  const Operand keys = code_.allocate(static_cast<std::uint32_t>(join.collection.size()));
  const Label next = code_.label();
  code_.emit(Opcode::kIndexOpen, hits, key, 0, walk, index);
  code_.bind(next);
  code_.emit(Opcode::kIndexNext, hits, keys, found, fail, index);
  fail_ = next;
  for (std::size_t i = 0; i < join.collection.size(); ++i) {
    if (join.collection[i].kind == TermKind::kVar) match(join.collection[i], static_cast<Operand>(keys + i));
  }
  meeting.arrive(found);

  code_.bind(walk);
  fail_ = fail;
  std::vector<Value> path;
  meeting.arrive(data_reference(nullptr, path, join.collection));
  return meeting.finish();
}

}  // namespace portcullis::rego
