// Any builtin with any arguments: {"f": "name", "a": [arguments]} as in engine/rego/builtins/testdata/calls.jsonl (a
// seed), {"$set": [...]} being a set. Each call ends with a value, undefined, or an error that says something.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/builtins/sets_in_json.h"
#include "engine/value/document.h"
#include "engine/value/json.h"

using namespace portcullis;
using namespace portcullis::rego;

namespace {

std::size_t arity(const BuiltinDecl& decl) {
  std::size_t count = 0;
  while (count < decl.arguments.size() && !decl.arguments[count].empty()) ++count;
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Arena arena(std::size_t{64} << 20);
  ParseLimits limits;
  limits.max_depth = 100;
  const Result<Value> call = parse_json_into(arena, text, limits);
  if (!call.ok()) return 0;
  const BuiltinRegistry::Entry* entry = all_builtins().find(call->string_or("f"));
  if (entry == nullptr || entry->decl->function == nullptr) return 0;
  const Value arguments = with_sets(arena, call->get("a"));
  if (!arguments.is_array() || arguments.size() != arity(*entry->decl)) return 0;
  Host host;
  BuiltinContext context(arena, host);
  context.deadline = Deadline::after(std::chrono::seconds(5));
  const Value out = entry->decl->function(context, arguments.elements());
  if (context.failed() && out.defined()) {
    std::fprintf(stderr, "%s gave both a value and an error\n", entry->decl->name.data());
    std::abort();
  }
  if (out.defined()) to_json(out);
  if (context.patterns != nullptr) context.free_patterns(context.patterns);
  return 0;
}
