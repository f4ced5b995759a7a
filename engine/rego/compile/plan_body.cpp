// Planning expressions. `fail_` is always where the code goes on when what is emitted next is undefined: the next step
// of the innermost loop that is open, or the end of the block. So backtracking is a jump known at compile time.
#include <algorithm>

#include "engine/rego/compile/planner.h"

namespace portcullis::rego {

const FunctionPlanner::Binding* FunctionPlanner::find(std::uint32_t variable) const noexcept {
  for (std::size_t i = bindings_.size(); i-- > 0;) {
    if (bindings_[i].variable == variable) return &bindings_[i];
  }
  return nullptr;
}

void FunctionPlanner::bind_variable(const Term& variable, Operand operand, bool whole_input) {
  bindings_.push_back({variable.variable, operand, whole_input});
}

bool FunctionPlanner::is_bound(const Term& term) const {
  switch (term.kind) {
    case TermKind::kVar: return find(term.variable) != nullptr || term.is_var("input") || term.is_var("data");
    case TermKind::kRef:
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject:
    case TermKind::kCall:
    case TermKind::kTemplateString:
      return std::all_of(term.items.begin(), term.items.end(), [this](const Term& item) { return is_bound(item); });
    default: return true;  // scalars; comprehensions bind nothing outside
  }
}

Term FunctionPlanner::new_variable(const Location& where) {
  Term variable(TermKind::kVar, where);
  variable.variable = 0xf0000000u + synthetic_++;
  return variable;
}

FunctionPlanner::Block FunctionPlanner::open_block(Label fail) {
  const Block block{fail_, bindings_.size()};
  fail_ = fail;
  return block;
}

void FunctionPlanner::close_block(const Block& block) {
  fail_ = block.fail;
  bindings_.resize(block.bindings);
}

void FunctionPlanner::broken(const Location& where, std::string what) {
  planner_.errors.add("rego_compile_error", where, std::move(what));
}

Operand FunctionPlanner::constant(const Value& value) {
  const std::uint32_t index = planner_.builder.constant(value);
  if (index < kConstantBit) return static_cast<Operand>(index | kConstantBit);
  const Operand to = code_.allocate();
  code_.emit(Opcode::kConst, to, 0, 0, kNoLabel, index);
  return to;
}

bool FunctionPlanner::constant_value(Operand operand, Value& value) const {
  if ((operand & kConstantBit) == 0) return false;
  value = planner_.builder.constant_at(operand & ~kConstantBit);
  return true;
}

bool FunctionPlanner::contains_with(const Body& body) const {
  for (const Expr& expr : body.exprs) {
    if (!expr.with.empty()) return true;
    if (expr.every_body && contains_with(*expr.every_body)) return true;
    if (expr.left && contains_with(*expr.left)) return true;
    if (expr.right && contains_with(*expr.right)) return true;
  }
  return false;
}

void FunctionPlanner::body(const Body& body) { expressions(body.exprs); }

void FunctionPlanner::expressions(std::span<const Expr> exprs) {
  for (std::size_t i = 0; i < exprs.size(); ++i) expression(exprs[i], exprs.subspan(i + 1));
}

// `following`: what the solutions of this one must satisfy, too.
void FunctionPlanner::expression(const Expr& expr, std::span<const Expr> following) {
  at(expr.location);
  if (!expr.with.empty()) return with(expr);
  if (expr.negated) return negated(expr);
  if (!following.empty() && expr.kind == ExprKind::kCall && captured_ == nullptr && expr.terms.size() == 3 &&
      expr.operator_name() == "eq" &&
      (indexed_join(expr.terms[1], expr.terms[2], following) ||
       indexed_join(expr.terms[2], expr.terms[1], following))) {
    return;
  }
  plain(expr);
}

// An expression without its negation and `with`.
void FunctionPlanner::plain(const Expr& expr) {
  // Only this expression's value is wanted, not those of bodies in it.
  Operand* const captured = std::exchange(captured_, nullptr);
  switch (expr.kind) {
    case ExprKind::kTerm:
      if (captured != nullptr) {
        *captured = term(expr.terms[0]);
        return;
      }
      return truth(expr.terms[0]);
    case ExprKind::kCall:
      if (captured != nullptr && expr.operator_name() != "eq") return captured_call(expr, *captured);
      if (expr.operator_name() == "eq" && expr.terms.size() == 3) return unify(expr.terms[1], expr.terms[2]);
      return call(expr.terms, expr.location);
    case ExprKind::kEvery: return every(expr);
    case ExprKind::kNot:
    case ExprKind::kAnd:
    case ExprKind::kOr: return logical(expr);
    case ExprKind::kSome: return;  // declarations only
  }
}

// A call of a query whose value is shown. With an output it is `true` already.
void FunctionPlanner::captured_call(const Expr& expr, Operand& captured) {
  if (expr.terms.size() > 1 && has_output(expr.terms)) return call(expr.terms, expr.location);
  const Term output = new_variable(expr.location);
  std::vector<Term> terms = expr.terms;
  terms.push_back(output);
  call(terms, expr.location);
  if (const Binding* binding = find(output.variable)) captured = binding->operand;
}

void FunctionPlanner::truth(const Term& condition) {
  if (is_constant(condition)) {
    if (condition.kind == TermKind::kBoolean && !condition.boolean) jump_fail();
    return;
  }
  const Operand operand = term(condition);
  Value known;
  if (constant_value(operand, known)) {
    if (!known.truthy()) jump_fail();
    return;
  }
  code_.emit(Opcode::kTruthy, operand, 0, 0, fail_);
}

void FunctionPlanner::negated(const Expr& expr) {
  const Label satisfied = code_.label();
  const std::uint32_t registers = code_.next_register;
  const Block block = open_block(satisfied);
  plain(expr);
  close_block(block);
  jump_fail();
  code_.bind(satisfied);
  code_.release_to(registers);
}

// Satisfied when the body has a solution; looks for no second one and binds nothing.
void FunctionPlanner::exists(const Body& body) {
  const bool trims = contains_with(body);
  const Block block = open_block(fail_);
  Operand environment = 0;
  if (trims) {
    environment = code_.allocate(2);
    code_.emit(Opcode::kEnvironment, environment);
  }
  this->body(body);
  if (trims) code_.emit(Opcode::kLeave, environment);
  close_block(block);
}

void FunctionPlanner::logical(const Expr& expr) {
  const std::uint32_t registers = code_.next_register;
  if (expr.kind == ExprKind::kAnd) {
    exists(*expr.left);
    exists(*expr.right);
  } else if (expr.kind == ExprKind::kOr) {
    const Label right = code_.label();
    const Label done = code_.label();
    const Block block = open_block(right);
    exists(*expr.left);
    close_block(block);
    code_.emit(Opcode::kJump, 0, 0, 0, done);
    code_.bind(right);
    exists(*expr.right);
    code_.bind(done);
  } else {
    const Label satisfied = code_.label();
    const Block block = open_block(satisfied);
    exists(*expr.left);
    close_block(block);
    jump_fail();
    code_.bind(satisfied);
  }
  code_.release_to(registers);
}

void FunctionPlanner::every(const Expr& expr) {
  const std::uint32_t registers = code_.next_register;
  const Block block = open_block(fail_);
  const Operand domain = term(expr.every_domain);
  const Label next = code_.label();
  const Label done = code_.label();
  const Operand iterator = code_.allocate(2);
  const Operand key = code_.allocate();
  const Operand value = code_.allocate();
  const bool trims = contains_with(*expr.every_body);
  const Operand environment = code_.allocate(2);
  if (trims) code_.emit(Opcode::kEnvironment, environment);
  const Label outer = fail_;
  code_.emit(Opcode::kLoop, iterator, domain, 0, outer);
  code_.bind(next);
  code_.emit(Opcode::kNext, iterator, key, value, done);
  if (expr.every_key) match(*expr.every_key, key);
  match(expr.every_value, value);
  body(*expr.every_body);
  if (trims) code_.emit(Opcode::kLeave, environment);
  code_.emit(Opcode::kJump, 0, 0, 0, next);
  code_.bind(done);
  close_block(block);
  code_.release_to(registers);
}

// The environment changes for the expression alone: on success the outer one comes back before what follows runs, and
// when that asks for another solution, the inner one does.
void FunctionPlanner::with(const Expr& expr) {
  Operand* const captured = std::exchange(captured_, nullptr);
  World inside = planner_.world(world_);
  struct Replacement {
    Opcode opcode;
    Operand value;
    std::uint32_t imm;
  };
  std::vector<Replacement> replacements;
  for (const With& with : expr.with) {
    const Term& target = with.target;
    const bool is_variable = target.kind == TermKind::kVar;
    const Term& head = is_variable ? target : target.items[0];
    const std::span<const Term> steps =
        is_variable ? std::span<const Term>() : std::span<const Term>(target.items).subspan(1);
    std::vector<Value> path;
    for (const Term& item : steps) path.push_back(key_of(item));
    std::size_t used = 0;
    const RuleTreeNode* function = is_variable ? nullptr : find_document(*planner_.modules.tree, target.items, used);
    if (function != nullptr && (function->kind != DocumentKind::kFunction || used != target.items.size()))
      function = nullptr;
    if (head.is_var("input")) {
      inside.input_replaced = true;
      replacements.push_back({Opcode::kReplaceInput, term(with.value), planner_.builder.path(path)});
    } else if (head.is_var("data") && function == nullptr) {
      inside.data_paths.push_back(path_text(path));
      replacements.push_back({Opcode::kReplaceBase, term(with.value), planner_.builder.path(path)});
    } else {
      FunctionMock mock;
      Expr name;
      name.kind = ExprKind::kCall;
      name.terms.push_back(target);
      mock.name = function != nullptr ? path_text(path) : name.operator_name();
      // The replacement is a function when its reference names one, else a value.
      const Term& value = with.value;
      if (value.kind == TermKind::kRef || value.kind == TermKind::kVar) {
        Expr replacement;
        replacement.kind = ExprKind::kCall;
        replacement.terms.push_back(value);
        std::size_t value_used = 0;
        const RuleTreeNode* node =
            value.kind == TermKind::kRef ? find_document(*planner_.modules.tree, value.items, value_used) : nullptr;
        if (node != nullptr && node->kind == DocumentKind::kFunction && value_used == value.items.size()) {
          std::vector<Value> value_path;
          for (const Term& item : std::span<const Term>(value.items).subspan(1)) value_path.push_back(key_of(item));
          mock.function = path_text(value_path);
        } else if (!is_bound(value) || value.kind == TermKind::kRef) {
          const std::string builtin = value.kind == TermKind::kVar ? value.text : replacement.operator_name();
          if (planner_.modules.builtins->find(builtin) != nullptr) mock.function = builtin;
        }
      }
      if (mock.function.empty()) {
        mock.slot = planner_.mock_slot(mock.name);
        replacements.push_back({Opcode::kReplaceMock, term(value), mock.slot});
      }
      std::erase_if(inside.functions, [&](const FunctionMock& one) { return one.name == mock.name; });
      inside.functions.push_back(std::move(mock));
    }
  }
  std::sort(inside.functions.begin(), inside.functions.end(),
            [](const FunctionMock& a, const FunctionMock& b) { return a.name < b.name; });
  std::sort(inside.data_paths.begin(), inside.data_paths.end());
  inside.data_paths.erase(std::unique(inside.data_paths.begin(), inside.data_paths.end()), inside.data_paths.end());

  const Operand outer = code_.allocate(2);
  const Operand inner = code_.allocate(2);
  code_.emit(Opcode::kEnvironment, outer);
  code_.emit(Opcode::kEnter);
  for (const Replacement& replacement : replacements) {
    code_.emit(replacement.opcode, replacement.value, 0, 0, kNoLabel, replacement.imm);
  }
  code_.emit(Opcode::kEnvironment, inner);
  const Label leave = code_.label();
  const Label resume = code_.label();
  const Label go_on = code_.label();
  const Label outer_fail = fail_;
  const WorldId outer_world = world_;
  world_ = planner_.world_of(std::move(inside));
  fail_ = leave;
  captured_ = captured;
  if (expr.negated)
    negated(expr);
  else
    plain(expr);
  world_ = outer_world;
  const Label inner_fail = fail_;
  code_.emit(inner_fail == leave ? Opcode::kLeave : Opcode::kSwitchTo, outer);
  code_.emit(Opcode::kJump, 0, 0, 0, go_on);
  code_.bind(resume);
  code_.emit(Opcode::kSwitchTo, inner);
  code_.emit(Opcode::kJump, 0, 0, 0, inner_fail);
  code_.bind(leave);
  code_.emit(Opcode::kLeave, outer);
  code_.emit(Opcode::kJump, 0, 0, 0, outer_fail);
  code_.bind(go_on);
  fail_ = inner_fail == leave ? outer_fail : resume;
}

namespace {

bool is_composite(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kObject || term.kind == TermKind::kSet;
}

bool constant_keys(const Term& object) {
  for (std::size_t i = 0; i < object.items.size(); i += 2) {
    if (!is_constant(object.items[i])) return false;
  }
  return true;
}

}  // namespace

namespace {

bool is_whole_input(const Term& term) {
  return term.is_var("input") ||
         (term.kind == TermKind::kRef && term.items.size() == 1 && term.items[0].is_var("input"));
}

}  // namespace

void FunctionPlanner::unify(const Term& a, const Term& b) {
  const bool a_free = a.kind == TermKind::kVar && !is_bound(a);
  const bool b_free = b.kind == TermKind::kVar && !is_bound(b);
  if (a_free && b_free) {
    if (a.variable != b.variable && !is_wildcard(a.text) && !is_wildcard(b.text)) {
      broken(a.location, "var " + a.text + " is unsafe");
    }
    return;
  }
  if (a_free) {
    const Operand value = term(b);
    if (is_whole_input(b) && !planner_.world(world_).input_replaced) return bind_variable(a, value, true);
    return match(a, value);
  }
  if (b_free) {
    const Operand value = term(a);
    if (is_whole_input(a) && !planner_.world(world_).input_replaced) return bind_variable(b, value, true);
    return match(b, value);
  }
  if (is_composite(a) && is_composite(b) && !(is_constant(a) && is_constant(b)) && unify_composites(a, b)) return;
  if (is_composite(a) && !is_constant(a) && (!is_bound(a) || is_bound(b))) return match(a, term(b));
  if (is_composite(b) && !is_constant(b)) return match(b, term(a));
  const Operand x = term(a);
  match(b, x);
}

bool FunctionPlanner::unify_composites(const Term& a, const Term& b) {
  if (a.kind != b.kind) {
    jump_fail();
    return true;
  }
  if (a.kind == TermKind::kSet) return false;
  if (a.items.size() != b.items.size()) {
    jump_fail();
    return true;
  }
  if (a.kind == TermKind::kArray) {
    for (std::size_t i = 0; i < a.items.size(); ++i) unify(a.items[i], b.items[i]);
    return true;
  }
  // Keys are sorted in both; the same variable is the same key.
  if (is_bound(a) || is_bound(b)) {
    if (!constant_keys(a) || !constant_keys(b)) return false;
  }
  for (std::size_t i = 0; i < a.items.size(); i += 2) {
    if (!equal(a.items[i], b.items[i])) {
      jump_fail();
      return true;
    }
  }
  for (std::size_t i = 0; i < a.items.size(); i += 2) unify(a.items[i + 1], b.items[i + 1]);
  return true;
}

// Unifies a pattern with a value that is there.
void FunctionPlanner::match(const Term& pattern, Operand value) {
  if (pattern.kind == TermKind::kVar && !is_bound(pattern)) return bind_variable(pattern, value);
  if (pattern.kind == TermKind::kArray && !is_constant(pattern)) {
    code_.emit(Opcode::kIsArray, value, 0, 0, fail_, static_cast<std::uint32_t>(pattern.items.size()));
    for (std::size_t i = 0; i < pattern.items.size(); ++i) {
      const Term& item = pattern.items[i];
      if (item.kind == TermKind::kVar && is_wildcard(item.text) && !is_bound(item)) continue;
      const Operand element = code_.allocate();
      code_.emit(Opcode::kElement, element, value, 0, kNoLabel, static_cast<std::uint32_t>(i));
      match(item, element);
    }
    return;
  }
  if (pattern.kind == TermKind::kObject && !is_constant(pattern) && (constant_keys(pattern) || !is_bound(pattern))) {
    code_.emit(Opcode::kIsObject, value, 0, 0, fail_, static_cast<std::uint32_t>(pattern.items.size() / 2));
    for (std::size_t i = 0; i < pattern.items.size(); i += 2) {
      const Operand key = term(pattern.items[i]);
      const Operand member = code_.allocate();
      code_.emit(Opcode::kGet, member, value, key, fail_);
      match(pattern.items[i + 1], member);
    }
    return;
  }
  const Operand wanted = term(pattern);
  Value x;
  Value y;
  if (constant_value(wanted, x) && constant_value(value, y)) {
    if (!equal(x, y)) jump_fail();
    return;
  }
  code_.emit(Opcode::kEqual, wanted, value, 0, fail_);
}

}  // namespace portcullis::rego
