// Rewrites within one function: jumps to jumps go straight to the end of the line, and loops don't fetch keys or values
// that nobody reads.
#include "engine/rego/compile/optimise.h"

#include <vector>

namespace portcullis::rego {

namespace {

// Marks registers that an instruction reads.
void mark_reads(const Instruction& instruction, std::vector<bool>& read) {
  const auto mark = [&](Operand operand, std::uint32_t count = 1) {
    if ((operand & kConstantBit) != 0) return;
    for (std::uint32_t i = 0; i < count && operand + i < read.size(); ++i) read[operand + i] = true;
  };
  const std::string_view operands = opcode_info(instruction.opcode).operands;
  const Operand values[] = {instruction.a, instruction.b, instruction.c};
  for (std::size_t i = 0; i < 3; ++i) {
    switch (operands[i * 2]) {
      case 'X': mark(values[i]); break;
      // A callee reads its window and what comes after it is its own; builders say how many they take.
      case 'W': mark(values[i], static_cast<std::uint32_t>(read.size())); break;
      case 'R':
        // Registers that are written are read, too, by what keeps state in them; loops are told apart below.
        if (instruction.opcode != Opcode::kNext) mark(values[i], 2);
        break;
      default: break;
    }
  }
}

// A window reaches as far as the call's arguments only.
std::uint32_t window_size(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::kArray:
    case Opcode::kSet: return instruction.imm;
    case Opcode::kObject: return instruction.imm * 2;
    case Opcode::kBuiltin:
    case Opcode::kBuiltinTest: return instruction.c;
    case Opcode::kObjectGet: return 3;
    case Opcode::kPushEntry: return instruction.b + 1u;
    default: return 64;
  }
}

bool only_writes(Opcode opcode) {
  switch (opcode) {
    case Opcode::kMove:
    case Opcode::kConst:
    case Opcode::kInput:
    case Opcode::kInputPath:
    case Opcode::kBase:
    case Opcode::kBasePath:
    case Opcode::kGet:
    case Opcode::kPath:
    case Opcode::kElement: return true;
    default: return false;
  }
}

void mark_all(const FunctionBuilder& function, std::vector<bool>& read) {
  for (const Instruction& instruction : function.code) {
    const std::string_view operands = opcode_info(instruction.opcode).operands;
    if (instruction.opcode == Opcode::kNext) continue;
    if (only_writes(instruction.opcode)) {
      Instruction reads = instruction;
      reads.a = kConstantBit;
      mark_reads(reads, read);
      continue;
    }
    if (operands.find('W') != std::string_view::npos) {
      const std::size_t position = operands.find('W') / 2;
      const Operand first = position == 0 ? instruction.a : instruction.b;
      for (std::uint32_t i = 0; i < window_size(instruction) && first + i < read.size(); ++i) read[first + i] = true;
      continue;
    }
    mark_reads(instruction, read);
  }
}

void shorten_loops(FunctionBuilder& function) {
  std::vector<bool> read(function.frame + 3u, false);
  mark_all(function, read);
  for (Instruction& instruction : function.code) {
    if (instruction.opcode != Opcode::kNext) continue;
    if (!read[instruction.b]) {
      instruction.opcode = Opcode::kNextValue;
    } else if (!read[instruction.c]) {
      instruction.opcode = Opcode::kNextKey;
    }
  }
}

void thread_jumps(FunctionBuilder& function) {
  constexpr int kMaxHops = 8;
  for (Instruction& instruction : function.code) {
    for (int hop = 0; hop < kMaxHops && instruction.target != kNoLabel; ++hop) {
      const std::uint32_t at = function.labels[instruction.target];
      if (at >= function.code.size() || function.code[at].opcode != Opcode::kJump) break;
      if (function.code[at].target == instruction.target) break;
      instruction.target = function.code[at].target;
    }
  }
}

}  // namespace

void optimise(FunctionBuilder& function) {
  thread_jumps(function);
  shorten_loops(function);
}

}  // namespace portcullis::rego
