// Planning rules: complete documents, functions, partial sets and objects, whole packages, and queries.
#include <algorithm>

#include "engine/rego/compile/planner.h"

namespace portcullis::rego {

namespace {

constexpr std::size_t kMinSwitchCases = 3;

bool has_constant_value(const Rule& rule) { return !rule.head.value || is_constant(*rule.head.value); }

// Every branch of every rule has the same constant for a value: the first solution decides.
bool one_constant_value(std::span<const Rule* const> rules) {
  const Term* first = nullptr;
  for (const Rule* rule : rules) {
    for (const Rule* link = rule; link != nullptr; link = link->otherwise.get()) {
      if (!has_constant_value(*link) || !link->head.value) return false;
      if (first == nullptr)
        first = &*link->head.value;
      else if (!equal(*first, *link->head.value))
        return false;
    }
  }
  return first != nullptr;
}

std::vector<const Rule*> without_default(const RuleTreeNode& node) {
  std::vector<const Rule*> rules;
  for (const Rule* rule : node.rules) {
    if (!rule->is_default) rules.push_back(rule);
  }
  return rules;
}

}  // namespace

void FunctionPlanner::plan_rules(const RuleTreeNode& node, const std::string& name) {
  static_cast<void>(name);
  switch (node.kind) {
    case DocumentKind::kComplete: return complete_rules(node, false);
    case DocumentKind::kFunction: return complete_rules(node, true);
    case DocumentKind::kPartialSet: return partial_set(node);
    case DocumentKind::kPartialObject: {
      const bool flat =
          node.children.empty() && std::all_of(node.rules.begin(), node.rules.end(), [](const Rule* rule) {
            return steps_below(*rule).size() == 1 && !rule->head.contains;
          });
      return flat ? partial_object(node) : nested_object(node);
    }
    case DocumentKind::kNone: code_.emit(Opcode::kFail); return;
  }
}

// A complete rule or function: the value of its rules' solutions, which must agree.
void FunctionPlanner::complete_rules(const RuleTreeNode& node, bool is_function) {
  const std::vector<const Rule*> rules = without_default(node);
  const std::size_t arguments = is_function ? arity_of(node) : 0;
  code_.allocate(static_cast<std::uint32_t>(arguments));
  const Operand cell = code_.allocate(2);
  const bool direct = one_constant_value(rules);
  code_.emit(Opcode::kUndefined, cell);
  const Label finish = code_.label();
  std::vector<Label> bodies;
  for (std::size_t i = 0; i < rules.size(); ++i) bodies.push_back(code_.label());
  bodies.push_back(finish);
  Operand chain = 0;
  const bool switched = is_function && plan_switch(rules, bodies, finish, chain);
  Label advance = kNoLabel;
  if (switched) advance = code_.label();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    code_.bind(bodies[i]);
    const std::uint32_t registers = code_.next_register;
    rule_chain(*rules[i], cell, direct || rules.size() == 1, switched ? advance : bodies[i + 1], arguments);
    code_.release_to(registers);
  }
  if (switched) {
    code_.bind(advance);
    code_.emit(Opcode::kChain, chain);
  }
  code_.bind(finish);
  const bool settles = std::any_of(code_.code.begin(), code_.code.end(),
                                   [](const Instruction& one) { return one.opcode == Opcode::kSettle; });
  if (node.default_rule != nullptr) {
    const Label settled = code_.label();
    if (settles) code_.emit(Opcode::kIfDefined, cell, 0, 0, settled);
    default_rule(*node.default_rule, arguments);
    code_.bind(settled);
  }
  code_.emit(settles ? Opcode::kFinish : Opcode::kFail, cell);
}

