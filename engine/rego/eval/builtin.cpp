// Members of BuiltinContext and BuiltinRegistry.
#include "engine/rego/eval/builtin.h"

#include <algorithm>
#include <string>
#include <utility>

namespace portcullis::rego {

Value BuiltinContext::fail(std::string message) {
  error = std::move(message);
  error_is_type = false;
  error_aborts = false;
  return Value::undefined();
}

Value BuiltinContext::fail_operand(int operand, std::string_view want, const Value& got) {
  error = "operand " + std::to_string(operand) + " must be ";
  error += want;
  error += " but got ";
  error += kind_name(got.kind());
  error_is_type = true;
  error_aborts = false;
  return Value::undefined();
}

Value BuiltinContext::abort(std::string message) {
  error = std::move(message);
  error_is_type = false;
  error_aborts = true;
  return Value::undefined();
}

BuiltinRegistry::BuiltinRegistry(std::span<const std::span<const BuiltinDecl>> families) {
  for (const std::span<const BuiltinDecl> family : families) {
    for (const BuiltinDecl& decl : family) entries_.push_back(Entry{&decl, 0, false});
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.decl->name < b.decl->name; });
  std::uint32_t index = 0;
  for (Entry& entry : entries_) entry.index = index++;
}

const BuiltinRegistry::Entry* BuiltinRegistry::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), name,
                                   [](const Entry& entry, std::string_view want) { return entry.decl->name < want; });
  if (at == entries_.end() || at->decl->name != name || at->disabled) return nullptr;
  return &*at;
}

void BuiltinRegistry::disable(std::string_view name) {
  for (Entry& entry : entries_) {
    if (entry.decl->name == name) entry.disabled = true;
  }
}

}  // namespace portcullis::rego
