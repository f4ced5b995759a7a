// Writing programs: labels, registers, tables.
#include "engine/rego/compile/emit.h"

#include <algorithm>
#include <utility>

namespace portcullis::rego {

Label FunctionBuilder::label() {
  labels.push_back(kNoLabel);
  return static_cast<Label>(labels.size() - 1);
}

void FunctionBuilder::bind(Label label) { labels[label] = static_cast<std::uint32_t>(code.size()); }

Operand FunctionBuilder::allocate(std::uint32_t count) {
  const std::uint32_t first = next_register;
  if (first + count > kMaxRegisters) {
    overflow = true;
    return 0;
  }
  next_register += count;
  frame = std::max(frame, next_register);
  return static_cast<Operand>(first);
}

Instruction& FunctionBuilder::emit(Opcode opcode, std::uint16_t a, std::uint16_t b, std::uint16_t c, Label target,
                                   std::uint32_t imm) {
  code.push_back({opcode, a, b, c, target, imm});
  places.push_back(place);
  return code.back();
}

ProgramBuilder::ProgramBuilder() : code_(std::make_unique<ProgramCode>()) {
  code_->files.push_back(std::make_shared<const std::string>());
  code_->places.push_back({});
  files_.emplace("", 0);
}

namespace {

// Two constants are one only when they print alike, too: 1 and 1.0 are equal and stay apart.
bool same_constant(const Value& a, const Value& b) {
  if (!equal(a, b)) return false;
  switch (a.kind()) {
    case Kind::kNumber: {
      if (a.is_integer() != b.is_integer()) return false;
      if (a.is_integer()) return true;
      const NumberRep* x = a.as_number_rep();
      const NumberRep* y = b.as_number_rep();
      return std::string_view(x->text(), x->size) == std::string_view(y->text(), y->size);
    }
    case Kind::kArray:
    case Kind::kSet: {
      for (std::uint32_t i = 0; i < a.size(); ++i) {
        if (!same_constant(a.elements()[i], b.elements()[i])) return false;
      }
      return true;
    }
    case Kind::kObject: {
      for (std::uint32_t i = 0; i < a.size(); ++i) {
        if (!same_constant(a.keys()[i], b.keys()[i]) || !same_constant(a.values()[i], b.values()[i])) return false;
      }
      return true;
    }
    default: return true;
  }
}

}  // namespace

std::uint32_t ProgramBuilder::constant(const Value& value) {
  const std::uint64_t key = hash(value);
  const auto [begin, end] = constants_.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    if (same_constant(code_->constants[at->second], value)) return at->second;
  }
  const auto index = static_cast<std::uint32_t>(code_->constants.size());
  code_->constants.push_back(deep_copy(code_->arena, value));
  constants_.emplace(key, index);
  return index;
}

Value ProgramBuilder::key(std::string_view text) {
  const Symbol* symbol = text.size() <= kMaxSymbolLength ? intern(text) : nullptr;
  return symbol != nullptr ? Value::string(*symbol) : make_string(code_->arena, text);
}

std::uint32_t ProgramBuilder::path(const std::vector<Value>& keys) {
  for (std::uint32_t i = 0; i < code_->paths.size(); ++i) {
    const PathCode& have = code_->paths[i];
    if (have.size != keys.size()) continue;
    bool same = true;
    for (std::uint32_t k = 0; k < have.size && same; ++k)
      same = same_constant(code_->path_keys[have.begin + k], keys[k]);
    if (same) return i;
  }
  code_->paths.push_back(
      {static_cast<std::uint32_t>(code_->path_keys.size()), static_cast<std::uint32_t>(keys.size())});
  for (const Value& key : keys) code_->path_keys.push_back(deep_copy(code_->arena, key));
  return static_cast<std::uint32_t>(code_->paths.size() - 1);
}

std::uint32_t ProgramBuilder::builtin(const BuiltinDecl& decl) {
  const auto [at, added] = builtins_.emplace(&decl, static_cast<std::uint32_t>(code_->builtins.size()));
  if (added) code_->builtins.push_back(&decl);
  if ((decl.flags & kNondeterministic) != 0 || decl.name.starts_with("io.jwt.")) code_->reads_clock = true;
  return at->second;
}

