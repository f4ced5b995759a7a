// The planner: checked modules to functions of the register machine. One Planner per program, one FunctionPlanner per
// function; functions are planned when something refers to them, each once per world.
//
// A world is what `with` changes statically: which functions are replaced by what, which data paths are replaced, and
// whether the input still is the caller's. The usual world (0) is what rules see outside of any `with`.
// Threads: one at a time. Ownership: borrows the modules, the query and the options while planning.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/rego/compile/checked.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/compile/dependence.h"
#include "engine/rego/compile/emit.h"
#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

using WorldId = std::uint32_t;

// What a call of a replaced function becomes.
struct FunctionMock {
  std::string name;        // operator name of the function replaced: "count", "data.a.f"
  std::string function;    // operator name of its replacement, or empty: a value
  std::uint32_t slot = 0;  // of the environment, when it is a value
  bool operator==(const FunctionMock&) const = default;
};

struct World {
  bool input_replaced = false;
  std::vector<std::string> data_paths;  // printed references, sorted: "data.a.b"
  std::vector<FunctionMock> functions;  // sorted by name, one each
  bool operator==(const World&) const = default;
};

class Planner {
 public:
  Planner(const CheckedModules& modules, const PlanOptions& options,
          const std::vector<CheckedModules::Variable>& variables);
  // A planner for what `outer` evaluates while it plans: the same modules and options, a program of its own.
  Planner(const Planner& outer, int);

  Parsed<Program> finish_program();
  void add_entry_point(const std::string& path);
  void add_query(const CheckedQuery& query);

  // Index of the function for what a node holds (its rules, or the object of all below it).
  std::uint32_t document(const RuleTreeNode& node, WorldId world);
  std::uint32_t extent(const RuleTreeNode& node, const std::vector<Value>& path, WorldId world);
  WorldId world_of(World world);
  // Where environments keep the value that replaces a function of this name.
  std::uint32_t mock_slot(const std::string& name);
  // The reference that a printed path stands for; null when it is none.
  std::shared_ptr<const Term> parse_path(const std::string& path) const;
  const World& world(WorldId id) const { return worlds_[id]; }

  const CheckedModules& modules;
  const PlanOptions& options;
  const std::vector<CheckedModules::Variable>& variables;
  ProgramBuilder builder;
  Diagnostics errors;
  bool optimise = true;
  std::shared_ptr<Dependences> dependences;
  // What is not known while planning (Dependences' bits), how many evaluations are left, and documents evaluated
  // (nullopt: to be evaluated at run time; an undefined Value: undefined).
  std::uint8_t unknown = Dependences::kAll;
  std::uint32_t static_budget = 0;
  Deadline static_deadline = Deadline::never();  // of all of them, from the first on
  std::map<const RuleTreeNode*, std::optional<Value>> static_documents;
  std::unique_ptr<EvalScratch> static_scratch;
  std::unique_ptr<const Program> static_program;
  std::map<const RuleTreeNode*, bool> harmless;  // what is known of rules: they cannot raise an error

 private:
  struct Task {
    std::uint32_t function;
    const RuleTreeNode* node;
    WorldId world;
    bool whole;               // the extent, not the rules
    std::vector<Value> path;  // of a whole
  };
  void run_tasks();
  std::uint32_t number_of(const RuleTreeNode& node);

  std::deque<World> worlds_;
  std::map<std::pair<const RuleTreeNode*, std::pair<WorldId, bool>>, std::uint32_t> functions_;
  std::deque<Task> tasks_;
  std::map<std::string, std::uint32_t> mock_slots_;
  std::map<const RuleTreeNode*, std::uint32_t> numbers_;
};

class FunctionPlanner {
 public:
  FunctionPlanner(Planner& planner, WorldId world) : planner_(planner), world_(world) {}

  // Each plans a whole function.
  void plan_rules(const RuleTreeNode& node, const std::string& name);
  void plan_extent(const RuleTreeNode& node, const std::vector<Value>& path);
  void plan_reference(const Term& reference);
  void plan_query(const CheckedQuery& query);

  FunctionBuilder& code() noexcept { return code_; }

 private:
  struct Binding {
    std::uint32_t variable;
    Operand operand;
    bool whole_input = false;  // it holds all of the caller's input
  };
  // What a block may not change for what follows it.
  struct Block {
    Label fail;
    std::size_t bindings;
  };

  // Where several ways to a value meet (plan_term.cpp). Each way arrives with its value, what it bound and, in fail_,
  // where it goes on for the next one; after finish() that is where fail_ leads, whichever way was taken.
  class Meeting {
   public:
    explicit Meeting(FunctionPlanner& planner);
    void arrive(Operand value);
    Operand finish();

   private:
    FunctionPlanner& planner_;
    std::size_t before_;
    Operand value_;
    Operand resume_;
    Label go_on_;
    std::vector<Binding> bound_;
  };

  // plan_body.cpp: expressions.
  void body(const Body& body);
  void expressions(std::span<const Expr> exprs);
  void expression(const Expr& expr, std::span<const Expr> following = {});
  void plain(const Expr& expr);
  void negated(const Expr& expr);
  void every(const Expr& expr);
  void logical(const Expr& expr);
  void exists(const Body& body);
  void with(const Expr& expr);
  void unify(const Term& a, const Term& b);
  void match(const Term& pattern, Operand value);
  bool unify_composites(const Term& a, const Term& b);
  void truth(const Term& term);
  void captured_call(const Expr& expr, Operand& captured);

