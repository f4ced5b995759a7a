// Planning terms: constants, composites, comprehensions, and references into input, locals and data.
#include <algorithm>

#include "engine/rego/compile/planner.h"
#include "engine/value/number.h"

namespace portcullis::rego {

// The value of a constant term, in the program's arena; strings that are keys somewhere become symbols.
Value FunctionPlanner::constant_of(const Term& term) {
  Arena& arena = planner_.builder.arena();
  switch (term.kind) {
    case TermKind::kBoolean: return Value::boolean(term.boolean);
    case TermKind::kNumber: return make_number(arena, term.text);
    case TermKind::kString: return make_symbol_or_string(arena, term.text);
    case TermKind::kArray:
    case TermKind::kSet: {
      std::vector<Value> elements;
      for (const Term& item : term.items) elements.push_back(constant_of(item));
      return term.kind == TermKind::kArray ? make_array(arena, elements) : make_set(arena, elements);
    }
    case TermKind::kObject: {
      std::vector<Member> members;
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        members.push_back({key_of(term.items[i]), constant_of(term.items[i + 1])});
      }
      return make_object(arena, members);
    }
    default: return Value::null();
  }
}

Value FunctionPlanner::key_of(const Term& term) {
  return term.kind == TermKind::kString ? planner_.builder.key(term.text) : constant_of(term);
}

Operand FunctionPlanner::term(const Term& term) {
  if (is_constant(term)) return constant(constant_of(term));
  switch (term.kind) {
    case TermKind::kVar: {
      if (const Binding* binding = find(term.variable)) return binding->operand;
      if (term.is_var("input") || term.is_var("data")) {
        return term.text == "input" ? input_reference({}) : [&] {
          std::vector<Value> path;
          return data_reference(planner_.modules.tree.get(), path, {});
        }();
      }
      broken(term.location, "var " + term.text + " is unsafe");
      return constant(Value::null());
    }
    case TermKind::kRef: return reference(term);
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject: return composite(term);
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return comprehension(term);
    case TermKind::kCall: {
      // Flattened by the checks; kept for terms that come from elsewhere.
      const Term output = new_variable(term.location);
      std::vector<Term> terms = term.items;
      terms.push_back(output);
      call(terms, term.location);
      const Binding* binding = find(output.variable);
      return binding != nullptr ? binding->operand : constant(Value::null());
    }
    default: broken(term.location, "term cannot be planned: " + to_string(term)); return constant(Value::null());
  }
}

Operand FunctionPlanner::composite(const Term& term) {
  std::vector<Operand> operands;
  for (std::size_t i = 0; i < term.items.size(); ++i) {
    const bool is_key = term.kind == TermKind::kObject && i % 2 == 0 && term.items[i].kind == TermKind::kString;
    operands.push_back(is_key ? constant(key_of(term.items[i])) : this->term(term.items[i]));
  }
  return composite(term.kind, operands);
}

Operand FunctionPlanner::composite(TermKind kind, std::span<const Operand> operands) {
  const bool known =
      std::all_of(operands.begin(), operands.end(), [](Operand one) { return (one & kConstantBit) != 0; });
  const auto count = static_cast<std::uint32_t>(operands.size());
  if (known) {
    std::vector<Value> values(count);
    for (std::uint32_t i = 0; i < count; ++i) constant_value(operands[i], values[i]);
    Arena& arena = planner_.builder.arena();
    if (kind == TermKind::kArray) return constant(make_array(arena, values));
    if (kind == TermKind::kSet) return constant(make_set(arena, values));
    return constant(make_object(arena, {reinterpret_cast<const Member*>(values.data()), count / 2}));
  }
  const Operand result = code_.allocate();
  const std::uint32_t registers = code_.next_register;
  const Operand first = window(operands);
  if (kind == TermKind::kObject)
    code_.emit(Opcode::kObject, result, first, 0, kNoLabel, count / 2);
  else
    code_.emit(kind == TermKind::kArray ? Opcode::kArray : Opcode::kSet, result, first, 0, kNoLabel, count);
  code_.release_to(registers);
  return result;
}

