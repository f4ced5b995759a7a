// Planning calls: functions of the modules, builtins, and the builtins that have instructions of their own.
#include <algorithm>

#include "engine/rego/compile/planner.h"

namespace portcullis::rego {

namespace {

std::size_t arity_of(const BuiltinDecl& decl) {
  std::size_t arity = 0;
  while (arity < decl.arguments.size() && !decl.arguments[arity].empty()) ++arity;
  return arity;
}

struct KindTest {
  std::string_view name;
  Kind kind;
};
constexpr KindTest kKindTests[] = {
    {"is_array", Kind::kArray},   {"is_boolean", Kind::kBool},  {"is_null", Kind::kNull},
    {"is_number", Kind::kNumber}, {"is_object", Kind::kObject}, {"is_set", Kind::kSet},
    {"is_string", Kind::kString},
};

constexpr std::size_t kMaxFoldedBytes = 64 * 1024;
constexpr std::chrono::milliseconds kMaxFoldTime{50};

}  // namespace

std::size_t FunctionPlanner::arity_of(const RuleTreeNode& node) const {
  return node.rules.empty() ? 0 : node.rules.front()->head.arguments.size();
}

bool FunctionPlanner::has_output(std::span<const Term> terms) const {
  std::size_t used = 0;
  std::size_t arity = 0;
  if (const RuleTreeNode* node = find_document(*planner_.modules.tree, terms[0].items, used)) {
    arity = arity_of(*node);
  } else {
    Expr named;
    named.kind = ExprKind::kCall;
    named.terms.push_back(terms[0]);
    const BuiltinRegistry::Entry* entry = planner_.modules.builtins->find(named.operator_name());
    if (entry == nullptr || entry->decl->variadic) return true;
    // print and the like give nothing to show.
    if (entry->decl->result.empty()) return true;
    arity = portcullis::rego::arity_of(*entry->decl);
  }
  return terms.size() - 1 > arity;
}

// A result: unified with the output term, or, without one, tested for truth.
void FunctionPlanner::produced(Operand value, const Term* output) {
  if (output != nullptr) return match(*output, value);
  Value known;
  if (constant_value(value, known)) {
    if (!known.truthy()) jump_fail();
    return;
  }
  code_.emit(Opcode::kTruthy, value, 0, 0, fail_);
}

// Arguments side by side, the last registers of the frame: the callee's frame begins there.
Operand FunctionPlanner::window(std::span<const Operand> operands) {
  const Operand first = code_.allocate(static_cast<std::uint32_t>(operands.size()));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    code_.emit(Opcode::kMove, static_cast<Operand>(first + i), operands[i]);
  }
  return first;
}

void FunctionPlanner::call(std::span<const Term> terms, const Location& where) {
  Expr named;
  named.kind = ExprKind::kCall;
  named.terms.push_back(terms[0]);
  std::string name = named.operator_name();
  WorldId callee_world = world_;
  std::span<const Term> arguments = terms.subspan(1);
  const World& world = planner_.world(world_);
  const auto mock = std::find_if(world.functions.rbegin(), world.functions.rend(),
                                 [&](const FunctionMock& one) { return one.name == name; });
  const bool mocked = mock != world.functions.rend();
  const FunctionMock replacement = mocked ? *mock : FunctionMock{};
  const RuleTreeNode* node = nullptr;
  const BuiltinRegistry::Entry* builtin = nullptr;
  const auto resolve = [&](const std::string& function) {
    node = nullptr;
    builtin = nullptr;
    if (function.starts_with("data.") || function.starts_with("data[")) {
      std::size_t used = 0;
      if (!mocked || function != replacement.function) {
        node = find_document(*planner_.modules.tree, terms[0].items, used);
      } else if (auto parsed = planner_.parse_path(function); parsed) {
        node = find_document(*planner_.modules.tree, parsed->items, used);
      }
    } else {
      builtin = planner_.modules.builtins->find(function);
    }
  };
  resolve(name);
  if (node == nullptr && builtin == nullptr) return broken(where, "no function " + name);
  const std::size_t arity = node != nullptr ? arity_of(*node) : portcullis::rego::arity_of(*builtin->decl);
  const Term* output =
      arguments.size() > arity && !(builtin != nullptr && builtin->decl->variadic) ? &arguments[arity] : nullptr;
  if (output != nullptr) arguments = arguments.first(arity);
  if (mocked && replacement.function.empty()) {
    for (const Term& argument : arguments) term(argument);
    const Operand value = code_.allocate();
    code_.emit(Opcode::kMock, value, 0, 0, fail_, replacement.slot);
    return produced(value, output);
  }
  if (mocked) {
    World without = world;
    without.functions.clear();
    callee_world = planner_.world_of(std::move(without));
    name = replacement.function;
    resolve(name);
    if (node == nullptr && builtin == nullptr) return broken(where, "no function " + name);
  }
  if (node != nullptr) return call_function(name, *node, callee_world, arguments, output);
  call_builtin(*builtin, arguments, output);
}

