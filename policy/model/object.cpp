#include "policy/model/object.h"

#include <vector>

#include "engine/value/number.h"

namespace portcullis::policy {

std::string ObjectKind::api_version() const {
  if (group.empty()) return std::string(version);
  std::string out(group);
  out += '/';
  out += version;
  return out;
}

std::string ObjectKind::to_string() const {
  std::string out(group);
  out += '/';
  out += version;
  out += ", Kind=";
  out += kind;
  return out;
}

ObjectKind parse_api_version(std::string_view api_version, std::string_view kind) noexcept {
  if (api_version.empty() || api_version == "/") return {{}, {}, kind};
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return {{}, api_version, kind};
  if (api_version.find('/', slash + 1) != std::string_view::npos) return {};
  return {api_version.substr(0, slash), api_version.substr(slash + 1), kind};
}

ObjectKind kind_of(const Value& object) noexcept {
  return parse_api_version(object.string_or("apiVersion"), object.string_or("kind"));
}

std::string_view name_of(const Value& object) noexcept { return object.get("metadata").string_or("name"); }
std::string_view namespace_of(const Value& object) noexcept { return object.get("metadata").string_or("namespace"); }
std::string_view generate_name_of(const Value& object) noexcept {
  return object.get("metadata").string_or("generateName");
}
Value labels_of(const Value& object) noexcept { return object.get("metadata").get("labels"); }

namespace {

// Below this an integral float64 prints without an exponent in Go's shortest %g.
constexpr std::int64_t kExponentFrom = 1000000;

enum class NumberForm { kFloat64, kUnstructured };

bool has_only_digits(std::string_view text) noexcept { return text.find_first_of(".eE") == std::string_view::npos; }

Value convert_number(Arena& arena, const Value& value, NumberForm form) {
  if (value.is_integer()) {
    if (form == NumberForm::kUnstructured) return value;
    const std::int64_t i = value.as_integer();
    if (i > -kExponentFrom && i < kExponentFrom) return value;
    return make_number(arena, static_cast<double>(i));
  }
  if (form == NumberForm::kUnstructured && has_only_digits(number_text(value))) {
    if (const auto whole = to_int64(value)) return Value::integer(*whole);
  }
  return make_number(arena, to_double(value));
}

Value convert(Arena& arena, const Value& value, NumberForm form);

// The converted elements, or `values` itself when nothing changed.
template <typename Rebuild>
Value convert_all(Arena& arena, const Value& whole, std::span<const Value> values, NumberForm form, Rebuild rebuild) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value changed = convert(arena, values[i], form);
    if (changed.identical(values[i])) continue;
    Value* copy = arena.allocate_array<Value>(values.size());
    for (std::size_t j = 0; j < i; ++j) copy[j] = values[j];
    copy[i] = changed;
    for (std::size_t j = i + 1; j < values.size(); ++j) copy[j] = convert(arena, values[j], form);
    return rebuild(std::span<const Value>(copy, values.size()));
  }
  return whole;
}

Value convert(Arena& arena, const Value& value, NumberForm form) {
  switch (value.kind()) {
    case Kind::kNumber: return convert_number(arena, value, form);
    case Kind::kArray:
      return convert_all(arena, value, value.elements(), form,
                         [&](std::span<const Value> changed) { return make_array(arena, changed); });
    case Kind::kObject:
      return convert_all(arena, value, value.values(), form, [&](std::span<const Value> changed) {
        // Keys stay in order, so the representation can be written down directly.
        const std::uint32_t n = value.size();
        auto* rep =
            static_cast<ObjectRep*>(arena.allocate(sizeof(ObjectRep) + 2 * n * sizeof(Value), alignof(ObjectRep)));
        rep->size = n;
        rep->symbols = value.as_object()->symbols;
        Value* slots = const_cast<Value*>(rep->keys());
        for (std::uint32_t i = 0; i < n; ++i) {
          slots[i] = value.keys()[i];
          slots[n + i] = changed[i];
        }
        return Value::object(rep);
      });
    default: return value;
  }
}

}  // namespace

Value as_float64(Arena& arena, const Value& value) { return convert(arena, value, NumberForm::kFloat64); }
Value as_unstructured_numbers(Arena& arena, const Value& value) {
  return convert(arena, value, NumberForm::kUnstructured);
}

}  // namespace portcullis::policy
