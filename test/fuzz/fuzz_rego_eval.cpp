// A module through parser, checks, planner and machine, under small limits: each step refuses it or does its work.
// The input is the module; whatever stands after a line "---" is the input document.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/checked.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"
#include "engine/value/json.h"

using namespace portcullis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view document = "{}";
  if (const std::size_t at = text.find("\n---\n"); at != std::string_view::npos) {
    document = text.substr(at + 5);
    text = text.substr(0, at);
  }
  const Result<Document> input = Document::parse_json(document);
  for (const rego::RegoVersion version : {rego::RegoVersion::kV1, rego::RegoVersion::kV0}) {
    rego::ParseOptions parse_options;
    parse_options.version = version;
    parse_options.max_depth = 200;
    rego::Parsed<rego::Module> module = rego::parse_module("fuzz.rego", text, parse_options);
    if (!module.ok()) continue;
    rego::CheckOptions check_options;
    check_options.builtins = &rego::all_builtins();
    std::vector<rego::Module> modules;
    modules.push_back(std::move(module).value());
    const rego::Parsed<rego::CheckedModules> checked = rego::check(std::move(modules), check_options);
    if (!checked.ok()) continue;
    rego::PlanOptions plan_options;
    plan_options.entry_points = {"data"};
    const rego::Parsed<rego::Program> program = rego::plan(*checked, plan_options);
    if (!program.ok()) continue;
    rego::EvalScratch scratch;
    rego::Host host;
    rego::EvalOptions options;
    options.limits.instructions = 20000;
    options.limits.arena_bytes = std::size_t{16} << 20;
    options.limits.deadline = Deadline::after(std::chrono::milliseconds(500));
    options.limits.call_depth = 100;
    const auto result = program->eval(0, input.ok() ? input->root() : Value(), Value(), scratch, host, options);
    if (result.ok() && result->defined()) to_json(*result);
  }
  return 0;
}
