// The loop over instructions. What one instruction does is written beside its name in opcodes.def.
#include <algorithm>
#include <cstring>

#include "engine/rego/eval/data_index.h"
#include "engine/rego/eval/machine.h"

// Labels as values: the jump through a table per instruction predicts far better than one switch.
#pragma GCC diagnostic ignored "-Wpedantic"

namespace portcullis::rego {

namespace {

// Lives in two registers.
struct Iterator {
  const Value* next;
  const Value* end;
  std::ptrdiff_t to_value;  // from a key to its value (objects); 0 for sets; kArray for arrays
  const Value* begin;
};
static_assert(sizeof(Iterator) == 2 * sizeof(Value));
constexpr std::ptrdiff_t kArrayIterator = -1;

// Lives in one register.
struct HitIterator {
  const DataIndexHit* next;
  const DataIndexHit* end;
};
static_assert(sizeof(HitIterator) == sizeof(Value));

// Written into its registers field by field: a copy of the whole would wait for the fields to be stored.
inline bool make_iterator(const Value& collection, Iterator& it) noexcept {
  switch (collection.kind()) {
    case Kind::kArray:
    case Kind::kSet: {
      const Value* const begin = collection.as_array()->begin();
      const Value* const end = begin + collection.size();
      it.to_value = collection.is_array() ? kArrayIterator : 0;
      it.next = begin;
      it.end = end;
      it.begin = begin;
      return true;
    }
    case Kind::kObject: {
      const Value* const keys = collection.as_object()->keys();
      const std::uint32_t size = collection.size();
      it.to_value = static_cast<std::ptrdiff_t>(size);
      it.next = keys;
      it.end = keys + size;
      it.begin = keys;
      return true;
    }
    default: return false;
  }
}

// The common cases of equality without a call.
inline bool same(const Value& a, const Value& b) noexcept {
  if (a.kind() != b.kind()) return false;
  if (a.identical(b)) return true;
  if (a.is_string()) {
    return (a.symbol() == nullptr || b.symbol() == nullptr) && a.as_string() == b.as_string();
  }
  if (a.is_integer() && b.is_integer()) return false;
  return equal(a, b);
}

inline bool less(const Value& a, const Value& b) noexcept {
  if (a.is_integer() && b.is_integer()) return a.as_integer() < b.as_integer();
  return compare(a, b) < 0;
}

inline bool less_equal(const Value& a, const Value& b) noexcept {
  if (a.is_integer() && b.is_integer()) return a.as_integer() <= b.as_integer();
  return compare(a, b) <= 0;
}

// What lies along constant keys.
inline Value along(const ProgramCode& program, std::uint32_t path, Value at) noexcept {
  const PathCode& code = program.paths[path];
  const Value* key = program.path_keys.data() + code.begin;
  const Value* const end = key + code.size;
  do {
    at = at.get(*key);
  } while (at.defined() && ++key != end);
  return at;
}

bool is_member(const Value& value, const Value& collection) noexcept {
  switch (collection.kind()) {
    case Kind::kSet: return collection.get(value).defined();
    case Kind::kArray:
      for (const Value& element : collection.elements()) {
        if (same(element, value)) return true;
      }
      return false;
    case Kind::kObject:
      for (const Value& element : collection.values()) {
        if (same(element, value)) return true;
      }
      return false;
    default: return false;
  }
}

// The length of UTF-8 text in code points, as Go counts them: an invalid byte is one.
std::int64_t count_runes(std::string_view text, bool& ascii) noexcept {
  ascii = true;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0x80) != 0) {
      ascii = false;
      return 0;
    }
  }
  return static_cast<std::int64_t>(text.size());
}

}  // namespace

struct Interpreter {
  static bool run(Machine& m, std::uint32_t function, Value& result);
};

bool Machine::run(std::uint32_t function, const Value& input, const Value& base, Value& result) {
  enter_environment(input, base.defined() ? base : make_object(state_.arena, {}));
  bool done = Interpreter::run(*this, function, result);
  if (!done && !state_.conflicts.empty() && error_.code != "eval_cancel_error") raise_conflicts();
  if (!first_builtin_error_.code.empty()) {
    error_ = std::move(first_builtin_error_);
    done = false;
  }
  if (done && state_.arena.exceeded()) return check_budget();
  return done;
}

