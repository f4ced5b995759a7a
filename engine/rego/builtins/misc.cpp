// rand.intn, uuid.*, opa.runtime, trace, print and template strings.
#include <array>
#include <string>
#include <vector>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/value/json.h"

namespace portcullis::rego::builtins {
namespace {

// One step of splitmix64: from a seed and what is asked for to evenly spread bits, the same within one evaluation.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The same arguments give the same result throughout one evaluation; evaluations differ by seed and time.
std::uint64_t random_for(BuiltinContext& c, Args a, std::uint64_t salt) {
  std::uint64_t state = mix(c.host.random_seed() ^ static_cast<std::uint64_t>(c.now_ns) ^ salt);
  for (const Value& argument : a) state = mix(state ^ hash(argument));
  return state;
}

Value rand_intn(BuiltinContext& c, Args a) {
  if (!string_operand(c, a, 0)) return {};
  const auto n = int_operand(c, a, 1);
  if (!n) return {};
  if (*n == 0) return Value::integer(0);
  const std::uint64_t bound = *n < 0 ? 0 - static_cast<std::uint64_t>(*n) : static_cast<std::uint64_t>(*n);
  const Value key[] = {a[0], Value::integer(static_cast<std::int64_t>(bound))};
  return Value::integer(static_cast<std::int64_t>(random_for(c, key, 1) % bound));
}

Value uuid_v4(BuiltinContext& c, Args a) {
  std::uint64_t high = random_for(c, a, 2);
  std::uint64_t low = random_for(c, a, 3);
  high = (high & ~std::uint64_t{0xf000}) | 0x4000;
  low = (low & ~(std::uint64_t{3} << 62)) | std::uint64_t{2} << 62;
  std::string out;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    const std::uint64_t half = i < 16 ? high : low;
    out += "0123456789abcdef"[half >> (60 - 4 * (i % 16)) & 15u];
  }
  return text_result(c, out);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

using Uuid = std::array<std::uint8_t, 16>;

// xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, with urn:uuid: or in braces, or 32 digits.
std::optional<Uuid> parse_uuid(std::string_view text) {
  bool dashes = true;
  if (text.size() == 45) {
    std::string prefix(text.substr(0, 9));
    for (char& ch : prefix) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch;
    if (prefix != "urn:uuid:") return std::nullopt;
    text.remove_prefix(9);
  } else if (text.size() == 38) {
    text = text.substr(1, 36);
  } else if (text.size() == 32) {
    dashes = false;
  } else if (text.size() != 36) {
    return std::nullopt;
  }
  Uuid out{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return out;
}

std::string_view variant_name(const Uuid& id) {
  const unsigned top = id[8];
  if ((top & 0xc0u) == 0x80u) return "RFC4122";
  if ((top & 0xe0u) == 0xc0u) return "Microsoft";
  if ((top & 0xe0u) == 0xe0u) return "Future";
  return "Reserved";
}

std::string_view mac_kind(std::uint8_t first) {
  if ((first & 3u) == 3u) return "local:multicast";
  if ((first & 1u) == 1u) return "global:multicast";
  if ((first & 2u) == 2u) return "local:unicast";
  return "global:unicast";
}

std::uint64_t big_endian(const Uuid& id, std::size_t from, std::size_t count) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < count; ++i) out = out << 8 | id[from + i];
  return out;
}

void add_time_fields(BuiltinContext& c, const Uuid& id, std::int64_t version, std::vector<Member>& out) {
  // 100 ns since 1582-10-15.
  const std::uint64_t ticks = big_endian(id, 0, 4) | big_endian(id, 4, 2) << 32 | (big_endian(id, 6, 2) & 0xfffu) << 48;
  const std::int64_t since_1970 = static_cast<std::int64_t>(ticks) - 122192928000000000;
  // Times after 2262 wrap, as OPA's do.
  const std::uint64_t ns = static_cast<std::uint64_t>(since_1970) * 100;
  out.push_back({Value::string("time"), Value::integer(static_cast<std::int64_t>(ns))});
  std::string node;
  for (std::size_t i = 10; i < 16; ++i) {
    if (!node.empty()) node += '-';
    node += "0123456789abcdef"[id[i] >> 4];
    node += "0123456789abcdef"[id[i] & 15u];
  }
  out.push_back({Value::string("nodeid"), make_string(c.arena, node)});
  out.push_back({Value::string("macvariables"), Value::string(mac_kind(id[10]))});
  out.push_back(
      {Value::string("clocksequence"), Value::integer(static_cast<std::int64_t>(big_endian(id, 8, 2) & 0x3fffu))});
  if (version != 2) return;
  out.push_back({Value::string("id"), Value::integer(static_cast<std::int64_t>(big_endian(id, 0, 4)))});
  const std::string domain = id[9] == 0   ? "Person"
                             : id[9] == 1 ? "Group"
                             : id[9] == 2 ? "Org"
                                          : "Domain" + std::to_string(id[9]);
  out.push_back({Value::string("domain"), make_string(c.arena, domain)});
}

Value uuid_parse(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  const auto id = parse_uuid(*text);
  if (!id) return {};
  const std::int64_t version = (*id)[6] >> 4;
  std::vector<Member> out;
  out.push_back({Value::string("version"), Value::integer(version)});
  out.push_back({Value::string("variant"), Value::string(variant_name(*id))});
  if (version == 1 || version == 2) add_time_fields(c, *id, version, out);
  return make_object(c.arena, out);
}

Value runtime(BuiltinContext& c, Args) {
  const Value out = c.host.runtime(c.arena);
  return out.defined() ? out : make_object(c.arena, {});
}

Value trace(BuiltinContext& c, Args a) { return string_operand(c, a, 0) ? Value::boolean(true) : Value::undefined(); }

// What print and template strings show of one value: strings bare, the rest as Rego terms.
void append_shown(std::string& out, const Value& value) {
  if (value.is_string()) {
    out += value.as_string();
  } else {
    append_rego(out, value);
  }
}

bool is_plain(const Value& value) {
  return value.is_string() || value.is_number() || value.is_bool() || value.is_null();
}

// Operands are primitives, or sets of what an operand may be; an empty set stands for undefined. One line for each
// combination.
bool print_lines(BuiltinContext& c, std::span<const Value> operands, const std::string& line) {
  if (c.over_budget()) return false;
  if (operands.empty()) {
    c.host.print(line);
    return true;
  }
  const std::string prefix = line.empty() ? line : line + " ";
  const Value& operand = operands.front();
  if (is_plain(operand) || operand.size() == 0) {
    std::string next = prefix;
    if (is_plain(operand)) {
      append_shown(next, operand);
    } else {
      next += "<undefined>";
    }
    return print_lines(c, operands.subspan(1), next);
  }
  for (const Value& each : operand.elements()) {
    std::string next = prefix;
    append_shown(next, each);
    if (!print_lines(c, operands.subspan(1), next)) return false;
  }
  return true;
}

bool operands_are_sets(BuiltinContext& c, const Value& array) {
  for (const Value& operand : array.elements()) {
    if (is_plain(operand) || operand.is_set()) continue;
    c.abort("illegal argument type: " + std::string(kind_name(operand.kind())));
    return false;
  }
  return true;
}

Value print(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0) || !operands_are_sets(c, a[0])) return {};
  if (!print_lines(c, a[0].elements(), {})) return {};
  return Value::boolean(true);
}

