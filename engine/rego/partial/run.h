// One run of partial evaluation. Search is by continuation: a step calls what comes after it once for every way to
// satisfy it, and takes back what it bound when the call returns. `false` from any step ends the run with error().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/rego/compile/checked.h"
#include "engine/rego/compile/passes.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/partial/partial.h"

namespace portcullis::rego::partial {

// What comes after a step. Borrows the callable: only for arguments of calls.
class Next {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Next>)
  Next(F&& f) noexcept  // NOLINT(google-explicit-constructor)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object) -> bool { return (*static_cast<std::remove_reference_t<F>*>(object))(); }) {}
  bool operator()() const { return call_(object_); }

 private:
  void* object_;
  bool (*call_)(void*);
};

// Values of variables in one query or rule body. A value may hold variables of other bindings.
struct Bindings {
  struct Entry {
    const Term* key;
    const Term* value;
    Bindings* where;  // whose variables the value holds
  };
  std::uint64_t id = 0;
  std::vector<Entry> values;

  const Entry* find(const Term& var) const noexcept;
  void erase(const Term& var) noexcept;
};

struct Bound {
  const Term* term;
  Bindings* where;
};
Bound apply(Bindings* bindings, const Term* term) noexcept;

// A place in a body that is being evaluated.
struct Frame {
  const Body* query = nullptr;
  std::size_t index = 0;
  std::uint64_t id = 0;
  Bindings* bindings = nullptr;
  const Term* input = nullptr;  // null: none
  const Term* data = nullptr;   // what `with` put in the place of base data; null: nothing
  std::uint64_t generated = 0;
  std::size_t every_size = 0;  // elements of the `every`s around that were unrolled

  const Expr& expr() const noexcept { return query->exprs[index]; }
};

// What stands at a node of the rule tree.
struct Rules {
  std::vector<const Rule*> rules;  // without the default
  const Rule* otherwise = nullptr;
  bool has_else = false;
  bool multi = false;
  bool ground = true;

  bool empty() const noexcept { return rules.empty() && otherwise == nullptr; }
};

class Run {
 public:
  Run(const CheckedModules& modules, const CheckedQuery& query, Arena& arena, Host& host,
      const PartialOptions& options);
  Result<PartialResult, EvalError> run(const Value& input, const Value& data);

 private:
  using Ref = std::vector<Term>;
  struct SaveSetElement {
    std::vector<const Term*> refs;
    std::vector<const Term*> vars;
    Bindings* bindings;
  };
  struct Saved {
    const Expr* expr;
    Bindings* left;
    Bindings* right;
  };
  struct Disabled {
    bool internal = false;
    std::vector<const Term*> refs;
  };
  struct Path {  // a reference on its way through documents
    Frame* frame;
    const Ref* ref;
    std::vector<const Term*> plugged;
    std::size_t at;
    Bindings* bindings;
    const Term* other;  // what the document is unified with
    Bindings* other_bindings;
    const RuleTreeNode* node;
  };
  struct Inside {  // a reference on its way through a value
    Frame* frame;
    const Ref* ref;
    std::size_t at;
    Bindings* bindings;
    const Term* term;
    Bindings* term_bindings;
    const Term* other;
    Bindings* other_bindings;
  };
  using Mocks = std::vector<std::pair<const Term*, const Term*>>;
  struct Cached {
    const Term* value;  // null: undefined
  };

  // terms.cpp: making and reading terms
  const Term* keep(Term term);
  const Term* keep_ref(std::span<const Term* const> items);
  const Expr* keep(Expr expr);
  const Body* keep(Body body);
  Bindings* new_bindings(std::uint64_t id);
  const Term* plug(Bindings* bindings, const Term* term, Bindings* caller = nullptr);
  Term plugged(Bindings* bindings, const Term& term, Bindings* caller);
  Term named(Bindings* bindings, const Term& var, Bindings* caller) const;
  void name_closure(Bindings* bindings, Term& term);
  void name_body(Bindings* bindings, Body& body);
  void name_term(Bindings* bindings, Term& term);
  const Term* from_value(const Value& value);
  Term value_term(const Value& value);
  Value to_value(const Term& term);
  const Term* merged(const Term* first, const Term* second);
  bool step();  // false: out of budget
  bool deep();  // too much of the stack is used: error recorded
  bool fail(std::string code, std::string message, const Location& where);

