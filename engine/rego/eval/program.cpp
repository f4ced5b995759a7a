// Entry points of evaluation, and the listing.
#include "engine/rego/eval/program.h"

#include <algorithm>
#include <utility>

#include "engine/rego/eval/code.h"
#include "engine/rego/eval/machine.h"
#include "engine/value/json.h"

namespace portcullis::rego {

namespace {

constexpr OpcodeInfo kOpcodes[] = {
#define OP(name, operands, effect) {std::string_view(#name).substr(1), operands, effect},
#include "engine/rego/eval/opcodes.def"
#undef OP
};

void append_operand(std::string& out, const ProgramCode& code, char kind, std::uint16_t operand) {
  out += ' ';
  switch (kind) {
    case 'X':
      if ((operand & kConstantBit) != 0) {
        append_rego(out, code.constants[operand & ~kConstantBit]);
        break;
      }
      [[fallthrough]];
    case 'R':
    case 'W': out += 'r' + std::to_string(operand); break;
    case 'N': out += std::to_string(operand); break;
    default: out.pop_back();
  }
}

void append_immediate(std::string& out, const ProgramCode& code, char kind, std::uint32_t imm) {
  switch (kind) {
    case 'K':
      out += ' ';
      append_rego(out, code.constants[imm]);
      break;
    case 'P':
      out += ' ';
      for (std::uint32_t i = 0; i < code.paths[imm].size; ++i) {
        out += '.';
        append_rego(out, code.path_keys[code.paths[imm].begin + i]);
      }
      break;
    case 'F': out += " " + code.functions[imm].name; break;
    case 'B': out += " " + std::string(code.builtins[imm]->name); break;
    case 'I': out += " " + code.indexes[imm]->text; break;
    case 'N':
    case 'S':
    case 'M': out += " #" + std::to_string(imm); break;
    default: break;
  }
}

// The text of a source line, trimmed, when the file's text is there.
std::string place_text(const ProgramCode& code, std::uint32_t place) {
  const Place& at = code.places[place];
  return *code.files[at.file] + ":" + std::to_string(at.row);
}

}  // namespace

const OpcodeInfo& opcode_info(Opcode opcode) noexcept { return kOpcodes[static_cast<std::size_t>(opcode)]; }
std::size_t opcode_count() noexcept { return std::size(kOpcodes); }

std::string ProgramCode::listing() const {
  std::string out;
  for (const FunctionCode& function : functions) {
    out += function.name + (function.is_function ? "(" + std::to_string(function.arguments) + ")" : "") + "  frame " +
           std::to_string(function.frame) + "\n";
    std::uint32_t last_place = 0;
    for (std::uint32_t at = function.entry; at < function.end; ++at) {
      const Instruction& instruction = code[at];
      const OpcodeInfo& info = opcode_info(instruction.opcode);
      if (place_of[at] != last_place && place_of[at] != 0) {
        out += "      ; " + place_text(*this, place_of[at]) + "\n";
        last_place = place_of[at];
      }
      std::string number = std::to_string(at);
      out += std::string(number.size() < 6 ? 6 - number.size() : 0, ' ') + number + "  " + std::string(info.name);
      const std::string_view operands = info.operands;
      append_operand(out, *this, operands[0], instruction.a);
      append_operand(out, *this, operands[2], instruction.b);
      append_operand(out, *this, operands[4], instruction.c);
      append_immediate(out, *this, operands[8], instruction.imm);
      if (instruction.target != 0) out += " -> " + std::to_string(instruction.target);
      out += '\n';
    }
  }
  return out;
}

std::size_t ProgramCode::memory() const noexcept {
  const auto held = [](const auto& vector) { return vector.capacity() * sizeof(vector[0]); };
  std::size_t bytes = sizeof *this + arena.bytes_held();
  bytes += held(code) + held(place_of) + held(constants) + held(functions) + held(paths) + held(path_keys);
  bytes += held(builtins) + held(switches) + held(switch_cases) + held(chains) + held(indexes) + held(places);
  bytes += held(files) + held(raises) + held(entry_points);
  // Names of files and specs of indexes are shared with other programs; each counts them.
  for (const auto& file : files) bytes += sizeof *file + file->capacity();
  for (const auto& index : indexes) bytes += sizeof *index + index->text.capacity() * 2;
  for (const FunctionCode& function : functions) bytes += function.name.capacity();
  for (const RaiseCode& raise : raises) bytes += raise.code.capacity() + raise.message.capacity();
  for (const auto& [path, index] : entry_points) bytes += path.capacity();
  return bytes;
}

std::string EvalError::to_string() const {
  std::string out;
  if (row != 0) {
    out += file.empty() ? std::to_string(row) + ":" + std::to_string(column) : file + ":" + std::to_string(row);
    out += ": ";
  }
  return out + code + ": " + message;
}

Program::Program(std::unique_ptr<const ProgramCode> code) : code_(std::move(code)) {}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

int Program::entry_point(std::string_view path) const noexcept {
  const auto& points = code_->entry_points;
  const auto at = std::lower_bound(points.begin(), points.end(), path,
                                   [](const auto& point, std::string_view wanted) { return point.first < wanted; });
  return at != points.end() && at->first == path ? static_cast<int>(at - points.begin()) : -1;
}

Result<Value, EvalError> Program::eval(int entry_point, const Value& input, const Value& data, EvalScratch& scratch,
                                       Host& host, const EvalOptions& options) const {
  if (entry_point < 0 || static_cast<std::size_t>(entry_point) >= code_->entry_points.size()) {
    return EvalError{"eval_internal_error", "no such entry point", {}, 0, 0};
  }
  Machine machine(*code_, scratch.state(), host, options);
  Value result;
  if (!machine.run(code_->entry_points[static_cast<std::size_t>(entry_point)].second, input, data, result)) {
    return std::move(machine.error());
  }
  return result;
}

Result<Value, EvalError> Program::eval_query(const Value& input, const Value& data, EvalScratch& scratch, Host& host,
                                             const EvalOptions& options) const {
  if (code_->query == kNoSlot)
    return EvalError{"eval_internal_error", "the program was not made from a query", {}, 0, 0};
  Machine machine(*code_, scratch.state(), host, options);
  Value result;
  if (!machine.run(code_->query, input, data, result)) return std::move(machine.error());
  return result;
}

std::string Program::listing() const { return code_->listing(); }
bool Program::uses_indexes() const noexcept { return !code_->indexes.empty(); }

std::size_t Program::memory() const noexcept { return code_->memory(); }

}  // namespace portcullis::rego
