// I/O threads: one io_context run by exactly one thread, so that everything bound to it needs no lock and no strand.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace portcullis::net {

// Threads: context() may be posted to from any thread; objects bound to it are used on its thread only.
// Lifetime: stop() (or the destructor) ends the loop and joins; coroutines still suspended are then destroyed with the
// context, so what they refer to must outlive the IoThread.
class IoThread {
 public:
  explicit IoThread(std::string name);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }
  // Ends the loop after the handler that runs now, and joins. Idempotent; not callable from the thread itself.
  void stop();

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

// A fixed number of IoThreads.
class IoPool {
 public:
  explicit IoPool(std::size_t threads, const std::string& name = "io");
  std::size_t size() const noexcept { return threads_.size(); }
  IoThread& at(std::size_t index) { return *threads_.at(index); }
  void stop();

 private:
  std::vector<std::unique_ptr<IoThread>> threads_;
};

}  // namespace portcullis::net
