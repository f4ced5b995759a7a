// Reflector, store and work queue against the fake API server with faults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "kube/client/client.h"
#include "kube/runtime/reflector.h"
#include "kube/runtime/store.h"
#include "kube/runtime/work_queue.h"
#include "net/blocking.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::kube {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

ApiResource pods() { return {"", "v1", "Pod", "pods", true, {}, {"status"}}; }
ApiResource things() { return {"x.io", "v1", "Thing", "things", false, {}, {}}; }

std::string pod(const std::string& name, const std::string& label = "1") {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"n","name":")" + name + R"(","labels":{"x":")" +
         label + R"("},"managedFields":[{"manager":"kubectl"}]}})";
}
std::string thing(const std::string& name) {
  return R"({"apiVersion":"x.io/v1","kind":"Thing","metadata":{"name":")" + name + "\"}}";
}

class ReflectorTest : public testing::Test {
 protected:
  ReflectorTest() : client(Client::create(io.context(), api.config()).value()) {}
  ~ReflectorTest() override {
    on_thread([this] { reflector.reset(); });
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
  void start(const ApiResource& resource) {
    StoreListener listener;
    listener.changed = [this](const std::string& key, const ObjectPtr& before, const ObjectPtr& after) {
      const std::lock_guard lock(mutex);
      changes.push_back((!before ? "+" : !after ? "-" : "~") + key);
    };
    listener.synced = [this] { ++synced; };
    writer = std::make_unique<StoreWriter>(store, listener);
    ReflectorOptions options;
    options.watcher.page_size = 2;
    options.watcher.backoff = {milliseconds(1), milliseconds(20), 2.0, 0.0};
    options.absent_retry = milliseconds(5);
    options.on_error = [this](const Error&) { ++errors; };
    on_thread([&] {
      reflector = std::make_unique<Reflector>(*client, resource, *writer, options);
      net::spawn(io.context(), reflector->run(), "reflector");
    });
  }
  std::set<std::string> keys() const {
    const std::vector<std::string> all = store->keys();
    return {all.begin(), all.end()};
  }
  bool has(const std::set<std::string>& wanted) {
    return api.wait_for([&] { return keys() == wanted; });
  }
  std::vector<std::string> take_changes() {
    const std::lock_guard lock(mutex);
    return std::exchange(changes, {});
  }
  std::size_t changes_size() {
    const std::lock_guard lock(mutex);
    return changes.size();
  }
  ReflectorStats stats() {
    ReflectorStats got;
    on_thread([&] { got = reflector->stats(); });
    return got;
  }

  test::FakeApi api;
  net::IoThread io{"kube"};
  std::unique_ptr<Client> client;
  std::shared_ptr<Store> store = std::make_shared<Store>();
  std::unique_ptr<StoreWriter> writer;
  std::unique_ptr<Reflector> reflector;
  std::mutex mutex;
  std::vector<std::string> changes;
  std::atomic<int> synced{0};
  std::atomic<int> errors{0};
  int counter = 0;
};

TEST_F(ReflectorTest, FollowsTheServer) {
  for (const char* name : {"a", "b", "c"}) api.put(pod(name));
  start(pods());
  ASSERT_TRUE(has({"n/a", "n/b", "n/c"}));
  EXPECT_TRUE(store->synced());
  EXPECT_THAT(take_changes(), ElementsAre("+n/a", "+n/b", "+n/c"));
  api.put(pod("d"));
  api.put(pod("a", "2"));
  api.erase("", "pods", "n", "b");
  ASSERT_TRUE(has({"n/a", "n/c", "n/d"}));
  ASSERT_TRUE(api.wait_for([&] { return store->get("n/a")->meta().label("x") == "2"; }));
  EXPECT_EQ(store->get("n/a")->meta().kind(), "Pod");
  EXPECT_FALSE(store->get("n/a")->meta().metadata().get("managedFields").defined());
  EXPECT_EQ(store->get("n/zzz"), nullptr);
  EXPECT_THAT(take_changes(), ElementsAre("+n/d", "~n/a", "-n/b"));
  EXPECT_EQ(synced, 1);
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(store->list().size(), 3u);
  EXPECT_GT(store->memory(), 0u);
}

TEST_F(ReflectorTest, ResumesACutWatchWithoutAList) {
  api.put(pod("a"));
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  const std::uint64_t lists = stats().lists;
  api.cut_watches();
  api.put(pod("b"));
  ASSERT_TRUE(has({"n/a", "n/b"}));
  api.end_watches();
  api.put(pod("c"));
  ASSERT_TRUE(has({"n/a", "n/b", "n/c"}));
  EXPECT_EQ(stats().lists, lists);
}

TEST_F(ReflectorTest, RelistsAfterGone) {
  api.put(pod("a"));
  api.put(pod("b"));
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  take_changes();
  api.add_fault({.method = "WATCH", .target = "/pods", .times = 1, .delay = milliseconds(20)});
  api.cut_watches();
  api.erase("", "pods", "n", "a");
  api.put(pod("c"));
  api.forget_history();  // the watch that resumes is told 410
  ASSERT_TRUE(has({"n/b", "n/c"}));
  ASSERT_TRUE(api.wait_for([&] { return changes_size() == 2; }));
  EXPECT_THAT(take_changes(), ElementsAre("-n/a", "+n/c"));
  EXPECT_EQ(synced, 1);
}

TEST_F(ReflectorTest, BookmarksKeepThePositionFresh) {
  api.put(pod("a"));
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  const std::string version =
      api.put(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"n","name":"m"}})");
  api.send_bookmarks();
  ASSERT_TRUE(api.wait_for([&] { return stats().events >= 2; }));
  api.end_watches();
  EXPECT_TRUE(api.wait_for([&] { return api.count("WATCH", "resourceVersion=" + version) == 1; }));
}

