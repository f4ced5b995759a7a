// The tree of one YAML document as libyaml reports it, before scalars get a meaning. Internal to engine/value.
// Threads: one at a time. Ownership: nodes and their bytes live in the arena given to parse().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/document.h"
#include "engine/value/yaml.h"

namespace portcullis::yaml {

struct Node {
  enum class Kind : std::uint8_t { kScalar, kSequence, kMapping, kAlias };
  Kind kind = Kind::kScalar;
  bool plain = false;      // a scalar without quotes, no literal or folded block
  bool implicit = false;   // plain and without a tag
  bool expanding = false;  // an alias whose target is being decoded right now
  std::uint32_t line = 0;  // 0-based, within the text given to the parser
  std::uint32_t column = 0;
  std::string_view tag;          // long form ("tag:yaml.org,2002:int"), empty when there is none
  std::string_view text;         // scalar: its value; alias: its name
  const Node* target = nullptr;  // alias
  std::uint32_t count = 0;       // children; of a mapping key, value, key, value …
  Node* first = nullptr;
  Node* last = nullptr;
  Node* next = nullptr;  // among siblings
};

// How an error is told: go-yaml's v2 and v3 name different lines for the same mistake.
struct ErrorStyle {
  YamlSchema schema = YamlSchema::kKubernetes;
  std::string_view source;
  std::uint32_t first_line = 1;  // of the text within its file
};

// "yaml: …" as go-yaml words it, with "<source>:<line>:<column>" as context.
Error error_at(const ErrorStyle& style, Code code, const std::string& message, std::uint32_t line,
               std::uint32_t column);

class Parser {
 public:
  Parser(std::string_view text, const ParseLimits& limits, const ErrorStyle& style);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // The root of the next document, or null at the end of the stream. Errors: kInvalid, kLimit (depth).
  Result<Node*> next(Arena& arena);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::yaml
