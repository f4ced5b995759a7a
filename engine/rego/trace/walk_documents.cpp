// References to data: base documents, rules, and both together.
#include <algorithm>
#include <memory>

#include "engine/rego/trace/walker.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::trace {

namespace {

struct ValueLess {
  bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
};

}  // namespace

// A partial document as rules add to it: a set, or an object whose members are values, sets or objects again.
struct Part {
  enum class Kind : std::uint8_t { kObject, kSet, kLeaf } kind = Kind::kObject;
  Value leaf;
  std::map<Value, std::unique_ptr<Part>, ValueLess> members;  // of a set: without parts

  Value value(Arena& arena) const {
    if (kind == Kind::kLeaf) return leaf;
    if (kind == Kind::kSet) {
      std::vector<Value> elements;
      for (const auto& [key, part] : members) elements.push_back(key);
      return make_set(arena, elements);
    }
    std::vector<Member> pairs;
    for (const auto& [key, part] : members) pairs.push_back({key, part->value(arena)});
    return make_object(arena, pairs);
  }
};

namespace {

std::string reference_text(std::span<const Value> path) {
  std::vector<Term> steps{Term::var("data", Location{})};
  for (const Value& step : path.subspan(1)) {
    steps.push_back(step.is_string() ? Term::string(std::string(step.as_string()), Location{})
                                     : Term::number(to_json(step), Location{}));
  }
  return to_string(Term::ref(std::move(steps), Location{}));
}

}  // namespace

std::string path_key(std::span<const Value> path) {
  std::string key;
  for (const Value& step : path) {
    append_rego(key, step);
    key += '|';
  }
  return key;
}

bool Walk::Impl::replaced(std::span<const Value> path) const {
  for (const auto& frame : targets) {
    for (const std::vector<Value>& target : frame) {
      if (target.size() <= path.size() && std::equal(target.begin(), target.end(), path.begin(),
                                                     [](const Value& a, const Value& b) { return equal(a, b); })) {
        return true;
      }
    }
  }
  return false;
}

Value Walk::Impl::merge(const Value& a, const Value& b) const {
  if (!a.is_object() || !b.is_object()) return a;
  Value out = b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Value& key = a.keys()[i];
    const Value other = b.get(key);
    out = with_member(arena, out, key, other.defined() ? merge(a.values()[i], other) : a.values()[i]);
  }
  return out;
}

Value Walk::Impl::resolve_data(const Query& q, std::span<const Value> path) const {
  Value real = base;
  for (const Value& step : path) {
    // Keys of stored documents are strings; a number in a reference stands for its text.
    real = real.is_object() && step.is_number() ? real.get(number_text(step)) : real.get(step);
  }
  Value other = q.data;
  if (!other.defined()) return real;
  for (const Value& step : path) other = other.get(step);
  std::vector<Value> full{make_string(arena, "data")};
  full.insert(full.end(), path.begin(), path.end());
  if (replaced(full)) return other;
  if (!other.defined() || !real.defined()) return other.defined() ? other : real;
  return merge(other, real);
}

Status Walk::Impl::tree(TreeWalk w, Next next) {
  if (w.at == w.reference->size()) {
    Value value;
    const Status status = extent(w, value);
    if (status != kGoOn || !value.defined()) return status;
    return unify(*w.query, w.result, {nullptr, nullptr, value}, next);
  }
  const Value key = plug((*w.reference)[w.at]);
  if (key.defined()) return tree_next(w, key, next);
  return tree_enumerate(w, next);
}

Status Walk::Impl::tree_next(const TreeWalk& w, const Value& key, Next next) {
  TreeWalk below = w;
  below.path.push_back(key);
  ++below.at;
  below.node = nullptr;
  if (w.node != nullptr && !replaced(below.path)) {
    for (const RuleTreeNode& child_node : w.node->children) {
      if (!equal(of(child_node.key, nullptr).value, key)) continue;
      below.node = &child_node;
      if (!child_node.rules.empty()) return document(below, child_node, next);
    }
  }
  return tree(std::move(below), next);
}