  // save.cpp: what is unknown, and what is kept of the query
  bool is_unknown(const Term& term, Bindings* bindings) const;
  bool has_unknown(const Term& term, Bindings* bindings);
  bool may_be_unknown(const Term& term, Bindings* bindings) const;
  bool covered(std::span<const Term* const> path) const;
  std::vector<const Term*> unknown_keys(std::span<const Term* const> prefix) const;
  static bool has_var(const SaveSetElement& element, const Term& var, const Bindings* bindings);
  bool disabled(std::span<const Term> ref, bool ignore_internal) const;
  bool required(const Term& term, Bindings* bindings, bool inside_rule = false);
  bool required(const Expr& expr, Bindings* bindings, bool inside_rule = false);
  bool required(const Body& body, Bindings* bindings, bool inside_rule = false);
  bool required(const Rule& rule, Bindings* bindings);
  bool any_rule_required(const RuleTreeNode& node, std::span<const Term> ref, Bindings* bindings);
  bool any_below_required(const RuleTreeNode& node, Bindings* bindings);
  bool rules_required(const RuleTreeNode& node, Bindings* bindings);
  std::size_t mark_unknown(const Term& term, Bindings* bindings);  // how many were pushed
  void unmark(std::size_t count) { save_set_.resize(save_set_.size() - count); }
  bool save_expr(Frame& frame, Expr expr, Bindings* bindings, Next next);
  bool save_marked(Frame& frame, const Expr& expr, Next next);
  bool save_unify(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next);
  bool save_call(Frame& frame, std::size_t arity, const std::vector<Term>& terms, Next next);
  bool save_negated(Frame& frame, std::vector<Expr> exprs, Next next);
  std::vector<With> saved_withs(const std::vector<With>& withs) const;
  Body plugged_query(const std::vector<Saved>& saved);
  Expr plugged_expr(const Saved& saved);

  // unify.cpp
  bool unify(Frame& frame, const Term* a, const Term* b, Next next) {
    return biunify(frame, a, b, frame.bindings, frame.bindings, next);
  }
  bool biunify(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next);
  bool biunify_values(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next);
  bool biunify_items(Frame& frame, const Term* a, const Term* b, std::size_t at, Bindings* b1, Bindings* b2, Next next);
  bool biunify_list(Frame& frame, std::span<const Term* const> a, std::span<const Term* const> b, Bindings* b1,
                    Bindings* b2, Next next);
  bool biunify_objects(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next);
  bool biunify_members(Frame& frame, const Term* a, const Term* b, std::size_t at, Bindings* b1, Bindings* b2,
                       Next next);
  bool biunify_ref(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, Next next);
  bool biunify_comprehension(Frame& frame, const Term* a, const Term* b, Bindings* b1, Bindings* b2, bool swapped,
                             Next next);
  bool bind(Bindings* bindings, const Term* var, const Term* value, Bindings* where, Next next);
  const Term* amended(const Term* comprehension, Bindings* bindings);
  const Term* plugged_keys(const Term* object, Bindings* bindings);

  // expressions.cpp
  Frame closure(const Frame& parent, const Body* query);
  Frame child(const Frame& parent, const Body* query);
  bool eval(Frame& frame, Next next);
  bool after(Frame& frame, Next next);
  bool eval_step(Frame& frame, Next next);
  bool eval_term(Frame& frame, const Term& term, Next next);
  bool eval_not(Frame& frame, Next next);
  bool eval_not_partial(Frame& frame, Next next);
  bool negation_support(Frame& frame, std::uint64_t id, const passes::VarSet& unknowns, std::vector<Body> queries,
                        Next next);
  bool can_inline_negation(const passes::VarSet& safe, const std::vector<Body>& queries);
  bool negated_product(Frame& frame, const std::vector<Body>& queries, std::size_t at, std::vector<Expr>& chosen,
                       Next next);
  bool eval_with(Frame& frame, Next next);
  bool eval_logical(Frame& frame, Next next);
  bool eval_every(Frame& frame, Next next);
  bool every_domain(Frame& frame, std::vector<std::pair<const Term*, const Term*>>& pairs);
  Body every_element(Frame& frame, const Term* key, const Term* value);
  Expr plugged_every(Frame& frame, const Expr& expr);
  void plug_body(Frame& frame, Body& body);
  bool is_function(const Term& ref) const;
  const Term* with_value(const Term* document, std::span<const Term> path, const Term* value);
  passes::VarSet unknown_vars();

  // calls.cpp
  bool eval_call(Frame& frame, const std::vector<Term>& terms, Next next);
  bool eval_builtin(Frame& frame, const BuiltinDecl& decl, std::span<const Term> operands, Next next);
  bool builtin_result(Frame& frame, std::span<const Term> operands, std::size_t arity, const Value& value, Next next);
  bool eval_mock_value(Frame& frame, std::size_t arity, const std::vector<Term>& terms, const Term* value, Next next);
  bool eval_function(Frame& frame, const Rules& rules, const std::vector<Term>& terms, Next next);
  bool eval_function_rule(Frame& frame, const Rule& rule, const std::vector<Term>& terms, const Term*& previous,
                          bool& found, Next next);
  bool function_support(Frame& frame, const Rules& rules, const std::vector<Term>& terms, std::size_t arity, Next next);
  bool function_support_rule(Frame& frame, const Rule& rule, const Ref& path);
  const Term* mock_of(const Term& op) const;
  Rules rules_at(const RuleTreeNode* node) const;

