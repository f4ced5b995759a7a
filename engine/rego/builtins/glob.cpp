// glob.match, glob.quote_meta.
#include <re2/re2.h>

#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/glob_syntax.h"
#include "engine/rego/builtins/patterns.h"

namespace portcullis::rego::builtins {
namespace {

// False: the error is in the context.
bool read_delimiters(BuiltinContext& c, const Value& value, std::vector<char32_t>& out) {
  if (value.is_null()) return true;
  if (!value.is_array()) {
    operand_type_error(c, 2, {"array", "null"}, value);
    return false;
  }
  for (const Value& element : value.elements()) {
    if (!element.is_string()) {
      operand_element_error(c, 2, value, element, "string");
      return false;
    }
    const std::string_view text = element.as_string();
    if (rune_count(text) != 1) {
      operand_element_error(c, 2, value, element, "rune");
      return false;
    }
    out.push_back(text::decode_rune(text, 0).value);
  }
  if (out.empty()) out.push_back('.');
  return true;
}

Value match(BuiltinContext& c, Args a) {
  const auto pattern = string_operand(c, a, 0);
  if (!pattern) return {};
  Kept<char32_t> kept;
  if (!read_delimiters(c, a[1], *kept)) return {};
  const auto text = string_operand(c, a, 2);
  if (!text) return {};
  std::string error;
  const re2::RE2* compiled = patterns_of(c).glob(*pattern, *kept, error);
  if (compiled == nullptr) return c.fail(std::move(error));
  const re2::StringPiece subject(text->data(), text->size());
  return Value::boolean(compiled->Match(subject, 0, subject.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0));
}

Value quote_meta(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  return text ? text_result(c, glob_quote_meta(*text)) : Value::undefined();
}

constexpr BuiltinDecl kTable[] = {
    {"glob.match", {"string", "null|array[string]", "string"}, "boolean", &match},
    {"glob.quote_meta", {"string"}, "string", &quote_meta},
};

}  // namespace

std::span<const BuiltinDecl> glob_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
