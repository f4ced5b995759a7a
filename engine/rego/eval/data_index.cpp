#include "engine/rego/eval/data_index.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "engine/value/json.h"

namespace portcullis::rego {

namespace {

bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void append_steps(std::string& out, std::span<const DataIndexSpec::Step> steps) {
  bool first = true;
  for (const DataIndexSpec::Step& step : steps) {
    if (!step) {
      out += "[_]";
    } else if (!is_word(*step)) {
      out += '[';
      append_json(out, Value::string(*step));
      out += ']';
    } else {
      if (!first) out += '.';
      out += *step;
    }
    first = false;
  }
}

}  // namespace

std::shared_ptr<const DataIndexSpec> DataIndexSpec::make(std::vector<Step> collection, std::vector<Step> path) {
  auto spec = std::make_shared<DataIndexSpec>();
  spec->collection = std::move(collection);
  spec->path = std::move(path);
  append_steps(spec->text, spec->collection);
  spec->text += " by ";
  append_steps(spec->text, spec->path);

  // Weak: specs go with the programs that ask for them.
  static std::mutex mutex;
  static std::unordered_map<std::string, std::weak_ptr<const DataIndexSpec>> made;
  const std::lock_guard lock(mutex);
  std::weak_ptr<const DataIndexSpec>& slot = made[spec->text];
  if (std::shared_ptr<const DataIndexSpec> have = slot.lock()) return have;
  slot = spec;
  std::erase_if(made, [](const auto& one) { return one.second.expired(); });
  return spec;
}

}  // namespace portcullis::rego