// One rule with its else branches. `direct`: the first solution may be returned at once when no other can differ.
void FunctionPlanner::rule_chain(const Rule& rule, Operand cell, bool direct, Label next, std::size_t arguments) {
  const bool constant_values = has_constant_value(rule);
  Operand produced_one = 0;
  if (rule.otherwise) {
    produced_one = code_.allocate();
    code_.emit(Opcode::kUndefined, produced_one);
  }
  for (const Rule* link = &rule; link != nullptr; link = link->otherwise.get()) {
    const bool last = link->otherwise == nullptr;
    const Label exhausted = last ? next : code_.label();
    const std::uint32_t registers = code_.next_register;
    const Block block = open_block(exhausted);
    at(link->location);
    for (std::size_t i = 0; i < arguments && i < link->head.arguments.size(); ++i) {
      match(link->head.arguments[i], static_cast<Operand>(i));
    }
    body(link->body);
    at(link->head.location);
    const Operand value = link->head.value ? term(*link->head.value) : constant(Value::boolean(true));
    const bool once = fail_ == exhausted;
    // One chain alone, with one solution or one constant: nothing can contradict.
    if (direct && (once || (constant_values && has_constant_value(*link)))) {
      code_.emit(Opcode::kReturn, value);
    } else {
      at(link->location);
      code_.emit(Opcode::kSettle, cell, value, 0, next, code_.place);
      if (once) {
        code_.emit(Opcode::kJump, 0, 0, 0, next);
      } else {
        if (!last) code_.emit(Opcode::kMove, produced_one, constant(Value::boolean(true)));
        jump_fail();
      }
    }
    close_block(block);
    code_.release_to(registers);
    if (last) break;
    code_.bind(exhausted);
    if (!once) code_.emit(Opcode::kIfDefined, produced_one, 0, 0, next);
  }
}

void FunctionPlanner::default_rule(const Rule& rule, std::size_t arguments) {
  const Label none = code_.label();
  const Block block = open_block(none);
  at(rule.location);
  for (std::size_t i = 0; i < arguments && i < rule.head.arguments.size(); ++i) {
    match(rule.head.arguments[i], static_cast<Operand>(i));
  }
  body(rule.body);
  code_.emit(Opcode::kReturn, rule.head.value ? term(*rule.head.value) : constant(Value::boolean(true)));
  close_block(block);
  code_.bind(none);
}

// Functions told apart by a constant argument are not tried one by one: a table gives the candidates, in order.
bool FunctionPlanner::plan_switch(std::span<const Rule* const> rules, std::span<const Label> bodies, Label finish,
                                  Operand& chain) {
  const auto scalar_at = [](const Rule& rule, std::size_t position) {
    return position < rule.head.arguments.size() && is_scalar(rule.head.arguments[position]);
  };
  std::size_t best = 0;
  std::size_t best_count = 0;
  if (rules.empty()) return false;
  for (std::size_t position = 0; position < rules.front()->head.arguments.size(); ++position) {
    const auto count = static_cast<std::size_t>(
        std::count_if(rules.begin(), rules.end(), [&](const Rule* rule) { return scalar_at(*rule, position); }));
    if (count > best_count) {
      best = position;
      best_count = count;
    }
  }
  if (best_count < kMinSwitchCases) return false;
  FunctionBuilder::Switch table;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!scalar_at(*rules[i], best)) continue;
    const Value value = constant_of(rules[i]->head.arguments[best]);
    if (std::none_of(table.cases.begin(), table.cases.end(),
                     [&](const auto& one) { return equal(one.first, value); })) {
      table.cases.emplace_back(value, std::vector<Label>{});
    }
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const bool scalar = scalar_at(*rules[i], best);
    for (auto& [value, labels] : table.cases) {
      if (!scalar || equal(value, constant_of(rules[i]->head.arguments[best]))) labels.push_back(bodies[i]);
    }
    if (!scalar) table.otherwise.push_back(bodies[i]);
  }
  for (auto& [value, labels] : table.cases) labels.push_back(finish);
  table.otherwise.push_back(finish);
  chain = code_.allocate();
  code_.emit(Opcode::kSwitch, static_cast<Operand>(best), chain, 0, kNoLabel,
             static_cast<std::uint32_t>(code_.switches.size()));
  code_.switches.push_back(std::move(table));
  return true;
}

// The bodies of a partial document's rules, each solution of each rule handed to `finish`.
void FunctionPlanner::rule_bodies(std::span<const Rule* const> rules, const Finish& finish) {
  const Label done = code_.label();
  const Block block = open_block(done);
  std::vector<Sharer> sharers;
  for (const Rule* rule : rules) sharers.push_back({rule, bindings_, {}});
  shared_bodies(sharers, 0, finish);
  code_.bind(done);
  close_block(block);
}

