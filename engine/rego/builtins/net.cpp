// net.cidr_*
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/ip_net.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::size_t kMaxExpanded = std::size_t{1} << 22;

std::optional<IpNet> net_operand(BuiltinContext& c, const Value& value) {
  if (!value.is_string()) {
    c.fail_operand(1, "string", value);
    return std::nullopt;
  }
  auto out = parse_cidr(value.as_string());
  if (!out) c.fail("invalid CIDR address: " + std::string(value.as_string()));
  return out;
}

Value intersects(BuiltinContext& c, Args a) {
  const auto x = net_operand(c, a[0]);
  if (!x) return {};
  const auto y = net_operand(c, a[1]);
  if (!y) return {};
  return Value::boolean(x->contains(y->address) || y->contains(x->address));
}

// An address or a block inside a block. Undefined: the error is recorded.
Value contains_one(BuiltinContext& c, const Value& block, const Value& inner) {
  const auto x = net_operand(c, block);
  if (!x) return {};
  if (!inner.is_string()) return c.fail_operand(1, "string", inner);
  if (const auto ip = parse_ip(inner.as_string())) return Value::boolean(x->contains(*ip));
  const auto y = parse_cidr(inner.as_string());
  if (!y) {
    return c.fail("not a valid textual representation of an IP address or CIDR: " + std::string(inner.as_string()));
  }
  // The last address of a wide IPv6 block can look like a mapped IPv4 one, so these compare by their prefixes.
  if (x->bits == 128 && y->bits == 128 && !x->address.is_v4() && !y->address.is_v4()) {
    return Value::boolean(x->ones <= y->ones && x->contains(y->address));
  }
  return Value::boolean(x->contains(y->address) && x->contains(y->last()));
}

Value contains(BuiltinContext& c, Args a) { return contains_one(c, a[0], a[1]); }

struct Candidate {
  Value cidr;
  Value index;
};

bool add_candidate(BuiltinContext& c, int operand, const Value& element, const Value& index,
                   std::vector<Candidate>& out) {
  if (element.is_string()) {
    out.push_back({element, index});
    return true;
  }
  if (element.is_array() && element.size() > 0) {
    out.push_back({element.elements().front(), index});
    return true;
  }
  c.fail("operand " + std::to_string(operand) + ": element must be string or non-empty array");
  return false;
}

std::optional<std::vector<Candidate>> candidates(BuiltinContext& c, int operand, const Value& value) {
  std::vector<Candidate> out;
  if (value.is_string()) out.push_back({value, value});
  const std::span<const Value> elements = value.is_object() ? value.values() : value.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const Value index = value.is_array()    ? Value::integer(static_cast<std::int64_t>(i))
                        : value.is_object() ? value.keys()[i]
                                            : elements[i];
    if (!add_candidate(c, operand, elements[i], index, out)) return std::nullopt;
  }
  return out;
}

Value contains_matches(BuiltinContext& c, Args a) {
  const auto blocks = candidates(c, 1, a[0]);
  if (!blocks) return {};
  if (blocks->empty()) return make_set(c.arena, {});
  const auto inner = candidates(c, 2, a[1]);
  if (!inner) return {};
  std::vector<Value> out;
  for (const Candidate& block : *blocks) {
    for (const Candidate& each : *inner) {
      const Value found = contains_one(c, block.cidr, each.cidr);
      if (!found.defined()) return {};
      const Value pair[] = {block.index, each.index};
      if (found.is_true()) out.push_back(make_array(c.arena, pair));
    }
    if (c.over_budget()) return {};
  }
  return make_set(c.arena, out);
}

Value expand(BuiltinContext& c, Args a) {
  const auto net = net_operand(c, a[0]);
  if (!net) return {};
  std::vector<Value> out;
  IpAddress at = net->address;
  do {
    out.push_back(make_string(c.arena, at.text()));
    if (out.size() > kMaxExpanded || ((out.size() & 1023u) == 0 && c.over_budget())) {
      return c.abort("net.cidr_expand: timed out before generating all IP addresses");
    }
    for (std::size_t i = 16; i-- > 0;) {
      if (++at.bytes[i] != 0) break;
    }
  } while (net->contains(at) && at != net->address);
  return make_set(c.arena, out);
}

