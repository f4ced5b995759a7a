// Strings: search, case, split, trim, replace. sprintf has a file of its own.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/sprintf.h"
#include "engine/rego/builtins/string_replace.h"
#include "engine/rego/builtins/unicode_case.h"

namespace portcullis::rego::builtins {
namespace {

Value concat(BuiltinContext& c, Args a) {
  const auto separator = string_operand(c, a, 0);
  if (!separator) return {};
  if (!a[1].is_array() && !a[1].is_set()) return operand_type_error(c, 2, {"set", "array"}, a[1]);
  const std::span<const Value> parts = a[1].elements();
  std::size_t bytes = 0;
  for (const Value& part : parts) {
    if (!part.is_string()) return operand_element_error(c, 2, a[1], part, "string");
    bytes += part.size() + separator->size();
  }
  if (parts.size() == 1) return parts.front();
  if (bytes > kMaxResultBytes) return out_of_budget(c, "concat");
  if (parts.empty()) return Value::string("");
  bytes -= separator->size();
  char* const out = static_cast<char*>(c.arena.allocate(bytes, 1));
  char* to = out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) to = std::copy(separator->begin(), separator->end(), to);
    const std::string_view part = parts[i].as_string();
    to = std::copy(part.begin(), part.end(), to);
  }
  return Value::string({out, bytes});
}

struct TwoStrings {
  std::string_view first;
  std::string_view second;
};
std::optional<TwoStrings> two_strings(BuiltinContext& c, Args a) {
  const auto first = string_operand(c, a, 0);
  if (!first) return std::nullopt;
  const auto second = string_operand(c, a, 1);
  if (!second) return std::nullopt;
  return TwoStrings{*first, *second};
}

Value contains(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  return s ? Value::boolean(find_text(s->first, s->second) != std::string_view::npos) : Value::undefined();
}
Value starts_with(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  return s ? Value::boolean(s->first.starts_with(s->second)) : Value::undefined();
}
Value ends_with(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  return s ? Value::boolean(s->first.ends_with(s->second)) : Value::undefined();
}

// Go counts one more than the runes for an empty needle.
Value count(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  if (s->second.empty()) return Value::integer(static_cast<std::int64_t>(rune_count(s->first)) + 1);
  std::int64_t found = 0;
  for (std::size_t at = find_text(s->first, s->second); at != std::string_view::npos;
       at = find_text(s->first, s->second, at + s->second.size())) {
    ++found;
  }
  return Value::integer(found);
}

constexpr std::size_t kCheckEvery = std::size_t{1} << 20;  // bytes compared

// Positions count runes; invalid bytes are runes of their own and equal U+FFFD, so the comparison is by rune.
std::vector<std::int64_t> rune_matches(BuiltinContext& c, std::string_view base, std::string_view search, bool all) {
  std::vector<std::int64_t> out;
  if (is_ascii(base) && is_ascii(search)) {
    std::size_t compared = 0;
    for (std::size_t at = find_text(base, search); at != std::string_view::npos; at = find_text(base, search, at + 1)) {
      out.push_back(static_cast<std::int64_t>(at));
      compared += search.size();
      if (!all || (compared > kCheckEvery && c.over_budget())) break;
      if (compared > kCheckEvery) compared = 0;
    }
    return out;
  }
  std::vector<char32_t> hay;
  for (std::size_t at = 0; at < base.size();) {
    const text::Rune rune = text::decode_rune(base, at);
    hay.push_back(rune.value);
    at += rune.size;
  }
  std::vector<char32_t> needle;
  for (std::size_t at = 0; at < search.size();) {
    const text::Rune rune = text::decode_rune(search, at);
    needle.push_back(rune.value);
    at += rune.size;
  }
  for (auto at = hay.begin(); !c.over_budget(); ++at) {
    at = std::search(at, hay.end(), needle.begin(), needle.end());
    if (at == hay.end()) break;
    out.push_back(at - hay.begin());
    if (!all) break;
  }
  return out;
}

Value index_of(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  if (s->second.empty()) return c.fail("empty search character");
  const std::vector<std::int64_t> found = rune_matches(c, s->first, s->second, false);
  return Value::integer(found.empty() ? -1 : found.front());
}

Value index_of_n(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  if (s->second.empty()) return c.fail("empty search character");
  std::vector<Value> out;
  for (const std::int64_t at : rune_matches(c, s->first, s->second, true)) out.push_back(Value::integer(at));
  return make_array(c.arena, out);
}

