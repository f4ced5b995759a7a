// time.*
#include <limits>
#include <string>

#include "base/go_duration.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/go_time.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::int64_t kBillion = 1000000000;

struct Moment {
  std::int64_t seconds = 0;
  int nanosecond = 0;
  TimeZone zone;
  std::string_view layout;

  CivilTime civil() const { return zone.at(seconds, nanosecond); }
};

// ns | [ns, zone] | [ns, zone, layout]. OPA names every one of them operand 1.
std::optional<Moment> moment(BuiltinContext& c, const Value& value) {
  Moment out;
  Value ns = value;
  if (value.is_array() && value.size() > 0) {
    const std::span<const Value> parts = value.elements();
    ns = parts[0];
    if (!ns.is_number()) {
      c.fail_operand(1, "number", ns);
      return std::nullopt;
    }
    for (std::size_t i = 1; i < parts.size() && i < 3; ++i) {
      if (parts[i].is_string()) continue;
      c.fail_operand(1, "string", parts[i]);
      return std::nullopt;
    }
    if (parts.size() > 1) {
      std::string error;
      const auto zone = TimeZone::load(parts[1].as_string(), error);
      if (!zone) {
        c.fail(std::move(error));
        return std::nullopt;
      }
      out.zone = *zone;
    }
    if (parts.size() > 2) out.layout = parts[2].as_string();
  } else if (!value.is_number()) {
    c.fail_operand(1, "either number (ns) or [number (ns), string (tz)]", value);
    return std::nullopt;
  }
  const auto whole = to_int64(ns);
  if (!whole) {
    c.fail("timestamp too big");
    return std::nullopt;
  }
  out.seconds = *whole / kBillion;
  std::int64_t rest = *whole % kBillion;
  out.seconds = *whole / kBillion;
  if (rest < 0) {
    rest += kBillion;
    --out.seconds;
  }
  out.nanosecond = static_cast<int>(rest);
  return out;
}

Value nanoseconds(BuiltinContext& c, std::int64_t seconds, int nanosecond) {
  std::int64_t out = 0;
  // From the nearer end, so that the smallest int64 does not overflow on the way.
  const bool negative = seconds < 0 && nanosecond > 0;
  const std::int64_t whole = negative ? seconds + 1 : seconds;
  const std::int64_t rest = negative ? nanosecond - kBillion : nanosecond;
  if (__builtin_mul_overflow(whole, kBillion, &out) || __builtin_add_overflow(out, rest, &out)) {
    return c.fail("time outside of valid range");
  }
  return Value::integer(out);
}

Value now(BuiltinContext& c, Args) { return Value::integer(c.now_ns); }

Value parse_ns(BuiltinContext& c, Args a) {
  const auto layout = string_operand(c, a, 0);
  if (!layout) return {};
  const auto text = string_operand(c, a, 1);
  if (!text) return {};
  std::string error;
  const auto out = parse_time(known_layout(*layout), *text, error);
  return out ? nanoseconds(c, out->seconds, out->nanosecond) : c.fail(std::move(error));
}

Value parse_rfc3339(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  std::string error;
  const auto out = parse_time(known_layout("RFC3339"), *text, error);
  return out ? nanoseconds(c, out->seconds, out->nanosecond) : c.fail(std::move(error));
}

Value parse_duration_ns(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  std::string error;
  const auto out = parse_go_duration(*text, &error, GoDurationUnits::kUpToYear);
  return out ? Value::integer(out->count()) : c.fail(std::move(error));
}

Value format(BuiltinContext& c, Args a) {
  const auto at = moment(c, a[0]);
  if (!at) return {};
  const std::string_view layout = at->layout.empty() ? "RFC3339Nano" : at->layout;
  return text_result(c, format_time(at->civil(), known_layout(layout)));
}

Value three(BuiltinContext& c, std::int64_t x, std::int64_t y, std::int64_t z) {
  const Value parts[] = {Value::integer(x), Value::integer(y), Value::integer(z)};
  return make_array(c.arena, parts);
}

Value date(BuiltinContext& c, Args a) {
  const auto at = moment(c, a[0]);
  if (!at) return {};
  const CivilTime t = at->civil();
  return three(c, t.year, t.month, t.day);
}

Value clock(BuiltinContext& c, Args a) {
  const auto at = moment(c, a[0]);
  if (!at) return {};
  const CivilTime t = at->civil();
  return three(c, t.hour, t.minute, t.second);
}

Value weekday(BuiltinContext& c, Args a) {
  static constexpr std::string_view kNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
  const auto at = moment(c, a[0]);
  return at ? Value::string(kNames[at->civil().weekday]) : Value::undefined();
}

Value add_date(BuiltinContext& c, Args a) {
  const auto at = moment(c, a[0]);
  if (!at) return {};
  std::int64_t steps[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const auto step = int_operand(c, a, i + 1);
    if (!step) return {};
    steps[i] = *step;
    // Far outside of what int64 nanoseconds reach.
    if (*step > 1000000000 || *step < -1000000000) return c.fail("time outside of valid range");
  }
  const CivilTime t = at->civil();
  const std::int64_t local =
      unix_seconds(t.year + steps[0], t.month + steps[1], t.day + steps[2], t.hour, t.minute, t.second);
  return nanoseconds(c, at->zone.from_civil(local), at->nanosecond);
}

// Years, months, days, hours, minutes and seconds between two times, both in the first one's zone.
Value diff(BuiltinContext& c, Args a) {
  auto first = moment(c, a[0]);
  if (!first) return {};
  auto second = moment(c, a[1]);
  if (!second) return {};
  second->zone = first->zone;
  const bool after =
      first->seconds != second->seconds ? first->seconds > second->seconds : first->nanosecond > second->nanosecond;
  if (after) std::swap(*first, *second);
  const CivilTime x = first->civil();
  const CivilTime y = second->civil();
  std::int64_t parts[6] = {y.year - x.year, y.month - x.month,   y.day - x.day,
                           y.hour - x.hour, y.minute - x.minute, y.second - x.second};
  const std::int64_t days_in_month =
      days_from_civil(x.month == 12 ? x.year + 1 : x.year, x.month == 12 ? 1 : x.month + 1, 1) -
      days_from_civil(x.year, x.month, 1);
  const std::int64_t whole[6] = {0, 12, days_in_month, 24, 60, 60};
  for (std::size_t i = 5; i > 0; --i) {
    if (parts[i] >= 0) continue;
    parts[i] += whole[i];
    --parts[i - 1];
  }
  Value out[6];
  for (std::size_t i = 0; i < 6; ++i) out[i] = Value::integer(parts[i]);
  return make_array(c.arena, out);
}

constexpr std::string_view kTime = "number|[number, string]";

constexpr BuiltinDecl kTable[] = {
    {"time.now_ns", {}, "number", &now, kNondeterministic},
    {"time.parse_ns", {"string", "string"}, "number", &parse_ns},
    {"time.parse_rfc3339_ns", {"string"}, "number", &parse_rfc3339},
    {"time.parse_duration_ns", {"string"}, "number", &parse_duration_ns},
    {"time.format", {"number|[number, string]|[number, string, string]"}, "string", &format},
    {"time.date", {kTime}, "[number, number, number]", &date},
    {"time.clock", {kTime}, "[number, number, number]", &clock},
    {"time.weekday", {kTime}, "string", &weekday},
    {"time.add_date", {"number", "number", "number", "number"}, "number", &add_date},
    {"time.diff", {kTime, kTime}, "[number, number, number, number, number, number]", &diff},
};

}  // namespace

std::span<const BuiltinDecl> time_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
