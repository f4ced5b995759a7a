// The inside of Walk. Evaluation is in continuation-passing style, as in OPA: whatever a step finds is handed to
// `next`, and what the step says on the way back is the order of events that users of OPA know. A Status says how
// evaluation goes on after a solution: on (0), stop with an error, or stop early because a value that cannot change is
// found. The latter is a chain of stops, as a caller further up may have asked for one too: bits, the innermost last, 1
// for a stop that passes a query that did not ask for it ("deferred").
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/rego/compile/checked.h"
#include "engine/rego/trace/index.h"
#include "engine/rego/trace/walk.h"

namespace portcullis::rego::trace {

using Status = std::uint64_t;
constexpr Status kGoOn = 0;
constexpr Status kFailed = ~std::uint64_t{0};
inline bool is_deferred(Status status) { return status != kGoOn && status != kFailed && (status & 1) != 0; }
inline Status stop(Status inner, bool deferred) {
  if (inner == kGoOn) inner = 1;
  if (inner >> 61 != 0) inner = 1;  // deeper chains than any policy has: the innermost ones are done with by then
  return inner << 1 | (deferred ? 1 : 0);
}
// What the stop was passed on for.
inline Status without_stop(Status status) {
  if (status == kGoOn || status == kFailed) return status;
  return status >> 1 == 1 ? kGoOn : status >> 1;
}

// A reference to a callable that outlives the call it is passed to.
template <typename Signature>
class FunctionRef;
template <typename R, typename... A>
class FunctionRef<R(A...)> {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& f)  // NOLINT(google-explicit-constructor): that is its purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, A... a) -> R { return (*static_cast<std::remove_reference_t<F>*>(object))(a...); }) {}
  R operator()(A... a) const { return call_(object_, a...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

struct Env;

// A term with the variables it is read under, or a value.
struct Operand {
  const Term* term = nullptr;
  Env* env = nullptr;
  Value value;

  bool is_value() const { return value.defined(); }
};

// Variables bound so far. Bindings are taken back in reverse order.
struct Env {
  std::vector<std::pair<std::uint32_t, Operand>> slots;

  const Operand* find(std::uint32_t variable) const {
    for (auto at = slots.rbegin(); at != slots.rend(); ++at) {
      if (at->first == variable) return &at->second;
    }
    return nullptr;
  }
};

// One evaluation of a body.
struct Query {
  const Body* body = nullptr;
  Env* env = nullptr;
  Query* parent = nullptr;
  std::uint64_t id = 0;
  std::size_t index = 0;
  Value input;
  Value data;  // what `with` puts in the place of data
  // Where the last event that had a place was: events without one are shown there.
  mutable const Location* last_location = nullptr;
  bool find_one = false;
  bool defined = false;

  const Expr& expr() const { return body->exprs[index]; }
};

using Next = FunctionRef<Status()>;
using QueryNext = FunctionRef<Status(Query&)>;
using Reference = std::vector<Operand>;

struct Mock {
  std::string name;
  std::string function;  // by another function, or…
  Operand value;         // …a value
};

// A reference on its way down a value.
struct TermWalk {
  Query* query;
  const Reference* reference;
  Operand result;
};

// A reference on its way down data.
struct TreeWalk {
  Query* query;
  const Reference* reference;
  Operand result;
  std::size_t at = 1;
  const RuleTreeNode* node = nullptr;
  std::vector<Value> path;  // the steps known so far; path[0] is "data"
};

struct Part;  // walk_documents.cpp: a partial document that grows

struct Walk::Impl {
  Impl(const CheckedModules& m, const CheckedQuery& q, Tracer& t, Host& h, Arena& a, const WalkOptions& o);

  Result<Value, EvalError> run(const Value& input, const Value& base);

  // --- walk.cpp ---
  Operand of(const Term& term, Env* env);
  Operand apply(Operand operand) const;
  Value plug(const Operand& operand);  // undefined: not ground
  bool is_unbound(const Operand& operand) const;
  Status unify(Query& q, Operand a, Operand b, Next next);
  Status bind(Env& env, std::uint32_t variable, const Operand& to, Next next);
  Status unify_items(Query& q, const Operand& a, const Operand& b, std::size_t at, Next next);
  Status unify_objects(Query& q, const Operand& a, const Operand& b, Next next);
  Status unify_reference(Query& q, const Operand& a, const Operand& b, Next next);
  Status unify_comprehension(Query& q, const Operand& a, const Operand& b, Next next);
  Status term(const TermWalk& w, std::size_t at, const Operand& value, Next next);
  Status enumerate(const TermWalk& w, std::size_t at, const Operand& value, Next next);
  Operand member(const Operand& value, const Value& key);
  std::vector<std::pair<Value, Operand>> members(const Operand& object);
  Query child(Query& q, const Body& of_body, Env& env);
  Query closure(Query& q, const Body& of_body) { return child(q, of_body, *q.env); }
  Status run_traced(Query& q, QueryNext next);
  Status expression(Query& q, QueryNext next);
  Status step(Query& q, QueryNext next);
  Status next_expression(Query& q, QueryNext next);
  Status negation(Query& q, QueryNext next);
  Status every(Query& q, Next next);
  Status operand_body(Query& q, const Body& of_body, bool& holds);
  Status with(Query& q, QueryNext next);
  bool with_mocks(Query& q, const Expr& expr, std::vector<Mock>& mocks, std::vector<std::vector<Value>>& targets,
                  Value& input, Value& data);
  Value upsert(const Value& document, std::span<const Value> path, const Value& value);

  // --- walk_calls.cpp ---
  Status call(Query& q, std::span<const Operand> terms, const std::string& name, Next next);
  Status call_value(std::size_t arity, std::span<const Operand> arguments, const Operand& value, Query& q, Next next);
  Status builtin(Query& q, const BuiltinDecl& decl, std::span<const Operand> arguments, Next next);
  Status builtin_results(Query& q, const BuiltinDecl& decl, std::span<const Value> values,
                         std::span<const Operand> arguments, Next next);
  Status function(Query& q, const RuleTreeNode& node, const std::string& name, std::span<const Operand> arguments,
                  Next next);
  Status function_rule(Query& q, const Rule& rule, std::span<const Operand> arguments, const std::string& key,
                       Value& previous, bool find_one, bool& gave, Next next);
  void print(const Value& sets);
  std::size_t arity(const std::string& name) const;  // SIZE_MAX: no such function
  bool is_function(const std::string& name) const { return arity(name) != SIZE_MAX; }

  // --- walk_documents.cpp ---
  Status tree(TreeWalk w, Next next);
  Status tree_next(const TreeWalk& w, const Value& key, Next next);
  Status tree_enumerate(const TreeWalk& w, Next next);
  Status document(const TreeWalk& w, const RuleTreeNode& node, Next next);
  Status complete(const TreeWalk& w, const Matches& matches, Next next);
  Status complete_rule(const TreeWalk& w, const Rule& rule, const std::string& key, Value& previous, bool find_one,
                       bool& gave, Next next);
  Status partial(const TreeWalk& w, const Matches& matches, Next next);
  Status all_rules(const TreeWalk& w, const Matches& matches, Value& result);
  Status each_rule(const TreeWalk& w, const Rule& rule, Part& result);
  Status unify_head(Query& q, const TreeWalk& w, const Rule& rule, const Reference& own, std::size_t at, Env& env,
                    Next next);
  bool reduce(const Rule& rule, std::size_t at, Env& env, Part& result, bool& duplicate);
  Status extent(const TreeWalk& w, Value& result);
  Status leaves(Query& q, std::vector<Value>& path, const RuleTreeNode& node, Value& result);
  Status value_of(Query& q, const std::vector<Value>& path, Value& result);
  Value resolve_data(const Query& q, std::span<const Value> path) const;  // path without "data"
  Value merge(const Value& a, const Value& b) const;
  bool replaced(std::span<const Value> path) const;
  Matches matches(Query& q, const RuleTreeNode& node, std::span<const Operand> arguments, std::string_view shown);
  Value resolve(const Query& q, const IndexReference& reference, std::span<const Operand> arguments);
  const Reference& own_reference(const Rule& rule);

  // --- events ---
  void tell(const Query& q, Op op, const Rule* rule, const Expr* expr, const Body* of_body,
            std::string_view message = {}, std::string_view text = {});
  void tell(const Query& q, Op op, const Rule& rule, std::string_view message = {}) {
    tell(q, op, &rule, nullptr, nullptr, message);
  }
  void tell(const Query& q, Op op, const Expr& expr) { tell(q, op, nullptr, &expr, nullptr); }
  void tell(const Query& q, Op op, const Body& of_body) { tell(q, op, nullptr, nullptr, &of_body); }
  std::string shown(const Operand& operand) const;
  Status fail(const char* code, std::string message, const Location& at);
  bool over_budget(const Query& q);
  std::uint64_t parent_of(const Query& q) const { return q.parent != nullptr ? q.parent->id : 0; }

  // The query's own body with variables for what is shown.
  void prepare_query();
  const Body& negated_body(const Expr& expr);
  const Body& generator(const Expr& expr);
  Term fresh_variable();

  const CheckedModules& modules;
  const CheckedQuery& query;
  Tracer& tracer;
  Arena& arena;
  const WalkOptions options;
  BuiltinContext context;
  const RuleTreeNode* root = nullptr;
  Value base;
  EvalError error;
  EvalError first_builtin_error;
  bool unifications = false;

  Body body;                         // the query's
  std::vector<std::uint32_t> shows;  // by expression: the variable with its value, or 0
  std::uint32_t next_variable = 0;
  std::uint64_t next_query = 0;
  std::size_t depth = 0;

  struct CachedValue {
    bool defined = false;
    Value value;
  };
  std::vector<std::map<std::string, CachedValue, std::less<>>> cache{1};
  std::vector<std::vector<std::vector<Value>>> targets;  // of `with`, innermost last
  // Frames of mocks; a call by way of a mock sees none of those outside.
  std::vector<std::vector<std::vector<Mock>>> mocks{1};
  std::unordered_map<const Term*, Value> constants;
  std::unordered_map<const Expr*, Body> made_bodies;
  std::unordered_map<const Rule*, const Module*> module_of;
  std::unordered_map<const Rule*, Reference> references;
  std::unordered_map<const Rule*, std::string> rule_names;
  std::deque<Term> made_terms;
  std::unordered_map<const RuleTreeNode*, RuleIndex> indexes;
  std::map<std::string, Value, std::less<>> once;  // calls of nondeterministic builtins
};

std::string path_key(std::span<const Value> path);
std::string rule_name(const Module& module, const Rule& rule);

}  // namespace portcullis::rego::trace
