// The machine's slow half: environments, bounds, errors, and the building of collections. The loop over instructions is
// in interpreter.cpp.
#include "engine/rego/eval/machine.h"

#include <algorithm>
#include <cstring>

#include "engine/value/json.h"
#include "engine/value/number.h"
#include "engine/value/sort.h"

namespace portcullis::rego {

namespace {

constexpr std::int64_t kTicksPerCheck = 256;    // calls and loop steps between two looks at deadline and memory
constexpr std::size_t kMaxEnvironments = 4096;  // alive at once, that is nested `with`
constexpr std::size_t kMaxConflicts = 10;

}  // namespace

EvalScratch::State::~State() {
  if (patterns != nullptr && free_patterns != nullptr) free_patterns(patterns);
}

EvalScratch::EvalScratch() : state_(std::make_unique<State>()) {}
EvalScratch::~EvalScratch() = default;
Arena& EvalScratch::arena() noexcept { return state_->arena; }

std::uint64_t EvalScratch::new_share() noexcept { return ++state_->last_share; }

void EvalScratch::reset() noexcept {
  constexpr std::size_t kKeptElements = 1 << 16;
  state_->arena.reset();
  state_->share = 0;
  // One large evaluation does not make every later one large.
  if (state_->elements.capacity() > kKeptElements) std::vector<Value>().swap(state_->elements);
}

Machine::Machine(const ProgramCode& program, EvalScratch::State& state, Host& host, const EvalOptions& options)
    : program_(program),
      state_(state),
      options_(options),
      share_(options.strict_builtin_errors ? 0 : options.share),
      context_(state.arena, host),
      ticks_(kTicksPerCheck) {
  state_.elements.clear();
  state_.environments.clear();
  state_.conflicts.clear();
  state_.calls.clear();
  state_.arena.set_ceiling(options.limits.arena_bytes);
  context_.deadline = options.limits.deadline;
  context_.patterns = state_.patterns;
  context_.free_patterns = state_.free_patterns;
  if (program.reads_clock) context_.now_ns = options.now_ns != 0 ? options.now_ns : host.now_ns();
  if (options.limits.instructions != 0) {
    ticks_ = static_cast<std::int64_t>(
        std::min<std::uint64_t>(options.limits.instructions, static_cast<std::uint64_t>(kTicksPerCheck)));
  }
  spent_ = static_cast<std::uint64_t>(ticks_);
  if (share_ == 0) return;
  if (state_.share != share_ || state_.shared_states.size() < program.shared_slots) {
    state_.share = share_;
    state_.shared_documents.resize(program.shared_slots);
    state_.shared_states.assign(program.shared_slots, static_cast<std::uint8_t>(kMemoEmpty));
  }
  if (!state_.shared_calls) state_.shared_calls = std::make_unique<SharedCall[]>(EvalScratch::State::kSharedCalls);
}

Machine::~Machine() {
  state_.patterns = context_.patterns;
  state_.free_patterns = context_.free_patterns;
}

Value* Machine::grow_registers(std::size_t needed) {
  std::size_t capacity = std::max<std::size_t>(state_.register_capacity * 2, 1024);
  while (capacity < needed) capacity *= 2;
  std::unique_ptr<Value[]> bigger(new Value[capacity]);
  std::copy_n(state_.registers.get(), state_.register_capacity, bigger.get());
  state_.registers = std::move(bigger);
  state_.register_capacity = capacity;
  return state_.registers.get();
}

void Machine::grow_frames() {
  const std::size_t capacity = std::max<std::size_t>(state_.frame_capacity * 2, 64);
  std::unique_ptr<CallFrame[]> bigger(new CallFrame[capacity]);
  std::copy_n(state_.frames.get(), state_.frame_capacity, bigger.get());
  state_.frames = std::move(bigger);
  state_.frame_capacity = capacity;
}

void Machine::enter_environment(const Value& input, const Value& base) {
  Environment environment;
  Arena& arena = state_.arena;
  environment.input = input;
  environment.base = base;
  environment.memo = arena.allocate_array<Value>(program_.memo_slots);
  environment.memo_state = arena.allocate_array<std::uint8_t>(program_.memo_slots + program_.input_slots);
  environment.input_state = environment.memo_state + program_.memo_slots;
  std::fill_n(environment.memo_state, program_.memo_slots + program_.input_slots,
              static_cast<std::uint8_t>(kMemoEmpty));
  environment.input_memo = arena.allocate_array<Value>(program_.input_slots);
  environment.mocks = arena.allocate_array<Value>(program_.mock_slots);
  const Value* from = environment_ != nullptr ? environment_->mocks : nullptr;
  for (std::uint32_t i = 0; i < program_.mock_slots; ++i) environment.mocks[i] = from != nullptr ? from[i] : Value();
  state_.environments.push_back(environment);
  environment_index_ = static_cast<std::uint32_t>(state_.environments.size() - 1);
  environment_ = &state_.environments.back();
}

bool Machine::copy_environment() {
  if (state_.environments.size() >= kMaxEnvironments) {
    return fail("eval_cancel_error", "too many nested with modifiers", 0);
  }
  const Value input = environment_->input;
  const Value base = environment_->base;
  enter_environment(input, base);
  return true;
}

bool Machine::fail(std::string code, std::string message, std::uint32_t place) {
  const Place& at = program_.places[place];
  error_ = EvalError{std::move(code), std::move(message), *program_.files[at.file], at.row, at.column};
  return false;
}

bool Machine::fail_call_depth(const Instruction* at) {
  return fail("eval_cancel_error", "call depth limit of " + std::to_string(options_.limits.call_depth) + " exceeded",
              place_of(at));
}

std::uint32_t Machine::place_of(const Instruction* at) const noexcept {
  return program_.place_of[static_cast<std::size_t>(at - program_.code.data())];
}

bool Machine::check_budget() {
  const EvalLimits& limits = options_.limits;
  if (limits.instructions != 0 && spent_ >= limits.instructions) {
    return fail("eval_cancel_error", "instruction limit of " + std::to_string(limits.instructions) + " exceeded", 0);
  }
  if (limits.deadline.passed())
    return fail("eval_cancel_error", "caller cancelled query execution: deadline exceeded", 0);
  if (state_.arena.exceeded() || state_.elements.size() * sizeof(Value) > limits.arena_bytes) {
    return fail("eval_cancel_error", "memory limit of " + std::to_string(limits.arena_bytes) + " bytes exceeded", 0);
  }
  ticks_ = kTicksPerCheck;
  if (limits.instructions != 0) {
    ticks_ = static_cast<std::int64_t>(
        std::min<std::uint64_t>(limits.instructions - spent_, static_cast<std::uint64_t>(kTicksPerCheck)));
  }
  spent_ += static_cast<std::uint64_t>(ticks_);
  return true;
}

bool Machine::builtin_failed(const BuiltinDecl& builtin, const Instruction* at) {
  const bool aborts = context_.error_aborts;
  const std::uint32_t place = place_of(at);
  std::string message;
  if (!context_.error.empty() && (aborts || (options_.strict_builtin_errors && first_builtin_error_.code.empty()))) {
    message = std::string(builtin.name) + ": " + context_.error;
  }
  const char* code = context_.error_is_type ? "eval_type_error" : "eval_builtin_error";
  context_.error.clear();
  context_.error_is_type = false;
  context_.error_aborts = false;
  if (aborts) return fail(context_.over_budget() ? "eval_cancel_error" : code, std::move(message), place);
  if (!message.empty()) {
    fail(code, std::move(message), place);
    first_builtin_error_ = std::move(error_);
    error_ = {};
  }
  if (state_.arena.exceeded()) return check_budget();
  return true;
}

Value Machine::call(const BuiltinDecl& builtin, const Value* arguments, std::uint32_t count) {
  if ((builtin.flags & kNondeterministic) != 0) return call_once(builtin, {arguments, count});
  return builtin.function(context_, {arguments, count});
}

// The entry where the result of such a call is, or is to be remembered.
SharedCall* Machine::shared_call(const FunctionCode& callee, const Value* arguments) {
  std::uint64_t key = callee.shared * 0x9E3779B97F4A7C15ull;
  for (std::uint32_t i = 0; i < callee.arguments; ++i) {
    std::uint64_t bits[2];
    std::memcpy(bits, &arguments[i], sizeof bits);
    key = (key ^ bits[0] ^ (bits[1] << 1)) * 0x9E3779B97F4A7C15ull;
    key ^= key >> 29;
  }
  return &state_.shared_calls[key % EvalScratch::State::kSharedCalls];
}

// rand.intn("x", 10) is the same number throughout an evaluation, and so are the others of its kind.
Value Machine::call_once(const BuiltinDecl& builtin, std::span<const Value> arguments) {
  for (const RememberedCall& call : state_.calls) {
    if (call.builtin != &builtin || call.arguments.size() != arguments.size()) continue;
    if (std::equal(arguments.begin(), arguments.end(), call.arguments.elements().begin(),
                   [](const Value& a, const Value& b) { return equal(a, b); })) {
      return call.result;
    }
  }
  const Value key = make_array(state_.arena, arguments);
  const Value result = builtin.function(context_, key.elements());
  constexpr std::size_t kMaxRemembered = 1024;
  if (result.defined() && state_.calls.size() < kMaxRemembered) state_.calls.push_back({&builtin, key, result});
  return result;
}

void Machine::add_conflict(std::uint32_t place, const Value& value) {
  if (state_.conflicts.size() <= kMaxConflicts) state_.conflicts.push_back({depth_, place, value});
}

void Machine::first_conflict(const Value& first, std::uint32_t first_place) {
  if (state_.conflicts.empty()) add_conflict(first_place, first);
}

bool Machine::raise_conflicts() {
  std::vector<Conflict>& conflicts = state_.conflicts;
  // The frame that found the first conflict is the one to blame: whatever came after it ran only to find more values.
  const FunctionCode& function = program_.functions[state_.frames[conflicts.front().depth - 1].function];
  std::string message = (function.is_function ? "function " : "rule ") + function.name +
                        " produced conflicting values" + (function.is_function ? " for the same inputs:" : ":");
  const std::uint32_t own_place = conflicts[1].place;
  const bool more = conflicts.size() > kMaxConflicts;
  if (more) conflicts.pop_back();
  std::stable_sort(conflicts.begin(), conflicts.end(), [&](const Conflict& a, const Conflict& b) {
    const Place& x = program_.places[a.place];
    const Place& y = program_.places[b.place];
    const int files = program_.files[x.file]->compare(*program_.files[y.file]);
    if (files != 0) return files < 0;
    return x.row != y.row ? x.row < y.row : x.column < y.column;
  });
  for (const Conflict& conflict : conflicts) {
    const Place& at = program_.places[conflict.place];
    std::string text = to_rego(conflict.value);
    constexpr std::size_t kMaxShown = 200;
    if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
    message += "\n  " + text + " at ";
    const std::string& file = *program_.files[at.file];
    message +=
        file.empty() ? std::to_string(at.row) + ":" + std::to_string(at.column) : file + ":" + std::to_string(at.row);
  }
  if (more) message += "\n  ...";
  return fail("eval_conflict_error", std::move(message), own_place);
}

// print(a, b): the arguments come as sets, so that an undefined one is an empty set; every combination is a line.
bool Machine::print(const Value& sets) {
  const auto arguments = sets.elements();
  std::vector<std::size_t> at(arguments.size(), 0);

  for (std::size_t lines = 0; lines < 10000; ++lines) {
    std::string line;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i != 0) line += ' ';
      const auto values = arguments[i].elements();
      if (values.empty()) {
        line += "<undefined>";
      } else if (values[at[i]].is_string()) {
        line += values[at[i]].as_string();
      } else {
        append_rego(line, values[at[i]]);
      }
    }
    context_.host.print(line);
    std::size_t i = arguments.size();
    while (i > 0) {
      --i;
      if (++at[i] < arguments[i].size()) break;
      at[i] = 0;
      if (i == 0) return true;
    }
    if (arguments.empty()) return true;
  }
  return true;
}