Status Walk::Impl::tree_enumerate(const TreeWalk& w, Next next) {
  Query& q = *w.query;
  const Value base_document = resolve_data(q, std::span(w.path).subspan(1));
  std::vector<Value> keys;
  if (base_document.is_object()) keys.assign(base_document.keys().begin(), base_document.keys().end());
  if (base_document.is_set()) keys.assign(base_document.elements().begin(), base_document.elements().end());
  if (base_document.is_array()) {
    for (std::size_t i = 0; i < base_document.size(); ++i) keys.push_back(Value::integer(static_cast<std::int64_t>(i)));
  }
  Status deferred = kGoOn;
  for (const Value& key : keys) {
    const Status status =
        unify(q, {nullptr, nullptr, key}, (*w.reference)[w.at], [&] { return tree_next(w, key, next); });
    if (is_deferred(status)) {
      if (deferred == kGoOn) deferred = status;
    } else if (status != kGoOn) {
      return status;
    }
  }
  if (deferred != kGoOn || w.node == nullptr) return deferred;
  for (const RuleTreeNode& node : w.node->children) {
    const Value key = of(node.key, nullptr).value;
    if (base_document.get(key).defined()) continue;
    const Status status =
        unify(q, {nullptr, nullptr, key}, (*w.reference)[w.at], [&] { return tree_next(w, key, next); });
    if (status != kGoOn) return status;
  }
  return kGoOn;
}

Status Walk::Impl::extent(const TreeWalk& w, Value& result) {
  const Value real = resolve_data(*w.query, std::span(w.path).subspan(1));
  result = real;
  if (w.node == nullptr) return kGoOn;
  Value rules;
  std::vector<Value> path = w.path;
  const Status status = leaves(*w.query, path, *w.node, rules);
  if (status == kGoOn) result = real.defined() ? merge(real, rules) : rules;
  return status;
}

Status Walk::Impl::leaves(Query& q, std::vector<Value>& path, const RuleTreeNode& node, Value& result) {
  std::vector<Member> found;
  for (const RuleTreeNode& below : node.children) {
    if (below.hidden) continue;
    const Value key = of(below.key, nullptr).value;
    path.push_back(key);
    Value value;
    const Status status = below.rules.empty() ? leaves(q, path, below, value) : value_of(q, path, value);
    path.pop_back();
    if (status != kGoOn) return status;
    if (value.defined()) found.push_back({key, value});
  }
  result = make_object(arena, found);
  return kGoOn;
}

Status Walk::Impl::value_of(Query& q, const std::vector<Value>& path, Value& result) {
  const Term variable = fresh_variable();
  const Operand into{&variable, q.env, {}};
  const Term data = Term::var("data", Location{});
  Reference reference{{&data, q.env, {}}};
  for (std::size_t i = 1; i < path.size(); ++i) reference.push_back({nullptr, nullptr, path[i]});
  if (unifications) tell(q, Op::kUnify, nullptr, nullptr, nullptr, {}, reference_text(path) + " = " + shown(into));
  TreeWalk walk{&q, &reference, into, 1, root, {path.front()}};
  return tree(std::move(walk), [&] {
    result = plug(into);
    return kGoOn;
  });
}

Value Walk::Impl::resolve(const Query& q, const IndexReference& reference, std::span<const Operand> arguments) {
  Value value;
  switch (reference.root) {
    case IndexReference::Root::kInput: value = q.input; break;
    case IndexReference::Root::kData: return resolve_data(q, reference.path);
    case IndexReference::Root::kArgument:
      if (reference.argument < arguments.size()) value = plug(arguments[reference.argument]);
      break;
  }
  for (const Value& step : reference.path) value = value.get(step);
  return value;
}

Matches Walk::Impl::matches(Query& q, const RuleTreeNode& node, std::span<const Operand> arguments,
                            std::string_view shown_as) {
  const auto known = indexes.find(&node);
  const RuleIndex& index =
      known != indexes.end()
          ? known->second
          : indexes
                .emplace(&node, build_index(node, *root, [this](const Term& term) { return of(term, nullptr).value; }))
                .first->second;
  Matches found = look_up(index, options.indexing,
                          [&](const IndexReference& reference) { return resolve(q, reference, arguments); });
  found.early_exit = found.early_exit && options.early_exit;
  const std::size_t count = found.rules.size();
  std::string message = "(matched " + std::to_string(count) + (count == 1 ? " rule" : " rules");
  if (found.early_exit) message += ", early exit";
  message += ")";
  tell(q, Op::kIndex, nullptr, &q.body->exprs[std::min(q.index, q.body->exprs.size() - 1)], nullptr, message, shown_as);
  return found;
}

Status Walk::Impl::document(const TreeWalk& w, const RuleTreeNode& node, Next next) {
  const Matches found = matches(*w.query, node, {}, reference_text(w.path));
  if (!found.multi_value && found.only_ground) return complete(w, found, next);
  return partial(w, found, next);
}

