// Events: aggregation and limits as a pure function of time, and the recorder against the fake API server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <future>
#include <string>
#include <vector>

#include "base/log.h"
#include "engine/value/document.h"
#include "kube/runtime/event_correlator.h"
#include "kube/runtime/event_recorder.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::kube {
namespace {

using testing::HasSubstr;
using Action = EventCorrelator::Action;

constexpr std::int64_t kStart = 1'700'000'000'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

Event event(const std::string& message, const std::string& name = "nginx") {
  Event e;
  e.target = {"Pod", name, "default", "uid-1", ""};
  e.component = "gatekeeper-audit";
  e.reason = "AuditViolation";
  e.message = message;
  e.annotations = {{"process", "audit"}};
  return e;
}

TEST(EventCorrelator, TheFirstIsCreatedTheSameAgainIsCounted) {
  EventCorrelator correlator;
  const auto first = correlator.correlate(event("m"), kStart);
  EXPECT_EQ(first.action, Action::kCreate);
  EXPECT_EQ(first.ns, "default");
  EXPECT_EQ(first.name, "nginx.17979cfe362a0000");
  EXPECT_EQ(first.body,
            R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"nginx.17979cfe362a0000","namespace":"default",)"
            R"("annotations":{"process":"audit"}},"involvedObject":{"kind":"Pod","namespace":"default","name":"nginx",)"
            R"("uid":"uid-1"},"reason":"AuditViolation","message":"m","source":{"component":"gatekeeper-audit"},)"
            R"("firstTimestamp":"2023-11-14T22:13:20Z","lastTimestamp":"2023-11-14T22:13:20Z","count":1,)"
            R"("type":"Warning","reportingComponent":"gatekeeper-audit","reportingInstance":""})");
  const auto second = correlator.correlate(event("m"), kStart + 5 * kSecond);
  EXPECT_EQ(second.action, Action::kPatch);
  EXPECT_EQ(second.name, first.name);
  EXPECT_EQ(second.patch, R"({"count":2,"lastTimestamp":"2023-11-14T22:13:25Z","message":"m"})");
}

TEST(EventCorrelator, TheTenthMessageIsCombinedWithWhatFollows) {
  EventCorrelator correlator;
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(correlator.correlate(event("m" + std::to_string(i)), kStart + i).action, Action::kCreate);
  }
  const auto tenth = correlator.correlate(event("m9"), kStart + 9);
  EXPECT_EQ(tenth.action, Action::kCreate);
  EXPECT_THAT(tenth.body, HasSubstr("(combined from similar events): m9"));
  EXPECT_THAT(tenth.body, testing::Not(HasSubstr("annotations")));
  const auto next = correlator.correlate(event("m10"), kStart + 10);
  EXPECT_EQ(next.action, Action::kPatch);
  EXPECT_EQ(next.name, tenth.name);
  // Eleven minutes later it is news again.
  const auto later = correlator.correlate(event("m11"), kStart + 660 * kSecond);
  EXPECT_EQ(later.action, Action::kCreate);
  EXPECT_THAT(later.body, testing::Not(HasSubstr("combined")));
}

TEST(EventCorrelator, AnObjectMayCause25AtOnceAndOneMoreEveryFiveMinutes) {
  EventCorrelator correlator;
  int written = 0;
  for (int i = 0; i < 40; ++i) written += correlator.correlate(event("m"), kStart).action != Action::kSkip ? 1 : 0;
  EXPECT_EQ(written, 25);
  EXPECT_EQ(correlator.correlate(event("m", "other"), kStart).action, Action::kCreate);
  EXPECT_EQ(correlator.correlate(event("m"), kStart + 301 * kSecond).action, Action::kPatch);
  EXPECT_EQ(correlator.correlate(event("m"), kStart + 302 * kSecond).action, Action::kSkip);
}

TEST(EventCorrelator, MemoryIsBounded) {
  EventLimits limits;
  limits.keys = 3;
  EventCorrelator correlator(limits);
  for (int i = 0; i < 10; ++i) correlator.correlate(event("m", "p" + std::to_string(i)), kStart);
  EXPECT_EQ(correlator.correlate(event("m", "p9"), kStart).action, Action::kPatch);
  EXPECT_EQ(correlator.correlate(event("m", "p0"), kStart).action, Action::kCreate);
}