Value is_valid(BuiltinContext&, Args a) {
  return Value::boolean(a[0].is_string() && parse_cidr(a[0].as_string()).has_value());
}

struct Range {
  IpAddress first;
  IpAddress last;
  std::string text;  // of the block as given; empty once merged
};

std::optional<Range> range_of(BuiltinContext& c, const Value& element) {
  if (!element.is_string()) {
    c.fail("element must be string");
    return std::nullopt;
  }
  std::optional<IpNet> net;
  if (const auto ip = parse_ip(element.as_string())) {
    if (!ip->is_v4()) {
      c.fail("IPv6 invalid: needs prefix length");
      return std::nullopt;
    }
    // A bare address stands for the network of its historical class.
    net = IpNet{*ip, ip->bytes[12] < 0x80 ? 8 : ip->bytes[12] < 0xc0 ? 16 : 24, 32};
  } else {
    net = parse_cidr(element.as_string());
    if (!net) {
      c.fail("invalid CIDR address: " + std::string(element.as_string()));
      return std::nullopt;
    }
  }
  return Range{net->first(), net->last(), net->text()};
}

IpAddress previous(const IpAddress& ip) {
  IpAddress out = ip;
  const std::size_t low = ip.is_v4() ? 12 : 0;
  if (std::all_of(out.bytes.begin() + static_cast<std::ptrdiff_t>(low), out.bytes.end(),
                  [](auto b) { return b == 0; })) {
    return out;
  }
  for (std::size_t i = 16; i-- > low;) {
    if (out.bytes[i]-- != 0) break;
  }
  return out;
}

// The fewest blocks that cover exactly first … last.
void append_blocks(BuiltinContext& c, IpAddress first, const IpAddress& last, std::vector<Value>& out) {
  const bool v4 = first.is_v4();
  const int floor_bits = v4 ? 96 : 0;
  while (true) {
    IpNet net{first, 128, 128};
    while (net.ones > floor_bits) {
      IpNet wider = net;
      --wider.ones;
      if (wider.first() != first || wider.last() > last) break;
      net = wider;
    }
    const IpAddress end = net.last();
    out.push_back(make_string(c.arena, first.text() + "/" + std::to_string(net.ones - floor_bits)));
    if (end >= last) return;
    first = end;
    for (std::size_t i = 16; i-- > 0;) {
      if (++first.bytes[i] != 0) break;
    }
  }
}

Value merge(BuiltinContext& c, Args a) {
  if (!a[0].is_array() && !a[0].is_set()) return c.fail("operand must be an array");
  std::vector<Range> ranges;
  for (const Value& element : a[0].elements()) {
    auto range = range_of(c, element);
    if (!range) return {};
    ranges.push_back(std::move(*range));
  }
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range& x, const Range& y) {
    return x.last != y.last ? x.last < y.last : x.first < y.first;
  });
  for (std::size_t i = ranges.size(); i-- > 1;) {
    if (previous(ranges[i].first) > ranges[i - 1].last) continue;
    ranges[i - 1] = Range{std::min(ranges[i - 1].first, ranges[i].first), ranges[i].last, {}};
    ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::vector<Value> out;
  for (const Range& range : ranges) {
    if (range.text.empty()) {
      append_blocks(c, range.first, range.last, out);
    } else {
      out.push_back(make_string(c.arena, range.text));
    }
  }
  return make_set(c.arena, out);
}

constexpr std::string_view kBlocks =
    "string|array[string|array[any]]|object[string:string|array[any]]|set[string|array[any]]";

constexpr BuiltinDecl kTable[] = {
    {"net.cidr_contains", {"string", "string"}, "boolean", &contains},
    {"net.cidr_overlap", {"string", "string"}, "boolean", &contains, kDeprecated},
    {"net.cidr_contains_matches", {kBlocks, kBlocks}, "set[[any, any]]", &contains_matches},
    {"net.cidr_expand", {"string"}, "set[string]", &expand},
    {"net.cidr_intersects", {"string", "string"}, "boolean", &intersects},
    {"net.cidr_is_valid", {"string"}, "boolean", &is_valid},
    {"net.cidr_merge", {"array[any<string>]|set[string]"}, "set[string]", &merge},
};

}  // namespace

std::span<const BuiltinDecl> net_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