  // documents.cpp
  bool eval_tree(Path path, Next next);
  bool tree_next(const Path& path, const Term* key, Next next);
  bool tree_end(const Path& path, Next next);
  bool tree_enumerate(const Path& path, Next next);
  bool leaves(Frame& frame, std::vector<const Term*>& plugged, const RuleTreeNode& node, Term& out, bool& any);
  bool resolve(Frame& frame, std::span<const Term* const> ref, const Term*& out, bool& unknown);
  const Term* base_data(std::span<const Term* const> ref);
  bool eval_virtual(const Path& path, Next next);
  bool eval_inside(Inside inside, Next next);
  bool inside_next(const Inside& inside, const Term* key, Next next);
  bool inside_enumerate(const Inside& inside, Next next);
  bool inside_unknown_keys(const Inside& inside, Next next);
  Bound inside_get(const Inside& inside, const Term* key);
  Bound get_from(const Inside& inside, const Term* key);
  bool inside_save(const Inside& inside, Next next);
  bool eval_from(const Path& path, std::size_t at, const Term* term, Bindings* bindings, Next next);

  // virtual_documents.cpp
  bool eval_complete(const Path& path, const Rules& rules, Next next);
  bool complete_value(const Path& path, const Rules& rules, Next next);
  bool complete_rule(const Path& path, const Rule& rule, const Term*& previous, bool& found, Next next);
  bool complete_partial(const Path& path, const Rules& rules, Next next);
  bool complete_support(const Path& path, const Rules& rules, Next next);
  bool complete_support_rule(const Path& path, const Rule& rule, bool& defined);
  bool eval_partial(const Path& path, const Rules& rules, Next next);
  bool each_rule(const Path& path, const Rules& rules, bool unknown, Next next);
  bool all_rules(const Path& path, const Rules& rules, const Term*& out);
  bool one_rule(const Path& path, const Rule& rule, bool unknown, Term& result, std::vector<Ref>& seen, Next next);
  bool one_rule_late(const Path& path, const Rule& rule, Next next);
  bool from_rule(const Path& path, const Rule& rule, Frame& body, Next next);
  bool unify_head(Frame& frame, const Path& path, const Rule& rule, std::size_t at, Bindings* rule_bindings, Next next);
  bool reduce(const Path& path, const Rule& rule, Bindings* bindings, Term& result, std::vector<Ref>& seen);
  bool partial_support(const Path& path, const Rules& rules, Next next);
  bool partial_support_rule(const Rule& rule, Frame& frame, bool& defined);
  const Ref& reference_of(const Rule& rule);
  Ref in_namespace(std::span<const Term* const> ref);
  Ref in_namespace(const Ref& ref);
  bool support_exists(const Ref& path) const;
  void add_support(const Ref& package, Rule rule);
  bool type_checks(Body& body);
  std::string cache_key(const Path& path) const;

  // copy_propagation.cpp
  Body propagated(Body body, const passes::VarSet& live, bool never_empty);
  void number(Term& term);
  void number(Body& body);
  friend class Propagation;

  const CheckedModules& modules_;
  const CheckedQuery& query_;
  Arena& arena_;
  const PartialOptions& options_;
  CheckOptions check_options_;
  passes::Context context_;
  BuiltinContext builtin_context_;
  Value data_;

  std::deque<Term> terms_;
  std::deque<Expr> exprs_;
  std::deque<Body> bodies_;
  std::deque<Bindings> bindings_;
  std::unordered_map<const Rule*, Ref> references_;
  std::unordered_map<const void*, const Term*> converted_;  // base data by its storage

  std::uint64_t next_id_ = 0;
  Bindings* root_ = nullptr;
  std::vector<SaveSetElement> save_set_;
  std::vector<std::vector<Saved>> save_stack_;
  std::map<std::string, Module> support_;
  std::vector<Disabled> disabled_;
  std::vector<std::vector<Ref>> targets_;  // of the `with`s around
  std::vector<std::vector<Mocks>> mocks_;  // the last list of lists is in force
  std::vector<std::map<std::string, Cached>> cache_;

  std::uint64_t steps_ = 0;
  std::uint64_t made_ = 0;
  std::uintptr_t stack_start_ = 0;
  std::optional<EvalError> error_;
};

bool is_ground(const Term& term);
bool is_composite(const Term& term);
bool has_prefix(std::span<const Term> ref, std::span<const Term> prefix);
// How many steps of a rule's full reference name the package of the support module it goes to.
std::size_t package_size(std::span<const Term> path);
Term ref_of(std::span<const Term* const> items);
Term true_term();
Expr equality(Term left, Term right);

}  // namespace portcullis::rego::partial
