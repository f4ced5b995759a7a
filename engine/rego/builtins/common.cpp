#include "engine/rego/builtins/common.h"

#include <string.h>  // memmem

#include <charconv>

#include "base/text.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {

std::optional<std::string_view> string_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  const Value& value = arguments[index];
  if (value.is_string()) return value.as_string();
  context.fail_operand(static_cast<int>(index) + 1, "string", value);
  return std::nullopt;
}

std::optional<std::int64_t> plain_int(const Value& number) {
  if (number.is_integer()) return number.as_integer();
  const std::string held = number_text(number);
  std::string_view text = held;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  // OPA takes 2.00 for 2 here (not 2e0), within as many characters as an int64 has digits.
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    const bool zeros = text.find_first_not_of('0', point + 1) == std::string_view::npos;
    if (!zeros || text.size() - (text.front() == '-' ? 1 : 0) > 19) return std::nullopt;
    text = text.substr(0, point);
  }
  std::int64_t out = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

std::optional<std::int64_t> int_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  const Value& value = arguments[index];
  const int operand = static_cast<int>(index) + 1;
  if (!value.is_number()) {
    context.fail_operand(operand, "number", value);
    return std::nullopt;
  }
  const std::optional<std::int64_t> out = plain_int(value);
  if (!out) operand_error(context, operand, "must be integer number but got floating-point number");
  return out;
}

namespace {
bool kind_operand(BuiltinContext& context, Args arguments, std::size_t index, Kind kind) {
  const Value& value = arguments[index];
  if (value.kind() == kind) return true;
  context.fail_operand(static_cast<int>(index) + 1, kind_name(kind), value);
  return false;
}
}  // namespace

bool number_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  return kind_operand(context, arguments, index, Kind::kNumber);
}
bool array_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  return kind_operand(context, arguments, index, Kind::kArray);
}
bool object_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  return kind_operand(context, arguments, index, Kind::kObject);
}
bool set_operand(BuiltinContext& context, Args arguments, std::size_t index) {
  return kind_operand(context, arguments, index, Kind::kSet);
}

Value operand_error(BuiltinContext& context, int operand, std::string message) {
  context.error = "operand " + std::to_string(operand) + " " + std::move(message);
  context.error_is_type = true;
  context.error_aborts = false;
  return Value::undefined();
}

Value operand_type_error(BuiltinContext& context, int operand, std::initializer_list<std::string_view> want,
                         const Value& got) {
  if (want.size() == 1) return context.fail_operand(operand, *want.begin(), got);
  std::string message = "must be one of {";
  bool first = true;
  for (const std::string_view name : want) {
    if (!first) message += ", ";
    first = false;
    message += name;
  }
  message += "} but got ";
  message += kind_name(got.kind());
  return operand_error(context, operand, std::move(message));
}

Value operand_element_error(BuiltinContext& context, int operand, const Value& composite, const Value& got,
                            std::string_view want) {
  const std::string kind(kind_name(composite.kind()));
  std::string message = "must be " + kind + " of ";
  message += want;
  message += "s but got " + kind + " containing ";
  message += kind_name(got.kind());
  return operand_error(context, operand, std::move(message));
}

Value text_or_argument(BuiltinContext& context, const Value& argument, std::string_view text) {
  if (argument.as_string() == text) return argument;
  return make_string(context.arena, text);
}

Value out_of_budget(BuiltinContext& context, std::string_view name) {
  return context.abort(std::string(name) + ": timed out before finishing");
}

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) noexcept {
  // find() compares anew at each place that fits the first byte. For short texts that is the fastest way.
  constexpr std::size_t kShort = 4096;
  if (text.size() < kShort || wanted.size() < 2) return text.find(wanted, from);
  if (from > text.size()) return std::string_view::npos;
  const void* at = ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return at == nullptr ? std::string_view::npos : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

bool is_ascii(std::string_view text) noexcept {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0x80u) != 0) return false;
  }
  return true;
}

std::size_t rune_count(std::string_view text) noexcept {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += text::decode_rune(text, at).size;
  return count;
}

}  // namespace portcullis::rego::builtins
