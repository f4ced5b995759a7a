// Any bytes as a module: what the formatter writes parses again, and to the same tree.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/rego/format/format.h"
#include "engine/rego/syntax/ast_json.h"
#include "engine/rego/syntax/parser.h"

using namespace portcullis::rego;  // NOLINT(google-build-using-namespace)

namespace {

[[noreturn]] void fail(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16384) return 0;
  ParseOptions options;
  options.version = (data[0] & 1) != 0 ? RegoVersion::kV0 : RegoVersion::kV1;
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  Parsed<Module> module = parse_module("fuzz.rego", source, options);
  if (!module.ok()) return 0;
  static_cast<void>(check_for_v1(*module));
  module->comments.clear();  // the tree's JSON has their places
  const std::string before = module_json(*module);
  FormatOptions format;
  format.target = options.version == RegoVersion::kV0 ? FormatTarget::kV0 : FormatTarget::kV1;
  const bool both = (data[0] & 2) != 0;
  if (both) format.target = FormatTarget::kV0AndV1;
  const Parsed<std::string> text = format_module(*parse_module("fuzz.rego", source, options), format);
  if (!text.ok() || both) return 0;  // with both versions in mind imports and operators change
  Parsed<Module> again = parse_module("formatted.rego", *text, options);
  if (!again.ok()) fail("does not parse", *text + "\n" + again.error().to_string());
  again->comments.clear();
  if (module_json(*again) != before) fail("another tree", *text + "\n" + before + "\n" + module_json(*again));
  return 0;
}
