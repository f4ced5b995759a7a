// The evaluation pool: a bounded queue and its threads.
#include "net/eval_pool.h"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "net/io.h"

namespace portcullis::net {

namespace {

struct Job {
  Job(boost::asio::io_context& c, std::function<void(std::size_t)> t, Deadline d)
      : context(c), task(std::move(t)), deadline(d), signal(c) {}
  boost::asio::io_context& context;
  std::function<void(std::size_t)> task;
  Deadline deadline;
  Signal signal;  // on the caller's thread, as the two below
  bool ended = false;
  Code outcome = Code::kCancelled;
  bool ran = false;
};

void finish(const std::shared_ptr<Job>& job, bool ran, Code otherwise) {
  post(job->context, [job, ran, otherwise] {
    job->ended = true;
    job->ran = ran;
    job->outcome = otherwise;
    job->signal.notify_all();
  });
}

}  // namespace

struct EvalPool::Impl {
  explicit Impl(std::size_t limit) : max_queued(limit) {}
  void work(std::size_t worker);

  const std::size_t max_queued;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::shared_ptr<Job>> queue;
  bool stopping = false;
  EvalPoolStats stats;
  std::vector<std::thread> threads;
};

void EvalPool::Impl::work(std::size_t worker) {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping) return;
    std::shared_ptr<Job> job = std::move(queue.front());
    queue.pop_front();
    if (job->deadline.passed()) {
      ++stats.late;
      finish(job, false, Code::kTimeout);
      continue;
    }
    ++stats.running;
    lock.unlock();
    job->task(worker);
    finish(job, true, Code::kCancelled);
    job.reset();
    lock.lock();
    --stats.running;
    ++stats.finished;
  }
}

EvalPool::EvalPool(std::size_t threads, std::size_t max_queued, const std::string& name)
    : impl_(std::make_shared<Impl>(max_queued)) {
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), i, name] {
      pthread_setname_np(pthread_self(), (name + "-" + std::to_string(i)).substr(0, 15).c_str());
      impl->work(i);
    });
  }
}

EvalPool::~EvalPool() { stop(); }

std::size_t EvalPool::size() const noexcept { return impl_->threads.size(); }

awaitable<Result<void>> EvalPool::run(std::function<void(std::size_t)> task, Deadline deadline) {
  boost::asio::io_context* context = co_await this_context();
  auto job = std::make_shared<Job>(*context, std::move(task), deadline);
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) co_return make_error(Code::kCancelled, "stopping");
    if (impl_->queue.size() >= impl_->max_queued) {
      ++impl_->stats.refused;
      co_return make_error(Code::kThrottled, "too many evaluations are waiting");
    }
    impl_->queue.push_back(job);
  }
  impl_->wake.notify_one();
  while (!job->ended) {
    const bool notified = co_await job->signal.wait(Deadline::never());
    static_cast<void>(notified);
  }
  if (job->ran) co_return ok();
  co_return make_error(job->outcome,
                       job->outcome == Code::kTimeout ? "deadline passed while waiting for a thread" : "stopping");
}

void EvalPool::stop() {
  std::deque<std::shared_ptr<Job>> waiting;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    waiting.swap(impl_->queue);
  }
  impl_->wake.notify_all();
  for (const auto& job : waiting) finish(job, false, Code::kCancelled);
  for (std::thread& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

EvalPoolStats EvalPool::stats() const {
  const std::lock_guard lock(impl_->mutex);
  EvalPoolStats stats = impl_->stats;
  stats.queued = impl_->queue.size();
  return stats;
}

}  // namespace portcullis::net
