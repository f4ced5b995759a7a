#include "engine/rego/eval/data_index.h"

#include <utility>

namespace portcullis::rego {

namespace {

void append_steps(std::string& out, std::span<const DataIndexSpec::Step> steps) {
  bool first = true;
  for (const DataIndexSpec::Step& step : steps) {
    if (!step) {
      out += "[_]";
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
  return spec;
}

}  // namespace portcullis::rego
