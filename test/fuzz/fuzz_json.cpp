// The JSON reader on any bytes: it refuses them, or what it prints reads back equal and every way of reading agrees.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

using namespace portcullis;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_tree(const Value& value) {
  for (const Value& element : value.elements()) check_tree(element);
  for (std::size_t i = 0; i < value.size() && value.is_object(); ++i) {
    const Value& key = value.keys()[i];
    require(value.get(key).identical(value.values()[i]));
    if (i > 0) require(compare(value.keys()[i - 1], key) < 0);
    check_tree(value.values()[i]);
  }
  if (!value.is_number()) return;
  Arena arena;
  const Value zero = Value::integer(0);
  require(compare_numbers(value, value) == 0);
  require(compare_numbers(value, zero) == -compare_numbers(zero, value));
  if (number_text(value).size() > 64) return;
  require(compare_numbers(subtract(arena, value, value), zero) == 0);
  absolute(arena, value);
  divide(arena, Value::integer(1), value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool interned = intern("a") != nullptr && intern("metadata") != nullptr;
  require(interned);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseLimits limits;
  limits.allow_comments = size > 0 && data[0] == '/';
  Result<Document> copied = Document::parse_json(text, limits);
  Result<Document> borrowed = Document::parse_json_borrowed(text, limits);
  Result<Document> owned = Document::parse_json_owned(std::string(text), limits);
  require(copied.ok() == borrowed.ok() && copied.ok() == owned.ok());
  limits.numbers = ParseLimits::Numbers::kFloat64;
  Result<Document> floats = Document::parse_json(text, limits);
  if (!copied.ok()) {
    require(copied.error().message == borrowed.error().message);
    return 0;
  }
  if (floats.ok()) to_json(floats->root(), JsonStyle{2, true, false});
  const std::string printed = to_json(copied->root());
  require(printed == to_json(borrowed->root()) && printed == to_json(owned->root()));
  Result<Document> again = Document::parse_json_owned(printed);
  require(again.ok() && equal(again->root(), copied->root()));
  require(hash(again->root()) == hash(copied->root()));
  check_tree(copied->root());
  to_rego(copied->root());
  return 0;
}
