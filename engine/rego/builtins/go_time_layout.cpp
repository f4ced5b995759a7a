// Layouts of Go's time package: Format and Parse.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/text.h"
#include "engine/rego/builtins/go_time.h"

namespace portcullis::rego::builtins {
namespace {

enum class Part : std::uint8_t {
  kNone,
  kLongMonth,
  kMonth,
  kNumMonth,
  kZeroMonth,
  kLongWeekday,
  kWeekday,
  kDay,
  kSpaceDay,
  kZeroDay,
  kSpaceYearDay,
  kZeroYearDay,
  kHour,
  kHour12,
  kZeroHour12,
  kMinute,
  kZeroMinute,
  kSecond,
  kZeroSecond,
  kLongYear,
  kYear,
  kUpperPm,
  kLowerPm,
  kZoneName,
  kOffset,    // see Chunk::zone
  kFraction,  // exactly `digits`
  kTrimmedFraction,
};

// How an offset is written: Z for zero or not, with colons, down to hours, minutes or seconds.
struct ZoneForm {
  bool z = false;
  bool colon = false;
  bool minutes = true;
  bool seconds = false;
};

struct Chunk {
  std::string_view prefix;
  std::string_view text;  // as it stands in the layout
  Part part = Part::kNone;
  ZoneForm zone;
  int digits = 0;
  char separator = '.';
  std::string_view rest;
};

struct Pattern {
  std::string_view text;
  Part part;
  bool before_lower = true;  // false: not when a lower-case letter follows
  ZoneForm zone = {};
};

// In the order in which Go tries them at one place.
constexpr Pattern kPatterns[] = {
    {"January", Part::kLongMonth},
    {"Jan", Part::kMonth, false},
    {"Monday", Part::kLongWeekday},
    {"Mon", Part::kWeekday, false},
    {"MST", Part::kZoneName},
    {"01", Part::kZeroMonth},
    {"02", Part::kZeroDay},
    {"03", Part::kZeroHour12},
    {"04", Part::kZeroMinute},
    {"05", Part::kZeroSecond},
    {"06", Part::kYear},
    {"002", Part::kZeroYearDay},
    {"15", Part::kHour},
    {"1", Part::kNumMonth},
    {"2006", Part::kLongYear},
    {"2", Part::kDay},
    {"_2006", Part::kNone},  // a literal _ and then the year
    {"_2", Part::kSpaceDay},
    {"__2", Part::kSpaceYearDay},
    {"3", Part::kHour12},
    {"4", Part::kMinute},
    {"5", Part::kSecond},
    {"PM", Part::kUpperPm},
    {"pm", Part::kLowerPm},
    {"-070000", Part::kOffset, true, {false, false, true, true}},
    {"-07:00:00", Part::kOffset, true, {false, true, true, true}},
    {"-0700", Part::kOffset, true, {false, false, true, false}},
    {"-07:00", Part::kOffset, true, {false, true, true, false}},
    {"-07", Part::kOffset, true, {false, false, false, false}},
    {"Z070000", Part::kOffset, true, {true, false, true, true}},
    {"Z07:00:00", Part::kOffset, true, {true, true, true, true}},
    {"Z0700", Part::kOffset, true, {true, false, true, false}},
    {"Z07:00", Part::kOffset, true, {true, true, true, false}},
    {"Z07", Part::kOffset, true, {true, false, false, false}},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool match_fraction(std::string_view layout, std::size_t at, Chunk& out) {
  if ((layout[at] != '.' && layout[at] != ',') || at + 1 >= layout.size()) return false;
  const char digit = layout[at + 1];
  if (digit != '0' && digit != '9') return false;
  std::size_t end = at + 1;
  while (end < layout.size() && layout[end] == digit) ++end;
  if (end < layout.size() && is_digit(layout[end])) return false;
  out.part = digit == '0' ? Part::kFraction : Part::kTrimmedFraction;
  out.digits = static_cast<int>(end - at - 1);
  out.separator = layout[at];
  out.text = layout.substr(at, end - at);
  return true;
}

Chunk next_chunk(std::string_view layout) {
  Chunk out;
  for (std::size_t at = 0; at < layout.size(); ++at) {
    const std::string_view here = layout.substr(at);
    bool found = match_fraction(layout, at, out);
    std::size_t skip = 0;
    if (!found) {
      for (const Pattern& pattern : kPatterns) {
        if (!here.starts_with(pattern.text)) continue;
        if (!pattern.before_lower && here.size() > pattern.text.size() && is_lower(here[pattern.text.size()])) continue;
        skip = pattern.part == Part::kNone ? 1 : 0;
        out.part = skip == 1 ? Part::kLongYear : pattern.part;
        out.zone = pattern.zone;
        out.text = pattern.text.substr(skip);
        found = true;
        break;
      }
    }
    if (!found) continue;
    out.prefix = layout.substr(0, at + skip);
    out.rest = layout.substr(at + skip + out.text.size());
    return out;
  }
  out.prefix = layout;
  return out;
}

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

void append_int(std::string& out, std::int64_t value, std::size_t width, char fill = '0') {
  std::string digits = std::to_string(value < 0 ? -value : value);
  if (value < 0) out += '-';
  if (digits.size() < width) out.append(width - digits.size(), fill);
  out += digits;
}

void append_offset(std::string& out, std::int64_t offset, const ZoneForm& form) {
  if (form.z && offset == 0) {
    out += 'Z';
    return;
  }
  // The sign is that of the whole minutes, as in Go.
  std::int64_t minutes = offset / 60;
  out += minutes < 0 ? '-' : '+';
  if (minutes < 0) {
    minutes = -minutes;
    offset = -offset;
  }
  append_int(out, minutes / 60, 2);
  if (form.minutes) {
    if (form.colon) out += ':';
    append_int(out, minutes % 60, 2);
  }
  if (form.seconds) {
    if (form.colon) out += ':';
    append_int(out, offset % 60, 2);
  }
}

void append_fraction(std::string& out, const CivilTime& time, const Chunk& chunk) {
  const bool trim = chunk.part == Part::kTrimmedFraction;
  if (trim && time.nanosecond == 0) return;
  std::string digits;
  append_int(digits, time.nanosecond, 9);
  digits.resize(static_cast<std::size_t>(std::min(chunk.digits, 9)));
  if (trim) {
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    if (digits.empty()) return;
  }
  out += chunk.separator;
  out += digits;
}

int hour12(int hour) { return hour % 12 == 0 ? 12 : hour % 12; }

void append_part(std::string& out, const CivilTime& t, const Chunk& chunk) {
  switch (chunk.part) {
    case Part::kLongMonth: out += kMonths[static_cast<std::size_t>(t.month - 1)]; break;
    case Part::kMonth: out += kMonths[static_cast<std::size_t>(t.month - 1)].substr(0, 3); break;
    case Part::kNumMonth: append_int(out, t.month, 0); break;
    case Part::kZeroMonth: append_int(out, t.month, 2); break;
    case Part::kLongWeekday: out += kDays[static_cast<std::size_t>(t.weekday)]; break;
    case Part::kWeekday: out += kDays[static_cast<std::size_t>(t.weekday)].substr(0, 3); break;
    case Part::kDay: append_int(out, t.day, 0); break;
    case Part::kSpaceDay: append_int(out, t.day, 2, ' '); break;
    case Part::kZeroDay: append_int(out, t.day, 2); break;
    case Part::kSpaceYearDay: append_int(out, t.year_day, 3, ' '); break;
    case Part::kZeroYearDay: append_int(out, t.year_day, 3); break;
    case Part::kHour: append_int(out, t.hour, 2); break;
    case Part::kHour12: append_int(out, hour12(t.hour), 0); break;
    case Part::kZeroHour12: append_int(out, hour12(t.hour), 2); break;
    case Part::kMinute: append_int(out, t.minute, 0); break;
    case Part::kZeroMinute: append_int(out, t.minute, 2); break;
    case Part::kSecond: append_int(out, t.second, 0); break;
    case Part::kZeroSecond: append_int(out, t.second, 2); break;
    case Part::kLongYear: append_int(out, t.year, 4); break;
    case Part::kYear: append_int(out, (t.year < 0 ? -t.year : t.year) % 100, 2); break;
    case Part::kUpperPm: out += t.hour >= 12 ? "PM" : "AM"; break;
    case Part::kLowerPm: out += t.hour >= 12 ? "pm" : "am"; break;
    case Part::kZoneName: out += t.zone; break;
    case Part::kOffset: append_offset(out, t.offset, chunk.zone); break;
    case Part::kFraction:
    case Part::kTrimmedFraction: append_fraction(out, t, chunk); break;
    case Part::kNone: break;
  }
}

}  // namespace

std::string format_time(const CivilTime& time, std::string_view layout) {
  std::string out;
  while (!layout.empty()) {
    const Chunk chunk = next_chunk(layout);
    out += chunk.prefix;
    if (chunk.part == Part::kNone) break;
    append_part(out, time, chunk);
    layout = chunk.rest;
  }
  return out;
}

std::string_view known_layout(std::string_view layout) {
  struct Named {
    std::string_view name;
    std::string_view layout;
  };
  static constexpr Named kNamed[] = {
      {"ANSIC", "Mon Jan _2 15:04:05 2006"},          {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
      {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"}, {"RFC822", "02 Jan 06 15:04 MST"},
      {"RFC822Z", "02 Jan 06 15:04 -0700"},           {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
      {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},   {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
      {"RFC3339", "2006-01-02T15:04:05Z07:00"},       {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
  };
  for (const Named& each : kNamed) {
    if (each.name == layout) return each.layout;
  }
  return layout;
}

namespace {

// time.Parse, one layout chunk after the other.
class Parser {
 public:
  Parser(std::string_view layout, std::string_view value) : layout_(layout), all_(value), value_(value) {}

  std::optional<ParsedTime> run(std::string& error) {
    std::string_view rest = layout_;
    while (true) {
      const Chunk chunk = next_chunk(rest);
      if (!skip(chunk.prefix)) return refuse(error, chunk.prefix, value_);
      if (chunk.part == Part::kNone) {
        if (!value_.empty()) return refuse_with(error, ": extra text: " + text::go_quote(value_));
        break;
      }
      rest = chunk.rest;
      const std::string_view held = value_;
      const bool fine = part(chunk, rest);
      if (!out_of_range_.empty()) return refuse_with(error, ": " + out_of_range_ + " out of range");
      if (!fine) return refuse(error, chunk.text, held);
    }
    return finish(error);
  }

 private:
  std::nullopt_t refuse(std::string& error, std::string_view element, std::string_view at) const {
    error = "parsing time " + text::go_quote(all_) + " as " + text::go_quote(layout_) + ": cannot parse " +
            text::go_quote(at) + " as " + text::go_quote(element);
    return std::nullopt;
  }
  std::nullopt_t refuse_with(std::string& error, const std::string& message) const {
    error = "parsing time " + text::go_quote(all_) + message;
    return std::nullopt;
  }

  bool skip(std::string_view prefix) {
    while (!prefix.empty()) {
      if (prefix.front() == ' ') {
        if (!value_.empty() && value_.front() != ' ') return false;
        while (prefix.starts_with(' ')) prefix.remove_prefix(1);
        while (value_.starts_with(' ')) value_.remove_prefix(1);
        continue;
      }
      if (value_.empty() || value_.front() != prefix.front()) return false;
      prefix.remove_prefix(1);
      value_.remove_prefix(1);
    }
    return true;
  }

  bool digit_at(std::size_t at) const { return at < value_.size() && is_digit(value_[at]); }

  // One or two digits; with `fixed` exactly two.
  bool number(int& out, bool fixed) {
    if (!digit_at(0)) return false;
    if (!digit_at(1)) {
      if (fixed) return false;
      out = value_[0] - '0';
      value_.remove_prefix(1);
      return true;
    }
    out = (value_[0] - '0') * 10 + (value_[1] - '0');
    value_.remove_prefix(2);
    return true;
  }

  bool ranged(int& out, bool fixed, int low, int high, std::string_view name) {
    if (!number(out, fixed)) return false;
    if (out < low || out > high) out_of_range_ = name;
    return true;
  }

  template <std::size_t N>
  bool name(const std::array<std::string_view, N>& names, std::size_t letters, int* index) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::string_view want = letters == 0 ? names[i] : names[i].substr(0, letters);
      if (value_.size() < want.size()) continue;
      if (text::to_lower_ascii(value_.substr(0, want.size())) != text::to_lower_ascii(want)) continue;
      if (index != nullptr) *index = static_cast<int>(i) + 1;
      value_.remove_prefix(want.size());
      return true;
    }
    return false;
  }

  // `count` characters: the separator and the digits.
  bool nanoseconds(std::size_t count) {
    if (value_.front() != '.' && value_.front() != ',') return false;
    int value = 0;
    std::size_t digits = 0;
    for (std::size_t i = 1; i < count; ++i) {
      if (!digit_at(i)) return false;
      if (digits < 9) {
        value = value * 10 + (value_[i] - '0');
        ++digits;
      }
    }
    for (; digits < 9; ++digits) value *= 10;
    nanosecond_ = value;
    value_.remove_prefix(count);
    return true;
  }

  bool seconds(const Chunk& chunk, std::string_view rest) {
    if (!ranged(second_, chunk.part == Part::kZeroSecond, 0, 59, "second") || !out_of_range_.empty()) {
      return out_of_range_.empty() ? false : true;
    }
    // A fraction in the value that the layout does not name is taken too.
    if (value_.size() < 2 || (value_[0] != '.' && value_[0] != ',') || !digit_at(1)) return true;
    const Part next = next_chunk(rest).part;
    if (next == Part::kFraction || next == Part::kTrimmedFraction) return true;
    std::size_t count = 2;
    while (digit_at(count)) ++count;
    return nanoseconds(count);
  }

  bool half_day(std::string_view before, std::string_view after) {
    if (value_.size() < 2) return false;
    if (value_.starts_with(after)) {
      pm_ = true;
    } else if (value_.starts_with(before)) {
      am_ = true;
    } else {
      value_.remove_prefix(2);
      return false;
    }
    value_.remove_prefix(2);
    return true;
  }

  bool two_digits(std::size_t at, int& out) const {
    if (!digit_at(at) || !digit_at(at + 1)) return false;
    out = (value_[at] - '0') * 10 + (value_[at + 1] - '0');
    return true;
  }

  bool offset(const ZoneForm& form) {
    if (form.z && value_.starts_with('Z')) {
      value_.remove_prefix(1);
      utc_ = true;
      return true;
    }
    const std::size_t step = form.colon ? 3 : 2;
    const std::size_t size = 3 + (form.minutes ? step : 0) + (form.seconds ? step : 0);
    if (value_.size() < size) return false;
    if (form.colon && form.minutes && value_[3] != ':') return false;
    if (form.colon && form.seconds && value_[6] != ':') return false;
    const std::size_t gap = form.colon ? 1 : 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    bool fine = two_digits(1, hour);
    if (form.minutes) fine = fine && two_digits(3 + gap, minute);
    if (form.seconds) fine = fine && two_digits(5 + 2 * gap, second);
    if (hour > 24) out_of_range_ = "time zone offset hour";
    if (minute > 60) out_of_range_ = "time zone offset minute";
    if (second > 60) out_of_range_ = "time zone offset second";
    const char sign = value_.front();
    value_.remove_prefix(size);
    if (!fine || (sign != '+' && sign != '-')) return false;
    offset_ = (hour * 60 + minute) * 60 + second;
    if (sign == '-') offset_ = -offset_;
    return true;
  }

  // Length of "+5" or "-11" at `at`; 0: none.
  std::size_t signed_hours(std::size_t at) const {
    if (at >= value_.size() || (value_[at] != '+' && value_[at] != '-')) return 0;
    std::size_t end = at + 1;
    int hours = 0;
    for (; digit_at(end); ++end) hours = std::min(hours * 10 + (value_[end] - '0'), 1000);
    return end == at + 1 || hours > 23 ? 0 : end - at;
  }

  bool zone_name() {
    if (value_.starts_with("UTC")) {
      value_.remove_prefix(3);
      utc_ = true;
      return true;
    }
    std::size_t size = 0;
    if (value_.size() < 3) return false;
    if (value_.starts_with("ChST") || value_.starts_with("MeST")) {
      size = 4;
    } else if (value_.starts_with("GMT")) {
      size = 3 + signed_hours(3);
    } else if (value_.front() == '+' || value_.front() == '-') {
      size = signed_hours(0);
    } else {
      std::size_t upper = 0;
      while (upper < 6 && upper < value_.size() && value_[upper] >= 'A' && value_[upper] <= 'Z') ++upper;
      if (upper == 3 || (upper == 5 && value_[4] == 'T') ||
          (upper == 4 && (value_[3] == 'T' || value_.starts_with("WITA")))) {
        size = upper;
      }
    }
    value_.remove_prefix(size);
    return size != 0;
  }

  bool year_day(bool fixed) {
    for (int i = 0; i < 2 && !fixed; ++i) {
      if (value_.starts_with(' ')) value_.remove_prefix(1);
    }
    std::size_t count = 0;
    int out = 0;
    for (; count < 3 && digit_at(count); ++count) out = out * 10 + (value_[count] - '0');
    if (count == 0 || (fixed && count != 3)) return false;
    year_day_ = out;
    value_.remove_prefix(count);
    return true;
  }

  bool year(std::size_t digits) {
    if (value_.size() < digits || (digits == 4 && !digit_at(0))) return false;
    int out = 0;
    const auto result = std::from_chars(value_.data(), value_.data() + digits, out);
    value_.remove_prefix(digits);
    if (result.ec != std::errc{} || result.ptr != value_.data()) return false;
    year_ = digits == 4 ? out : out >= 69 ? out + 1900 : out + 2000;
    return true;
  }

  bool trimmed_fraction() {
    if (value_.size() < 2 || (value_[0] != '.' && value_[0] != ',') || !digit_at(1)) return true;
    std::size_t count = 2;
    while (digit_at(count)) ++count;
    return nanoseconds(count);
  }

  bool part(const Chunk& chunk, std::string_view rest) {
    switch (chunk.part) {
      case Part::kYear: return year(2);
      case Part::kLongYear: return year(4);
      case Part::kMonth: return name(kMonths, 3, &month_);
      case Part::kLongMonth: return name(kMonths, 0, &month_);
      case Part::kNumMonth:
      case Part::kZeroMonth: return ranged(month_, chunk.part == Part::kZeroMonth, 1, 12, "month");
      case Part::kWeekday: return name(kDays, 3, nullptr);
      case Part::kLongWeekday: return name(kDays, 0, nullptr);
      case Part::kSpaceDay:
        if (value_.starts_with(' ')) value_.remove_prefix(1);
        return number(day_, false);
      case Part::kDay:
      case Part::kZeroDay: return number(day_, chunk.part == Part::kZeroDay);
      case Part::kSpaceYearDay:
      case Part::kZeroYearDay: return year_day(chunk.part == Part::kZeroYearDay);
      case Part::kHour: return ranged(hour_, false, 0, 23, "hour");
      case Part::kHour12:
      case Part::kZeroHour12: return ranged(hour_, chunk.part == Part::kZeroHour12, 0, 12, "hour");
      case Part::kMinute:
      case Part::kZeroMinute: return ranged(minute_, chunk.part == Part::kZeroMinute, 0, 59, "minute");
      case Part::kSecond:
      case Part::kZeroSecond: return seconds(chunk, rest);
      case Part::kUpperPm: return half_day("AM", "PM");
      case Part::kLowerPm: return half_day("am", "pm");
      case Part::kOffset: return offset(chunk.zone);
      case Part::kZoneName: return zone_name();
      case Part::kFraction:
        return value_.size() > static_cast<std::size_t>(chunk.digits) &&
               nanoseconds(static_cast<std::size_t>(chunk.digits) + 1);
      case Part::kTrimmedFraction: return trimmed_fraction();
      case Part::kNone: break;
    }
    return true;
  }

  bool leap() const { return year_ % 4 == 0 && (year_ % 100 != 0 || year_ % 400 == 0); }
  int days_in(int month) const {
    constexpr int kDaysIn[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap() ? 29 : kDaysIn[month - 1];
  }

  std::optional<ParsedTime> finish(std::string& error) {
    if (pm_ && hour_ < 12) hour_ += 12;
    if (am_ && !pm_ && hour_ == 12) hour_ = 0;
    if (year_day_ >= 0) {
      if (year_day_ < 1 || year_day_ > (leap() ? 366 : 365)) {
        return refuse_with(error, ": day-of-year out of range");
      }
      int month = 1;
      int day = year_day_;
      for (; day > days_in(month); ++month) day -= days_in(month);
      if (month_ >= 0 && month_ != month) return refuse_with(error, ": day-of-year does not match month");
      if (day_ >= 0 && day_ != day) return refuse_with(error, ": day-of-year does not match day");
      month_ = month;
      day_ = day;
    }
    if (month_ < 0) month_ = 1;
    if (day_ < 0) day_ = 1;
    if (day_ < 1 || day_ > days_in(month_)) return refuse_with(error, ": day out of range");
    ParsedTime out;
    out.seconds = unix_seconds(year_, month_, day_, hour_, minute_, second_);
    if (!utc_ && offset_ != -1) out.seconds -= offset_;
    out.nanosecond = nanosecond_;
    return out;
  }

  std::string_view layout_;
  std::string_view all_;
  std::string_view value_;
  std::string out_of_range_;
  int year_ = 0;
  int month_ = -1;
  int day_ = -1;
  int year_day_ = -1;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int nanosecond_ = 0;
  int offset_ = -1;  // -1: none given, as in Go
  bool pm_ = false;
  bool am_ = false;
  bool utc_ = false;
};

}  // namespace

std::optional<ParsedTime> parse_time(std::string_view layout, std::string_view value, std::string& error) {
  return Parser(layout, value).run(error);
}

}  // namespace portcullis::rego::builtins