// The mark's upper half holds the count at which duplicates are dropped next, so that a set built by a long loop stays
// in proportion to its size.
void Machine::push_set(const Value& value, Value& mark) {
  std::vector<Value>& elements = state_.elements;
  elements.push_back(value);
  const auto packed = static_cast<std::uint64_t>(mark.as_integer());
  const std::size_t begin = packed & 0xffffffff;
  const std::size_t threshold = packed >> 32;
  if (elements.size() - begin < threshold) return;
  Value* from = elements.data() + begin;
  const std::size_t count = elements.size() - begin;
  sort_stable(from, count, [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (kept == 0 || !equal(from[kept - 1], from[i])) from[kept++] = from[i];
  }
  elements.resize(begin + kept);
  const std::uint64_t next = std::min<std::uint64_t>(std::max<std::uint64_t>(kept * 2, 1024), 0x7fffffff);
  mark = Value::integer(static_cast<std::int64_t>(begin | (next << 32)));
}

Value Machine::close_object(std::size_t mark, bool& conflict) {
  std::vector<Value>& elements = state_.elements;
  static_assert(sizeof(Member) == 2 * sizeof(Value));
  const std::span<const Member> members{reinterpret_cast<const Member*>(elements.data() + mark),
                                        (elements.size() - mark) / 2};
  const Value object = make_object(state_.arena, members);
  if (object.size() != members.size()) {
    for (const Member& member : members) {
      if (!equal(object.get(member.key), member.value)) conflict = true;
    }
  }
  elements.resize(mark);
  return object;
}

namespace {

struct Entry {
  const Value* steps;
  std::uint32_t count;
  bool is_set;
  std::uint32_t place;
  Value value;
};

struct EntryBuilder {
  Arena& arena;
  std::uint32_t conflict_place = 0;
  bool conflict = false;

  void clash(const Entry& entry) {
    if (!conflict) conflict_place = entry.place;
    conflict = true;
  }

  // The document of entries [begin, end), which agree in their first `depth` steps.
  Value build(const Entry* begin, const Entry* end, std::uint32_t depth) {
    const bool leaf = begin->count == depth;
    for (const Entry* entry = begin; entry != end; ++entry) {
      if ((entry->count == depth) != leaf) {
        clash(*entry);
        return {};
      }
    }
    if (leaf) return build_leaf(begin, end);
    auto* members = arena.allocate_array<Member>(static_cast<std::size_t>(end - begin));
    std::size_t count = 0;
    while (begin != end) {
      const Entry* next = begin + 1;
      while (next != end && equal(next->steps[depth], begin->steps[depth])) ++next;
      members[count++] = {begin->steps[depth], build(begin, next, depth + 1)};
      begin = next;
    }
    return make_object(arena, {members, count});
  }

  Value build_leaf(const Entry* begin, const Entry* end) {
    for (const Entry* entry = begin; entry != end; ++entry) {
      if (entry->is_set != begin->is_set || (!entry->is_set && !equal(entry->value, begin->value))) clash(*entry);
    }
    if (!begin->is_set) return begin->value;
    const auto count = static_cast<std::size_t>(end - begin);
    auto* elements = arena.allocate_array<Value>(count);
    for (std::size_t i = 0; i < count; ++i) elements[i] = begin[i].value;
    return make_set(arena, {elements, count});
  }
};

}  // namespace

Value Machine::close_entries(std::size_t mark, bool& conflict) {
  std::vector<Value>& elements = state_.elements;
  std::size_t count = 0;
  for (std::size_t at = mark; at < elements.size(); ++count) {
    at += (static_cast<std::uint64_t>(elements[at].as_integer()) & 0xffff) + 2;
  }
  // In the arena, which is bounded, and not on the heap.
  Entry* const entries = state_.arena.allocate_array<Entry>(count);
  count = 0;
  for (std::size_t at = mark; at < elements.size();) {
    const auto header = static_cast<std::uint64_t>(elements[at].as_integer());
    Entry entry{};
    entry.count = header & 0xffff;
    entry.is_set = (header & 0x10000) != 0;
    entry.place = static_cast<std::uint32_t>(header >> 32);
    entry.steps = elements.data() + at + 1;
    entry.value = elements[at + 1 + entry.count];
    entries[count++] = entry;
    at += entry.count + 2;
  }
  // Equals stay in the order in which they were found, which is that of their steps on the stack.
  std::sort(entries, entries + count, [](const Entry& a, const Entry& b) {
    for (std::uint32_t i = 0; i < a.count && i < b.count; ++i) {
      if (const int order = compare(a.steps[i], b.steps[i]); order != 0) return order < 0;
    }
    return a.count != b.count ? a.count < b.count : a.steps < b.steps;
  });
  Value document = make_object(state_.arena, {});
  if (count != 0) {
    EntryBuilder builder{state_.arena};
    document = builder.build(entries, entries + count, 0);
    if (builder.conflict) {
      conflict = true;
      fail("eval_conflict_error", "object keys must be unique", builder.conflict_place);
    }
  }
  elements.resize(mark);
  return document;
}

// Base documents have string keys only, and a number in a path finds them (as OPA's store does).
Value Machine::base_path(std::uint32_t path) const {
  const PathCode& code = program_.paths[path];
  const Value* key = program_.path_keys.data() + code.begin;
  Value at = environment_->base;
  for (std::uint32_t i = 0; i < code.size && at.defined(); ++i) {
    at = at.is_object() && key[i].is_number() ? at.get(number_text(key[i])) : at.get(key[i]);
  }
  return at;
}

// `document` with `value` at the path; whatever stands in the way and is no object is replaced.
Value Machine::upsert(const Value& document, const Value* keys, std::size_t count, const Value& value) {
  if (count == 0) return value;
  const Value below = document.is_object() ? document.get(keys[0]) : Value();
  const Value member = upsert(below, keys + 1, count - 1, value);
  return with_member(state_.arena, document.is_object() ? document : make_object(state_.arena, {}), keys[0], member);
}

// Objects merge member by member; of anything else `a` wins.
Value Machine::merge(const Value& a, const Value& b) {
  if (!a.is_object() || !b.is_object()) return a;
  Value merged = a;
  for (std::uint32_t i = 0; i < b.size(); ++i) {
    const Value& key = b.keys()[i];
    const Value have = a.get(key);
    const Value& other = b.values()[i];
    if (!have.defined()) {
      merged = with_member(state_.arena, merged, key, other);
    } else if (have.is_object() && other.is_object()) {
      merged = with_member(state_.arena, merged, key, merge(have, other));
    }
  }
  return merged;
}

Value Machine::union_keys(const Value& base, const Value& more) {
  const std::size_t mark = state_.elements.size();
  if (base.is_object()) {
    for (const Value& key : base.keys()) state_.elements.push_back(key);
  } else if (base.is_array()) {
    for (std::uint32_t i = 0; i < base.size(); ++i) state_.elements.push_back(Value::integer(i));
  } else if (base.is_set()) {
    for (const Value& key : base.elements()) state_.elements.push_back(key);
  }
  for (const Value& key : more.elements()) {
    if (!base.get(key).defined()) state_.elements.push_back(key);
  }
  const Value keys = make_array(state_.arena, std::span(state_.elements).subspan(mark));
  state_.elements.resize(mark);
  return keys;
}

}  // namespace portcullis::rego
