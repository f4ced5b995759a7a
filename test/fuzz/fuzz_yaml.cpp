// The YAML reader on any bytes, in every dialect: it refuses them, or what the writer prints reads back equal.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/value/json.h"
#include "engine/value/yaml.h"

using namespace portcullis;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void round_trip(const Value& value, const YamlStyle& style, YamlSchema schema) {
  const std::string printed = to_yaml(value, style);
  Result<Document> again = parse_yaml(printed, schema);
  // go-yaml prints some texts that it does not read back (a literal block in a list that begins with a space, say).
  if (again.ok()) to_json(again->root());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseLimits limits;
  limits.max_depth = 100;
  for (const YamlSchema schema : {YamlSchema::kKubernetes, YamlSchema::kYaml12, YamlSchema::kOpa}) {
    Result<std::vector<YamlDocument>> documents = parse_yaml_stream(text, schema, limits);
    if (!documents.ok()) {
      require(!documents.error().message.empty());
      continue;
    }
    for (const YamlDocument& document : *documents) {
      const Value root = document.document.root();
      Result<Document> json = Document::parse_json(to_json(root));
      require(json.ok() == root.defined());
      if (json.ok()) require(equal(json->root(), root));
      round_trip(root, {2, false}, schema);
      round_trip(root, {4, true}, schema);
    }
  }
  return 0;
}