Operand FunctionPlanner::comprehension(const Term& term) {
  if (Operand known = 0; static_comprehension(term, known)) return known;
  const Operand result = code_.allocate();
  const std::uint32_t registers = code_.next_register;
  const Operand mark = code_.allocate();
  const std::uint32_t place = code_.place;
  const Label done = code_.label();
  code_.emit(Opcode::kOpen, mark);
  const Block block = open_block(done);
  body(*term.body);
  const Operand first = this->term(term.items[0]);
  if (term.kind == TermKind::kObjectComprehension) {
    const Operand second = this->term(term.items[1]);
    code_.emit(Opcode::kPushPair, first, second);
  } else if (term.kind == TermKind::kSetComprehension) {
    code_.emit(Opcode::kPushSet, first, mark);
  } else {
    code_.emit(Opcode::kPush, first);
  }
  jump_fail();
  close_block(block);
  code_.bind(done);
  code_.place = place;
  switch (term.kind) {
    case TermKind::kObjectComprehension: {
      at(term.location);
      code_.emit(Opcode::kCloseObject, result, mark, 0, kNoLabel, code_.place);
      break;
    }
    case TermKind::kSetComprehension: code_.emit(Opcode::kCloseSet, result, mark); break;
    default: code_.emit(Opcode::kCloseArray, result, mark); break;
  }
  code_.release_to(registers);
  return result;
}

Operand FunctionPlanner::reference(const Term& ref) {
  const Term& head = ref.items[0];
  const std::span<const Term> rest = std::span<const Term>(ref.items).subspan(1);
  if (head.kind == TermKind::kVar && find(head.variable) == nullptr) {
    if (head.text == "input") return input_reference(rest);
    if (head.text == "data") {
      std::vector<Value> path;
      return data_reference(planner_.modules.tree.get(), path, rest);
    }
  }
  return steps(term(head), rest);
}

Operand FunctionPlanner::steps(Operand base, std::span<const Term> items) {
  std::vector<Value> keys;
  for (const Term& item : items) {
    if (is_constant(item)) {
      keys.push_back(key_of(item));
      continue;
    }
    base = get_path(base, keys);
    keys.clear();
    base = step(base, item);
  }
  return get_path(base, keys);
}

Operand FunctionPlanner::get_path(Operand base, const std::vector<Value>& keys) {
  if (keys.empty()) return base;
  if (Value known; constant_value(base, known)) {
    for (const Value& key : keys) known = known.get(key);
    if (known.defined()) return constant(known);
    jump_fail();
    return constant(Value::null());
  }
  const Operand to = code_.allocate();
  if (keys.size() == 1)
    code_.emit(Opcode::kGet, to, base, constant(keys[0]), fail_);
  else
    code_.emit(Opcode::kPath, to, base, 0, fail_, planner_.builder.path(keys));
  return to;
}

// One step that is no constant: bound it is a look-up, unbound a loop.
Operand FunctionPlanner::step(Operand base, const Term& item) {
  if (is_bound(item)) {
    const Operand key = term(item);
    const Operand to = code_.allocate();
    code_.emit(Opcode::kGet, to, base, key, fail_);
    return to;
  }
  const bool is_pattern =
      item.kind == TermKind::kVar || item.kind == TermKind::kArray || item.kind == TermKind::kObject;
  if (!is_pattern) {
    const Operand key = term(item);
    const Operand to = code_.allocate();
    code_.emit(Opcode::kGet, to, base, key, fail_);
    return to;
  }
  if (Value known; constant_value(base, known) && (known.kind() < Kind::kArray || known.size() == 0)) {
    jump_fail();
    match(item, constant(Value::null()));
    return constant(Value::null());
  }
  const Operand iterator = code_.allocate(2);
  const Operand key = code_.allocate();
  const Operand value = code_.allocate();
  const Label next = code_.label();
  code_.emit(Opcode::kLoop, iterator, base, 0, fail_);
  code_.bind(next);
  code_.emit(Opcode::kNext, iterator, key, value, fail_);
  fail_ = next;
  match(item, key);
  return value;
}