TEST_F(ReflectorTest, SurvivesFailuresWithBackoff) {
  api.put(pod("a"));
  api.add_fault({.method = "GET", .target = "/pods", .times = 3, .status = 500, .reason = "InternalError"});
  api.add_fault({.method = "WATCH", .target = "/pods", .times = 2, .drop = true});
  api.add_fault({.method = "WATCH", .target = "/pods", .times = 1, .body = "not json\n"});
  start(pods());
  ASSERT_TRUE(has({"n/a"}));
  api.put(pod("b"));
  ASSERT_TRUE(has({"n/a", "n/b"}));
  EXPECT_GE(errors, 5);
}

TEST_F(ReflectorTest, FailedPageDoesNotShowHalfAList) {
  for (const char* name : {"a", "b", "c", "d"}) api.put(pod(name));
  api.add_fault({.method = "GET", .target = "continue=", .times = 2, .status = 500, .reason = "InternalError"});
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return store->size() > 0; }));
  EXPECT_EQ(keys(), (std::set<std::string>{"n/a", "n/b", "n/c", "n/d"}));
}

TEST_F(ReflectorTest, KindThatComesAndGoes) {
  start(things());
  ASSERT_TRUE(api.wait_for([&] { return api.count("GET", "/apis/x.io/v1/things") >= 2; }));
  EXPECT_FALSE(store->synced());
  api.serve(things());
  api.put(thing("one"));
  ASSERT_TRUE(has({"one"}));
  EXPECT_TRUE(store->synced());
  api.unserve("x.io", "things");
  ASSERT_TRUE(has({}));
  api.serve(things());
  api.put(thing("two"));
  ASSERT_TRUE(has({"two"}));
}

TEST_F(ReflectorTest, ServerRestart) {
  api.put(pod("a"));
  start(pods());
  ASSERT_TRUE(has({"n/a"}));
  api.stop();
  api.put(pod("b"));
  api.start();
  ASSERT_TRUE(has({"n/a", "n/b"}));
}

TEST_F(ReflectorTest, ResyncListsAgain) {
  api.put(pod("a"));
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  const std::size_t lists = api.count("GET", "/pods");
  on_thread([this] { reflector->resync(); });
  EXPECT_TRUE(api.wait_for([&] { return api.count("GET", "/pods") > lists; }));
  EXPECT_TRUE(has({"n/a"}));
  EXPECT_EQ(errors, 0);
}

TEST_F(ReflectorTest, StopEndsTheWatch) {
  start(pods());
  ASSERT_TRUE(api.wait_for([&] { return api.open_watches() == 1; }));
  on_thread([this] { reflector.reset(); });
  api.put(pod("a"));  // the server notices when it writes
  EXPECT_TRUE(api.wait_for([&] {
    api.put(pod("a", std::to_string(++counter)));
    return api.open_watches() == 0;
  }));
  EXPECT_EQ(store->size(), 0u);
}

// --- Work queue ---

class QueueTest : public testing::Test {
 protected:
  ~QueueTest() override { io.stop(); }
  template <typename T>
  T wait(awaitable<T> coroutine) {
    return net::run_blocking(io.context(), std::move(coroutine));
  }
  static WorkQueueOptions quick() {
    WorkQueueOptions options;
    options.backoff = {milliseconds(1), milliseconds(8), 2.0, 0.0};
    options.max_keys = 3;
    return options;
  }
  net::IoThread io{"queue"};
};

awaitable<std::vector<std::string>> dedup(WorkQueue& queue) {
  std::vector<std::string> got;
  queue.add("a");
  queue.add("b");
  queue.add("a");
  std::optional<std::string> key = co_await queue.get();
  got.push_back(*key);
  queue.add("a");  // while it is worked on: once more, after done()
  key = co_await queue.get();
  got.push_back(*key);
  queue.done("b");
  queue.done("a");
  key = co_await queue.get();
  got.push_back(*key);
  queue.done("a");
  queue.shut_down();
  key = co_await queue.get();
  got.push_back(key.value_or("end"));
  co_return got;
}

