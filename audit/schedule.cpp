// Cron expressions.
#include "audit/schedule.h"

#include <date/tz.h>

#include <array>
#include <charconv>
#include <chrono>
#include <exception>
#include <span>
#include <vector>

#include "base/text.h"

namespace portcullis::audit {

namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::int64_t kDaySeconds = 86400;
constexpr int kDaysAhead = 3660;

struct Field {
  const char* name;
  int least;
  int most;
  std::span<const std::string_view> names;
};
constexpr Field kFields[] = {{"minute", 0, 59, {}},
                             {"hour", 0, 23, {}},
                             {"day of month", 1, 31, {}},
                             {"month", 1, 12, kMonths},
                             {"day of week", 0, 7, kWeekdays}};

struct Named {
  std::string_view name;
  std::string_view expression;
};
constexpr Named kNamed[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                            {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                            {"@annually", "0 0 1 1 *"}};

Error bad(const Field& field, std::string_view part) {
  return make_error(Code::kInvalid, std::string("bad ") + field.name + " " + text::go_quote(part) +
                                        ": want a number from " + std::to_string(field.least) + " to " +
                                        std::to_string(field.most) + ", *, a range, a list or a step");
}

std::optional<int> number(const Field& field, std::string_view part) {
  const std::string lower = text::to_lower_ascii(part);
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (field.names[i] == lower) return field.least + static_cast<int>(i);
  }
  int value = 0;
  const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (code != std::errc{} || end != part.data() + part.size() || part.empty()) return std::nullopt;
  if (value < field.least || value > field.most) return std::nullopt;
  return value;
}

// One element of a list: "*", "3", "3-7", each with "/step".
Result<std::uint64_t> parse_part(const Field& field, std::string_view part) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::string_view text = part.substr(slash + 1);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (code != std::errc{} || end != text.data() + text.size() || text.empty() || step < 1 || step > field.most) {
      return bad(field, part);
    }
  }
  int first = field.least;
  int last = field.most;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    const std::optional<int> from = number(field, range.substr(0, dash));
    if (!from) return bad(field, part);
    first = *from;
    if (dash != std::string_view::npos) {
      const std::optional<int> to = number(field, range.substr(dash + 1));
      if (!to || *to < first) return bad(field, part);
      last = *to;
    } else if (slash == std::string_view::npos) {
      last = first;
    }
  }
  std::uint64_t bits = 0;
  for (int value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const std::string_view part : text::split(text, ',')) {
    PC_TRY(const std::uint64_t more, parse_part(field, part));
    bits |= more;
  }
  return bits;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  for (const std::string_view word : text::split(text, ' ')) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

bool has(std::uint64_t bits, int value) noexcept { return (bits >> value & 1) != 0; }

}  // namespace

struct Schedule::Zone {
  const date::time_zone* zone;
};

Result<Schedule> Schedule::parse(std::string_view expression, std::string_view zone) {
  std::string_view text = text::trim(expression);
  if (!text.empty() && text.front() == '@') {
    for (const Named& named : kNamed) {
      if (named.name == text) text = named.expression;
    }
  }
  const std::vector<std::string_view> fields = words(text);
  if (fields.size() != std::size(kFields)) {
    return make_error(Code::kInvalid, "bad cron expression " + text::go_quote(expression) +
                                          ": want five fields (minute hour day-of-month month day-of-week), for "
                                          "example \"30 3 * * *\", or @hourly, @daily, @weekly, @monthly, @yearly");
  }
  Schedule schedule;
  std::array<std::uint64_t*, 5> targets{&schedule.minutes_, &schedule.hours_, &schedule.days_, &schedule.months_,
                                        &schedule.weekdays_};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    PC_TRY(*targets[i], parse_field(kFields[i], fields[i]));
  }
  if (has(schedule.weekdays_, 7)) schedule.weekdays_ |= 1;  // Sunday is 0 and 7
  schedule.any_day_ = fields[2].front() == '*';
  schedule.any_weekday_ = fields[4].front() == '*';
  if (!zone.empty() && zone != "UTC") {
    try {
      schedule.zone_ = std::make_shared<const Zone>(Zone{date::locate_zone(std::string(zone))});
    } catch (const std::exception& e) {
      return make_error(Code::kInvalid, "unknown time zone " + text::go_quote(zone) + ": " + e.what());
    }
  }
  return schedule;
}

bool Schedule::day_matches(int month, int day, int weekday) const noexcept {
  if (!has(months_, month)) return false;
  const bool by_day = has(days_, day);
  const bool by_weekday = has(weekdays_, weekday);
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::int64_t Schedule::to_local(std::int64_t unix_seconds) const {
  if (zone_ == nullptr) return unix_seconds;
  const date::sys_seconds when{std::chrono::seconds{unix_seconds}};
  return unix_seconds + zone_->zone->get_info(when).offset.count();
}

std::int64_t Schedule::to_unix(std::int64_t local_seconds) const {
  if (zone_ == nullptr) return local_seconds;
  const date::local_seconds local{std::chrono::seconds{local_seconds}};
  const date::local_info info = zone_->zone->get_info(local);
  // Skipped: when the change happens, which is where the time before it ends.
  if (info.result == date::local_info::nonexistent) return info.first.end.time_since_epoch().count();
  return local_seconds - info.first.offset.count();  // twice: the first time
}

std::optional<std::int64_t> Schedule::next(std::int64_t after) const {
  const std::int64_t local = to_local(after);
  // From the day before: a clock change may have moved the local date.
  std::int64_t day = (local >= 0 ? local : local - kDaySeconds + 1) / kDaySeconds - 1;
  for (int i = 0; i < kDaysAhead; ++i, ++day) {
    const date::sys_days date_of{date::days{static_cast<int>(day)}};
    const date::year_month_day ymd{date_of};
    const unsigned weekday = date::weekday{date_of}.c_encoding();
    if (!day_matches(static_cast<int>(static_cast<unsigned>(ymd.month())),
                     static_cast<int>(static_cast<unsigned>(ymd.day())), static_cast<int>(weekday))) {
      continue;
    }
    for (int hour = 0; hour < 24; ++hour) {
      if (!has(hours_, hour)) continue;
      for (int minute = 0; minute < 60; ++minute) {
        if (!has(minutes_, minute)) continue;
        const std::int64_t when = to_unix(day * kDaySeconds + hour * 3600 + minute * 60);
        if (when > after) return when;
      }
    }
  }
  return std::nullopt;
}

}  // namespace portcullis::audit