// True when the path lies in what PlanOptions::known_input tells; `result` is then its value (undefined jumped away).
bool FunctionPlanner::known_input(const std::vector<Value>& path, Operand& result) {
  if (planner_.world(world_).input_replaced) return false;
  for (const PlanOptions::Known& known : planner_.options.known_input) {
    if (known.path.size() > path.size()) continue;
    bool below = true;
    for (std::size_t i = 0; i < known.path.size() && below; ++i) {
      below = path[i].is_string() && path[i].as_string() == known.path[i];
    }
    if (!below) continue;
    Value value = known.value;
    for (std::size_t i = known.path.size(); i < path.size(); ++i) value = value.get(path[i]);
    if (value.defined()) {
      result = constant(value);
    } else {
      jump_fail();
      result = constant(Value::null());
    }
    return true;
  }
  return false;
}

// `input` as an argument beside a member's name: the member, when that is known.
const Value* FunctionPlanner::known_member(const Term& object, const Term& key) const {
  if (key.kind != TermKind::kString || object.kind != TermKind::kVar || planner_.world(world_).input_replaced) {
    return nullptr;
  }
  const Binding* const binding = find(object.variable);
  const bool whole = binding == nullptr ? object.text == "input" : binding->whole_input;
  if (!whole) return nullptr;
  for (const PlanOptions::Known& known : planner_.options.known_input) {
    if (known.path.size() == 1 && known.path[0] == key.text) return &known.value;
  }
  return nullptr;
}

Operand FunctionPlanner::input_reference(std::span<const Term> items) {
  std::vector<Value> path;
  std::size_t constants = 0;
  while (constants < items.size() && is_constant(items[constants])) path.push_back(key_of(items[constants++]));
  Operand base = 0;
  if (!known_input(path, base)) {
    base = code_.allocate();
    if (path.empty()) {
      code_.emit(Opcode::kInput, base, 0, 0, fail_);
    } else {
      const std::uint32_t index = planner_.builder.path(path);
      const std::uint32_t slot = planner_.builder.input_slot(index);
      code_.emit(Opcode::kInputPath, base, static_cast<std::uint16_t>(slot), 0, fail_, index);
      if (slot > 0xffff) code_.overflow = true;
    }
  }
  return steps(base, items.subspan(constants));
}

Operand FunctionPlanner::base_path(const std::vector<Value>& path) {
  const Operand to = code_.allocate();
  if (path.empty())
    code_.emit(Opcode::kBase, to);
  else
    code_.emit(Opcode::kBasePath, to, 0, 0, fail_, planner_.builder.path(path));
  return to;
}

bool FunctionPlanner::data_replaced(const std::vector<Value>& path) const {
  const World& world = planner_.world(world_);
  if (world.data_paths.empty()) return false;
  std::vector<Value> prefix;
  if (std::binary_search(world.data_paths.begin(), world.data_paths.end(), "data")) return true;
  for (const Value& key : path) {
    prefix.push_back(key);
    if (std::binary_search(world.data_paths.begin(), world.data_paths.end(), path_text(prefix))) return true;
  }
  return false;
}

// What lies at data.<path> and the steps below it. `node` is null when no rule can be there: base data alone.
Operand FunctionPlanner::data_reference(const RuleTreeNode* node, std::vector<Value>& path,
                                        std::span<const Term> items) {
  if (node == nullptr || data_replaced(path)) {
    std::vector<Value> all = path;
    std::size_t constants = 0;
    while (constants < items.size() && is_constant(items[constants])) all.push_back(key_of(items[constants++]));
    return steps(base_path(all), items.subspan(constants));
  }
  if (!node->rules.empty() || node->kind == DocumentKind::kPartialObject) {
    if (node->kind == DocumentKind::kFunction) {
      jump_fail();
      return constant(Value::null());
    }
    if (Operand known = 0; static_document(*node, known)) return steps(known, items);
    const std::uint32_t function = planner_.document(*node, world_);
    const Operand to = code_.allocate();
    code_.emit(Opcode::kDocument, to, static_cast<Operand>(code_.next_register), 0, fail_, function);
    return steps(to, items);
  }
  if (items.empty()) {
    const std::uint32_t function = planner_.extent(*node, path, world_);
    const Operand to = code_.allocate();
    code_.emit(Opcode::kDocument, to, static_cast<Operand>(code_.next_register), 0, fail_, function);
    return to;
  }
  if (!is_scalar(items[0])) return choose_child(*node, path, items);
  path.push_back(key_of(items[0]));
  const Operand found = data_reference(node->child(items[0]), path, items.subspan(1));
  path.pop_back();
  return found;
}

