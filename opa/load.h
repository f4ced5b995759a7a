// What --data names: policies and base documents from files and folders.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "engine/rego/syntax/ast.h"
#include "engine/value/value.h"
#include "opa/failure.h"

namespace portcullis::opa {

struct Loaded {
  std::vector<rego::Module> modules;
  Arena arena;
  Value data;  // an object in `arena`
  Failures failures;

  // Whether base data stands at `path`, for the check that no rule does.
  bool has_data(std::span<const std::string_view> path) const;
};

enum class LoadMode : std::uint8_t {
  kAll,
  kOnlyRego,  // no documents
  kBundle,    // folders as bundles: of documents only data.json, data.yaml and data.yml
};

// Loads *.rego, *.json, *.yaml and *.yml, folders recursively and in order. A path may begin with "a.b:" to put its
// documents below data.a.b. All failures are collected.
void load_paths(const std::vector<std::string>& paths, const std::vector<std::string>& ignored,
                rego::RegoVersion version, Loaded& out, LoadMode mode = LoadMode::kAll);

Result<std::string> read_file(const std::string& path);

// A document of JSON or YAML. Comments (// and /* */) are taken where `comments` says so.
Result<Value> parse_document(Arena& arena, std::string_view text, bool comments);

}  // namespace portcullis::opa
