// One thread, one bounded string.
#include "net/log_writer.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"

namespace portcullis::net {

namespace {

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
    if (wrote <= 0) return;  // nobody to tell
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

struct Writer {
  std::atomic<bool> started{false};
  std::mutex mutex;
  std::condition_variable filled;
  std::condition_variable emptied;
  std::string pending;
  std::size_t max_bytes = 0;
  std::uint64_t dropped = 0;
  bool writing = false;

  void add(std::string_view line) {
    {
      const std::lock_guard lock(mutex);
      if (pending.size() + line.size() + 1 > max_bytes) {
        ++dropped;
        return;
      }
      pending += line;
      pending += '\n';
    }
    filled.notify_one();
  }

  [[noreturn]] void run() {
    std::string out;
    std::unique_lock lock(mutex);
    for (;;) {
      filled.wait(lock, [this] { return !pending.empty(); });
      out.clear();
      out.swap(pending);
      const std::uint64_t lost = std::exchange(dropped, 0);
      writing = true;
      lock.unlock();
      write_all(out);
      if (lost > 0) {
        log::warning("log", "lines were dropped: nobody took them from standard error",
                     {{"lines", static_cast<std::int64_t>(lost)}});
      }
      lock.lock();
      writing = false;
      if (pending.empty()) emptied.notify_all();
    }
  }
};

Writer& writer() {
  static Writer* instance = new Writer;  // its thread goes on to the end of the process
  return *instance;
}

}  // namespace

void write_log_in_background(std::size_t max_bytes) {
  Writer& w = writer();
  if (w.started.exchange(true)) return;
  {
    const std::lock_guard lock(w.mutex);
    w.max_bytes = max_bytes;
  }
  std::thread([&w] { w.run(); }).detach();
  log::set_sink([&w](std::string_view line) { w.add(line); });
}

bool flush_log(std::chrono::milliseconds at_most) {
  Writer& w = writer();
  if (!w.started.load()) return true;
  std::unique_lock lock(w.mutex);
  return w.emptied.wait_for(lock, at_most, [&w] { return w.pending.empty() && !w.writing; });
}

std::size_t log_bytes() {
  Writer& w = writer();
  const std::lock_guard lock(w.mutex);
  return w.pending.capacity();
}

}  // namespace portcullis::net
