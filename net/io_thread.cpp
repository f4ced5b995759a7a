// I/O threads: naming, running, stopping.
#include "net/io_thread.h"

#include <pthread.h>

#include <exception>

#include "base/log.h"

namespace portcullis::net {

namespace {

void run(boost::asio::io_context& context, const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& failure) {
      // Coroutines report their own exceptions (net::spawn); what arrives here is a bug, and one bug must not end I/O.
      log::error("net", "exception on an I/O thread", {{"error", std::string(failure.what())}});
    }
  }
}

}  // namespace

IoThread::IoThread(std::string name)
    : work_(boost::asio::make_work_guard(context_)), thread_([this, name = std::move(name)] { run(context_, name); }) {}

IoThread::~IoThread() { stop(); }

void IoThread::stop() {
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

IoPool::IoPool(std::size_t threads, const std::string& name) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.push_back(std::make_unique<IoThread>(name + "-" + std::to_string(i)));
  }
}

void IoPool::stop() {
  for (auto& thread : threads_) thread->stop();
}

}  // namespace portcullis::net