void FunctionPlanner::partial_set(const RuleTreeNode& node) {
  const Operand mark = code_.allocate();
  code_.emit(Opcode::kOpen, mark);
  rule_bodies(node.rules, [&](const Rule& rule) {
    at(rule.head.location);
    const Operand element = term(*rule.head.key);
    code_.emit(Opcode::kPushSet, element, mark);
  });
  const Operand set = code_.allocate();
  code_.emit(Opcode::kCloseSet, set, mark);
  code_.emit(Opcode::kReturn, set);
}

// p[k] = v and nothing else of that name.
void FunctionPlanner::partial_object(const RuleTreeNode& node) {
  const Operand mark = code_.allocate();
  code_.emit(Opcode::kOpen, mark);
  rule_bodies(node.rules, [&](const Rule& rule) {
    at(rule.head.location);
    const Operand key = term(steps_below(rule)[0]);
    const Operand value = rule.head.value ? term(*rule.head.value) : constant(Value::boolean(true));
    code_.emit(Opcode::kPushPair, key, value);
  });
  const Operand object = code_.allocate();
  at(node.rules.back()->head.location);
  code_.emit(Opcode::kCloseObject, object, mark, 0, kNoLabel, code_.place);
  code_.emit(Opcode::kReturn, object);
}

// References that go on for several steps, sets at the leaves, or constant names below: entries of a path and a value.
void FunctionPlanner::nested_object(const RuleTreeNode& node) {
  const Operand mark = code_.allocate();
  code_.emit(Opcode::kOpen, mark);
  const auto push = [&](std::vector<Operand>&& steps, Operand value, bool into_set) {
    const auto depth = static_cast<std::uint16_t>(steps.size());
    steps.push_back(value);
    const Operand first = window(steps);
    code_.emit(Opcode::kPushEntry, first, depth, into_set ? 1 : 0, kNoLabel, code_.place);
  };
  for (const Rule* rule : node.rules) {
    const Label next = code_.label();
    const std::uint32_t registers = code_.next_register;
    const Block block = open_block(next);
    body(rule->body);
    at(rule->head.location);
    std::vector<Operand> operands;
    for (const Term& step : steps_below(*rule)) operands.push_back(term(step));
    const bool into_set = rule->head.contains;
    const Operand value = into_set           ? term(*rule->head.key)
                          : rule->head.value ? term(*rule->head.value)
                                             : constant(Value::boolean(true));
    push(std::move(operands), value, into_set);
    jump_fail();
    close_block(block);
    code_.bind(next);
    code_.release_to(registers);
  }
  std::vector<Value> path;
  const auto add_children = [&](const auto& self, const RuleTreeNode& below) -> void {
    for (const RuleTreeNode& child : below.children) {
      path.push_back(key_of(child.key));
      if (!child.rules.empty() && child.kind != DocumentKind::kFunction) {
        const Label next = code_.label();
        const std::uint32_t registers = code_.next_register;
        const Block block = open_block(next);
        at(child.rules.front()->head.location);
        const Operand value = code_.allocate();
        code_.emit(Opcode::kDocument, value, static_cast<Operand>(code_.next_register), 0, fail_,
                   planner_.document(child, world_));
        std::vector<Operand> operands;
        for (const Value& key : path) operands.push_back(constant(key));
        const Operand iterator = code_.allocate(2);
        const Operand element = code_.allocate();
        if (child.kind == DocumentKind::kPartialObject) {
          // Rules without a solution leave no trace, not even an empty object.
          code_.emit(Opcode::kLoop, iterator, value, 0, fail_);
          code_.emit(Opcode::kNextValue, iterator, 0, element, fail_);
        }
        if (child.kind == DocumentKind::kPartialSet) {
          const Label another = code_.label();
          code_.emit(Opcode::kLoop, iterator, value, 0, fail_);
          code_.bind(another);
          code_.emit(Opcode::kNextValue, iterator, 0, element, fail_);
          push(std::move(operands), element, true);
          code_.emit(Opcode::kJump, 0, 0, 0, another);
        } else {
          push(std::move(operands), value, false);
        }
        close_block(block);
        code_.bind(next);
        code_.release_to(registers);
      } else {
        self(self, child);
      }
      path.pop_back();
    }
  };
  add_children(add_children, node);
  const Operand object = code_.allocate();
  code_.emit(Opcode::kCloseEntries, object, mark, 0, kNoLabel, code_.place);
  code_.emit(Opcode::kReturn, object);
}

