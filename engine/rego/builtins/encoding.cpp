// base64, base64url, hex, urlquery.
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/base64.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/go_numbers.h"
#include "engine/rego/builtins/url_escape.h"
#include "engine/value/json.h"

namespace portcullis::rego::builtins {
namespace {

Value decoded(BuiltinContext& c, std::string_view text, std::string_view alphabet) {
  std::string error;
  const auto out = from_base64(text, alphabet, error);
  return out ? text_result(c, *out) : c.fail(std::move(error));
}

Value base64_encode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? text_result(c, to_base64(*s, kBase64Standard, true)) : Value::undefined();
}
Value base64_decode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? decoded(c, *s, kBase64Standard) : Value::undefined();
}
Value base64_is_valid(BuiltinContext&, Args a) {
  std::string error;
  return Value::boolean(a[0].is_string() && from_base64(a[0].as_string(), kBase64Standard, error));
}
Value base64url_encode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? text_result(c, to_base64(*s, kBase64Url, true)) : Value::undefined();
}
Value base64url_encode_no_pad(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? text_result(c, to_base64(*s, kBase64Url, false)) : Value::undefined();
}
Value base64url_decode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::string error;
  const auto out = from_base64url(*s, error);
  return out ? text_result(c, *out) : c.fail(std::move(error));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Value hex_encode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::string out;
  for (const char byte : *s) {
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15u];
  }
  return text_result(c, out);
}

Value hex_decode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::string out;
  for (std::size_t i = 0; i < s->size(); ++i) {
    const int digit = hex_digit((*s)[i]);
    if (digit < 0) {
      const auto byte = static_cast<unsigned char>((*s)[i]);
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      std::string rune;
      text::append_rune(rune, byte);
      std::string shown = text::go_quote(rune);
      const bool printable = shown == "\"" + rune + "\"" || rune == "\"" || rune == "\\";
      return c.fail(std::string("encoding/hex: invalid byte: U+00") + kDigits[byte >> 4] + kDigits[byte & 15u] +
                    (printable ? " '" + rune + "'" : ""));
    }
    if (i % 2 == 1) out += static_cast<char>(hex_digit((*s)[i - 1]) << 4 | digit);
  }
  if (s->size() % 2 == 1) return c.fail("encoding/hex: odd length hex string");
  return text_result(c, out);
}

Value query_encode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? text_result(c, query_escape(*s)) : Value::undefined();
}
Value query_decode(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::string error;
  const auto out = query_unescape(*s, error);
  return out ? text_result(c, *out) : c.fail(std::move(error));
}

Value query_encode_object(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  constexpr std::string_view kWrong = "values must be string, array[string], or set[string]";
  std::map<std::string, std::vector<std::string_view>> query;
  for (std::uint32_t i = 0; i < a[0].size(); ++i) {
    const Value& key = a[0].keys()[i];
    const Value& value = a[0].values()[i];
    std::vector<std::string_view>& to = query[key.is_string() ? std::string(key.as_string()) : to_json(key)];
    if (value.is_string()) {
      to.push_back(value.as_string());
      continue;
    }
    if (!value.is_array() && !value.is_set()) return operand_error(c, 1, std::string(kWrong));
    for (const Value& element : value.elements()) {
      if (!element.is_string()) return operand_error(c, 1, std::string(kWrong));
      to.push_back(element.as_string());
    }
  }
  std::string out;
  for (const auto& [key, values] : query) {
    for (const std::string_view value : values) {
      if (!out.empty()) out += '&';
      out += query_escape(key) + "=" + query_escape(value);
    }
  }
  return text_result(c, out);
}

Value query_decode_object(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::map<std::string, std::vector<Value>> query;
  for (const std::string_view pair : text::split(*s, '&')) {
    if (pair.find(';') != std::string_view::npos) return c.fail("invalid semicolon separator in query");
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string error;
    const auto key = query_unescape(pair.substr(0, equals), error);
    if (!key) return c.fail(std::move(error));
    const auto value = query_unescape(equals == std::string_view::npos ? "" : pair.substr(equals + 1), error);
    if (!value) return c.fail(std::move(error));
    query[*key].push_back(make_string(c.arena, *value));
  }
  std::vector<Member> members;
  for (const auto& [key, values] : query) {
    members.push_back({make_string(c.arena, key), make_array(c.arena, values)});
  }
  return make_object(c.arena, members);
}

constexpr BuiltinDecl kTable[] = {
    {"base64.encode", {"string"}, "string", &base64_encode},
    {"base64.decode", {"string"}, "string", &base64_decode},
    {"base64.is_valid", {"string"}, "boolean", &base64_is_valid},
    {"base64url.encode", {"string"}, "string", &base64url_encode},
    {"base64url.encode_no_pad", {"string"}, "string", &base64url_encode_no_pad},
    {"base64url.decode", {"string"}, "string", &base64url_decode},
    {"hex.encode", {"string"}, "string", &hex_encode},
    {"hex.decode", {"string"}, "string", &hex_decode},
    {"urlquery.encode", {"string"}, "string", &query_encode},
    {"urlquery.decode", {"string"}, "string", &query_decode},
    {"urlquery.encode_object", {"object[string:string|array[string]|set[string]]"}, "string", &query_encode_object},
    {"urlquery.decode_object", {"string"}, "object[string:array[string]]", &query_decode_object},
};

}  // namespace

std::span<const BuiltinDecl> encoding_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