Status Walk::Impl::complete(const TreeWalk& w, const Matches& found, Next next) {
  if (found.rules.empty() && found.default_rule == nullptr) return kGoOn;
  const Rule& first = found.rules.empty() ? *found.default_rule : *found.rules.front().first;
  if (!first.head.arguments.empty()) return kGoOn;
  const std::string key = path_key(w.path);
  if (const auto known = cache.back().find(key); known != cache.back().end()) {
    const CachedValue cached = known->second;
    if (!cached.defined) return kGoOn;
    return term({w.query, w.reference, w.result}, w.at, {nullptr, nullptr, cached.value}, next);
  }
  Value previous;
  Status deferred = kGoOn;
  const auto one = [&](const Rule& rule, bool& gave) -> Status {
    const Status status = complete_rule(w, rule, key, previous, found.early_exit, gave, next);
    if (!is_deferred(status)) return status;
    if (deferred == kGoOn) deferred = status;
    return kGoOn;
  };
  for (const auto& [rule, branches] : found.rules) {
    bool gave = false;
    Status status = one(*rule, gave);
    for (std::size_t i = 0; status == kGoOn && !gave && i < branches.size(); ++i) status = one(*branches[i], gave);
    if (status != kGoOn) return without_stop(status);
  }
  if (found.default_rule != nullptr && !previous.defined()) {
    bool gave = false;
    return without_stop(complete_rule(w, *found.default_rule, key, previous, found.early_exit, gave, next));
  }
  if (!previous.defined()) cache.back()[key] = {};
  return without_stop(deferred);
}

Status Walk::Impl::complete_rule(const TreeWalk& w, const Rule& rule, const std::string& key, Value& previous,
                                 bool find_one, bool& gave, Next next) {
  Env env;
  Query inner = child(*w.query, rule.body, env);
  inner.find_one = find_one;
  tell(inner, Op::kEnter, rule);
  return expression(inner, [&](Query&) -> Status {
    tell(inner, Op::kExit, rule);
    const Operand head = of(*rule.head.value, &env);
    const Value result = plug(head);
    gave = true;
    if (previous.defined()) {
      if (!equal(previous, result)) {
        return fail("eval_conflict_error", "complete rules must not produce multiple outputs", rule.location);
      }
      tell(inner, Op::kRedo, rule);
      return kGoOn;
    }
    previous = result;
    cache.back()[key] = {true, result};
    const Status status = term({w.query, w.reference, w.result}, w.at, apply(head), next);
    if (status == kGoOn) tell(inner, Op::kRedo, rule);
    return status;
  });
}

const Reference& Walk::Impl::own_reference(const Rule& rule) {
  const auto [at, fresh] = references.try_emplace(&rule);
  if (fresh) {
    const Module& module = *module_of.at(&rule);
    for (const Term& item : module.package.items) at->second.push_back(of(item, nullptr));
    for (const Term& item : rule.head.reference.items) {
      const bool first = &item == &rule.head.reference.items.front();
      if (!first) {
        at->second.push_back(of(item, nullptr));
        continue;
      }
      at->second.push_back({nullptr, nullptr, make_string(arena, item.text)});
    }
  }
  return at->second;
}

bool Walk::Impl::reduce(const Rule& rule, std::size_t at, Env& env, Part& result, bool& duplicate) {
  const Reference& own = own_reference(rule);
  Part* part = &result;
  const bool many = rule.head.contains;
  for (std::size_t i = at; i < own.size(); ++i) {
    Operand step = own[i];
    if (step.term != nullptr) step.env = &env;
    const Value key = plug(step);
    if (!key.defined() || part->kind != Part::Kind::kObject) return false;
    std::unique_ptr<Part>& below = part->members[key];
    const bool last = i + 1 == own.size();
    if (below == nullptr) {
      below = std::make_unique<Part>();
      if (last && many) below->kind = Part::Kind::kSet;
      if (last && !many) {
        below->kind = Part::Kind::kLeaf;
        below->leaf = plug(of(*rule.head.value, &env));
        return below->leaf.defined();
      }
    } else if (last && !many) {
      duplicate = true;
      const Value value = plug(of(*rule.head.value, &env));
      return below->kind == Part::Kind::kLeaf && value.defined() && equal(below->leaf, value);
    }
    part = below.get();
  }
  if (part->kind != Part::Kind::kSet) return false;
  const Value key = plug(of(*rule.head.key, &env));
  if (!key.defined()) return false;
  duplicate = !part->members.emplace(key, nullptr).second;
  return true;
}

