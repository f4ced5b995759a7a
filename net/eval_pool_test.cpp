// The evaluation pool: order, bounds, deadlines, stopping.
#include "net/eval_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "net/blocking.h"
#include "net/io_thread.h"
#include "net/run_on.h"

namespace portcullis::net {
namespace {

class EvalPoolTest : public testing::Test {
 protected:
  ~EvalPoolTest() override { io.stop(); }
  std::future<Result<void>> start(EvalPool& pool, std::function<void(std::size_t)> task,
                                  Deadline deadline = Deadline::never()) {
    return boost::asio::co_spawn(io.context(), pool.run(std::move(task), deadline), boost::asio::use_future);
  }
  // Waits until the pool says so; no sleeping, no guessing.
  template <typename Condition>
  static void until(const EvalPool& pool, Condition condition) {
    while (!condition(pool.stats())) std::this_thread::yield();
  }
  IoThread io{"io"};
};

TEST_F(EvalPoolTest, RunsTasksOnItsThreads) {
  EvalPool pool(2, 100);
  std::atomic<int> done{0};
  std::vector<std::future<Result<void>>> all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(start(pool, [&done, &pool](std::size_t worker) {
      EXPECT_LT(worker, pool.size());
      ++done;
    }));
  }
  for (auto& one : all) EXPECT_TRUE(one.get().ok());
  EXPECT_EQ(done, 50);
}

TEST_F(EvalPoolTest, IsBoundedAndKeepsDeadlines) {
  EvalPool pool(1, 1);
  std::promise<void> gate;
  auto blocker = start(pool, [&gate](std::size_t) { gate.get_future().wait(); });
  until(pool, [](const EvalPoolStats& s) { return s.running == 1; });
  auto late = start(pool, [](std::size_t) { FAIL(); }, Deadline::after(std::chrono::seconds(0)));
  until(pool, [](const EvalPoolStats& s) { return s.queued == 1; });
  EXPECT_EQ(start(pool, [](std::size_t) { FAIL(); }).get().error().code, Code::kThrottled);
  gate.set_value();
  EXPECT_TRUE(blocker.get().ok());
  EXPECT_EQ(late.get().error().code, Code::kTimeout);
  EXPECT_EQ(pool.stats().refused, 1u);
}

awaitable<Result<std::thread::id>> where() { co_return std::this_thread::get_id(); }

awaitable<bool> there_and_back(IoThread& other) {
  const std::thread::id here = std::this_thread::get_id();
  const Result<std::thread::id> there = co_await run_on(other.context(), where());
  co_return there.ok() && *there != here&& std::this_thread::get_id() == here;
}

TEST_F(EvalPoolTest, RunOnAnotherThreadAndBack) {
  IoThread other("other");
  EXPECT_TRUE(run_blocking(io.context(), there_and_back(other)));
}

TEST_F(EvalPoolTest, StopCancelsWhatWaits) {
  EvalPool pool(1, 10);
  std::promise<void> gate;
  auto running = start(pool, [&gate](std::size_t) { gate.get_future().wait(); });
  until(pool, [](const EvalPoolStats& s) { return s.running == 1; });
  auto waiting = start(pool, [](std::size_t) { FAIL(); });
  until(pool, [](const EvalPoolStats& s) { return s.queued == 1; });
  std::thread stopper([&pool] { pool.stop(); });
  EXPECT_EQ(waiting.get().error().code, Code::kCancelled);
  gate.set_value();
  EXPECT_TRUE(running.get().ok());
  stopper.join();
  EXPECT_EQ(start(pool, [](std::size_t) { FAIL(); }).get().error().code, Code::kCancelled);
}

}  // namespace
}  // namespace portcullis::net
