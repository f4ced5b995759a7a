#include "engine/rego/compile/graph_cause.h"

#include <algorithm>
#include <map>

namespace portcullis::rego::passes {

namespace {

constexpr std::size_t kMaxConditions = 2;
constexpr std::size_t kMaxMembersListed = 5;

enum class OriginKind : std::uint8_t { kNone, kInput, kRule, kCollection, kBuiltin, kHeadKey, kHeadArgument };

// Where a variable of the reference gets its value.
struct Origin {
  OriginKind kind = OriginKind::kNone;
  Term reference;                    // kInput, kRule
  const Term* collection = nullptr;  // kCollection
  const BuiltinDecl* builtin = nullptr;
};

class Origins {
 public:
  explicit Origins(const CauseSite& site) : site_(site) {
    const Names& names = site.context.names;
    for (std::size_t i = 0; i < std::min(site.at, site.rule.body.exprs.size()); ++i) {
      const Expr& e = site.rule.body.exprs[i];
      if (e.negated || !e.with.empty() || e.kind != ExprKind::kCall) continue;
      if (is_call_of(e, names.eq) && e.terms.size() == 3) {
        if (e.terms[1].kind == TermKind::kVar) bindings_.emplace(e.terms[1].variable, &e.terms[2]);
        if (e.terms[2].kind == TermKind::kVar) bindings_.emplace(e.terms[2].variable, &e.terms[1]);
        continue;
      }
      const BuiltinRegistry::Entry* entry = site.context.builtin(e.terms[0]);
      if (entry == nullptr || static_cast<int>(e.terms.size()) != arity_of(*entry->decl) + 2) continue;
      if (e.terms.back().kind == TermKind::kVar) outputs_[e.terms.back().variable] = entry->decl;
    }
  }

  Origin of(Variable v) const {
    Origin result;
    for (std::size_t depth = 0; depth <= site_.rule.body.exprs.size(); ++depth) {
      if (const auto output = outputs_.find(v); output != outputs_.end()) {
        result.kind = OriginKind::kBuiltin;
        result.builtin = output->second;
        return result;
      }
      const auto binding = bindings_.find(v);
      if (binding == bindings_.end()) break;
      const Term& t = *binding->second;
      if (t.kind == TermKind::kVar) {
        v = t.variable;
        continue;
      }
      if (t.kind == TermKind::kRef && from_reference(t, result)) return result;
      break;
    }
    result.kind = in_head(v);
    return result;
  }

 private:
  bool from_reference(const Term& t, Origin& result) const {
    const Names& names = site_.context.names;
    const Term& head = t.items[0];
    if (head.kind == TermKind::kVar && (head.variable == names.input || head.variable == names.data)) {
      result.kind = head.variable == names.input ? OriginKind::kInput : OriginKind::kRule;
      result.reference = t;
      std::size_t constant = 1;
      while (constant < t.items.size() && is_constant(t.items[constant])) ++constant;
      result.reference.items.resize(constant);
      return true;
    }
    if (t.items.size() != 2 || is_constant(t.items[1])) return false;
    const Term* collection = &head;
    for (std::size_t depth = 0; depth <= bindings_.size() && collection->kind == TermKind::kVar; ++depth) {
      const auto at = bindings_.find(collection->variable);
      if (at == bindings_.end()) return false;
      collection = at->second;
    }
    std::vector<const Term*> members;
    if (!is_constant(*collection) || !members_of(*collection, members)) return false;
    result.kind = OriginKind::kCollection;
    result.collection = collection;
    return true;
  }

  OriginKind in_head(Variable v) const {
    const Head& head = site_.rule.head;
    for (const Term& t : head.arguments) {
      if (t.kind == TermKind::kVar && t.variable == v) return OriginKind::kHeadArgument;
    }
    if (head.key && head.key->kind == TermKind::kVar && head.key->variable == v) return OriginKind::kHeadKey;
    for (std::size_t i = 1; i < head.reference.items.size(); ++i) {
      const Term& t = head.reference.items[i];
      if (t.kind == TermKind::kVar && t.variable == v) return OriginKind::kHeadKey;
    }
    return OriginKind::kNone;
  }

