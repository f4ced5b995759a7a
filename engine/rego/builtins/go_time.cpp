#include "engine/rego/builtins/go_time.h"

#include <date/tz.h>

#include <chrono>
#include <exception>

#include "base/text.h"

namespace portcullis::rego::builtins {

std::int64_t days_from_civil(std::int64_t year, int month, int day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::int64_t unix_seconds(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t hour,
                          std::int64_t minute, std::int64_t second) noexcept {
  const std::int64_t months = month - 1;
  const std::int64_t carry = months >= 0 ? months / 12 : -((11 - months) / 12);
  const std::int64_t days = days_from_civil(year + carry, static_cast<int>(months - carry * 12) + 1, 1) + day - 1;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

namespace {

struct Date {
  std::int64_t year;
  int month;
  int day;
};

Date civil_from_days(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t of_era = days - era * 146097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const int day = static_cast<int>(of_year - (153 * shifted + 2) / 5) + 1;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

std::optional<TimeZone> TimeZone::load(std::string_view name, std::string& error) {
  TimeZone out;
  if (name.empty() || name == "UTC" || name == "Local") return out;
  // Names that would leave the zone directory are refused, as Go does.
  const bool bad = name.find("..") != std::string_view::npos || name.front() == '/' || name.front() == '\\';
  try {
    if (!bad) {
      out.zone_ = date::locate_zone(std::string(name));
      return out;
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): reported below
  }
  error = bad ? "time: invalid location name" : "unknown time zone " + std::string(name);
  return std::nullopt;
}

std::int64_t TimeZone::offset_at(std::int64_t seconds, std::string* name) const {
  if (zone_ == nullptr) return 0;
  try {
    const auto info =
        static_cast<const date::time_zone*>(zone_)->get_info(date::sys_seconds(std::chrono::seconds(seconds)));
    if (name != nullptr) *name = info.abbrev;
    return info.offset.count();
  } catch (const std::exception&) {
    return 0;
  }
}

CivilTime TimeZone::at(std::int64_t seconds, int nanosecond) const {
  CivilTime out;
  out.offset = offset_at(seconds, &out.zone);
  const std::int64_t local = seconds + out.offset;
  const std::int64_t days = local >= 0 ? local / 86400 : -((86399 - local) / 86400);
  const int of_day = static_cast<int>(local - days * 86400);
  const Date date = civil_from_days(days);
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
  out.hour = of_day / 3600;
  out.minute = of_day / 60 % 60;
  out.second = of_day % 60;
  out.nanosecond = nanosecond;
  out.weekday = static_cast<int>(((days % 7) + 11) % 7);
  out.year_day = static_cast<int>(days - days_from_civil(date.year, 1, 1)) + 1;
  return out;
}

std::int64_t TimeZone::from_civil(std::int64_t local_seconds) const {
  // As Go: guess with the offset in force at that many seconds, then look again.
  std::int64_t seconds = local_seconds;
  const std::int64_t offset = offset_at(seconds, nullptr);
  if (offset == 0) return seconds;
  std::int64_t guess = seconds - offset;
  const std::int64_t at_guess = offset_at(guess, nullptr);
  if (at_guess != offset) guess = seconds - at_guess;
  return guess;
}

}  // namespace portcullis::rego::builtins
