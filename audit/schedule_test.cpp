// Cron expressions: what is next, also across clock changes, and what is refused.
#include "audit/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace portcullis::audit {
namespace {

// 2026-03-29 01:00 UTC: Berlin goes from 02:00 to 03:00. 2026-10-25 01:00 UTC: from 03:00 back to 02:00.
constexpr std::int64_t kMarch28Noon = 1774699200;    // 2026-03-28T12:00:00Z, a Saturday
constexpr std::int64_t kOctober24Noon = 1792843200;  // 2026-10-24T12:00:00Z

struct Row {
  const char* expression;
  const char* zone;
  std::int64_t after;
  const char* next;
};

class ScheduleNext : public testing::TestWithParam<Row> {};

TEST_P(ScheduleNext, Is) {
  const Row& row = GetParam();
  const Result<Schedule> schedule = Schedule::parse(row.expression, row.zone);
  ASSERT_TRUE(schedule.ok()) << schedule.error().to_string();
  const std::optional<std::int64_t> next = schedule->next(row.after);
  EXPECT_EQ(next ? text::rfc3339(*next) : "never", row.next) << row.expression << " " << row.zone;
}

INSTANTIATE_TEST_SUITE_P(Rows, ScheduleNext,
                         testing::Values(Row{"* * * * *", "", kMarch28Noon, "2026-03-28T12:01:00Z"},
                                         Row{"* * * * *", "UTC", kMarch28Noon - 1, "2026-03-28T12:00:00Z"},
                                         Row{"0 12 * * *", "", kMarch28Noon, "2026-03-29T12:00:00Z"},
                                         Row{"*/15 * * * *", "", kMarch28Noon, "2026-03-28T12:15:00Z"},
                                         Row{"5/20 * * * *", "", kMarch28Noon, "2026-03-28T12:05:00Z"},
                                         Row{"10-20/5,50 9-11 * * *", "", kMarch28Noon, "2026-03-29T09:10:00Z"},
                                         Row{"0 3 * * mon-fri", "", kMarch28Noon, "2026-03-30T03:00:00Z"},
                                         Row{"0 3 * * 7", "", kMarch28Noon, "2026-03-29T03:00:00Z"},
                                         Row{"0 0 1 Jan *", "", kMarch28Noon, "2027-01-01T00:00:00Z"},
                                         Row{"0 0 29 2 *", "", kMarch28Noon, "2028-02-29T00:00:00Z"},
                                         Row{"0 0 31 2 *", "", kMarch28Noon, "never"},
                                         // Both days restricted: either counts.
                                         Row{"0 0 31 * sun", "", kMarch28Noon, "2026-03-29T00:00:00Z"},
                                         Row{"@hourly", "", kMarch28Noon, "2026-03-28T13:00:00Z"},
                                         Row{"@weekly", "", kMarch28Noon, "2026-03-29T00:00:00Z"},
                                         Row{"0 9 * * *", "Asia/Tokyo", kMarch28Noon, "2026-03-29T00:00:00Z"},
                                         Row{"0 23 * * *", "America/New_York", kMarch28Noon, "2026-03-29T03:00:00Z"},
                                         // Skipped by the clock change: when it happens. Twice: the first time only.
                                         Row{"30 2 * * *", "Europe/Berlin", kMarch28Noon, "2026-03-29T01:00:00Z"},
                                         Row{"0 4 * * *", "Europe/Berlin", kMarch28Noon, "2026-03-29T02:00:00Z"},
                                         Row{"30 2 * * *", "Europe/Berlin", kOctober24Noon, "2026-10-25T00:30:00Z"},
                                         Row{"30 2 * * *", "Europe/Berlin", 1792888200, "2026-10-26T01:30:00Z"}));

TEST(Schedule, RefusesWhatIsNoCronExpression) {
  for (const char* bad :
       {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
        "5-1 * * * *", "*/0 * * * *", "*/x * * * *", "1,,2 * * * *", "@never", "-1 * * * *"}) {
    EXPECT_FALSE(Schedule::parse(bad, "").ok()) << bad;
  }
  EXPECT_THAT(Schedule::parse("* 25 * * *", "").error().to_string(), testing::HasSubstr("bad hour \"25\""));
  EXPECT_THAT(Schedule::parse("@daily", "Mars/Olympus").error().to_string(),
              testing::HasSubstr("unknown time zone \"Mars/Olympus\""));
}

}  // namespace
}  // namespace portcullis::audit