Value substring(BuiltinContext& c, Args a) {
  const auto base = string_operand(c, a, 0);
  if (!base) return {};
  const auto start = int_operand(c, a, 1);
  if (!start) return {};
  const auto length = int_operand(c, a, 2);
  if (!length) return {};
  if (*start < 0) return c.fail("negative offset");
  std::size_t from = 0;
  std::int64_t skipped = 0;
  for (; from < base->size() && skipped < *start; ++skipped) from += text::decode_rune(*base, from).size;
  std::size_t to = from;
  if (*length < 0) {
    to = base->size();
  } else {
    for (std::int64_t taken = 0; to < base->size() && taken < *length; ++taken) to += text::decode_rune(*base, to).size;
  }
  return text_or_argument(c, a[0], base->substr(from, to - from));
}

template <char32_t (*Map)(char32_t) noexcept>
Value mapped(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  const bool unchanged = std::all_of(s->begin(), s->end(), [](char byte) {
    const auto rune = static_cast<unsigned char>(byte);
    return rune < 0x80 && Map(rune) == rune;
  });
  if (unchanged) return a[0];
  std::string out;
  out.reserve(s->size());
  for (std::size_t at = 0; at < s->size();) {
    const text::Rune rune = text::decode_rune(*s, at);
    text::append_rune(out, Map(rune.value));
    at += rune.size;
  }
  return text_or_argument(c, a[0], out);
}

// Go's strings.Split: an empty separator splits into runes. The pieces share the bytes of the text they come from,
// which outlives the call's result.
ValueList split_text(std::string_view text, std::string_view separator) {
  ValueList out;
  if (separator.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = text::decode_rune(text, at).size;
      out.push_back(Value::string(text.substr(at, size)));
      at += size;
    }
    return out;
  }
  std::size_t from = 0;
  for (std::size_t at = find_text(text, separator); at != std::string_view::npos;
       at = find_text(text, separator, from)) {
    out.push_back(Value::string(text.substr(from, at - from)));
    from = at + separator.size();
  }
  out.push_back(Value::string(text.substr(from)));
  return out;
}

Value split(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  return make_array(c.arena, split_text(s->first, s->second).view());
}

Value split_n(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  const auto n = int_operand(c, a, 2);
  if (!n) return {};
  const ValueList parts = split_text(s->first, s->second);
  const auto size = static_cast<std::int64_t>(parts.size());
  if (*n >= 0) return make_array(c.arena, parts.view().first(static_cast<std::size_t>(std::min(*n, size))));
  const std::int64_t skip = *n < -size ? 0 : size + *n;
  return make_array(c.arena, parts.view().subspan(static_cast<std::size_t>(skip)));
}

Value replace(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  const auto with = string_operand(c, a, 2);
  if (!with) return {};
  std::string out;
  const Replacement one{s->second, *with};
  if (!replace_all(c, s->first, {&one, 1}, kMaxResultBytes, out)) return out_of_budget(c, "replace");
  return text_or_argument(c, a[0], out);
}

Value replace_n(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  const auto s = string_operand(c, a, 1);
  if (!s) return {};
  std::vector<Replacement> pairs;
  for (std::uint32_t i = 0; i < a[0].size(); ++i) {
    if (!a[0].keys()[i].is_string()) return operand_error(c, 1, "non-string key found in pattern object");
    if (!a[0].values()[i].is_string()) return operand_error(c, 1, "non-string value found in pattern object");
    pairs.push_back({a[0].keys()[i].as_string(), a[0].values()[i].as_string()});
  }
  std::string out;
  if (!replace_all(c, *s, pairs, kMaxResultBytes, out)) return out_of_budget(c, "strings.replace_n");
  return text_or_argument(c, a[1], out);
}

bool in_cutset(std::string_view cutset, char32_t rune) {
  for (std::size_t at = 0; at < cutset.size();) {
    const text::Rune each = text::decode_rune(cutset, at);
    if (each.value == rune) return true;
    at += each.size;
  }
  return false;
}

// The rune that ends `text`, as Go's DecodeLastRune finds it.
text::Rune last_rune(std::string_view text) {
  for (std::size_t back = 1; back <= 4 && back <= text.size(); ++back) {
    const std::size_t at = text.size() - back;
    const text::Rune rune = text::decode_rune(text, at);
    if (rune.size == back && !(rune.value == 0xfffd && back == 1)) return rune;
  }
  return {0xfffd, 1};
}

template <typename Cut>
std::string_view trim_left_if(std::string_view text, Cut&& cut) {
  while (!text.empty()) {
    const text::Rune rune = text::decode_rune(text, 0);
    if (!cut(rune.value)) break;
    text.remove_prefix(rune.size);
  }
  return text;
}
template <typename Cut>
std::string_view trim_right_if(std::string_view text, Cut&& cut) {
  while (!text.empty()) {
    const text::Rune rune = last_rune(text);
    if (!cut(rune.value)) break;
    text.remove_suffix(rune.size);
  }
  return text;
}

