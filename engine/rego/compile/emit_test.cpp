// The machine on programs written by hand: loops, calls, bounds, conflicts, environments.
#include "engine/rego/compile/emit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "engine/rego/eval/program.h"
#include "engine/value/document.h"
#include "engine/value/json.h"

namespace portcullis::rego {
namespace {

constexpr Operand kOne = kConstantBit;  // the first constant of every program here is 1

struct Assembler {
  ProgramBuilder program;

  Assembler() { program.constant(Value::integer(1)); }
  std::uint32_t add(const std::string& name, FunctionBuilder&& code, std::uint32_t arguments = 0,
                    bool is_function = false) {
    const std::uint32_t index = program.declare(name, arguments, is_function, !is_function);
    program.add(index, std::move(code));
    return index;
  }
  Program finish(std::uint32_t entry) {
    program.code().entry_points.emplace_back("entry", entry);
    return Program(program.finish());
  }
};

struct Runner {
  EvalScratch scratch;
  Host host;
  EvalOptions options;

  Result<Value, EvalError> operator()(const Program& program, const Value& input = {}, const Value& data = {}) {
    return program.eval(0, input, data, scratch, host, options);
  }
};

// input.xs[_] > 1, collected into a set.
FunctionBuilder filter(ProgramBuilder& program) {
  FunctionBuilder code;
  const Operand xs = code.allocate();
  const Operand it = code.allocate(2);
  const Operand value = code.allocate();
  const Operand mark = code.allocate();
  const Operand set = code.allocate();
  const Label done = code.label();
  const Label next = code.label();
  const std::uint32_t path = program.path({program.key("xs")});
  code.emit(Opcode::kOpen, mark);
  code.emit(Opcode::kInputPath, xs, static_cast<std::uint16_t>(program.input_slot(path)), 0, done, path);
  code.emit(Opcode::kLoop, it, xs, 0, done);
  code.bind(next);
  code.emit(Opcode::kNextValue, it, 0, value, done);
  code.emit(Opcode::kLess, kOne, value, 0, next);
  code.emit(Opcode::kPushSet, value, mark);
  code.emit(Opcode::kJump, 0, 0, 0, next);
  code.bind(done);
  code.emit(Opcode::kCloseSet, set, mark);
  code.emit(Opcode::kReturn, set);
  return code;
}

TEST(Machine, LoopsFilterAndCollect) {
  Assembler assembler;
  const std::uint32_t entry = assembler.add("data.p", filter(assembler.program));
  const Program program = assembler.finish(entry);
  const Result<Document> input = Document::parse_json(R"({"xs": [3, 1, 2, 3, 0]})");
  ASSERT_TRUE(input.ok());
  Runner run;
  const auto result = run(program, input->root());
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  EXPECT_EQ(to_rego(*result), "{2, 3}");
  const auto nothing = run(program);
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(to_rego(*nothing), "set()");
}

TEST(Machine, InstructionBudgetEndsALoop) {
  Assembler assembler;
  const std::uint32_t entry = assembler.add("data.p", filter(assembler.program));
  const Program program = assembler.finish(entry);
  const Result<Document> input = Document::parse_json(R"({"xs": [3, 1, 2, 3, 0, 7, 8, 9]})");
  ASSERT_TRUE(input.ok());
  Runner run;
  run.options.limits.instructions = 5;
  const auto result = run(program, input->root());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().to_string(), "eval_cancel_error: instruction limit of 5 exceeded");
}

TEST(Machine, CallDepthIsBounded) {
  Assembler assembler;
  FunctionBuilder code;
  const Operand to = code.allocate();
  const Label none = code.label();
  code.emit(Opcode::kCall, to, 1, 0, none, 0);  // calls itself: the checks refuse such modules
  code.bind(none);
  code.emit(Opcode::kFail);
  const Program program = assembler.finish(assembler.add("data.f", std::move(code), 0, true));
  Runner run;
  run.options.limits.call_depth = 20;
  const auto result = run(program);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "eval_cancel_error");
}