Status Walk::Impl::all_rules(const TreeWalk& w, const Matches& found, Value& result) {
  Part part;
  if (found.multi_value && found.only_ground) part.kind = Part::Kind::kSet;
  for (const auto& [rule, branches] : found.rules) {
    Env env;
    Query inner = child(*w.query, rule->body, env);
    tell(inner, Op::kEnter, *rule);
    const Status status = expression(inner, [&](Query&) -> Status {
      tell(inner, Op::kExit, *rule);
      bool duplicate = false;
      if (!reduce(*rule, w.path.size(), env, part, duplicate)) {
        return fail("eval_conflict_error", "object keys must be unique", rule->head.location);
      }
      tell(inner, Op::kRedo, *rule);
      return kGoOn;
    });
    if (status != kGoOn) return status;
  }
  result = part.value(arena);
  return kGoOn;
}

Status Walk::Impl::unify_head(Query& q, const TreeWalk& w, const Rule& rule, const Reference& own, std::size_t at,
                              Env& env, Next next) {
  const Reference& reference = *w.reference;
  if (at < reference.size() && at < own.size()) {
    Operand step = own[at];
    if (step.term != nullptr) step.env = &env;
    return unify(q, reference[at], step, [&] { return unify_head(q, w, rule, own, at + 1, env, next); });
  }
  if (rule.head.contains && at < reference.size() && own.size() <= reference.size()) {
    return unify(q, reference[at], of(*rule.head.key, &env), next);
  }
  return next();
}

Status Walk::Impl::each_rule(const TreeWalk& w, const Rule& rule, Part& part) {
  Env env;
  Query inner = child(*w.query, rule.body, env);
  tell(inner, Op::kEnter, rule);
  const Status status = unify_head(inner, w, rule, own_reference(rule), w.at, env, [&] {
    inner.defined = true;
    return expression(inner, [&](Query&) -> Status {
      tell(inner, Op::kExit, rule);
      bool duplicate = false;
      if (!reduce(rule, w.path.size(), env, part, duplicate)) {
        return fail("eval_conflict_error", "object keys must be unique", rule.head.location);
      }
      if (duplicate) tell(inner, Op::kDuplicate, rule);
      tell(inner, Op::kRedo, rule);
      return kGoOn;
    });
  });
  if (status == kGoOn && !inner.defined) tell(inner, Op::kFail, rule);
  return status;
}

Status Walk::Impl::partial(const TreeWalk& w, const Matches& found, Next next) {
  const TermWalk walk{w.query, w.reference, w.result};
  const std::string key = path_key(w.path);
  const bool whole = w.reference->size() == w.at;
  if (whole || !found.rules.empty()) {
    if (const auto known = cache.back().find(key); known != cache.back().end()) {
      const Value value = known->second.value;
      return whole ? unify(*w.query, {nullptr, nullptr, value}, w.result, next)
                   : term(walk, w.at, {nullptr, nullptr, value}, next);
    }
  }
  if (!whole && found.rules.empty()) return kGoOn;
  if (whole || is_unbound((*w.reference)[w.at])) {
    Value value;
    if (const Status status = all_rules(w, found, value); status != kGoOn) return status;
    cache.back()[key] = {true, value};
    return whole ? unify(*w.query, {nullptr, nullptr, value}, w.result, next)
                 : term(walk, w.at, {nullptr, nullptr, value}, next);
  }
  // What the reference says of the keys narrows what is evaluated; the rest is remembered by those steps.
  std::size_t longest = 0;
  for (const auto& [rule, branches] : found.rules) {
    longest = std::max(longest, own_reference(*rule).size() + (rule->head.contains ? 1 : 0));
  }
  longest = std::min(longest, w.reference->size());
  std::vector<Value> steps = w.path;
  std::string scoped = key;
  bool ground = true;
  for (std::size_t i = w.at; i < longest; ++i) {
    const Value step = plug((*w.reference)[i]);
    ground = ground && step.defined();
    if (ground) steps.push_back(step);
    scoped += step.defined() ? to_rego(step) + "|" : "_|";
    if (const auto known = cache.back().find("#" + scoped); known != cache.back().end()) {
      const Value value = known->second.value;
      return term(walk, steps.size(), {nullptr, nullptr, value}, next);
    }
  }
  Part part;
  if (found.multi_value && found.only_ground) part.kind = Part::Kind::kSet;
  for (const auto& [rule, branches] : found.rules) {
    if (const Status status = each_rule(w, *rule, part); status != kGoOn) return status;
  }
  const Value result = part.value(arena);
  Value remembered = result;
  for (std::size_t i = w.path.size(); i < steps.size(); ++i) remembered = remembered.get(steps[i]);
  if (remembered.defined() && steps.size() > w.path.size()) cache.back()["#" + scoped] = {true, remembered};
  return term(walk, w.at, {nullptr, nullptr, result}, next);
}

}  // namespace portcullis::rego::trace
