// Go's time package as far as the time.* builtins show it: civil dates, layouts, time zones.
// Threads: any; time zone data is read once and shared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

// A point in time in a zone, split into its parts. Years beyond int64 nanoseconds are possible while parsing.
struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;  // 1…12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
  int weekday = 4;          // 0 = Sunday
  int year_day = 1;         // 1…366
  std::int64_t offset = 0;  // seconds east of UTC
  std::string zone = "UTC";
};

std::int64_t days_from_civil(std::int64_t year, int month, int day) noexcept;
// Seconds since 1970 of a UTC civil time; months and days may be out of range and are carried over.
std::int64_t unix_seconds(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t hour,
                          std::int64_t minute, std::int64_t second) noexcept;

class TimeZone {
 public:
  // "", "UTC", "Local" or an IANA name. nullopt: `error` holds Go's message.
  static std::optional<TimeZone> load(std::string_view name, std::string& error);

  CivilTime at(std::int64_t seconds, int nanosecond) const;
  // The seconds of a civil time in this zone; of two the earlier offset's, as Go's time.Date.
  std::int64_t from_civil(std::int64_t local_seconds) const;
  const void* identity() const { return zone_; }

 private:
  std::int64_t offset_at(std::int64_t seconds, std::string* name) const;
  const void* zone_ = nullptr;  // null: UTC
};

std::string format_time(const CivilTime& time, std::string_view layout);

struct ParsedTime {
  std::int64_t seconds = 0;
  int nanosecond = 0;
};
// time.Parse(layout, value). nullopt: `error` holds Go's message.
std::optional<ParsedTime> parse_time(std::string_view layout, std::string_view value, std::string& error);

// The layout that a name such as RFC3339 stands for, else `layout` itself.
std::string_view known_layout(std::string_view layout);

}  // namespace portcullis::rego::builtins