// data.<path> where packages lie: an object of what is below, merged with base data.
void FunctionPlanner::plan_extent(const RuleTreeNode& node, const std::vector<Value>& path) {
  const Operand mark = code_.allocate();
  code_.emit(Opcode::kOpen, mark);
  std::vector<Value> below = path;
  for (const RuleTreeNode& child : node.children) {
    if (child.hidden || child.kind == DocumentKind::kFunction) continue;
    const Value key = key_of(child.key);
    below.push_back(key);
    if (!data_replaced(below)) {
      const Label next = code_.label();
      const std::uint32_t registers = code_.next_register;
      const Block block = open_block(next);
      const Operand value = data_reference(&child, below, {});
      code_.emit(Opcode::kPushPair, constant(key), value);
      close_block(block);
      code_.bind(next);
      code_.release_to(registers);
    }
    below.pop_back();
  }
  const Operand object = code_.allocate();
  code_.emit(Opcode::kCloseObject, object, mark, 0, kNoLabel, code_.place);
  const Label without = code_.label();
  fail_ = without;
  const Operand base = base_path(path);
  const Operand merged = code_.allocate();
  code_.emit(Opcode::kMerge, merged, base, object);
  code_.emit(Opcode::kReturn, merged);
  code_.bind(without);
  code_.emit(Opcode::kReturn, object);
}

void FunctionPlanner::plan_reference(const Term& reference) {
  const Label none = code_.label();
  fail_ = none;
  const Operand value = this->reference(reference);
  code_.emit(Opcode::kReturn, value);
  code_.bind(none);
  code_.emit(Opcode::kFail);
}

// A query: every solution adds {"bindings": …, "expressions": …}. A single expression that cannot iterate shows its
// value even when that is false.
void FunctionPlanner::plan_query(const CheckedQuery& query) {
  const Operand mark = code_.allocate();
  code_.emit(Opcode::kOpen, mark);
  const Label done = code_.label();
  fail_ = done;
  std::vector<Operand> values(query.body.exprs.size(), constant(Value::boolean(true)));
  for (std::size_t i = 0; i < query.body.exprs.size(); ++i) {
    const Expr& expr = query.body.exprs[i];
    const bool shown = std::any_of(query.expressions.begin(), query.expressions.end(),
                                   [&](const CheckedQuery::Expression& one) { return one.index == i; });
    captured_ = shown && !expr.negated ? &values[i] : nullptr;
    expression(expr);
    captured_ = nullptr;
  }
  if (query.tests_values) {
    for (const Operand value : values) {
      if ((value & kConstantBit) == 0)
        code_.emit(Opcode::kTruthy, value, 0, 0, fail_);
      else if (Value known; constant_value(value, known) && !known.truthy())
        jump_fail();
    }
  }
  std::vector<Operand> bindings;
  for (const auto& [name, shown] : query.result_variables) {
    for (std::uint32_t variable = 1; variable < query.variables.size(); ++variable) {
      if (query.variables[variable].name != name) continue;
      if (const Binding* binding = find(variable)) {
        bindings.push_back(constant(planner_.builder.key(shown)));
        bindings.push_back(binding->operand);
        break;
      }
    }
  }
  std::vector<Operand> shown;
  for (const CheckedQuery::Expression& expression : query.expressions) {
    shown.push_back(expression.index < values.size() ? values[expression.index] : constant(Value::boolean(true)));
  }
  std::vector<Operand> members(4);
  members[0] = constant(planner_.builder.key("bindings"));
  members[1] = code_.allocate();
  members[2] = constant(planner_.builder.key("expressions"));
  members[3] = code_.allocate();
  code_.emit(Opcode::kObject, members[1], window(bindings), 0, kNoLabel,
             static_cast<std::uint32_t>(bindings.size() / 2));
  code_.emit(Opcode::kArray, members[3], window(shown), 0, kNoLabel, static_cast<std::uint32_t>(shown.size()));
  const Operand solution = code_.allocate();
  code_.emit(Opcode::kObject, solution, window(members), 0, kNoLabel, 2);
  code_.emit(Opcode::kPush, solution);
  jump_fail();
  code_.bind(done);
  const Operand all = code_.allocate();
  code_.emit(Opcode::kCloseArray, all, mark);
  code_.emit(Opcode::kReturn, all);
}

}  // namespace portcullis::rego