// A step over children of the rule tree that is no constant. Each child gets code of its own, so that only what the
// step selects is evaluated; they meet again at one place, which remembers where each goes on for its next solution.
Operand FunctionPlanner::choose_child(const RuleTreeNode& node, std::vector<Value>& path, std::span<const Term> items) {
  const Term& item = items[0];
  Operand key = 0;
  if (is_bound(item)) {
    key = term(item);
  } else {
    // Keys of base data come first, then those that only rules have.
    std::vector<Value> names;
    for (const RuleTreeNode& child : node.children) names.push_back(key_of(child.key));
    const Operand base = code_.allocate();
    const Label without = code_.label();
    code_.emit(Opcode::kMove, base, constant(Value::null()));
    const Block block = open_block(without);
    const Operand found = base_path(path);
    close_block(block);
    code_.emit(Opcode::kMove, base, found);
    code_.bind(without);
    const Operand keys = code_.allocate();
    code_.emit(Opcode::kUnionKeys, keys, base, 0, kNoLabel,
               planner_.builder.constant(make_array(planner_.builder.arena(), names)));
    const Operand iterator = code_.allocate(2);
    key = code_.allocate();
    const Label next = code_.label();
    code_.emit(Opcode::kLoop, iterator, keys, 0, fail_);
    code_.bind(next);
    code_.emit(Opcode::kNextValue, iterator, 0, key, fail_);
    fail_ = next;
    match(item, key);
  }
  Meeting meeting(*this);
  const Label fail = fail_;
  for (const RuleTreeNode& child : node.children) {
    const Label skipped = code_.label();
    const Value name = key_of(child.key);
    fail_ = fail;
    code_.emit(Opcode::kEqual, key, constant(name), 0, skipped);
    path.push_back(name);
    meeting.arrive(data_reference(&child, path, items.subspan(1)));
    path.pop_back();
    code_.bind(skipped);
  }
  fail_ = fail;
  const Operand base = base_path(path);
  const Operand to = code_.allocate();
  code_.emit(Opcode::kGet, to, base, key, fail_);
  meeting.arrive(steps(to, items.subspan(1)));
  return meeting.finish();
}

FunctionPlanner::Meeting::Meeting(FunctionPlanner& planner)
    : planner_(planner),
      before_(planner.bindings_.size()),
      value_(planner.code_.allocate()),
      resume_(planner.code_.allocate()),
      go_on_(planner.code_.label()) {}

void FunctionPlanner::Meeting::arrive(Operand value) {
  FunctionBuilder& code = planner_.code_;
  std::vector<Binding>& bindings = planner_.bindings_;
  code.emit(Opcode::kMove, value_, value);
  for (std::size_t i = before_; i < bindings.size(); ++i) {
    auto at = std::find_if(bound_.begin(), bound_.end(),
                           [&](const Binding& one) { return one.variable == bindings[i].variable; });
    if (at == bound_.end()) {
      bound_.push_back({bindings[i].variable, code.allocate()});
      at = bound_.end() - 1;
    }
    code.emit(Opcode::kMove, at->operand, bindings[i].operand);
  }
  bindings.resize(before_);
  code.emit(Opcode::kSetResume, resume_, 0, 0, planner_.fail_);
  code.emit(Opcode::kJump, 0, 0, 0, go_on_);
}

Operand FunctionPlanner::Meeting::finish() {
  FunctionBuilder& code = planner_.code_;
  const Label again = code.label();
  code.bind(again);
  code.emit(Opcode::kResume, resume_);
  code.bind(go_on_);
  planner_.fail_ = again;
  planner_.bindings_.insert(planner_.bindings_.end(), bound_.begin(), bound_.end());
  return value_;
}

}  // namespace portcullis::rego
