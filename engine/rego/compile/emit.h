// Builds a Program: a ProgramBuilder holds what functions share (constants, paths, places), a FunctionBuilder the
// instructions of one function with labels for jump targets. Nothing here knows Rego.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/rego/eval/code.h"
#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::rego {

using Label = std::uint32_t;
inline constexpr Label kNoLabel = 0xffffffff;

// One function while it is written. Instruction::target holds a label until ProgramBuilder::add resolves it.
struct FunctionBuilder {
  std::vector<Instruction> code;
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> labels;  // position of each
  // Switch tables: cases and chains hold labels.
  struct Switch {
    std::vector<std::pair<Value, std::vector<Label>>> cases;
    std::vector<Label> otherwise;
  };
  std::vector<Switch> switches;
  std::uint32_t next_register = 0;
  std::uint32_t frame = 0;
  std::uint32_t place = 0;  // of what is emitted now

  Label label();
  void bind(Label label);
  // Consecutive registers; past kMaxRegisters `overflow` is set and the program is refused.
  Operand allocate(std::uint32_t count = 1);
  void release_to(std::uint32_t next) { next_register = next; }
  Instruction& emit(Opcode opcode, std::uint16_t a = 0, std::uint16_t b = 0, std::uint16_t c = 0,
                    Label target = kNoLabel, std::uint32_t imm = 0);
  bool overflow = false;
};

class ProgramBuilder {
 public:
  ProgramBuilder();

  Arena& arena() noexcept { return code_->arena; }
  // Index of an equal constant; copies what is not in the program's arena or the symbol table yet.
  std::uint32_t constant(const Value& value);
  const Value& constant_at(std::uint32_t index) const noexcept { return code_->constants[index]; }
  std::uint32_t path(const std::vector<Value>& keys);
  std::uint32_t builtin(const BuiltinDecl& decl);
  std::uint32_t place(const Location& where);
  std::uint32_t data_index(std::shared_ptr<const DataIndexSpec> spec);
  std::uint32_t raise(std::string code, std::string message, std::uint32_t place);
  // A string as documents' keys are: a symbol when the table has room.
  Value key(std::string_view text);

  // Reserves an index; add() fills it in.
  std::uint32_t declare(std::string name, std::uint32_t arguments, bool is_function, bool remembered);
  FunctionCode& function(std::uint32_t index) { return code_->functions[index]; }
  void add(std::uint32_t index, FunctionBuilder&& function);

  // The environment's slot for an input path.
  std::uint32_t input_slot(std::uint32_t path);
  std::uint32_t new_mock_slot() { return code_->mock_slots++; }
  ProgramCode& code() noexcept { return *code_; }
  std::unique_ptr<const ProgramCode> finish();

 private:
  std::unique_ptr<ProgramCode> code_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> constants_;
  std::unordered_map<std::uint32_t, std::uint32_t> input_slots_;
  std::unordered_map<const BuiltinDecl*, std::uint32_t> builtins_;
  std::unordered_map<std::string, std::uint32_t> files_;
};

}  // namespace portcullis::rego
