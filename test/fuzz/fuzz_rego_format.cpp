// Any bytes as a module in every mode; what the formatter writes is formatted once more. (That it means the same is not
// asked: it is what OPA writes, and OPA's own text does not always parse again.)
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/rego/format/format.h"
#include "engine/rego/syntax/parser.h"

using namespace portcullis::rego;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16384) return 0;
  ParseOptions options;
  options.version = (data[0] & 1) != 0 ? RegoVersion::kV0 : RegoVersion::kV1;
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  Parsed<Module> module = parse_module("fuzz.rego", source, options);
  if (!module.ok()) return 0;
  static_cast<void>(check_for_v1(*module));
  FormatOptions format;
  format.target = options.version == RegoVersion::kV0 ? FormatTarget::kV0 : FormatTarget::kV1;
  if ((data[0] & 2) != 0) format.target = FormatTarget::kV0AndV1;
  format.drop_imports = (data[0] & 4) != 0;
  format.ignore_locations = (data[0] & 8) != 0;
  const Parsed<std::string> text = format_module(std::move(*module), format);
  if (!text.ok()) return 0;
  Parsed<Module> again = parse_module("formatted.rego", *text, options);
  if (again.ok()) static_cast<void>(format_module(std::move(*again), format));
  return 0;
}
