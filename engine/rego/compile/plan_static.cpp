// What depends on constants alone (a constraint's parameters are some) is evaluated while planning: documents, calls
// with constant arguments, comprehensions. A program of its own is planned for each and run within bounds; what fails
// there, or takes too long, is left to be evaluated, and to fail, at run time.
#include <algorithm>

#include "engine/rego/compile/planner.h"
#include "engine/rego/compile/walk.h"
#include "engine/rego/eval/code.h"

namespace portcullis::rego {

namespace {

constexpr std::size_t kMaxStaticBytes = 64 * 1024;
constexpr std::size_t kMaxStaticArena = std::size_t{4} << 20;
constexpr std::uint64_t kMaxStaticInstructions = 20'000;
constexpr std::chrono::milliseconds kMaxStaticTime{20};
constexpr std::chrono::milliseconds kMaxAllStaticTime{50};

}  // namespace

Planner::Planner(const Planner& outer, int)
    : modules(outer.modules), options(outer.options), variables(outer.variables), dependences(outer.dependences) {
  worlds_.emplace_back();
}

bool FunctionPlanner::is_static(std::uint8_t dependence) const {
  if (!planner_.optimise || planner_.static_budget == 0) return false;
  const World& world = planner_.world(world_);
  if (world.input_replaced || !world.data_paths.empty() || !world.functions.empty()) return false;
  return (dependence & planner_.unknown) == 0;
}

// Runs what `plan` plans into a program of its own. False: it is not to be had now. Undefined is a value here. The
// result is good until the next call.
bool FunctionPlanner::evaluate_now(const std::function<Operand(FunctionPlanner&)>& plan, Value& result) {
  if (planner_.static_deadline.is_never()) planner_.static_deadline = Deadline::after(kMaxAllStaticTime);
  if (planner_.static_deadline.passed()) return false;
  --planner_.static_budget;
  Planner nested(planner_, 0);
  const std::uint32_t index = nested.builder.declare("static", 0, false, false);
  FunctionPlanner function(nested, 0);
  const Label none = function.code_.label();
  function.fail_ = none;
  const Operand value = plan(function);
  function.code_.emit(Opcode::kReturn, value);
  function.code_.bind(none);
  function.code_.emit(Opcode::kFail);
  if (function.code_.overflow) return false;
  nested.builder.add(index, std::move(function.code_));
  nested.builder.code().query = index;
  Parsed<Program> program = nested.finish_program();
  if (!program.ok()) return false;
  // The result may share the program's constants.
  planner_.static_program = std::make_unique<const Program>(std::move(*program));
  if (!planner_.static_scratch) planner_.static_scratch = std::make_unique<EvalScratch>();
  EvalScratch& scratch = *planner_.static_scratch;
  scratch.reset();
  Host host;
  EvalOptions eval_options;
  eval_options.limits.deadline = Deadline::after(kMaxStaticTime);
  eval_options.limits.instructions = kMaxStaticInstructions;
  eval_options.limits.arena_bytes = kMaxStaticArena;
  eval_options.strict_builtin_errors = true;  // what fails, fails at run time, where it is known how strictly
  const Result<Value, EvalError> evaluated = planner_.static_program->eval_query({}, {}, scratch, host, eval_options);
  if (!evaluated.ok() || deep_size(*evaluated) > kMaxStaticBytes) return false;
  result = *evaluated;
  return true;
}

// A call of constants becomes its value.
bool FunctionPlanner::static_call(const RuleTreeNode& node, std::span<const Operand> operands, const Term* output) {
  std::vector<Value> values(operands.size());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!constant_value(operands[i], values[i])) return false;
  }
  if (!is_static(planner_.dependences->of(node))) return false;
  Value result;
  const bool evaluated = evaluate_now(
      [&](FunctionPlanner& f) {
        std::vector<Operand> arguments;
        for (const Value& value : values) arguments.push_back(f.constant(value));
        const Operand to = f.code_.allocate();
        const Operand first = f.window(arguments);
        f.code_.emit(Opcode::kCall, to, first, 0, f.fail_, f.planner_.document(node, 0));
        return to;
      },
      result);
  if (!evaluated) return false;
  if (!result.defined()) jump_fail();
  produced(constant(result.defined() ? result : Value::null()), output);
  return true;
}

// The constant that a document is; `operand` is then its value (undefined jumped away).
bool FunctionPlanner::static_document(const RuleTreeNode& node, Operand& operand) {
  if (!is_static(planner_.dependences->of(node))) return false;
  const auto [at, added] = planner_.static_documents.emplace(&node, std::nullopt);
  if (added) {
    Value result;
    const bool evaluated = evaluate_now(
        [&](FunctionPlanner& f) {
          const Operand to = f.code_.allocate();
          f.code_.emit(Opcode::kDocument, to, static_cast<Operand>(f.code_.next_register), 0, f.fail_,
                       f.planner_.document(node, 0));
          return to;
        },
        result);
    if (evaluated) {
      at->second = result.defined() ? planner_.builder.constant_at(planner_.builder.constant(result)) : Value();
    }
  }
  if (!at->second) return false;
  if (!at->second->defined()) jump_fail();
  operand = constant(at->second->defined() ? *at->second : Value::null());
  return true;
}

bool FunctionPlanner::static_comprehension(const Term& term, Operand& operand) {
  if (!is_static(planner_.dependences->of(term))) return false;
  std::vector<std::pair<const Term*, Value>> bound;
  bool known = true;
  passes::walk_terms(term, [&](const Term& part) {
    if (part.kind != TermKind::kVar || part.variable == 0) return false;
    const Binding* const binding = find(part.variable);
    Value value;
    if (binding != nullptr && (known = known && constant_value(binding->operand, value))) {
      bound.emplace_back(&part, value);
    }
    return false;
  });
  if (!known) return false;
  Value result;
  const bool evaluated = evaluate_now(
      [&](FunctionPlanner& f) {
        for (const auto& [variable, value] : bound) f.bind_variable(*variable, f.constant(value));
        return f.comprehension(term);
      },
      result);
  if (!evaluated || !result.defined()) return false;
  operand = constant(result);
  return true;
}

}  // namespace portcullis::rego