bool Interpreter::run(Machine& m, std::uint32_t function, Value& result) {
  static const void* const kLabels[] = {
#define OP(name, operands, effect) &&do_##name,
#include "engine/rego/eval/opcodes.def"
#undef OP
  };
  const ProgramCode& program = m.program_;
  EvalScratch::State& state = m.state_;
  Arena& arena = state.arena;
  const Instruction* const code = program.code.data();
  const std::uint32_t max_depth = m.options_.limits.call_depth;
  const bool sharing = m.share_ != 0;

  {
    const std::size_t needed = program.functions[function].frame;
    if (needed > state.register_capacity) m.grow_registers(needed);
  }
  // What an operand names: files[0] are the frame's registers, files[1] the constants.
  const Value* files[2] = {state.registers.get(), program.constants.data()};
  Value* registers = state.registers.get();
  const Instruction* pc = code + program.functions[function].entry;
  Value answer;  // what the function that just ended returned

  // The outermost frame has no call: returning from it ends the run.
  if (state.frame_capacity == 0) m.grow_frames();
  state.frames[0] = {nullptr, 0, 0, 1, function, 0};
  m.depth_ = 1;

#define R(i) registers[i]
#define X(i) files[(i) >> 15][(i) & 0x7fff]
#define NEXT                                             \
  do {                                                   \
    ++pc;                                                \
    goto* kLabels[static_cast<std::size_t>(pc->opcode)]; \
  } while (false)
#define GOTO_TARGET                                      \
  do {                                                   \
    pc = code + pc->target;                              \
    goto* kLabels[static_cast<std::size_t>(pc->opcode)]; \
  } while (false)
#define NEXT_IF(condition) \
  do {                     \
    if (condition) NEXT;   \
    GOTO_TARGET;           \
  } while (false)
#define TICK                                               \
  do {                                                     \
    if (--m.ticks_ < 0 && !m.check_budget()) return false; \
  } while (false)

  goto* kLabels[static_cast<std::size_t>(pc->opcode)];

do_kMove:
  R(pc->a) = X(pc->b);
  NEXT;
do_kConst:
  R(pc->a) = program.constants[pc->imm];
  NEXT;
do_kUndefined:
  R(pc->a) = Value();
  NEXT;
do_kInput:
  R(pc->a) = m.environment_->input;
  NEXT_IF(R(pc->a).defined());
do_kInputPath: {
  Environment& environment = *m.environment_;
  const std::uint32_t slot = pc->b;
  if (environment.input_state[slot] == kMemoEmpty) {
    const Value found = along(program, pc->imm, environment.input);
    environment.input_memo[slot] = found;
    environment.input_state[slot] = found.defined() ? kMemoDefined : kMemoUndefined;
  }
  if (environment.input_state[slot] == kMemoUndefined) GOTO_TARGET;
  R(pc->a) = environment.input_memo[slot];
  NEXT;
}
do_kBase:
  R(pc->a) = m.environment_->base;
  NEXT;
do_kBasePath:
  R(pc->a) = m.base_path(pc->imm);
  NEXT_IF(R(pc->a).defined());
do_kGet:
  R(pc->a) = X(pc->b).get(X(pc->c));
  NEXT_IF(R(pc->a).defined());
do_kPath:
  R(pc->a) = along(program, pc->imm, X(pc->b));
  NEXT_IF(R(pc->a).defined());
do_kElement:
  R(pc->a) = X(pc->b).as_array()->begin()[pc->imm];
  NEXT;

do_kTruthy:
  NEXT_IF(X(pc->a).truthy());
do_kIsDefined:
  NEXT_IF(R(pc->a).defined());
do_kIsArray:
  NEXT_IF(X(pc->a).is_array() && X(pc->a).size() == pc->imm);
do_kIsObject:
  NEXT_IF(X(pc->a).is_object() && X(pc->a).size() == pc->imm);
do_kEqual:
  NEXT_IF(same(X(pc->a), X(pc->b)));
do_kNotEqual:
  NEXT_IF(!same(X(pc->a), X(pc->b)));
do_kLess:
  NEXT_IF(less(X(pc->a), X(pc->b)));
do_kLessEqual:
  NEXT_IF(less_equal(X(pc->a), X(pc->b)));
do_kMember:
  NEXT_IF(is_member(X(pc->a), X(pc->b)));
do_kMemberPair: {
  const Value& collection = X(pc->c);
  const Value found = collection.get(X(pc->a));
  NEXT_IF(found.defined() && equal(found, X(pc->b)));
}
do_kEqualV:
  R(pc->a) = Value::boolean(same(X(pc->b), X(pc->c)));
  NEXT;
do_kNotEqualV:
  R(pc->a) = Value::boolean(!same(X(pc->b), X(pc->c)));
  NEXT;
do_kLessV:
  R(pc->a) = Value::boolean(less(X(pc->b), X(pc->c)));
  NEXT;
do_kLessEqualV:
  R(pc->a) = Value::boolean(less_equal(X(pc->b), X(pc->c)));
  NEXT;

do_kAdd: {
  const Value& left = X(pc->b);
  const Value& right = X(pc->c);
  std::int64_t sum = 0;
  if (left.is_integer() && right.is_integer() && !__builtin_add_overflow(left.as_integer(), right.as_integer(), &sum)) {
    R(pc->a) = Value::integer(sum);
    NEXT;
  }
  goto binary_builtin;
}
do_kSubtract: {
  const Value& left = X(pc->b);
  const Value& right = X(pc->c);
  std::int64_t difference = 0;
  if (left.is_integer() && right.is_integer() &&
      !__builtin_sub_overflow(left.as_integer(), right.as_integer(), &difference)) {
    R(pc->a) = Value::integer(difference);
    NEXT;
  }
  goto binary_builtin;
}
binary_builtin: {
  const Value arguments[2] = {X(pc->b), X(pc->c)};
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  R(pc->a) = m.call(builtin, arguments, 2);
  if (R(pc->a).defined()) NEXT;
  if (!m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}
do_kCount: {
  const Value& of = X(pc->b);
  if (of.kind() >= Kind::kArray) {
    R(pc->a) = Value::integer(of.size());
    NEXT;
  }
  if (of.is_string()) {
    bool ascii = false;
    const std::int64_t length = count_runes(of.as_string(), ascii);
    if (ascii) {
      R(pc->a) = Value::integer(length);
      NEXT;
    }
  }
  const Value argument = of;
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  R(pc->a) = m.call(builtin, &argument, 1);
  if (R(pc->a).defined()) NEXT;
  if (!m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}
do_kStartsWith:
  if (X(pc->a).is_string() && X(pc->b).is_string()) {
    NEXT_IF(X(pc->a).as_string().starts_with(X(pc->b).as_string()));
  }
  goto binary_test;
do_kEndsWith:
  if (X(pc->a).is_string() && X(pc->b).is_string()) {
    NEXT_IF(X(pc->a).as_string().ends_with(X(pc->b).as_string()));
  }
  goto binary_test;
do_kContains:
  if (X(pc->a).is_string() && X(pc->b).is_string()) {
    NEXT_IF(X(pc->a).as_string().find(X(pc->b).as_string()) != std::string_view::npos);
  }
  goto binary_test;
binary_test: {
  const Value arguments[2] = {X(pc->a), X(pc->b)};
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  const Value tested = m.call(builtin, arguments, 2);
  if (tested.truthy()) NEXT;
  if (!tested.defined() && !m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}
do_kIsKind:
  NEXT_IF(X(pc->a).kind() == static_cast<Kind>(pc->b));
do_kObjectGet: {
  const Value* window = &R(pc->b);
  if (window[0].is_object() && !window[1].is_array()) {
    const Value found = window[0].get(window[1]);
    R(pc->a) = found.defined() ? found : window[2];
    NEXT;
  }
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  const Value got = m.call(builtin, window, 3);
  R(pc->a) = got;
  if (got.defined()) NEXT;
  if (!m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}

do_kLoop:
  NEXT_IF(make_iterator(X(pc->b), *reinterpret_cast<Iterator*>(&R(pc->a))));
do_kNext: {
  auto* it = reinterpret_cast<Iterator*>(&R(pc->a));
  if (it->next == it->end) GOTO_TARGET;
  TICK;
  const Value* at = it->next++;
  if (it->to_value == kArrayIterator) {
    R(pc->b) = Value::integer(at - it->begin);
    R(pc->c) = *at;
  } else {
    R(pc->b) = *at;
    R(pc->c) = at[it->to_value];
  }
  NEXT;
}
do_kNextValue: {
  auto* it = reinterpret_cast<Iterator*>(&R(pc->a));
  if (it->next == it->end) GOTO_TARGET;
  TICK;
  const Value* at = it->next++;
  R(pc->c) = it->to_value == kArrayIterator ? *at : at[it->to_value];
  NEXT;
}
do_kNextKey: {
  auto* it = reinterpret_cast<Iterator*>(&R(pc->a));
  if (it->next == it->end) GOTO_TARGET;
  TICK;
  const Value* at = it->next++;
  R(pc->b) = it->to_value == kArrayIterator ? Value::integer(at - it->begin) : *at;
  NEXT;
}

do_kIndexOpen: {
  std::span<const DataIndexHit> hits;
  const DataIndex* const index = m.options_.index;
  if (index == nullptr || !index->find(program.indexes[pc->imm], X(pc->b), hits)) GOTO_TARGET;
  const HitIterator it{hits.data(), hits.data() + hits.size()};
  std::memcpy(static_cast<void*>(&R(pc->a)), &it, sizeof it);
  NEXT;
}
do_kIndexNext: {
  auto* it = reinterpret_cast<HitIterator*>(&R(pc->a));
  if (it->next == it->end) GOTO_TARGET;
  TICK;
  const DataIndexHit& hit = *it->next++;
  R(pc->c) = hit.object;
  std::copy_n(hit.steps, program.indexes[pc->imm]->collection.size(), &R(pc->b));
  NEXT;
}

do_kArray:
  R(pc->a) = make_array(arena, {&R(pc->b), pc->imm});
  NEXT;
do_kSet:
  R(pc->a) = make_set(arena, {&R(pc->b), pc->imm});
  NEXT;
do_kObject:
  R(pc->a) = make_object(arena, {reinterpret_cast<const Member*>(&R(pc->b)), pc->imm});
  NEXT;
do_kOpen:
  R(pc->a) = Value::integer(static_cast<std::int64_t>(state.elements.size() | (std::uint64_t{1024} << 32)));
  NEXT;
do_kPush:
  state.elements.push_back(X(pc->a));
  NEXT;
do_kPushSet:
  m.push_set(X(pc->a), R(pc->b));
  NEXT;
do_kPushPair:
  state.elements.push_back(X(pc->a));
  state.elements.push_back(X(pc->b));
  NEXT;
do_kPushEntry: {
  const std::uint64_t header =
      pc->b | (static_cast<std::uint64_t>(pc->c) << 16) | (static_cast<std::uint64_t>(pc->imm) << 32);
  state.elements.push_back(Value::integer(static_cast<std::int64_t>(header)));
  for (std::uint32_t i = 0; i <= pc->b; ++i) state.elements.push_back(R(pc->a + i));
  NEXT;
}
do_kCloseArray: {
  const std::size_t mark = R(pc->b).as_integer() & 0xffffffff;
  R(pc->a) = make_array(arena, std::span(state.elements).subspan(mark));
  state.elements.resize(mark);
  NEXT;
}
do_kCloseSet: {
  const std::size_t mark = R(pc->b).as_integer() & 0xffffffff;
  R(pc->a) = make_set(arena, std::span(state.elements).subspan(mark));
  state.elements.resize(mark);
  NEXT;
}
do_kCloseObject: {
  bool conflict = false;
  R(pc->a) = m.close_object(R(pc->b).as_integer() & 0xffffffff, conflict);
  if (conflict) return m.fail("eval_conflict_error", "object keys must be unique", pc->imm);
  NEXT;
}
do_kCloseEntries: {
  bool conflict = false;
  R(pc->a) = m.close_entries(R(pc->b).as_integer() & 0xffffffff, conflict);
  if (conflict) return false;
  NEXT;
}
do_kMerge:
  R(pc->a) = m.merge(X(pc->b), X(pc->c));
  NEXT;
do_kUnionKeys:
  R(pc->a) = m.union_keys(X(pc->b), program.constants[pc->imm]);
  NEXT;

do_kJump:
  GOTO_TARGET;
do_kIfDefined:
  if (R(pc->a).defined()) GOTO_TARGET;
  NEXT;
do_kSetResume:
  R(pc->a) = Value::integer(pc->target);
  NEXT;
do_kResume:
  pc = code + R(pc->a).as_integer();
  goto* kLabels[static_cast<std::size_t>(pc->opcode)];
do_kSwitch: {
  const SwitchCode& table = program.switches[pc->imm];
  const SwitchCase* cases = program.switch_cases.data() + table.begin;
  const SwitchCase* const end = cases + table.size;
  const Value& key = X(pc->a);
  const SwitchCase* found = std::lower_bound(
      cases, end, key, [](const SwitchCase& one, const Value& wanted) { return compare(one.value, wanted) < 0; });
  std::uint32_t chain = table.otherwise;
  if (found != end && equal(found->value, key)) chain = found->chain;
  R(pc->b) = Value::integer(chain + 1);
  pc = code + program.chains[chain];
  goto* kLabels[static_cast<std::size_t>(pc->opcode)];
}
do_kChain: {
  const std::int64_t at = R(pc->a).as_integer();
  R(pc->a) = Value::integer(at + 1);
  pc = code + program.chains[static_cast<std::size_t>(at)];
  goto* kLabels[static_cast<std::size_t>(pc->opcode)];
}

do_kDocument:
do_kDocumentTest: {
  const std::uint32_t memo = program.functions[pc->imm].memo;
  const Environment& environment = *m.environment_;
  const std::uint8_t known = environment.memo_state[memo];
  if (known == kMemoEmpty) {
    const std::uint32_t shared = program.functions[pc->imm].shared;
    if (!sharing || shared == kNoSlot || state.shared_states[shared] == kMemoEmpty) goto enter_function;
    environment.memo_state[memo] = state.shared_states[shared];
    environment.memo[memo] = state.shared_documents[shared];
    goto* kLabels[static_cast<std::size_t>(pc->opcode)];
  }
  if (known == kMemoUndefined) GOTO_TARGET;
  if (pc->opcode == Opcode::kDocument) {
    R(pc->a) = environment.memo[memo];
    NEXT;
  }
  NEXT_IF(environment.memo[memo].truthy());
}
do_kCall:
do_kCallTest:
enter_function: {
  TICK;
  const FunctionCode& callee = program.functions[pc->imm];
  std::uint32_t remember = 0;
  if (sharing && callee.shared != kNoSlot && callee.is_function) {
    const SharedCall* const entry = m.shared_call(callee, &R(pc->b));
    if (entry->share == m.share_ && entry->function == callee.shared &&
        std::equal(entry->arguments, entry->arguments + callee.arguments, &R(pc->b),
                   [](const Value& a, const Value& b) { return a.identical(b); })) {
      if (pc->opcode == Opcode::kCallTest) NEXT_IF(entry->result.truthy());
      R(pc->a) = entry->result;
      NEXT_IF(entry->result.defined());
    }
    remember = static_cast<std::uint32_t>(entry - state.shared_calls.get()) + 1;
  }
  if (m.depth_ > max_depth) return m.fail_call_depth(pc);
  if (m.depth_ == state.frame_capacity) m.grow_frames();
  const auto base = static_cast<std::size_t>(registers - state.registers.get());
  state.frames[m.depth_++] = {pc,
                              static_cast<std::uint32_t>(base),
                              m.environment_index_,
                              static_cast<std::uint32_t>(state.environments.size()),
                              pc->imm,
                              remember};
  const std::size_t callee_base = base + pc->b;
  Value* all = state.registers.get();
  if (callee_base + callee.frame > state.register_capacity) all = m.grow_registers(callee_base + callee.frame);
  registers = all + callee_base;
  files[0] = registers;
  pc = code + callee.entry;
  goto* kLabels[static_cast<std::size_t>(pc->opcode)];
}
do_kBuiltin: {
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  const Value got = m.call(builtin, &R(pc->b), pc->c);
  R(pc->a) = got;
  if (got.defined()) NEXT;
  if (!m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}
do_kBuiltinTest: {
  const BuiltinDecl& builtin = *program.builtins[pc->imm];
  const Value got = m.call(builtin, &R(pc->b), pc->c);
  if (got.truthy()) NEXT;
  if (!got.defined() && !m.builtin_failed(builtin, pc)) return false;
  GOTO_TARGET;
}
do_kReturn:
  answer = X(pc->a);
  goto leave_function;
do_kFail:
  answer = Value();
  goto leave_function;
do_kFinish:
  if (!state.conflicts.empty() && state.conflicts.front().depth == m.depth_) return false;
  answer = R(pc->a);
  goto leave_function;
leave_function: {
  const CallFrame& frame = state.frames[--m.depth_];
  if (state.environments.size() != frame.environments) {
    state.environments.resize(frame.environments);
  }
  if (m.environment_index_ != frame.environment) {
    m.environment_index_ = frame.environment;
    m.environment_ = &state.environments[frame.environment];
  }
  if (frame.call == nullptr) {
    result = answer;
    return true;
  }
  if (frame.remember != 0) {
    SharedCall& entry = state.shared_calls[frame.remember - 1];
    const FunctionCode& callee = program.functions[frame.function];
    entry.share = m.share_;
    entry.function = callee.shared;
    // Nothing writes over a function's arguments.
    std::copy_n(registers, callee.arguments, entry.arguments);
    entry.result = answer;
  }
  registers = state.registers.get() + frame.registers;
  files[0] = registers;
  pc = frame.call;
  const bool document = pc->opcode == Opcode::kDocument || pc->opcode == Opcode::kDocumentTest;
  if (document) {
    const std::uint32_t memo = program.functions[pc->imm].memo;
    Environment& environment = *m.environment_;
    environment.memo[memo] = answer;
    environment.memo_state[memo] = answer.defined() ? kMemoDefined : kMemoUndefined;
    if (const std::uint32_t shared = program.functions[pc->imm].shared; sharing && shared != kNoSlot) {
      state.shared_documents[shared] = answer;
      state.shared_states[shared] = environment.memo_state[memo];
    }
  }
  if (pc->opcode == Opcode::kCallTest || pc->opcode == Opcode::kDocumentTest) NEXT_IF(answer.truthy());
  R(pc->a) = answer;
  NEXT_IF(answer.defined());
}
do_kSettle: {
  Value& settled = R(pc->a);
  const Value& value = X(pc->b);
  if (!settled.defined()) {
    settled = value;
    (&settled)[1] = Value::integer(pc->imm);
    NEXT;
  }
  if (same(settled, value)) NEXT;
  m.first_conflict(settled, static_cast<std::uint32_t>((&settled)[1].as_integer()));
  m.add_conflict(pc->imm, value);
  GOTO_TARGET;
}

do_kEnvironment:
  R(pc->a) = Value::integer(m.environment_index_);
  R(pc->a + 1) = Value::integer(static_cast<std::int64_t>(state.environments.size()));
  NEXT;
do_kEnter:
  if (!m.copy_environment()) return false;
  NEXT;
do_kReplaceInput: {
  const PathCode& path = program.paths[pc->imm];
  m.environment_->input = m.upsert(m.environment_->input, program.path_keys.data() + path.begin, path.size, X(pc->a));
  NEXT;
}
do_kReplaceBase: {
  const PathCode& path = program.paths[pc->imm];
  m.environment_->base = m.upsert(m.environment_->base, program.path_keys.data() + path.begin, path.size, X(pc->a));
  NEXT;
}
do_kReplaceMock:
  m.environment_->mocks[pc->imm] = X(pc->a);
  NEXT;
do_kMock:
  R(pc->a) = m.environment_->mocks[pc->imm];
  NEXT;
do_kSwitchTo:
  m.environment_index_ = static_cast<std::uint32_t>(R(pc->a).as_integer());
  m.environment_ = &state.environments[m.environment_index_];
  NEXT;
do_kLeave:
  m.environment_index_ = static_cast<std::uint32_t>(R(pc->a).as_integer());
  state.environments.resize(static_cast<std::size_t>(R(pc->a + 1).as_integer()));
  m.environment_ = &state.environments[m.environment_index_];
  NEXT;

do_kPrint:
  if (!m.print(X(pc->a))) return false;
  NEXT;
do_kRaise: {
  const RaiseCode& raise = program.raises[pc->imm];
  return m.fail(raise.code, raise.message, raise.place);
}
do_kStop:
  result = Value();
  return true;

#undef R
#undef X
#undef NEXT
#undef NEXT_IF
#undef GOTO_TARGET
#undef TICK
}

}  // namespace portcullis::rego