  // plan_join.cpp: loops over base data that an index can replace.
  struct Join;
  bool indexed_join(const Term& variable, const Term& reference, std::span<const Expr> following);
  std::optional<Join> find_join(const Term& variable, const Term& reference, std::span<const Expr> following) const;
  bool joins_follow(const Expr& expr, std::span<const Expr> following) const;
  bool harmless(const Expr& expr) const;
  bool harmless(const Term& term) const;
  bool harmless(const Body& body) const;
  bool harmless(const RuleTreeNode& node) const;
  Operand loop_or_index(const Join& join);

  // plan_static.cpp: what is evaluated while planning.
  bool is_static(std::uint8_t dependence) const;
  bool evaluate_now(const std::function<Operand(FunctionPlanner&)>& plan, Value& result);
  bool static_call(const RuleTreeNode& node, std::span<const Operand> operands, const Term* output);
  bool static_document(const RuleTreeNode& node, Operand& operand);
  bool static_comprehension(const Term& term, Operand& operand);

  // plan_call.cpp: calls.
  void call(std::span<const Term> terms, const Location& where);
  void call_function(std::string_view name, const RuleTreeNode& node, WorldId callee_world,
                     std::span<const Term> arguments, const Term* output);
  void call_builtin(const BuiltinRegistry::Entry& entry, std::span<const Term> arguments, const Term* output);
  void emit_builtin(const BuiltinDecl& decl, std::span<const Operand> operands, const Term* output);
  bool call_special(const BuiltinDecl& decl, std::span<const Term> arguments, const Term* output);
  bool known_arguments(const BuiltinDecl& sprintf, Operand& format, std::vector<Operand>& arguments);
  bool compare_special(std::string_view name, Operand a, Operand b, const Term* output);
  void call_relation(const BuiltinDecl& decl, std::span<const Term> arguments, const Term* output);
  void produced(Operand value, const Term* output);
  Operand window(std::span<const Operand> operands);
  bool fold(const BuiltinDecl& decl, std::span<const Operand> operands, const Term* output);
  std::size_t arity_of(const RuleTreeNode& node) const;
  bool has_output(std::span<const Term> terms) const;

  // plan_term.cpp: terms and references.
  Operand term(const Term& term);
  Operand composite(const Term& term);
  Operand composite(TermKind kind, std::span<const Operand> operands);
  Operand comprehension(const Term& term);
  Operand reference(const Term& ref);
  Operand steps(Operand base, std::span<const Term> items);
  Operand step(Operand base, const Term& item);
  Operand input_reference(std::span<const Term> items);
  Operand data_reference(const RuleTreeNode* node, std::vector<Value>& path, std::span<const Term> items);
  Operand choose_child(const RuleTreeNode& node, std::vector<Value>& path, std::span<const Term> items);
  Operand base_path(const std::vector<Value>& path);
  Operand get_path(Operand base, const std::vector<Value>& keys);
  bool known_input(const std::vector<Value>& path, Operand& result);
  const Value* known_member(const Term& object, const Term& key) const;

  // plan_rule.cpp: rules.
  void complete_rules(const RuleTreeNode& node, bool is_function);
  void rule_chain(const Rule& rule, Operand cell, bool direct, Label next, std::size_t arguments);
  void default_rule(const Rule& rule, std::size_t arguments);
  void partial_set(const RuleTreeNode& node);
  void partial_object(const RuleTreeNode& node);
  void nested_object(const RuleTreeNode& node);
  // plan_share.cpp: bodies of several rules, what they begin with in common planned once.
  class Likeness;
  struct Sharer {
    const Rule* rule;
    std::vector<Binding> bindings;
    // Variables of the leading expression at hand: the leader's and this rule's.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> likeness_names;
  };
  using Finish = std::function<void(const Rule&)>;
  void shared_bodies(std::vector<Sharer>& rules, std::size_t depth, const Finish& finish);
  void rule_bodies(std::span<const Rule* const> rules, const Finish& finish);
  static std::vector<std::uint32_t> variables_of(const Expr& expr);
  bool plan_switch(std::span<const Rule* const> rules, std::span<const Label> bodies, Label finish, Operand& chain);

  // Helpers.
  bool is_bound(const Term& term) const;
  bool binds(const Term& term) const { return !is_bound(term); }
  const Binding* find(std::uint32_t variable) const noexcept;
  void bind_variable(const Term& variable, Operand operand, bool whole_input = false);
  Term new_variable(const Location& where);
  Block open_block(Label fail);
  void close_block(const Block& block);
  Operand constant(const Value& value);
  bool constant_value(Operand operand, Value& value) const;
  Value constant_of(const Term& term);
  Value key_of(const Term& term);
  void jump_fail() { code_.emit(Opcode::kJump, 0, 0, 0, fail_); }
  void at(const Location& where) { code_.place = planner_.builder.place(where); }
  void broken(const Location& where, std::string what);
  bool contains_with(const Body& body) const;
  bool data_replaced(const std::vector<Value>& path) const;

  Planner& planner_;
  WorldId world_;
  FunctionBuilder code_;
  std::vector<Binding> bindings_;
  Label fail_ = kNoLabel;
  Operand* captured_ = nullptr;  // of a query: where the value of the expression at hand goes
  std::uint32_t synthetic_ = 0;  // variables made here
};

// "data.a.b[\"c d\"]".
std::string path_text(std::span<const Value> path);

}  // namespace portcullis::rego