void FunctionPlanner::call_function(std::string_view name, const RuleTreeNode& node, WorldId callee_world,
                                    std::span<const Term> arguments, const Term* output) {
  static_cast<void>(name);
  std::vector<Operand> operands;
  for (const Term& argument : arguments) operands.push_back(term(argument));
  if (callee_world == world_ && static_call(node, operands, output)) return;
  const std::uint32_t function = planner_.document(node, callee_world);
  const Operand result = output != nullptr ? code_.allocate() : Operand{0};
  const std::uint32_t registers = code_.next_register;
  const Operand first = window(operands);
  code_.emit(output != nullptr ? Opcode::kCall : Opcode::kCallTest, result, first, 0, fail_, function);
  code_.release_to(registers);
  if (output != nullptr) match(*output, result);
}

// A pure builtin of constants is called now. What fails is left to fail when it is evaluated.
bool FunctionPlanner::fold(const BuiltinDecl& decl, std::span<const Operand> operands, const Term* output) {
  if (!planner_.optimise || decl.function == nullptr ||
      (decl.flags & (kNondeterministic | kCompilerOnly | kRelation)) != 0) {
    return false;
  }
  std::vector<Value> values;
  for (const Operand operand : operands) {
    Value value;
    if (!constant_value(operand, value)) return false;
    values.push_back(value);
  }
  Arena arena(std::size_t{1} << 24);
  Host host;
  BuiltinContext context(arena, host);
  context.deadline = Deadline::after(kMaxFoldTime);
  const Value result = decl.function(context, values);
  if (context.patterns != nullptr && context.free_patterns != nullptr) context.free_patterns(context.patterns);
  if (!result.defined() || context.failed() || deep_size(result) > kMaxFoldedBytes) return false;
  produced(constant(result), output);
  return true;
}

void FunctionPlanner::call_builtin(const BuiltinRegistry::Entry& entry, std::span<const Term> arguments,
                                   const Term* output) {
  const BuiltinDecl& decl = *entry.decl;
  if ((decl.flags & kRelation) != 0) return call_relation(decl, arguments, output);
  if (call_special(decl, arguments, output)) return;
  std::vector<Operand> operands;
  for (const Term& argument : arguments) operands.push_back(term(argument));
  if (decl.function == nullptr) {
    code_.emit(
        Opcode::kRaise, 0, 0, 0, kNoLabel,
        planner_.builder.raise("eval_internal_error", "unsupported built-in: " + std::string(decl.name), code_.place));
    if (output != nullptr) match(*output, constant(Value::null()));
    return;
  }
  if (!fold(decl, operands, output)) emit_builtin(decl, operands, output);
}

void FunctionPlanner::emit_builtin(const BuiltinDecl& decl, std::span<const Operand> operands, const Term* output) {
  const std::uint32_t builtin = planner_.builder.builtin(decl);
  const auto count = static_cast<std::uint16_t>(operands.size());
  const Operand result = output != nullptr ? code_.allocate() : Operand{0};
  const std::uint32_t registers = code_.next_register;
  const Operand first = window(operands);
  code_.emit(output != nullptr ? Opcode::kBuiltin : Opcode::kBuiltinTest, result, first, count, fail_, builtin);
  code_.release_to(registers);
  if (output != nullptr) match(*output, result);
}

