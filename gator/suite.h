// Suites of gator verify: their files and their decoding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::gator {

struct Assertion {
  // An integer, or "yes", "no" (or what was written in their place); absent: "yes".
  std::variant<std::string, std::int32_t> violations = std::string("yes");
  std::optional<std::string> message;
};

struct SuiteCase {
  std::string name;
  std::string object;
  std::vector<std::string> inventory;
  std::vector<Assertion> assertions;
  bool skip = false;
};

struct SuiteTest {
  std::string name;
  std::string constraint_template;
  std::string constraint;
  std::string expansion;
  std::vector<SuiteCase> cases;
  bool invalid = false;
  bool skip = false;
};

struct Suite {
  std::string file;   // absolute, without the leading slash
  std::string shown;  // as results name it
  std::vector<SuiteTest> tests;
  bool skip = false;
};

// The suite in a decoded YAML document. Errors (kInvalid): Go's text for a field of the wrong type.
Result<Suite> decode_suite(const Value& root);

// All suites that `path` names: a file, a directory, or "dir/..." for everything below, ordered by file.
// Errors: "stat …", "unsupported extension: …", "invalid yaml: …".
Result<std::vector<Suite>> read_suites(std::string_view path);

}  // namespace portcullis::gator
