// Documents made by rules: their values where all is known, else their bodies inline or as rules of the support.
#include <algorithm>

#include "engine/rego/compile/type_check.h"
#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {
namespace {

bool is_plain_name(const Term& term) {
  const std::string& text = term.text;
  if (term.kind != TermKind::kString || text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Term in_objects(Term leaf, std::span<const Term> keys) {
  if (keys.empty()) return leaf;
  Term object(TermKind::kObject, {});
  object.items.push_back(keys[0]);
  object.items.push_back(in_objects(std::move(leaf), keys.subspan(1)));
  return object;
}

Term set_of(Term item) {
  Term set(TermKind::kSet, {});
  set.items.push_back(std::move(item));
  return set;
}

// The value at a key of an object under construction, made when it is not there.
Term* member_of(Term& object, const Term& key, TermKind kind, bool& fresh) {
  for (std::size_t i = 0; i < object.items.size(); i += 2) {
    if (equal(object.items[i], key)) return &object.items[i + 1];
  }
  fresh = true;
  object.items.push_back(key);
  object.items.push_back(Term(kind, {}));
  return &object.items.back();
}

void normalise_all(Term& term) {
  for (Term& item : term.items) normalise_all(item);
  normalise(term);
}

constexpr const char* kComplete = "complete rules must not produce multiple outputs";
constexpr const char* kObject = "object keys must be unique";

}  // namespace

std::size_t package_size(std::span<const Term> path) {
  std::size_t strings = 1;
  while (strings < path.size() && path[strings].kind == TermKind::kString) ++strings;
  std::size_t size = 2;
  for (std::size_t i = size; i < strings && is_plain_name(path[i]); ++i) size = i;
  return size;
}

const Run::Ref& Run::reference_of(const Rule& rule) {
  if (references_.empty()) {
    for (const Module& module : modules_.modules) {
      for (const Rule& one : module.rules) {
        const Ref reference = full_reference(module, one);
        for (const Rule* at = &one; at != nullptr; at = at->otherwise.get()) references_.emplace(at, reference);
      }
    }
  }
  return references_[&rule];
}

Run::Ref Run::in_namespace(const Ref& ref) {
  Ref out = ref;
  out.insert(out.begin() + 1, Term::string("partial", {}));
  return out;
}

Run::Ref Run::in_namespace(std::span<const Term* const> ref) { return in_namespace(ref_of(ref).items); }

bool Run::support_exists(const Ref& path) const {
  const std::size_t size = package_size(path);
  const auto at =
      support_.find(to_string(Term::ref(Ref(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(size)), {})));
  if (at == support_.end()) return false;
  Ref name(path.begin() + static_cast<std::ptrdiff_t>(size), path.end());
  name[0] = Term::var(name[0].text, {});
  return std::any_of(at->second.rules.begin(), at->second.rules.end(),
                     [&](const Rule& rule) { return has_prefix(rule.head.reference.items, name); });
}

void Run::add_support(const Ref& package, Rule rule) {
  Term path = Term::ref(package, {});
  Module& module = support_[to_string(path)];
  if (module.package.items.empty()) module.package = std::move(path);
  module.version = options_.version;
  passes::renumber(rule.body);
  module.rules.push_back(std::move(rule));
}

// A body that does not type-check can never hold.
bool Run::type_checks(Body& body) {
  number(body);
  if (!modules_.types) return true;
  context_.errors = passes::Errors(1);
  passes::check_types(context_, *modules_.types, body);
  const bool ok = context_.errors.empty();
  context_.errors = passes::Errors(1);
  return ok;
}

std::string Run::cache_key(const Path& path) const {
  return to_string(ref_of(std::span<const Term* const>(path.plugged).first(path.at + 1)));
}

bool Run::eval_complete(const Path& path, const Rules& rules, Next next) {
  if (rules.empty()) return true;
  const Rule* first = rules.rules.empty() ? rules.otherwise : rules.rules[0];
  if (!first->head.arguments.empty()) return true;
  const Term* whole = keep(Term::ref(*path.ref, {}));
  if (!required(*whole, path.bindings)) return complete_value(path, rules, next);
  if (error_) return false;
  bool support = options_.shallow_inlining;
  if (rules.otherwise != nullptr) {
    const Term& value = *rules.otherwise->head.value;
    const Term* other = plug(path.other_bindings, path.other);
    support = support || !is_constant(*other) || equal(value, *other);
  }
  const Term here = ref_of(std::span<const Term* const>(path.plugged).first(path.at + 1));
  if (support || disabled(here.items, false)) return complete_support(path, rules, next);
  return complete_partial(path, rules, next);
}

bool Run::complete_value(const Path& path, const Rules& rules, Next next) {
  const std::string key = cache_key(path);
  if (const auto at = cache_.back().find(key); at != cache_.back().end()) {
    return at->second.value == nullptr || eval_from(path, path.at + 1, at->second.value, path.bindings, next);
  }
  const Term* previous = nullptr;
  for (const Rule* rule : rules.rules) {
    bool found = false;
    for (const Rule* branch = rule; branch != nullptr && !found; branch = branch->otherwise.get()) {
      if (!complete_rule(path, *branch, previous, found, next)) return false;
    }
  }
  if (previous == nullptr && rules.otherwise != nullptr) {
    bool found = false;
    return complete_rule(path, *rules.otherwise, previous, found, next);
  }
  if (previous == nullptr) cache_.back()[key] = {nullptr};
  return true;
}

bool Run::complete_rule(const Path& path, const Rule& rule, const Term*& previous, bool& found, Next next) {
  Frame body = child(*path.frame, &rule.body);
  return eval(body, [&] {
    const Term* value = plug(body.bindings, &*rule.head.value);
    found = true;
    if (previous != nullptr) {
      return equal(*previous, *value) || fail("eval_conflict_error", kComplete, rule.location);
    }
    previous = value;
    cache_.back()[cache_key(path)] = {value};
    const Bound bound = apply(body.bindings, &*rule.head.value);
    return eval_from(path, path.at + 1, bound.term, bound.where, next);
  });
}

bool Run::complete_partial(const Path& path, const Rules& rules, Next next) {
  for (const Rule* rule : rules.rules) {
    Frame body = child(*path.frame, &rule->body);
    const bool ok = eval(body, [&] {
      const Bound bound = apply(body.bindings, &*rule->head.value);
      return eval_from(path, path.at + 1, bound.term, bound.where, next);
    });
    if (!ok) return false;
  }
  return true;
}

bool Run::complete_support(const Path& path, const Rules& rules, Next next) {
  const Ref here = in_namespace(std::span<const Term* const>(path.plugged).first(path.at + 1));
  bool defined = support_exists(here);
  if (!defined) {
    for (const Rule* rule : rules.rules) {
      if (!complete_support_rule(path, *rule, defined)) return false;
    }
    if (rules.otherwise != nullptr && !complete_support_rule(path, *rules.otherwise, defined)) return false;
  }
  if (!defined) return true;
  return save_unify(*path.frame, keep(Term::ref(in_namespace(*path.ref), {})), path.other, path.bindings,
                    path.other_bindings, next);
}

bool Run::complete_support_rule(const Path& path, const Rule& rule, bool& defined) {
  const Ref here = in_namespace(std::span<const Term* const>(path.plugged).first(path.at + 1));
  const std::size_t steps = rule.head.reference.items.size();
  const Ref package(here.begin(), here.end() - static_cast<std::ptrdiff_t>(steps));
  Ref name(here.end() - static_cast<std::ptrdiff_t>(steps), here.end());
  name[0] = Term::var(name[0].text, {});
  Frame body = child(*path.frame, &rule.body);
  save_stack_.emplace_back();
  const bool ok = eval(body, [&] {
    defined = true;
    std::vector<Saved> current = std::move(save_stack_.back());
    save_stack_.pop_back();
    Body query = plugged_query(current);
    if (type_checks(query)) {
      Rule kept;
      kept.is_default = rule.is_default;
      kept.head.reference = Term::ref(name, {});
      kept.head.value = *plug(body.bindings, &*rule.head.value, root_);
      if (!options_.shallow_inlining) {
        Term value = *kept.head.value;
        number(value);
        passes::VarSet live;
        passes::collect_vars(value, passes::VarParams{}, live);
        query = propagated(std::move(query), live, true);
      }
      kept.body = std::move(query);
      add_support(package, std::move(kept));
    }
    save_stack_.push_back(std::move(current));
    return true;
  });
  save_stack_.pop_back();
  return ok;
}

bool Run::eval_partial(const Path& path, const Rules& rules, Next next) {
  Term here(TermKind::kRef, {});
  here.items.assign(path.ref->begin(), path.ref->begin() + static_cast<std::ptrdiff_t>(path.at) + 1);
  const bool unknown = required(here, path.bindings);
  if (error_) return false;
  if (path.ref->size() == path.at + 1) {
    if (unknown) return partial_support(path, rules, next);
    const Term* value = nullptr;
    if (!all_rules(path, rules, value)) return false;
    return biunify(*path.frame, value, path.other, path.bindings, path.other_bindings, next);
  }
  if ((unknown && options_.shallow_inlining) || disabled(here.items, false)) {
    return partial_support(path, rules, next);
  }
  return each_rule(path, rules, unknown, next);
}

bool Run::each_rule(const Path& path, const Rules& rules, bool unknown, Next next) {
  if (rules.empty()) return true;
  std::size_t longest = 0;
  for (const Rule* rule : rules.rules) {
    longest = std::max(longest, reference_of(*rule).size() + (rule->head.contains ? 1 : 0));
  }
  longest = std::min(longest, path.ref->size());
  if (longest > path.at + 1) {
    const Term keys = Term::ref(Ref(path.ref->begin() + static_cast<std::ptrdiff_t>(path.at) + 1,
                                    path.ref->begin() + static_cast<std::ptrdiff_t>(longest)),
                                {});
    if (required(keys, path.bindings)) {
      return !error_ && std::all_of(rules.rules.begin(), rules.rules.end(),
                                    [&](const Rule* rule) { return one_rule_late(path, *rule, next); });
    }
  }
  if (!unknown && plug(path.bindings, &(*path.ref)[path.at + 1])->kind == TermKind::kVar) {
    const Term* value = nullptr;
    return all_rules(path, rules, value) && eval_from(path, path.at + 1, value, path.bindings, next);
  }
  Term result(rules.ground ? TermKind::kSet : TermKind::kObject, {});
  std::vector<Ref> seen;
  for (const Rule* rule : rules.rules) {
    if (!one_rule(path, *rule, unknown, result, seen, next)) return false;
  }
  if (unknown) return true;
  normalise_all(result);
  return eval_from(path, path.at + 1, keep(std::move(result)), path.bindings, next);
}

bool Run::all_rules(const Path& path, const Rules& rules, const Term*& out) {
  const std::string key = cache_key(path);
  if (const auto at = cache_.back().find(key); at != cache_.back().end()) {
    out = at->second.value;
    return true;
  }
  Term result(rules.ground ? TermKind::kSet : TermKind::kObject, {});
  std::vector<Ref> seen;
  for (const Rule* rule : rules.rules) {
    Frame body = child(*path.frame, &rule->body);
    if (!eval(body, [&] { return reduce(path, *rule, body.bindings, result, seen); })) return false;
  }
  normalise_all(result);
  out = keep(std::move(result));
  cache_.back()[key] = {out};
  return true;
}

bool Run::unify_head(Frame& frame, const Path& path, const Rule& rule, std::size_t at, Bindings* rule_bindings,
                     Next next) {
  const Ref& own = reference_of(rule);
  if (at < path.ref->size() && at < own.size()) {
    return biunify(frame, &(*path.ref)[at], &own[at], path.bindings, rule_bindings,
                   [&] { return unify_head(frame, path, rule, at + 1, rule_bindings, next); });
  }
  if (rule.head.contains && at < path.ref->size() && own.size() <= path.ref->size()) {
    return biunify(frame, &(*path.ref)[at], &*rule.head.key, path.bindings, rule_bindings, next);
  }
  return next();
}

// What one solution of a rule's body gives, as the part of the whole document that the reference goes on in.
bool Run::from_rule(const Path& path, const Rule& rule, Frame& body, Next next) {
  const Bound bound = apply(body.bindings, rule.head.value ? &*rule.head.value : &*rule.head.key);
  Term value = rule.head.contains ? set_of(*bound.term) : *bound.term;
  const Ref& own = reference_of(rule);
  const std::span<const Term> keys = std::span<const Term>(own).subspan(std::min(path.at + 1, own.size()));
  return eval_from(path, path.at + 1, keep(in_objects(std::move(value), keys)), bound.where, next);
}

bool Run::one_rule(const Path& path, const Rule& rule, bool unknown, Term& result, std::vector<Ref>& seen, Next next) {
  Frame body = child(*path.frame, &rule.body);
  return unify_head(body, path, rule, path.at + 1, body.bindings, [&] {
    return eval(body, [&] {
      return unknown ? from_rule(path, rule, body, next) : reduce(path, rule, body.bindings, result, seen);
    });
  });
}

bool Run::one_rule_late(const Path& path, const Rule& rule, Next next) {
  Frame body = child(*path.frame, &rule.body);
  return eval(body, [&] {
    return unify_head(*path.frame, path, rule, path.at + 1, body.bindings,
                      [&] { return from_rule(path, rule, body, next); });
  });
}

// Adds one solution to the document's value.
bool Run::reduce(const Path& path, const Rule& rule, Bindings* bindings, Term& result, std::vector<Ref>& seen) {
  if (!step()) return false;
  if (result.kind == TermKind::kSet) {
    result.items.push_back(*plug(bindings, &*rule.head.key));
    return true;
  }
  const Ref& own = reference_of(rule);
  Ref keys;
  for (std::size_t i = path.at + 1; i < own.size(); ++i) keys.push_back(*plug(bindings, &own[i]));
  for (const Ref& other : seen) {
    if (other.size() < keys.size() && has_prefix(keys, other))
      return fail("eval_conflict_error", kObject, rule.head.location);
  }
  seen.push_back(keys);
  Term* object = &result;
  bool fresh = false;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    object = member_of(*object, keys[i], TermKind::kObject, fresh);
    if (object->kind != TermKind::kObject) return fail("eval_conflict_error", kObject, rule.head.location);
  }
  fresh = false;
  Term* leaf = member_of(*object, keys.back(), rule.head.contains ? TermKind::kSet : TermKind::kNull, fresh);
  if (rule.head.contains) {
    if (leaf->kind != TermKind::kSet) return fail("eval_conflict_error", kObject, rule.head.location);
    leaf->items.push_back(*plug(bindings, &*rule.head.key));
    return true;
  }
  Term value = *plug(bindings, &*rule.head.value);
  if (!fresh) return equal(*leaf, value) || fail("eval_conflict_error", kObject, rule.head.location);
  *leaf = std::move(value);
  return true;
}

bool Run::partial_support(const Path& path, const Rules& rules, Next next) {
  const Ref here = in_namespace(std::span<const Term* const>(path.plugged).first(path.at + 1));
  bool defined = support_exists(here);
  if (!defined) {
    for (const Rule* rule : rules.rules) {
      if (!partial_support_rule(*rule, *path.frame, defined)) return false;
    }
  }
  const Term* term = keep(Term::ref(in_namespace(*path.ref), {}));
  if (!defined) {
    if (path.ref->size() != path.at + 1) return true;
    term = keep(Term(rules.ground ? TermKind::kSet : TermKind::kObject, {}));
  }
  return save_unify(*path.frame, term, path.other, path.bindings, path.other_bindings, next);
}

bool Run::partial_support_rule(const Rule& rule, Frame& frame, bool& defined) {
  Frame body = child(frame, &rule.body);
  save_stack_.emplace_back();
  const bool ok = eval(body, [&] {
    defined = true;
    std::vector<Saved> current = std::move(save_stack_.back());
    save_stack_.pop_back();
    Body query = plugged_query(current);
    if (type_checks(query)) {
      Rule kept;
      kept.is_default = rule.is_default;
      Ref reference = in_namespace(reference_of(rule));
      for (std::size_t i = 1; i < reference.size(); ++i) reference[i] = *plug(body.bindings, keep(reference[i]), root_);
      const std::size_t size = package_size(reference);
      const Ref package(reference.begin(), reference.begin() + static_cast<std::ptrdiff_t>(size));
      Ref name(reference.begin() + static_cast<std::ptrdiff_t>(size), reference.end());
      name[0] = Term::var(name[0].text, {});
      kept.head.reference = Term::ref(std::move(name), {});
      passes::VarSet live;
      const auto lives = [&](Term term) {
        number(term);
        passes::collect_vars(term, passes::VarParams{}, live);
      };
      for (std::size_t i = 1; i < kept.head.reference.items.size(); ++i) lives(kept.head.reference.items[i]);
      if (rule.head.value) {
        kept.head.value = *plug(body.bindings, &*rule.head.value, root_);
        lives(*kept.head.value);
      }
      if (rule.head.contains) {
        kept.head.key = *plug(body.bindings, &*rule.head.key, root_);
        kept.head.contains = true;
        lives(*kept.head.key);
      } else if (kept.head.reference.items.size() == 2) {
        kept.head.key = kept.head.reference.items[1];
      }
      if (!options_.shallow_inlining) query = propagated(std::move(query), live, true);
      kept.body = std::move(query);
      add_support(package, std::move(kept));
    }
    save_stack_.push_back(std::move(current));
    return true;
  });
  save_stack_.pop_back();
  return ok;
}

}  // namespace portcullis::rego::partial