Value template_string(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0) || !operands_are_sets(c, a[0])) return {};
  std::string out;
  for (const Value& operand : a[0].elements()) {
    if (is_plain(operand)) {
      append_shown(out, operand);
    } else if (operand.size() == 0) {
      out += "<undefined>";
    } else if (operand.size() > 1) {
      return c.abort("template-strings must not produce multiple outputs");
    } else {
      append_shown(out, operand.elements().front());
    }
  }
  return text_result(c, out);
}

// The compiler replaces these calls inside of rules; a query has no rule to tell about.
Value metadata_chain(BuiltinContext& c, Args) {
  return c.fail("the rego.metadata.chain function must only be called within the scope of a rule");
}
Value metadata_rule(BuiltinContext& c, Args) {
  return c.fail("the rego.metadata.rule function must only be called within the scope of a rule");
}

// Names the sub-case of a test to whoever traces it.
Value test_case(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 0)) return Value::undefined();
  c.host.test_case(a[0]);
  return Value::boolean(true);
}

constexpr BuiltinDecl kTable[] = {
    {"rand.intn", {"string", "number"}, "number", &rand_intn, kNondeterministic},
    {"uuid.rfc4122", {"string"}, "string", &uuid_v4, kNondeterministic},
    {"uuid.parse", {"string"}, "object[string:any]", &uuid_parse},
    {"opa.runtime", {}, "object[string:any]", &runtime, kNondeterministic},
    {"trace", {"string"}, "boolean", &trace},
    {"print", {"any"}, "", nullptr, kCompilerOnly, {}, true},
    {"internal.print", {"array[set[any]]"}, "", &print, kNondeterministic},
    {"internal.test_case", {"array[any]"}, "", &test_case, kNondeterministic},
    {"rego.metadata.chain", {}, "array[any]", &metadata_chain, kNondeterministic},
    {"rego.metadata.rule", {}, "any", &metadata_rule, kNondeterministic},
    {"internal.template_string", {"array[any]"}, "string", &template_string},
};

}  // namespace

std::span<const BuiltinDecl> misc_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