TEST(Machine, ConflictsListTheirValues) {
  Assembler assembler;
  FunctionBuilder code;
  const Operand cell = code.allocate(2);
  const Label finish = code.label();
  const std::uint32_t two = assembler.program.constant(Value::integer(2));
  code.emit(Opcode::kUndefined, cell);
  code.emit(Opcode::kSettle, cell, kOne, 0, finish, assembler.program.place({"a.rego", "", 3, 1, 0}));
  code.emit(Opcode::kSettle, cell, static_cast<Operand>(two | kConstantBit), 0, finish,
            assembler.program.place({"a.rego", "", 5, 1, 0}));
  code.bind(finish);
  code.emit(Opcode::kFinish, cell);
  const Program program = assembler.finish(assembler.add("data.p", std::move(code)));
  Runner run;
  const auto result = run(program);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(
      result.error().to_string(),
      "a.rego:5: eval_conflict_error: rule data.p produced conflicting values:\n  1 at a.rego:3\n  2 at a.rego:5");
}

TEST(Machine, EnvironmentsKeepInputsApart) {
  Assembler assembler;
  FunctionBuilder code;
  const Operand outer = code.allocate(2);
  const Operand inside = code.allocate();
  const Operand after = code.allocate();
  const Operand both = code.allocate(2);
  const Label none = code.label();
  const std::uint32_t path = assembler.program.path({assembler.program.key("x")});
  const auto slot = static_cast<std::uint16_t>(assembler.program.input_slot(path));
  code.emit(Opcode::kEnvironment, outer);
  code.emit(Opcode::kEnter);
  code.emit(Opcode::kReplaceInput, kOne, 0, 0, kNoLabel, path);
  code.emit(Opcode::kInputPath, inside, slot, 0, none, path);
  code.emit(Opcode::kLeave, outer);
  code.emit(Opcode::kInputPath, after, slot, 0, none, path);
  code.emit(Opcode::kMove, both, inside);
  code.emit(Opcode::kMove, static_cast<Operand>(both + 1), after);
  code.emit(Opcode::kArray, outer, both, 0, kNoLabel, 2);
  code.emit(Opcode::kReturn, outer);
  code.bind(none);
  code.emit(Opcode::kFail);
  const Program program = assembler.finish(assembler.add("data.p", std::move(code)));
  const Result<Document> input = Document::parse_json(R"({"x": 7})");
  ASSERT_TRUE(input.ok());
  Runner run;
  const auto result = run(program, input->root());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(to_rego(*result), "[1, 7]");
}

TEST(Machine, ListingNamesOperands) {
  Assembler assembler;
  const std::uint32_t entry = assembler.add("data.p", filter(assembler.program));
  const std::string listing = assembler.finish(entry).listing();
  EXPECT_NE(listing.find("InputPath r0 0 .\"xs\""), std::string::npos) << listing;
  EXPECT_NE(listing.find("Less 1 r3"), std::string::npos) << listing;
}

// docs/vm.md's table is opcodes.def's.
TEST(Machine, DocumentsItsInstructions) {
  const std::string path = std::string(PC_SOURCE_DIR) + "/docs/vm.md";
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string page = text.str();
  const std::string begin = "<!-- opcodes: written by UPDATE_GOLDEN=1 engine_rego_compile_test -->\n";
  const std::string end = "<!-- end of opcodes -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  std::string table = "| instruction | operands | effect |\n|---|---|---|\n";
  for (std::size_t i = 0; i < opcode_count(); ++i) {
    const OpcodeInfo& info = opcode_info(static_cast<Opcode>(i));
    table += "| " + std::string(info.name) + " | `" + std::string(info.operands) + "` | " + std::string(info.effect) +
             " |\n";
  }
  const std::string have = page.substr(from + begin.size(), to - from - begin.size());
  if (std::getenv("UPDATE_GOLDEN") != nullptr && have != table) {
    std::ofstream(path) << page.substr(0, from) << begin << table << page.substr(to);
    return;
  }
  EXPECT_EQ(have, table);
}

}  // namespace
}  // namespace portcullis::rego
