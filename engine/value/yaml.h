// YAML as Kubernetes tools read it (YAML 1.1 scalars: yes/no/on/off, 0o17, 1_000; dates stay strings), and as
// yaml.v3 / YAML 1.2 reads it where a format asks for that (gator suites, Rego's yaml.unmarshal).
// Threads: any. Errors always name source, line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value/document.h"

namespace portcullis {

enum class YamlSchema : std::uint8_t {
  kKubernetes,  // sigs.k8s.io/yaml: YAML 1.1, keys become strings, then JSON rules
  kYaml12,      // yaml.v3
};

struct YamlDocument {
  Document document;       // root undefined for an empty document
  std::uint32_t line = 1;  // where it starts in the file
};

// Splits at "---" lines and parses each. Anchors, aliases and merge keys are resolved; alias expansion is bounded
// (kLimit). Of duplicate keys the last wins (kKubernetes) or the file is refused (kYaml12), as the Go libraries do.
// JSON is accepted as the YAML it is.
Result<std::vector<YamlDocument>> parse_yaml_stream(std::string_view text, YamlSchema schema,
                                                    const ParseLimits& limits = {});
// Exactly one document (an empty stream gives an undefined root).
Result<Document> parse_yaml(std::string_view text, YamlSchema schema, const ParseLimits& limits = {});

// Block-style YAML with sorted keys as sigs.k8s.io/yaml / go-yaml v2 or v3 prints it (indent 2; v3 indents lists by 4 in
// its default, see `indent_lists`).
struct YamlStyle {
  int indent = 2;
  bool indent_sequences = false;
};
std::string to_yaml(const Value& value, const YamlStyle& style = {});

}  // namespace portcullis