TEST(EventCorrelator, UnusualNamesGetAUuid) {
  EXPECT_EQ(event_name("a.b", 255), "a.b.ff");
  for (const std::string& name : std::vector<std::string>{"system:masters", "", "Upper", "a-", std::string(251, 'a')}) {
    const std::string made = event_name(name, 255);
    EXPECT_EQ(made.size(), 36u) << name;
    EXPECT_EQ(made[14], '4') << made;
  }
}

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest() : client(Client::create(io.context(), api.config()).value()) {}
  ~EventRecorderTest() override {
    on_thread([this] { recorder->stop(); });
    io.stop();
  }
  void on_thread(std::function<void()> what) {
    std::promise<void> done;
    net::post(io.context(), [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  void start(EventRecorderOptions options = {}) {
    options.first_retry = std::chrono::milliseconds(1);
    recorder = std::make_unique<EventRecorder>(*client, options);
    on_thread([this] { recorder->start(); });
  }
  test::FakeApi api;
  net::IoThread io{"io"};
  std::unique_ptr<Client> client;
  std::unique_ptr<EventRecorder> recorder;
};

TEST_F(EventRecorderTest, WritesCountsAndCreatesAgainWhatExpired) {
  start();
  recorder->record(event("m"));
  ASSERT_TRUE(api.wait_for([&] { return api.list("", "events").size() == 1; }));
  recorder->record(event("m"));
  ASSERT_TRUE(api.wait_for([&] { return recorder->stats().patched == 1; }));
  EXPECT_THAT(api.list("", "events").at(0), HasSubstr(R"("count":2)"));
  const auto document = Document::parse_json(api.list("", "events").at(0)).value();
  api.erase("", "events", "default", std::string(document.root().path({"metadata", "name"}).as_string()));
  recorder->record(event("m"));
  ASSERT_TRUE(api.wait_for([&] { return api.list("", "events").size() == 1; }));
  EXPECT_THAT(api.list("", "events").at(0), HasSubstr(R"("count":3)"));
}

TEST_F(EventRecorderTest, TriesAgainWhenTheServerFailsAndGivesUpWhenItRefuses) {
  test::Fault failing;
  failing.method = "POST";
  failing.target = "/events";
  failing.status = 503;
  failing.times = 2;
  api.add_fault(failing);
  start();
  recorder->record(event("m"));
  ASSERT_TRUE(api.wait_for([&] { return api.list("", "events").size() == 1; }));
  test::Fault refusing = failing;
  refusing.status = 403;
  refusing.times = 1;
  api.add_fault(refusing);
  recorder->record(event("refused"));
  ASSERT_TRUE(api.wait_for([&] { return recorder->stats().rejected == 1; }));
  EXPECT_EQ(api.list("", "events").size(), 1u);
}

TEST_F(EventRecorderTest, AFullQueueDrops) {
  EventRecorderOptions options;
  options.capacity = 2;
  options.first_retry = std::chrono::milliseconds(1);
  recorder = std::make_unique<EventRecorder>(*client, options);  // not started: nothing is taken out
  for (int i = 0; i < 5; ++i) recorder->record(event("m" + std::to_string(i)));
  EXPECT_EQ(recorder->stats().dropped, 3u);
  EXPECT_EQ(recorder->stats().queued, 2u);
}

TEST_F(EventRecorderTest, AFullQueueIsSaidOncePerBurst) {
  std::atomic<int> said{0};
  log::set_sink([&said](std::string_view line) { said += line.find("queue of Events is full") != line.npos ? 1 : 0; });
  EventRecorderOptions options;
  options.capacity = 2;
  start(options);
  const auto burst = [this] {
    on_thread([this] {  // which keeps the recorder from taking any out
      for (int i = 0; i < 5; ++i) recorder->record(event("m", "p" + std::to_string(i)));
    });
  };
  burst();
  ASSERT_TRUE(api.wait_for([&] { return recorder->stats().created == 2; }));
  EXPECT_EQ(said, 1);
  burst();
  ASSERT_TRUE(api.wait_for([&] { return recorder->stats().queued == 0; }));
  log::set_sink({});
  EXPECT_EQ(said, 2);
  EXPECT_EQ(recorder->stats().dropped, 6u);
}

TEST(EventRecorder, WakesItsThreadOncePerBurst) {
  test::FakeApi api;
  boost::asio::io_context context;  // nobody runs it: what is posted stays
  const auto client = Client::create(context, api.config()).value();
  context.poll();
  context.restart();
  EventRecorderOptions options;
  options.capacity = 2;
  EventRecorder recorder(*client, options);
  for (int i = 0; i < 100; ++i) recorder.record(event("m"));
  EXPECT_EQ(context.poll(), 1u);
}

}  // namespace
}  // namespace portcullis::kube
