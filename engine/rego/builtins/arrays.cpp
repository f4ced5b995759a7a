// array.*
#include <algorithm>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

Value concat(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0) || !array_operand(c, a, 1)) return {};
  if (a[0].size() == 0) return a[1];
  if (a[1].size() == 0) return a[0];
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  out.assign(a[0].elements().begin(), a[0].elements().end());
  out.insert(out.end(), a[1].elements().begin(), a[1].elements().end());
  return make_array(c.arena, out);
}

Value flatten(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0)) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  out.reserve(a[0].size());
  for (const Value& element : a[0].elements()) {
    if (element.is_array()) {
      out.insert(out.end(), element.elements().begin(), element.elements().end());
    } else {
      out.push_back(element);
    }
  }
  return make_array(c.arena, out);
}

Value slice(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0)) return {};
  const auto start = int_operand(c, a, 1);
  if (!start) return {};
  const auto stop = int_operand(c, a, 2);
  if (!stop) return {};
  const std::int64_t length = a[0].size();
  const std::int64_t to = std::clamp<std::int64_t>(*stop, 0, length);
  const std::int64_t from = std::clamp<std::int64_t>(*start, 0, to);
  if (from == 0 && to == length) return a[0];
  return make_array(c.arena,
                    a[0].elements().subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
}

Value reverse(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0)) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  out.assign(a[0].elements().begin(), a[0].elements().end());
  std::reverse(out.begin(), out.end());
  return make_array(c.arena, out);
}

constexpr BuiltinDecl kTable[] = {
    {"array.concat", {"array[any]", "array[any]"}, "array[any]", &concat},
    {"array.flatten", {"array[any]"}, "array[any]", &flatten},
    {"array.slice", {"array[any]", "number", "number"}, "array[any]", &slice},
    {"array.reverse", {"array[any]"}, "array[any]", &reverse},
};

}  // namespace

std::span<const BuiltinDecl> array_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
