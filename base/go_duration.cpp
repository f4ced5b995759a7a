// The parser is exact: whole numbers stay integers, as in Go; only the fraction goes through a double.
#include "base/go_duration.h"

#include "base/text.h"

namespace portcullis {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
  bool beyond_go = false;
};
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1000},
                           {"µs", 1000},
                           {"μs", 1000},
                           {"ms", 1000000},
                           {"s", 1000000000},
                           {"m", 60000000000},
                           {"h", 3600000000000},
                           {"d", 86400000000000, true},
                           {"w", 604800000000000, true},
                           {"y", 31536000000000000, true}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;

// One "1.5h" at the front of `text`, added to `total`. False: `what` says why not.
bool take_segment(std::string_view& text, GoDurationUnits units, std::uint64_t& total, std::string& what) {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  double scale = 1;
  std::size_t at = 0;
  what = "invalid duration";
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (whole > kLimit / 10) return false;
    whole = whole * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (whole > kLimit) return false;
  }
  std::size_t digits = at;
  if (at < text.size() && text[at] == '.') {
    ++at;
    for (; at < text.size() && is_digit(text[at]); ++at, ++digits) {
      if (fraction > (kLimit - 1) / 10) continue;
      fraction = fraction * 10 + static_cast<std::uint64_t>(text[at] - '0');
      scale *= 10;
    }
  }
  if (digits == 0) return false;
  const std::size_t unit_start = at;
  while (at < text.size() && text[at] != '.' && !is_digit(text[at])) ++at;
  const std::string_view name = text.substr(unit_start, at - unit_start);
  if (name.empty()) {
    what = "missing unit in duration";
    return false;
  }
  for (const Unit& unit : kUnits) {
    if (unit.name != name || (unit.beyond_go && units == GoDurationUnits::kGo)) continue;
    if (whole > kLimit / unit.nanoseconds) return false;
    std::uint64_t value = whole * unit.nanoseconds;
    if (fraction > 0)
      value +=
          static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit.nanoseconds) / scale));
    if (value > kLimit || total + value > kLimit) return false;
    total += value;
    text.remove_prefix(at);
    return true;
  }
  what = "unknown unit " + text::go_quote(name) + " in duration";
  return false;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text, std::string* why,
                                                          GoDurationUnits units) {
  const std::string_view whole = text;
  const auto refuse = [&](std::string_view what) {
    if (why != nullptr) *why = "time: " + std::string(what) + " " + text::go_quote(whole);
    return std::nullopt;
  };
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return refuse("invalid duration");
  std::uint64_t total = 0;
  std::string what;
  while (!text.empty()) {
    if (text.front() != '.' && !is_digit(text.front())) return refuse("invalid duration");
    if (!take_segment(text, units, total, what)) return refuse(what);
  }
  if (negative) return std::chrono::nanoseconds{static_cast<std::int64_t>(0 - total)};
  if (total > kLimit - 1) return refuse("invalid duration");
  return std::chrono::nanoseconds{static_cast<std::int64_t>(total)};
}

std::string go_duration(std::chrono::nanoseconds span) {
  const std::int64_t ns = span.count();
  if (ns == 0) return "0s";
  const std::uint64_t magnitude = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  // `value` in units of `unit` nanoseconds, without trailing zeros after the point.
  const auto number = [](std::uint64_t value, std::uint64_t unit) {
    std::string out = std::to_string(value / unit);
    std::string fraction = std::to_string(unit + value % unit).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    if (unit > 1 && !fraction.empty()) out += "." + fraction;
    return out;
  };
  const std::string sign = ns < 0 ? "-" : "";
  if (magnitude < 1000) return sign + number(magnitude, 1) + "ns";
  if (magnitude < 1'000'000) return sign + number(magnitude, 1000) + "µs";
  if (magnitude < 1'000'000'000) return sign + number(magnitude, 1'000'000) + "ms";
  const std::uint64_t hours = magnitude / 3'600'000'000'000;
  const std::uint64_t minutes = magnitude / 60'000'000'000 % 60;
  std::string out = sign;
  if (hours != 0) out += std::to_string(hours) + "h";
  if (hours != 0 || minutes != 0) out += std::to_string(minutes) + "m";
  return out + number(magnitude % 60'000'000'000, 1'000'000'000) + "s";
}

}  // namespace portcullis