std::uint32_t ProgramBuilder::place(const Location& where) {
  if (where.row == 0) return 0;
  const auto [file, added] = files_.emplace(std::string(where.file), static_cast<std::uint32_t>(code_->files.size()));
  if (added) code_->files.push_back(std::make_shared<const std::string>(where.file));
  const Place place{file->second, where.row, where.column};
  const Place& last = code_->places.back();
  if (last.file == place.file && last.row == place.row && last.column == place.column) {
    return static_cast<std::uint32_t>(code_->places.size() - 1);
  }
  code_->places.push_back(place);
  return static_cast<std::uint32_t>(code_->places.size() - 1);
}

std::uint32_t ProgramBuilder::data_index(std::shared_ptr<const DataIndexSpec> spec) {
  auto& indexes = code_->indexes;
  for (std::uint32_t i = 0; i < indexes.size(); ++i) {
    if (indexes[i]->text == spec->text) return i;
  }
  indexes.push_back(std::move(spec));
  return static_cast<std::uint32_t>(indexes.size() - 1);
}

std::uint32_t ProgramBuilder::raise(std::string code, std::string message, std::uint32_t place) {
  code_->raises.push_back({std::move(code), std::move(message), place});
  return static_cast<std::uint32_t>(code_->raises.size() - 1);
}

std::uint32_t ProgramBuilder::declare(std::string name, std::uint32_t arguments, bool is_function, bool remembered) {
  FunctionCode function;
  function.name = std::move(name);
  function.arguments = arguments;
  function.is_function = is_function;
  if (remembered) function.memo = code_->memo_slots++;
  code_->functions.push_back(std::move(function));
  return static_cast<std::uint32_t>(code_->functions.size() - 1);
}

std::uint32_t ProgramBuilder::input_slot(std::uint32_t path) {
  const auto [at, added] = input_slots_.emplace(path, code_->input_slots);
  if (added) ++code_->input_slots;
  return at->second;
}

void ProgramBuilder::add(std::uint32_t index, FunctionBuilder&& function) {
  const auto entry = static_cast<std::uint32_t>(code_->code.size());
  const auto resolve = [&](Label label) { return entry + function.labels[label]; };
  const auto first_switch = static_cast<std::uint32_t>(code_->switches.size());
  const auto add_chain = [&](const std::vector<Label>& chain) {
    const auto begin = static_cast<std::uint32_t>(code_->chains.size());
    for (const Label label : chain) code_->chains.push_back(resolve(label));
    return begin;
  };
  for (FunctionBuilder::Switch& table : function.switches) {
    std::sort(table.cases.begin(), table.cases.end(),
              [](const auto& a, const auto& b) { return compare(a.first, b.first) < 0; });
    SwitchCode code{static_cast<std::uint32_t>(code_->switch_cases.size()),
                    static_cast<std::uint32_t>(table.cases.size()), add_chain(table.otherwise)};
    for (const auto& [value, chain] : table.cases) {
      code_->switch_cases.push_back({code_->constants[constant(value)], add_chain(chain)});
    }
    code_->switches.push_back(code);
  }
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    Instruction instruction = function.code[i];
    instruction.target = instruction.target == kNoLabel ? 0 : resolve(instruction.target);
    if (instruction.opcode == Opcode::kSwitch) instruction.imm += first_switch;
    code_->code.push_back(instruction);
    code_->place_of.push_back(function.places[i]);
  }
  FunctionCode& code = code_->functions[index];
  code.entry = entry;
  code.end = static_cast<std::uint32_t>(code_->code.size());
  // kSettle keeps a place beside its register, iterators take two: a frame is never smaller than it may touch.
  code.frame = function.frame + 2;
}

std::unique_ptr<const ProgramCode> ProgramBuilder::finish() {
  std::sort(code_->entry_points.begin(), code_->entry_points.end());
  code_->code.push_back({Opcode::kStop, 0, 0, 0, 0, 0});
  code_->place_of.push_back(0);
  // What is kept for long holds no more than it needs.
  code_->code.shrink_to_fit();
  code_->place_of.shrink_to_fit();
  code_->constants.shrink_to_fit();
  code_->functions.shrink_to_fit();
  code_->path_keys.shrink_to_fit();
  return std::move(code_);
}

}  // namespace portcullis::rego
