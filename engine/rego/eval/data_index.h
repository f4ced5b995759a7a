// Equality joins over base data: an index finds the objects that hold a value somewhere, so that a policy that looks
// for one need not go through all of them. The planner finds the joins, the owner of the data keeps the indexes.
// Threads: specs are immutable; a DataIndex is as immutable as the data it belongs to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value/value.h"

namespace portcullis::rego {

// What is looked for: objects at data.<collection>, by the values at <path> inside of them. A step without a name is
// any step: every key of an object, every index of an array.
struct DataIndexSpec {
  using Step = std::optional<std::string>;
  std::vector<Step> collection;
  std::vector<Step> path;
  // "inventory.namespace[_][_].Ingress[_] by spec.rules[_].host"; names that are no words stand as ["a.b"]. So equal
  // texts are equal specs.
  std::string text;

  // Equal specs are one object, as long as somebody holds it. Threads: any; takes a lock (it is for planning).
  static std::shared_ptr<const DataIndexSpec> make(std::vector<Step> collection, std::vector<Step> path);
};

struct DataIndexHit {
  Value object;
  const Value* steps;  // the keys along the collection, one per step of the spec
};

class DataIndex {
 public:
  virtual ~DataIndex() = default;
  // The objects that hold `key` at the spec's path, each once, in the order in which a walk over the collection meets
  // them. False: there is no such index (the owner may make one for later). Valid as long as the data. O(1).
  virtual bool find(const std::shared_ptr<const DataIndexSpec>& spec, const Value& key,
                    std::span<const DataIndexHit>& hits) const = 0;
};

// Calls f(value) for every value at `path` inside `object`.
template <typename F>
void for_each_at(const Value& object, std::span<const DataIndexSpec::Step> path, F&& f) {
  if (path.empty()) {
    f(object);
    return;
  }
  if (path[0]) {
    const Value below = object.get(std::string_view(*path[0]));
    if (below.defined()) for_each_at(below, path.subspan(1), f);
    return;
  }
  const std::span<const Value> below = object.is_object() ? object.values() : object.elements();
  for (const Value& value : below) for_each_at(value, path.subspan(1), f);
}

}  // namespace portcullis::rego