// walk(x, [path, value]): the builtin gives all results at once, the loop binds them one by one.
void FunctionPlanner::call_relation(const BuiltinDecl& decl, std::span<const Term> arguments, const Term* output) {
  std::vector<Operand> operands;
  for (const Term& argument : arguments) operands.push_back(term(argument));
  const Operand results = code_.allocate();
  const std::uint32_t registers = code_.next_register;
  const Operand first = window(operands);
  code_.emit(Opcode::kBuiltin, results, first, static_cast<std::uint16_t>(operands.size()), fail_,
             planner_.builder.builtin(decl));
  code_.release_to(registers);
  const Operand iterator = code_.allocate(2);
  const Operand value = code_.allocate();
  const Label next = code_.label();
  code_.emit(Opcode::kLoop, iterator, results, 0, fail_);
  code_.bind(next);
  code_.emit(Opcode::kNextValue, iterator, 0, value, fail_);
  fail_ = next;
  if (output != nullptr) match(*output, value);
}

// sprintf("%v is not in %v", [x, [1, 2]]) needs only x at run time: what is known is written into the format. Only for
// formats whose verbs are plain and as many as there are arguments, where all that a verb does is to print its
// argument.
bool FunctionPlanner::known_arguments(const BuiltinDecl& sprintf, Operand& format, std::vector<Operand>& arguments) {
  constexpr std::size_t kMaxFormat = 4096;
  Value text;
  if (!planner_.optimise || !constant_value(format, text) || !text.is_string()) return false;
  Arena arena(std::size_t{1} << 20);
  Host host;
  BuiltinContext context(arena, host);
  const std::string_view from = text.as_string();
  std::string to;
  std::vector<Operand> left;
  std::size_t at = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    to += from[i];
    if (from[i] != '%') continue;
    if (++i == from.size()) return false;
    if (from[i] == '%') {
      to += '%';
      continue;
    }
    if ((from[i] != 'v' && from[i] != 's' && from[i] != 'd') || at == arguments.size()) return false;
    Value known;
    const Operand argument = arguments[at++];
    if (!constant_value(argument, known)) {
      to += from[i];
      left.push_back(argument);
      continue;
    }
    const Value call[] = {Value::string(from.substr(i - 1, 2)), make_array(arena, {&known, 1})};
    const Value shown = sprintf.function(context, std::span<const Value>(call, 2));
    if (!shown.is_string() || to.size() + shown.size() > kMaxFormat) return false;
    to.pop_back();
    for (const char c : shown.as_string()) to.append(c == '%' ? 2 : 1, c);
  }
  if (at != arguments.size() || left.size() == arguments.size() || left.empty()) return false;
  format = constant(make_string(planner_.builder.arena(), to));
  arguments = std::move(left);
  return true;
}

bool FunctionPlanner::compare_special(std::string_view name, Operand a, Operand b, const Term* output) {
  if (output == nullptr) {
    if (name == "equal")
      code_.emit(Opcode::kEqual, a, b, 0, fail_);
    else if (name == "neq")
      code_.emit(Opcode::kNotEqual, a, b, 0, fail_);
    else if (name == "lt")
      code_.emit(Opcode::kLess, a, b, 0, fail_);
    else if (name == "lte")
      code_.emit(Opcode::kLessEqual, a, b, 0, fail_);
    else if (name == "gt")
      code_.emit(Opcode::kLess, b, a, 0, fail_);
    else
      code_.emit(Opcode::kLessEqual, b, a, 0, fail_);
    return true;
  }
  const Operand result = code_.allocate();
  if (name == "equal")
    code_.emit(Opcode::kEqualV, result, a, b);
  else if (name == "neq")
    code_.emit(Opcode::kNotEqualV, result, a, b);
  else if (name == "lt")
    code_.emit(Opcode::kLessV, result, a, b);
  else if (name == "lte")
    code_.emit(Opcode::kLessEqualV, result, a, b);
  else if (name == "gt")
    code_.emit(Opcode::kLessV, result, b, a);
  else
    code_.emit(Opcode::kLessEqualV, result, b, a);
  match(*output, result);
  return true;
}

