// Set times for audits: cron expressions in a time zone.
// Five fields (minute hour day-of-month month day-of-week) with *, lists, ranges, steps and English names, or @hourly,
// @daily, @midnight, @weekly, @monthly, @yearly, @annually. As in cron, when both day fields are restricted a day that
// matches either counts. A time that a clock change skips counts at the moment of the change; one that happens twice
// counts the first time.
// Threads: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::audit {

class Schedule {
 public:
  // `zone`: an IANA name ("Europe/Berlin"); "" or "UTC" need no time-zone data. Errors (kInvalid) name the field.
  static Result<Schedule> parse(std::string_view expression, std::string_view zone);

  // The first time after `after` (Unix seconds); nothing when there is none within ten years (31 February).
  std::optional<std::int64_t> next(std::int64_t after) const;

 private:
  struct Zone;
  bool day_matches(int month, int day, int weekday) const noexcept;
  std::int64_t to_unix(std::int64_t local_seconds) const;
  std::int64_t to_local(std::int64_t unix_seconds) const;

  std::uint64_t minutes_ = 0;  // bit per value
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;  // 0 is Sunday
  bool any_day_ = true;         // the field begins with *
  bool any_weekday_ = true;
  std::shared_ptr<const Zone> zone_;  // null: UTC
};

}  // namespace portcullis::audit
