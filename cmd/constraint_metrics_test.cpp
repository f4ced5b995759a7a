// Metrics per constraint: shown, bounded, gone with the constraint.
#include "cmd/constraint_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::cmd {
namespace {

using testing::HasSubstr;
using testing::Not;

policy::ConstraintPtr constraint(const char* name) {
  auto made = std::make_shared<policy::Constraint>();
  made->kind = "K8sNeedTeam";
  made->name = name;
  return made;
}

TEST(ConstraintMetrics, ShowsCountsAndTimes) {
  ConstraintMetrics metrics(10);
  const policy::ConstraintPtr one = constraint("one");
  policy::ReviewResult result;
  result.times.push_back({one, 1'500'000'000});
  policy::Violation violation;
  violation.constraint = one;
  result.violations = {violation, violation};
  metrics.reviewed(result);
  metrics.reviewed(result);
  metrics.audited(*constraint("quo\"te"), 7);
  const std::string text = metrics.expose();
  const std::string labels = R"({constraint_kind="K8sNeedTeam",constraint_name="one",enforcement_action="deny"} )";
  EXPECT_THAT(text, HasSubstr("portcullis_constraint_admission_violations_total" + labels + "4\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_constraint_evaluations_total" + labels + "2\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_constraint_evaluation_seconds_total" + labels + "3\n"));
  EXPECT_THAT(text, HasSubstr(R"(constraint_name="quo\"te",enforcement_action="deny"} 7)"));
  EXPECT_THAT(text, Not(HasSubstr("portcullis_constraint_violations" + labels)));  // not audited yet
}

TEST(ConstraintMetrics, IsBoundedAndForgets) {
  ConstraintMetrics metrics(2);
  for (const char* name : {"a", "b", "c", "d"}) metrics.audited(*constraint(name), 1);
  EXPECT_THAT(metrics.expose(), Not(HasSubstr("constraint_name=\"c\"")));
  EXPECT_THAT(metrics.expose(), HasSubstr("portcullis_constraint_metrics_beyond_limit_total 2\n"));
  metrics.prune([](std::string_view, std::string_view name) { return name != "a"; });
  EXPECT_THAT(metrics.expose(), Not(HasSubstr("constraint_name=\"a\"")));
  metrics.audited(*constraint("c"), 1);
  EXPECT_THAT(metrics.expose(), HasSubstr("constraint_name=\"c\""));
}

TEST(ConstraintMetrics, WhatIsGoneIsNotBroughtBackByWhatBeganBefore) {
  ConstraintMetrics metrics(10);
  metrics.audited(*constraint("a"), 1);
  metrics.prune([](std::string_view, std::string_view name) { return name != "a"; });
  metrics.audited(*constraint("a"), 1);
  policy::ReviewResult result;
  result.times.push_back({constraint("a"), 1});
  metrics.reviewed(result);
  EXPECT_THAT(metrics.expose(), Not(HasSubstr("constraint_name=\"a\"")));
  metrics.prune([](std::string_view, std::string_view) { return true; });
  metrics.audited(*constraint("a"), 1);
  EXPECT_THAT(metrics.expose(), HasSubstr("constraint_name=\"a\""));
}

}  // namespace
}  // namespace portcullis::cmd