bool FunctionPlanner::call_special(const BuiltinDecl& decl, std::span<const Term> arguments, const Term* output) {
  const std::string_view name = decl.name;
  const auto operands_of = [&] {
    std::vector<Operand> operands;
    for (const Term& argument : arguments) operands.push_back(term(argument));
    return operands;
  };
  if (name == "internal.print" || name == "print") {
    const std::vector<Operand> operands = operands_of();
    if (operands.size() == 1) code_.emit(Opcode::kPrint, operands[0], 0, 0, kNoLabel, code_.place);
    return true;
  }
  if (arguments.size() == 2 &&
      (name == "equal" || name == "neq" || name == "lt" || name == "lte" || name == "gt" || name == "gte")) {
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    return compare_special(name, operands[0], operands[1], output);
  }
  if (name == "eq" && arguments.size() == 2) {
    const Operand a = term(arguments[0]);
    const Operand b = term(arguments[1]);
    return compare_special("equal", a, b, output);
  }
  if (output == nullptr && name == "internal.member_2" && arguments.size() == 2) {
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    code_.emit(Opcode::kMember, operands[0], operands[1], 0, fail_);
    return true;
  }
  if (output == nullptr && name == "internal.member_3" && arguments.size() == 3) {
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    code_.emit(Opcode::kMemberPair, operands[0], operands[1], operands[2], fail_);
    return true;
  }
  if (decl.function == nullptr) return false;
  if (output == nullptr && arguments.size() == 1) {
    for (const KindTest& test : kKindTests) {
      if (test.name != name) continue;
      const std::vector<Operand> operands = operands_of();
      if (fold(decl, operands, output)) return true;
      code_.emit(Opcode::kIsKind, operands[0], static_cast<std::uint16_t>(test.kind), 0, fail_);
      return true;
    }
  }
  if (output == nullptr && arguments.size() == 2 &&
      (name == "startswith" || name == "endswith" || name == "contains")) {
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    const Opcode opcode = name == "startswith" ? Opcode::kStartsWith
                          : name == "endswith" ? Opcode::kEndsWith
                                               : Opcode::kContains;
    code_.emit(opcode, operands[0], operands[1], 0, fail_, planner_.builder.builtin(decl));
    return true;
  }
  if (output != nullptr &&
      ((arguments.size() == 2 && (name == "plus" || name == "minus")) || (arguments.size() == 1 && name == "count"))) {
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    const Operand result = code_.allocate();
    const Opcode opcode = name == "plus" ? Opcode::kAdd : name == "minus" ? Opcode::kSubtract : Opcode::kCount;
    code_.emit(opcode, result, operands[0], operands.size() > 1 ? operands[1] : Operand{0}, fail_,
               planner_.builder.builtin(decl));
    match(*output, result);
    return true;
  }
  if (name == "sprintf" && arguments.size() == 2 && arguments[1].kind == TermKind::kArray && output != nullptr) {
    Operand format = term(arguments[0]);
    std::vector<Operand> values;
    for (const Term& value : arguments[1].items) values.push_back(term(value));
    known_arguments(decl, format, values);
    const Operand operands[] = {format, composite(TermKind::kArray, values)};
    if (!fold(decl, operands, output)) emit_builtin(decl, operands, output);
    return true;
  }
  if (output != nullptr && name == "object.get" && arguments.size() == 3) {
    if (const Value* member = known_member(arguments[0], arguments[1])) {
      produced(member->defined() ? constant(*member) : term(arguments[2]), output);
      return true;
    }
    const std::vector<Operand> operands = operands_of();
    if (fold(decl, operands, output)) return true;
    const Operand result = code_.allocate();
    const std::uint32_t registers = code_.next_register;
    const Operand first = window(operands);
    code_.emit(Opcode::kObjectGet, result, first, 0, fail_, planner_.builder.builtin(decl));
    code_.release_to(registers);
    match(*output, result);
    return true;
  }
  return false;
}

}  // namespace portcullis::rego