TEST_F(QueueTest, KeysAreQueuedOnce) {
  WorkQueue queue(io.context(), quick());
  EXPECT_THAT(wait(dedup(queue)), ElementsAre("a", "b", "a", "end"));
}

awaitable<std::vector<std::string>> delays(WorkQueue& queue) {
  std::vector<std::string> got;
  queue.add_after("late", milliseconds(30));
  queue.add_after("soon", milliseconds(5));
  queue.add_after("soon", milliseconds(500));  // does not put it off
  queue.add_after("now", milliseconds(500));
  queue.add("now");
  for (int i = 0; i < 3; ++i) {
    const std::optional<std::string> key = co_await queue.get();
    got.push_back(*key);
    queue.done(*key);
  }
  EXPECT_EQ(queue.stats().delayed, 0u);
  co_return got;
}

TEST_F(QueueTest, Delays) {
  WorkQueue queue(io.context(), quick());
  EXPECT_THAT(wait(delays(queue)), ElementsAre("now", "soon", "late"));
}

awaitable<bool> bounded(WorkQueue& queue) {
  const bool three = queue.add("a") && queue.add("b") && queue.add("c");
  const bool fourth = queue.add("d");
  EXPECT_EQ(queue.stats().refused, 1u);
  co_return three && !fourth && queue.add("a");
}

TEST_F(QueueTest, IsBounded) {
  WorkQueue queue(io.context(), quick());
  EXPECT_TRUE(wait(bounded(queue)));
}

// Fails each key a number of times.
class Stubborn : public Reconciler {
 public:
  Stubborn(WorkQueue& q, int times, Code code) : queue(q), fails(times), failure(code) {}
  awaitable<Result<Reconciled>> reconcile(std::string key) override {
    ++calls;
    if (key == "throw") throw std::runtime_error("boom");
    if (calls <= fails) co_return make_error(failure, "not yet");
    queue.shut_down();
    co_return Reconciled{};
  }
  WorkQueue& queue;
  int fails;
  Code failure;
  int calls = 0;
};

TEST_F(QueueTest, WorkersRetry) {
  WorkQueue queue(io.context(), quick());
  Stubborn reconciler(queue, 4, Code::kUnavailable);
  int errors = 0;
  ControllerOptions options;
  options.on_error = [&errors](const std::string&, const Error&) { ++errors; };
  std::promise<void> added;
  net::post(io.context(), [&] {
    queue.add("k");
    added.set_value();
  });
  added.get_future().wait();
  wait(run_worker(queue, reconciler, options));
  EXPECT_EQ(reconciler.calls, 5);
  EXPECT_EQ(errors, 4);
}

awaitable<int> hopeless(WorkQueue& queue, Stubborn& reconciler, std::vector<std::string>& errors) {
  boost::asio::io_context* context = co_await net::this_context();
  ControllerOptions options;
  options.on_error = [&errors](const std::string& key, const Error& error) {
    errors.push_back(key + ": " + error.message);
  };
  net::spawn(*context, run_worker(queue, reconciler, options), "worker");
  queue.add("bad");
  while (reconciler.calls < 1) co_await net::yield();
  queue.add("throw");
  while (reconciler.calls < 3) {  // an exception counts as a failure that may pass
    Result<void> slept = co_await net::sleep_until(Deadline::after(milliseconds(1)));
    static_cast<void>(slept);
  }
  const int delayed = static_cast<int>(queue.failures("bad"));
  queue.shut_down();
  co_await net::yield();
  co_await net::yield();
  co_return delayed;
}

TEST_F(QueueTest, InvalidIsNotRetriedAndExceptionsAreCaught) {
  WorkQueue queue(io.context(), quick());
  Stubborn reconciler(queue, 1, Code::kInvalid);
  std::vector<std::string> errors;
  EXPECT_EQ(wait(hopeless(queue, reconciler, errors)), 0);
  ASSERT_GE(errors.size(), 2u);
  EXPECT_EQ(errors[0], "bad: not yet");
  EXPECT_THAT(errors[1], HasSubstr("throw: exception in a reconciler: boom"));
}

class Counter : public Ticker {
 public:
  awaitable<void> tick() override {
    if (++count == 3) periodic->stop();
    co_return;
  }
  Periodic* periodic = nullptr;
  int count = 0;
};

TEST_F(QueueTest, PeriodicTicks) {
  Counter counter;
  Periodic periodic(io.context(), counter, milliseconds(2));
  counter.periodic = &periodic;
  wait(periodic.run());
  EXPECT_EQ(counter.count, 3);
}

TEST_F(QueueTest, PeriodicNow) {
  Counter counter;
  counter.count = 2;
  Periodic periodic(io.context(), counter, std::chrono::hours(1));
  counter.periodic = &periodic;
  std::promise<void> asked;
  net::post(io.context(), [&] {
    periodic.now();
    asked.set_value();
  });
  asked.get_future().wait();
  wait(periodic.run());
  EXPECT_EQ(counter.count, 3);
}

}  // namespace
}  // namespace portcullis::kube
