// Which rules of a document can hold at all, told from what their bodies ask of the input, of base data and of
// arguments, as OPA's rule index tells it. Explanations name the number of rules it leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/arena.h"
#include "engine/rego/compile/checked.h"
#include "engine/value/value.h"

namespace portcullis::rego::trace {

struct IndexReference {
  enum class Root : std::uint8_t { kInput, kData, kArgument } root = Root::kInput;
  std::uint32_t argument = 0;
  std::vector<Value> path;
};

// One thing that must hold.
struct IndexTest {
  enum class Kind : std::uint8_t { kDefined, kEqual, kHolds, kIn, kGlob, kPrefix, kSuffix } kind = Kind::kDefined;
  IndexReference reference;
  Value value;                                    // kEqual, kHolds (the collection has it as an element)
  std::vector<Value> members;                     // kIn; kEqual with is_pattern: elements (undefined: any)
  std::vector<std::optional<std::string>> parts;  // kGlob: what stands between delimiters (none: any)
  bool is_pattern = false;                        // kEqual: an array of that many elements
  std::string delimiters;                         // kGlob
};

struct RuleIndex {
  struct Entry {
    const Rule* rule;
    std::size_t group;  // an else belongs to its rule's
    std::vector<IndexTest> tests;
  };
  std::vector<Entry> entries;
  const Rule* default_rule = nullptr;
  bool multi_value = false;
  bool only_ground = true;
};

// The rules left by a look-up, and the `else` branches of each.
struct Matches {
  std::vector<std::pair<const Rule*, std::vector<const Rule*>>> rules;
  const Rule* default_rule = nullptr;
  bool multi_value = false;
  bool only_ground = true;
  bool early_exit = false;
};

// `value_of` gives a constant term's value.
RuleIndex build_index(const RuleTreeNode& node, const RuleTreeNode& root,
                      const std::function<Value(const Term&)>& value_of);
// `resolve` gives undefined for what is not there.
Matches look_up(const RuleIndex& index, bool indexing, const std::function<Value(const IndexReference&)>& resolve);

}  // namespace portcullis::rego::trace