  const CauseSite& site_;
  std::map<Variable, const Term*> bindings_;
  std::map<Variable, const BuiltinDecl*> outputs_;
};

// Whether a builtin's declared result admits a scalar. What cannot be told is admitted.
bool may_return(const BuiltinDecl& decl, const Term& value) {
  const std::string_view result = decl.result;
  if (result.empty() || result.find("any") != std::string_view::npos || !is_scalar(value)) return true;
  return result.find(term_kind_name(value.kind)) != std::string_view::npos;
}

struct Condition {
  std::size_t position;
  Term term;  // with the author's names
  Term value;
};

// One condition per term. False when a term would need two values.
bool conditions_of(const Term& reference, const std::vector<Term>& target, const std::vector<std::size_t>& positions,
                   std::vector<Condition>& out) {
  for (const std::size_t position : positions) {
    const Term& term = reference.items[position];
    const auto known = std::find_if(out.begin(), out.end(), [&](const Condition& c) { return equal(c.term, term); });
    if (known == out.end()) {
      out.push_back({position, term, target[position]});
    } else if (!equal(known->value, target[position])) {
      return false;
    }
  }
  return true;
}

bool cannot_hold(const CauseSite& site, const Origins& origins, const Condition& condition) {
  const Term& term = site.source.items[condition.position];
  if (term.kind != TermKind::kVar) return false;
  const Origin origin = origins.of(term.variable);
  if (origin.kind == OriginKind::kBuiltin) return !may_return(*origin.builtin, condition.value);
  if (origin.kind != OriginKind::kCollection) return false;
  std::vector<const Term*> members;
  members_of(*origin.collection, members);
  return std::none_of(members.begin(), members.end(), [&](const Term* m) { return equal(*m, condition.value); });
}

std::string origin_note(const CauseSite& site, const Origins& origins, const Condition& condition) {
  const Names& names = site.context.names;
  const Term& term = site.source.items[condition.position];
  if (term.kind == TermKind::kRef) {
    return term.items[0].variable == names.data ? "rule values aren't known at compile time" : "";
  }
  if (term.kind != TermKind::kVar) return {};
  const std::string shown = to_string(condition.term);
  const Origin origin = origins.of(term.variable);
  switch (origin.kind) {
    case OriginKind::kNone: return {};
    case OriginKind::kInput: return shown + " comes from " + author_string(names, origin.reference);
    case OriginKind::kRule:
      return shown + " comes from rule " + to_string(origin.reference) + ", whose value isn't known at compile time";
    case OriginKind::kCollection: {
      std::vector<const Term*> members;
      members_of(*origin.collection, members);
      if (members.size() > kMaxMembersListed) return shown + " is one of " + std::to_string(members.size()) + " values";
      return shown + " is one of " + to_string(*origin.collection);
    }
    case OriginKind::kBuiltin: return shown + " is computed by " + std::string(origin.builtin->name);
    case OriginKind::kHeadKey:
      return shown + " is a key of " + author_string(names, full_reference(site.module, site.rule));
    case OriginKind::kHeadArgument:
      return shown + " is an argument of " + author_string(names, full_reference(site.module, site.rule));
  }
  return {};
}

Term with_author_names(const Names& names, Term term) {
  walk_terms(term, [&](Term& t) {
    if (t.kind == TermKind::kVar && names.rewritten(t.variable)) t.text = names.author_text(t.variable);
    return false;
  });
  return term;
}

}  // namespace

bool members_of(const Term& collection, std::vector<const Term*>& out) {
  switch (collection.kind) {
    case TermKind::kArray:
    case TermKind::kSet:
      for (const Term& item : collection.items) out.push_back(&item);
      return true;
    case TermKind::kObject:
      for (std::size_t i = 1; i < collection.items.size(); i += 2) out.push_back(&collection.items[i]);
      return true;
    default: return false;
  }
}

bool selects_rule(const CauseSite& site, const std::vector<Term>& target, std::vector<std::size_t>* positions) {
  bool always = true;
  const std::vector<const Term*>& ref = site.selected;
  for (std::size_t i = 1; i < std::min(ref.size(), target.size()); ++i) {
    if (!is_constant(target[i])) continue;
    const Term& step = *ref[i];
    if (step.kind == TermKind::kVar && !site.bound->contains(step.variable)) {
      const auto uses = std::count_if(ref.begin(), ref.end(), [&](const Term* t) {
        return t->kind == TermKind::kVar && t->variable == step.variable;
      });
      if (uses == 1) continue;  // enumerates everything, this rule too
    }
    if (is_constant(step)) {
      if (!equal(step, target[i])) return false;
      continue;
    }
    if (positions == nullptr) return false;
    always = false;
    positions->push_back(i);
  }
  return always;
}

Cause describe_cause(const CauseSite& site, const std::vector<Term>& target) {
  const Names& names = site.context.names;
  Term reference = site.source;
  reference.items.resize(std::min(reference.items.size(), target.size()));
  reference = with_author_names(names, std::move(reference));
  Cause cause;
  cause.reference = to_string(reference);
  const std::string target_name = author_string(names, target);
  std::vector<std::size_t> positions;
  selects_rule(site, target, &positions);
  std::vector<Condition> conditions;
  const bool consistent = conditions_of(reference, target, positions, conditions);
  const Origins origins(site);
  const bool impossible = std::any_of(conditions.begin(), conditions.end(),
                                      [&](const Condition& c) { return cannot_hold(site, origins, c); });
  if (!consistent || impossible || conditions.empty() || conditions.size() > kMaxConditions) {
    cause.condition = " could refer to " + target_name;
    return cause;
  }
  cause.condition = " refers to " + target_name;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    cause.condition +=
        (i == 0 ? " if " : " and ") + to_string(conditions[i].term) + " is " + to_string(conditions[i].value);
    const std::string note = origin_note(site, origins, conditions[i]);
    if (!note.empty()) cause.condition += " (" + note + ")";
  }
  return cause;
}

}  // namespace portcullis::rego::passes
