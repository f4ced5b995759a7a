// What a Program is made of: flat code, constants and tables. Written by compile/emit.*, run by eval/machine.cpp.
// Threads: immutable once the Program is made. Ownership: constants live in `arena` or the symbol table; `sources`
// keeps the module texts that places point into.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "engine/rego/eval/builtin.h"
#include "engine/rego/eval/data_index.h"
#include "engine/value/value.h"

namespace portcullis::rego {

enum class Opcode : std::uint16_t {
#define OP(name, operands, effect) name,
#include "engine/rego/eval/opcodes.def"
#undef OP
};

struct OpcodeInfo {
  std::string_view name;      // without the k
  std::string_view operands;  // as in opcodes.def
  std::string_view effect;
};
const OpcodeInfo& opcode_info(Opcode opcode) noexcept;
std::size_t opcode_count() noexcept;

// An operand below kConstantBit is a register of the frame, else a constant (its index without the bit).
using Operand = std::uint16_t;
inline constexpr Operand kConstantBit = 0x8000;
inline constexpr std::uint32_t kMaxRegisters = 0x7fff;

struct Instruction {
  Opcode opcode;
  std::uint16_t a = 0;
  std::uint16_t b = 0;
  std::uint16_t c = 0;
  std::uint32_t target = 0;  // index into code
  std::uint32_t imm = 0;
};
static_assert(sizeof(Instruction) == 16);

inline constexpr std::uint32_t kNoSlot = 0xffffffff;

struct FunctionCode {
  std::string name;         // "data.foo.bar"
  std::uint32_t entry = 0;  // index into code
  std::uint32_t end = 0;
  std::uint32_t frame = 0;  // registers
  std::uint32_t arguments = 0;
  bool is_function = false;      // takes arguments (possibly none), is no document
  std::uint32_t memo = kNoSlot;  // where a document's value is remembered
  // Its number among all rules when its values can be shared by the evaluations of one review (the same in every
  // program planned from the same modules).
  std::uint32_t shared = kNoSlot;
};

// Constant keys along a path.
struct PathCode {
  std::uint32_t begin;  // into path_keys
  std::uint32_t size;
};

// A source position, for errors and the listing.
struct Place {
  std::uint32_t file = 0;  // into files
  std::uint32_t row = 0;
  std::uint32_t column = 0;
};

// Which code to try for a constant: chains[begin…], ending with the code for "no more".
struct SwitchCase {
  Value value;
  std::uint32_t chain;  // into chains
};
struct SwitchCode {
  std::uint32_t begin;  // into switch_cases, sorted by value
  std::uint32_t size;
  std::uint32_t otherwise;  // into chains
};

// A fixed error that kRaise reports.
struct RaiseCode {
  std::string code;
  std::string message;
  std::uint32_t place;
};

struct ProgramCode {
  Arena arena{0, 1024};
  std::vector<Instruction> code;
  std::vector<std::uint32_t> place_of;  // per instruction, into places
  std::vector<Value> constants;
  std::vector<FunctionCode> functions;
  std::vector<PathCode> paths;
  std::vector<Value> path_keys;
  std::vector<const BuiltinDecl*> builtins;
  std::vector<SwitchCode> switches;
  std::vector<SwitchCase> switch_cases;
  std::vector<std::uint32_t> chains;  // code indexes
  std::vector<std::shared_ptr<const DataIndexSpec>> indexes;
  std::vector<Place> places;
  std::vector<std::shared_ptr<const std::string>> files;
  std::vector<RaiseCode> raises;
  std::vector<std::pair<std::string, std::uint32_t>> entry_points;  // sorted by path; function index
  std::uint32_t query = kNoSlot;                                    // function index of a query program
  std::uint32_t memo_slots = 0;
  std::uint32_t input_slots = 0;
  std::uint32_t mock_slots = 0;
  bool reads_clock = false;        // some builtin does
  std::uint32_t shared_slots = 0;  // above all FunctionCode::shared

  std::string listing() const;
  std::size_t memory() const noexcept;
};

}  // namespace portcullis::rego
