// Any bytes as a module and as a query, in both versions; what parses is copied, printed, and its text parsed again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/rego/syntax/parser.h"

using namespace portcullis::rego;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16384) return 0;
  ParseOptions options;
  options.version = (data[0] & 1) != 0 ? RegoVersion::kV0 : RegoVersion::kV1;
  options.all_future_keywords = (data[0] & 2) != 0;
  options.process_annotations = (data[0] & 4) != 0;
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Parsed<Module> module = parse_module("fuzz.rego", source, options);
  if (module.ok()) {
    Module copy = *module;
    const std::string text = to_string(copy);
    static_cast<void>(parse_module("printed.rego", text, options));
  } else {
    static_cast<void>(module.error().to_string());
  }
  const Parsed<ParsedQuery> query = parse_query(source, options);
  if (query.ok()) static_cast<void>(to_string(query->body));
  return 0;
}
