// Expectations: order of listing and observing does not matter; ready stays ready; what is missing is named.
#include "controller/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Readiness, WaitsForEveryMemberOfEveryGroup) {
  ReadinessTracker tracker;
  EXPECT_FALSE(tracker.satisfied());
  tracker.expect_group("ConstraintTemplate");
  EXPECT_THAT(tracker.missing(), ElementsAre("ConstraintTemplate: not listed yet"));
  tracker.observe("ConstraintTemplate", "early");
  tracker.set_members("ConstraintTemplate", {"early", "late"});
  tracker.expect_group("K8sLate");
  EXPECT_THAT(tracker.missing(), ElementsAre("ConstraintTemplate/late", "K8sLate: not listed yet"));
  tracker.observe("ConstraintTemplate", "late");
  tracker.set_members("K8sLate", {"c"});
  EXPECT_FALSE(tracker.satisfied());
  tracker.observe("K8sLate", "c", "schema validation failed");
  EXPECT_TRUE(tracker.satisfied());
  EXPECT_THAT(tracker.problems(), ElementsAre("K8sLate/c: schema validation failed"));
  tracker.observe("K8sLate", "c");
  EXPECT_THAT(tracker.problems(), IsEmpty());
}

TEST(Readiness, StaysReady) {
  ReadinessTracker tracker;
  tracker.expect_group("ConstraintTemplate");
  tracker.set_members("ConstraintTemplate", {});
  EXPECT_TRUE(tracker.satisfied());
  tracker.expect_group("K8sNew");
  EXPECT_TRUE(tracker.satisfied());
}

TEST(Readiness, DroppedGroupsAreNotWaitedFor) {
  ReadinessTracker tracker;
  tracker.expect_group("K8sGone");
  tracker.set_members("K8sGone", {"a", "b"});
  tracker.drop_group("K8sGone");
  EXPECT_TRUE(tracker.satisfied());
}

TEST(Readiness, NotesAreShownAndNotWaitedFor) {
  ReadinessTracker tracker;
  tracker.expect_group("data example.com/v1/Thing");
  tracker.drop_group("data example.com/v1/Thing");
  tracker.note("data example.com/v1/Thing", "the cluster does not serve this kind");
  EXPECT_TRUE(tracker.satisfied());
  EXPECT_THAT(tracker.problems(), ElementsAre("data example.com/v1/Thing: the cluster does not serve this kind"));
  tracker.note("data example.com/v1/Thing", "");
  EXPECT_THAT(tracker.problems(), IsEmpty());
}

TEST(Readiness, NamesABoundedNumber) {
  ReadinessTracker tracker;
  tracker.expect_group("G");
  tracker.set_members("G", {"a", "b", "c"});
  EXPECT_THAT(tracker.missing(2), ElementsAre("G/a", "G/b", "and 1 more"));
}

}  // namespace
}  // namespace portcullis::controller
