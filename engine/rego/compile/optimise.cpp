// Rewrites within one function: jumps to jumps go straight to the end of the line, loops don't fetch keys or values
// that nobody reads, and what cannot be reached, or changes nothing, goes. And over a whole program: calls of functions
// that never have a value are jumps.
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

// A window reaches as far as the call's arguments only. Calls of functions don't say how many those are: all of the
// frame.
std::uint32_t window_size(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::kArray:
    case Opcode::kSet: return instruction.imm;
    case Opcode::kObject: return instruction.imm * 2;
    case Opcode::kBuiltin:
    case Opcode::kBuiltinTest: return instruction.c;
    case Opcode::kObjectGet: return 3;
    case Opcode::kPushEntry: return instruction.b + 1u;
    default: return ~std::uint32_t{0};
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

bool falls_through(Opcode opcode) {
  switch (opcode) {
    case Opcode::kJump:
    case Opcode::kReturn:
    case Opcode::kFail:
    case Opcode::kFinish:
    case Opcode::kRaise:
    case Opcode::kStop:
    case Opcode::kResume:
    case Opcode::kSwitch:
    case Opcode::kChain: return false;
    default: return true;
  }
}

std::vector<bool> reachable(const FunctionBuilder& function) {
  std::vector<bool> seen(function.code.size(), false);
  std::vector<std::uint32_t> open = {0};
  const auto go = [&](Label label) {
    if (label != kNoLabel) open.push_back(function.labels[label]);
  };
  while (!open.empty()) {
    std::uint32_t at = open.back();
    open.pop_back();
    for (; at < seen.size() && !seen[at]; ++at) {
      seen[at] = true;
      const Instruction& instruction = function.code[at];
      go(instruction.target);
      if (instruction.opcode == Opcode::kSwitch) {
        const FunctionBuilder::Switch& table = function.switches[instruction.imm];
        for (const auto& [value, chain] : table.cases) {
          for (const Label label : chain) go(label);
        }
        for (const Label label : table.otherwise) go(label);
      }
      if (!falls_through(instruction.opcode)) break;
    }
  }
  return seen;
}

// Does nothing but write R[a], or only tests.
bool is_pure(Opcode opcode, bool& writes) {
  writes = true;
  switch (opcode) {
    case Opcode::kMove:
    case Opcode::kConst:
    case Opcode::kUndefined:
    case Opcode::kInput:
    case Opcode::kInputPath:
    case Opcode::kBase:
    case Opcode::kBasePath:
    case Opcode::kGet:
    case Opcode::kPath:
    case Opcode::kElement: return true;
    case Opcode::kTruthy:
    case Opcode::kIsDefined:
    case Opcode::kIsArray:
    case Opcode::kIsObject:
    case Opcode::kEqual:
    case Opcode::kNotEqual:
    case Opcode::kLess:
    case Opcode::kLessEqual:
    case Opcode::kMember:
    case Opcode::kMemberPair:
    case Opcode::kIsKind:
    case Opcode::kJump: writes = false; return true;
    default: return false;
  }
}

// Drops what is not reached, and what goes to the next instruction whatever it finds. True: something went.
bool drop_dead_code(FunctionBuilder& function) {
  std::vector<bool> keep = reachable(function);
  std::vector<bool> read(function.frame + 3u, false);
  {
    FunctionBuilder live;
    live.frame = function.frame;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (keep[i]) live.code.push_back(function.code[i]);
    }
    mark_all(live, read);
  }
  const auto next_kept = [&](std::size_t at) {
    while (at < keep.size() && !keep[at]) ++at;
    return at;
  };
  bool changed = false;
  for (std::size_t i = keep.size(); i-- > 0;) {
    if (!keep[i]) {
      changed = true;
      continue;
    }
    const Instruction& instruction = function.code[i];
    bool writes = false;
    if (!is_pure(instruction.opcode, writes)) continue;
    if (writes && instruction.a < read.size() && read[instruction.a]) continue;
    if (instruction.target != kNoLabel && next_kept(function.labels[instruction.target]) != next_kept(i + 1)) {
      continue;
    }
    keep[i] = false;
    changed = true;
  }
  if (!changed) return false;
  std::vector<std::uint32_t> position(keep.size() + 1, 0);
  std::size_t to = 0;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    position[i] = static_cast<std::uint32_t>(to);
    if (!keep[i]) continue;
    function.code[to] = function.code[i];
    function.places[to] = function.places[i];
    ++to;
  }
  position[keep.size()] = static_cast<std::uint32_t>(to);
  function.code.resize(to);
  function.places.resize(to);
  for (std::uint32_t& label : function.labels) {
    if (label != kNoLabel) label = position[label];
  }
  return true;
}

// A function that ends, whatever it is called with, without a value, a conflict or anything else to be seen.
bool is_never_defined(const ProgramCode& program, const FunctionCode& function) {
  constexpr int kMaxSteps = 64;
  std::uint32_t at = function.entry;
  for (int step = 0; step < kMaxSteps && at < function.end; ++step) {
    const Instruction& instruction = program.code[at];
    switch (instruction.opcode) {
      case Opcode::kUndefined:
      case Opcode::kMove:
      case Opcode::kConst: ++at; break;
      case Opcode::kJump: at = instruction.target; break;
      case Opcode::kFail:
      case Opcode::kFinish: return true;
      default: return false;
    }
  }
  return false;
}

}  // namespace

void optimise(FunctionBuilder& function) {
  constexpr int kMaxRounds = 4;
  thread_jumps(function);
  for (int round = 0; round < kMaxRounds && drop_dead_code(function); ++round) thread_jumps(function);
  shorten_loops(function);
}

void optimise(ProgramCode& program) {
  constexpr int kMaxRounds = 4;
  std::vector<bool> never(program.functions.size(), false);
  for (int round = 0; round < kMaxRounds; ++round) {
    bool found = false;
    for (std::size_t i = 0; i < never.size(); ++i) {
      if (never[i] || !is_never_defined(program, program.functions[i])) continue;
      never[i] = found = true;
    }
    if (!found) return;
    for (Instruction& instruction : program.code) {
      switch (instruction.opcode) {
        case Opcode::kCall:
        case Opcode::kCallTest:
        case Opcode::kDocument:
        case Opcode::kDocumentTest:
          if (never[instruction.imm]) instruction.opcode = Opcode::kJump;
          break;
        default: break;
      }
    }
  }
}

}  // namespace portcullis::rego
