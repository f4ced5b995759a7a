// YAML as the Go programs around Kubernetes read and print it. Three dialects, because users meet three libraries:
// manifests go through sigs.k8s.io/yaml, gator's suites and the files they name through yaml.v3, and OPA through
// yaml.v3 with rules of its own. Threads: any. Every error has the Go library's own words as its message ("yaml: line
// 3: did not find expected ',' or
// '}'") and "<source>:<line>:<column>" as its innermost context, so that to_string() names the place in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value/document.h"

namespace portcullis {

enum class YamlSchema : std::uint8_t {
  // sigs.k8s.io/yaml over go-yaml v2: YAML 1.1 scalars (yes/no/on/off, 0o17 and 017 are 15, 1_000), dates stay strings,
  // keys become strings (`y: 1` is {"true": 1}), of duplicate keys the last wins.
  kKubernetes,
  // yaml.v3 into a map, then through JSON, as gator reads suites, templates and objects in `verify`: no yes/no, dates
  // become RFC 3339 times, duplicate keys are refused ("yaml: unmarshal errors:\n  line 2: mapping key …"), and so is a
  // nested mapping with a key that is no string.
  kYaml12,
  // Rego's yaml.unmarshal and OPA's data files: yaml.v3 scalars, dates stay strings, keys become strings, last wins.
  kOpa,
};

struct YamlDocument {
  Document document;       // root undefined for an empty document
  std::uint32_t line = 1;  // where it starts in the file
};

// Every document of a stream. kKubernetes splits at lines that begin with "---" before parsing, so that line numbers in
// messages count from there, and takes a text that begins with '{' for JSON first, as kubectl and gator do. The others
// follow the YAML stream itself. Empty documents are left out of kKubernetes streams.
// Anchors, aliases and merge keys are resolved; expansion is bounded as in go-yaml ("document contains excessive
// aliasing", kLimit), nesting by limits.max_depth (kLimit).
// Numbers take the way through Go's int64, uint64 and float64 (1e3 is 1000, 2.50 is 2.5), then limits.numbers applies.
Result<std::vector<YamlDocument>> parse_yaml_stream(std::string_view text, YamlSchema schema,
                                                    const ParseLimits& limits = {});
// The first document; an empty stream gives an undefined root. What follows it is not looked at, except for kOpa, where
// it must parse.
Result<Document> parse_yaml(std::string_view text, YamlSchema schema, const ParseLimits& limits = {});

// YAML as go-yaml prints it: block style, keys in go-yaml's "natural" order (a2 before a10), strings plain where they
// read back as strings.
struct YamlStyle {
  int indent = 2;
  // true: as yaml.v3 (lists below a key are indented, nothing is folded). gator's -o yaml is {4, true}, OPA's
  // yaml.marshal {2, true}. false: as sigs.k8s.io/yaml and go-yaml v2 (lists stand below their key, long strings are
  // folded at 80 columns).
  bool indent_sequences = false;
  // What a number is on its way into the library. kInteger: a whole number in digits up to 64 bits is an integer, any
  // other a float64 (1e3 prints 1000, 30 digits as 1.2e+29). kFloat: every number is a float64 (1000000 prints 1e+06).
  enum class Numbers : std::uint8_t { kInteger, kFloat } numbers = Numbers::kInteger;
};
std::string to_yaml(const Value& value, const YamlStyle& style = {});

// The same piece by piece, for what has an order of its own (a struct's fields). Calls must nest properly; sizes must
// be true, for an empty collection prints differently. Threads: one at a time.
class YamlEmitter {
 public:
  explicit YamlEmitter(const YamlStyle& style);
  ~YamlEmitter();
  YamlEmitter(const YamlEmitter&) = delete;
  YamlEmitter& operator=(const YamlEmitter&) = delete;

  // `flow`: on one line in braces, with everything inside it.
  void begin_mapping(std::size_t size, bool flow = false);
  void key(std::string_view text);
  void end_mapping();
  void begin_sequence(std::size_t size, bool flow = false);
  void end_sequence();
  void value(const Value& value);
  // The text, after the outermost value; the emitter is spent then.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis
