// What the checking passes hand to the planner: the rule tree, the shape of every rule after the passes, and the small
// questions about terms that both sides ask. compiler.h has the contract in outline, this header has it to the letter.
// Threads: everything here is read-only once check() has returned. Ownership: nodes point at rules inside
// CheckedModules::modules and live as long as the CheckedModules (moving it keeps the pointers valid).
//
// A rule after check():
//  - Head::reference is the rule's whole name below its package: var, then per step a constant scalar or a variable
//    (never a reference, call or composite: those were hoisted into the body). p[k] = v in all its spellings has the
//    steps {p, k}; `p contains k` and v0's p[k] have {p} and the element in Head::key with Head::contains set.
//  - Head::key is set exactly when Head::contains is. Head::value is set exactly when it is not (`true` when the author
//    wrote none; Head::generated_value tells). Both are variables, constants, or arrays, sets and objects of them.
//  - Head::arguments of functions: variables, scalars, or arrays and objects of them (patterns to unify with). The same
//    variable may stand twice: both places must be equal. An `else` carries the same arguments under the same names.
//  - `default` rules: the value has neither variables nor references but may be a comprehension or hold calls' outputs
//    no more than OPA allows; the body is `true`. Default functions have variables as arguments.
//  - Rule::otherwise chains are kept as written; each branch is ordered on its own.
//
// An expression after check():
//  - ExprKind::kSome is gone. kTerm is a single term (variable, reference, constant or comprehension) that must be
//    defined and not false. kEvery has a variable as every_domain (bound by an `eq` before it); its body is ordered
//    with key and value bound, and nothing bound inside it is seen outside. every_key, when there, and every_value are
//    variables.
//  - kCall: terms[0] is a kRef of the operator's name: {var "data", …} for functions of the modules, or the builtin's
//    name, split at dots (`io.jwt.decode` has three items, `eq` one). As many arguments as the function has, or one
//    more: then the last is the output, a term to unify the result with. `eq` always has two: a unification, which may
//    bind on either side. In modules `equal` as a statement has become `eq` (all its variables are bound before it, so
//    that means the same); with an output, and in queries, it stays. `assign` is gone. A call without the output must
//    be defined and not false.
//  - Arguments of calls, elements of composites and steps of references are variables, constants, or composites of
//  them.
//    References and comprehensions stand only directly: as a kTerm or as one side of `eq` (`with`: see below).
//  - A reference's head is var `data`, var `input` or a local variable; its steps are variables, scalars or composites.
//    A variable in a step that is bound by nothing before it iterates and binds (a composite step is then a pattern for
//    the elements of a set, or the keys of an object). Wildcards `$0`, `$1`… do the same.
//  - kNot, kAnd, kOr stay (kNot only where the module imports the keyword): `left` and `right` are ordered bodies of
//    their own; nothing bound inside them is seen outside. terms is empty.
//  - A negated expression binds nothing; what its arguments need stands before it (an undefined argument of `not
//  f(x.y)`
//    makes the body undefined, as in OPA). An expression hoisted from one with `with` has the same `with`.
//    `with` targets are input or data references or a function's reference (builtin
//    or data.…); values are variables, constants, or, when the target is a function, the reference of a function.
//  - Comprehensions: `items` as rules' heads; the body sees the variables of the bodies around it that are bound
//  before.
//    A variable that only the comprehension's body uses is local to it.
// Variables: the names the author declared are unique in the whole set of modules (`__local12__`); names that were not
// declared (v0's x = 1, p[i]) keep their spelling and belong to the rule's body in which they stand, or to the
// innermost comprehension or `every` body when they stand only there. Every kVar has Term::variable set: an index into
// CheckedModules::variables (CheckedQuery::variables in a query), the same for the same name, so that passes need no
// look-ups by text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/compile/compiler.h"
#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

enum class DocumentKind : std::uint8_t {
  kNone,           // a package, or a step on the way to rules: an object of its children over base data
  kComplete,       // every rule is single-valued and its reference ends here; `default_rule` may be set
  kFunction,       // every rule has arguments (the same number)
  kPartialSet,     // every rule is `contains` and its reference ends here
  kPartialObject,  // every rule's reference goes on (variables) below this node; values, or sets when is_multi_value
};

// data.<path>. The root of the tree is `data` itself (key: the string "data").
// Rules stand at the longest constant prefix of their reference: p.q[x].r := 1 stands at p.q and its steps after that
// are steps_below(). Free of conflicts: a node with kComplete, kPartialSet or kFunction has no children, and rules of
// one node have one kind. A kPartialObject may have children (p[x] := 1 beside p.a := 2): a value from deeper constant
// names merges into the object, and two different values for the same key are an eval_conflict_error.
struct RuleTreeNode {
  Term key;                            // scalar: kString, kNumber, kBoolean, kNull
  std::vector<RuleTreeNode> children;  // in Rego's order of keys
  std::vector<const Rule*> rules;      // in order of modules' names, then source; the default rule is one of them
  const Rule* default_rule = nullptr;
  DocumentKind kind = DocumentKind::kNone;
  bool is_package = false;  // some module's package ends here
  bool hidden = false;      // data.system: left out when a whole document above it is enumerated
  std::uint32_t depth = 0;  // 0 for `data`: how many steps from the root

  // Null when there is none. Keys of other kinds than scalars have none. O(log n).
  const RuleTreeNode* child(const Term& key) const noexcept;
  const RuleTreeNode* child(std::string_view name) const noexcept;
};

// The whole reference of a rule: data, its package, its head reference's steps. (Head::reference names only the
// latter.)
std::vector<Term> full_reference(const Module& module, const Rule& rule);
// Steps of the rule's reference that stand below the node that holds it: none for kComplete, kFunction, kPartialSet.
std::span<const Term> steps_below(const Rule& rule) noexcept;

// Walks `reference` (its head: var `data`) down from `root` while steps are constants with a node of their own.
// `used` becomes the number of items walked, the head included: 0 when the head is not `data`. The node reached.
const RuleTreeNode* find_prefix(const RuleTreeNode& root, std::span<const Term> reference, std::size_t& used) noexcept;
// The node at exactly this reference, or null.
const RuleTreeNode* find_exact(const RuleTreeNode& root, std::span<const Term> reference) noexcept;
// The first node on the way down that holds rules (the virtual document that the reference reads from), or null.
const RuleTreeNode* find_document(const RuleTreeNode& root, std::span<const Term> reference,
                                  std::size_t& used) noexcept;
// Calls visit(node) for `node` and all below it, in key order.
template <typename Visit>
void for_each_node(const RuleTreeNode& node, Visit&& visit) {
  visit(node);
  for (const RuleTreeNode& below : node.children) for_each_node(below, visit);
}

// Scalars, and arrays, sets and objects of constants: what has a value at compile time.
bool is_constant(const Term& term) noexcept;
bool is_scalar(const Term& term) noexcept;
// `$n`, and names that the passes made (`__local3__`, with or without a suffix).
bool is_wildcard(std::string_view name) noexcept;
bool is_generated(std::string_view name) noexcept;
// Rego's order over scalar terms (null < false < true < numbers < strings).
int compare_scalars(const Term& a, const Term& b) noexcept;

// Empty when the modules keep the contract above, else what breaks it first and where. For tests and debug builds.
std::string well_formed(const CheckedModules& modules);

}  // namespace portcullis::rego
