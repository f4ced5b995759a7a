// Any text as a module or query: what parses is checked, and what checks keeps the planner's contract (fuzz_rego_eval
// goes on to evaluation). A failure always says why.
// First byte: bit 0 the language version, bit 1 strict, bit 2 print calls kept, bit 3 the text is a query.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/checked.h"
#include "engine/rego/syntax/parser.h"

using namespace portcullis;
using namespace portcullis::rego;

namespace {

void require(bool condition, const std::string& why) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

void run_module(std::string_view text, const CheckOptions& options, RegoVersion version) {
  ParseOptions parse;
  parse.version = version;
  Parsed<Module> module = parse_module("fuzz.rego", text, parse);
  if (!module.ok()) return;
  std::vector<Module> modules;
  modules.push_back(std::move(module.value()));
  const Parsed<CheckedModules> checked = check(std::move(modules), options);
  if (!checked.ok()) {
    require(!checked.error().empty(), "a failure without an error");
    return;
  }
  const std::string broken = well_formed(checked.value());
  require(broken.empty(), broken);
}

void run_query(std::string_view text, const CheckOptions& options) {
  Parsed<ParsedQuery> query = parse_query(text, ParseOptions{});
  if (!query.ok()) return;
  const CheckedModules modules;
  const Parsed<CheckedQuery> checked =
      check_query(modules, std::move(query.value().body), query.value().source, QueryContext{}, options);
  require(checked.ok() || !checked.error().empty(), "a failure without an error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::uint8_t mode = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CheckOptions options;
  options.builtins = &all_builtins();
  options.strict = (mode & 2) != 0;
  options.keep_print = (mode & 4) != 0;
  if ((mode & 8) != 0) {
    run_query(text, options);
  } else {
    run_module(text, options, (mode & 1) != 0 ? RegoVersion::kV1 : RegoVersion::kV0);
  }
  return 0;
}