// A part of the argument's own text: no copy.
Value part_of(std::string_view part) { return Value::string(part); }

template <bool Left, bool Right>
Value trim(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  std::string_view text = s->first;
  const auto cut = [&](char32_t rune) { return in_cutset(s->second, rune); };
  if (Left) text = trim_left_if(text, cut);
  if (Right) text = trim_right_if(text, cut);
  return part_of(text);
}

Value trim_prefix(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  return s->first.starts_with(s->second) ? part_of(s->first.substr(s->second.size())) : a[0];
}
Value trim_suffix(BuiltinContext& c, Args a) {
  const auto s = two_strings(c, a);
  if (!s) return {};
  return s->first.ends_with(s->second) ? part_of(s->first.substr(0, s->first.size() - s->second.size())) : a[0];
}
Value trim_space(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  return s ? part_of(trim_right_if(trim_left_if(*s, is_space_rune), is_space_rune)) : Value::undefined();
}

Value reverse(BuiltinContext& c, Args a) {
  const auto s = string_operand(c, a, 0);
  if (!s) return {};
  std::string out(s->size(), '\0');
  for (std::size_t at = 0; at < s->size();) {
    const std::size_t size = text::decode_rune(*s, at).size;
    std::copy_n(s->data() + at, size, out.data() + (s->size() - at - size));
    at += size;
  }
  return text_result(c, out);
}

// One string or many, as a list of strings.
std::optional<std::span<const Value>> affixes(BuiltinContext& c, Args a, std::size_t index) {
  const Value& value = a[index];
  const int operand = static_cast<int>(index) + 1;
  if (value.is_string()) return a.subspan(index, 1);
  if (!value.is_array() && !value.is_set()) {
    operand_type_error(c, operand, {"string", "set", "array"}, value);
    return std::nullopt;
  }
  for (const Value& element : value.elements()) {
    if (element.is_string()) continue;
    operand_element_error(c, operand, value, element, "string");
    return std::nullopt;
  }
  return value.elements();
}

template <bool Prefix>
Value any_match(BuiltinContext& c, Args a) {
  const auto search = affixes(c, a, 0);
  if (!search) return {};
  const auto base = affixes(c, a, 1);
  if (!base) return {};
  for (const Value& text : *search) {
    for (const Value& affix : *base) {
      const bool found =
          Prefix ? text.as_string().starts_with(affix.as_string()) : text.as_string().ends_with(affix.as_string());
      if (found) return Value::boolean(true);
    }
    if (c.over_budget()) return {};
  }
  return Value::boolean(false);
}

constexpr std::string_view kStringOrMany = "string|array[string]|set[string]";

constexpr BuiltinDecl kTable[] = {
    {"concat", {"string", "array[string]|set[string]"}, "string", &concat},
    {"contains", {"string", "string"}, "boolean", &contains},
    {"startswith", {"string", "string"}, "boolean", &starts_with},
    {"endswith", {"string", "string"}, "boolean", &ends_with},
    {"strings.count", {"string", "string"}, "number", &count},
    {"indexof", {"string", "string"}, "number", &index_of},
    {"indexof_n", {"string", "string"}, "array[number]", &index_of_n},
    {"substring", {"string", "number", "number"}, "string", &substring},
    {"lower", {"string"}, "string", &mapped<&rune_to_lower>},
    {"upper", {"string"}, "string", &mapped<&rune_to_upper>},
    {"split", {"string", "string"}, "array[string]", &split},
    {"strings.split_n", {"string", "string", "number"}, "array[string]", &split_n},
    {"replace", {"string", "string", "string"}, "string", &replace},
    {"strings.replace_n", {"object[string:string]", "string"}, "string", &replace_n},
    {"trim", {"string", "string"}, "string", &trim<true, true>},
    {"trim_left", {"string", "string"}, "string", &trim<true, false>},
    {"trim_right", {"string", "string"}, "string", &trim<false, true>},
    {"trim_prefix", {"string", "string"}, "string", &trim_prefix},
    {"trim_suffix", {"string", "string"}, "string", &trim_suffix},
    {"trim_space", {"string"}, "string", &trim_space},
    {"strings.reverse", {"string"}, "string", &reverse},
    {"strings.any_prefix_match", {kStringOrMany, kStringOrMany}, "boolean", &any_match<true>},
    {"strings.any_suffix_match", {kStringOrMany, kStringOrMany}, "boolean", &any_match<false>},
    {"sprintf", {"string", "array[any]"}, "string", &builtin_sprintf},
};

}  // namespace

std::span<const BuiltinDecl> string_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
