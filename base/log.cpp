// JSON lines to stderr, whole lines in each write(2), so that lines of several threads do not mix.
#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include "base/text.h"

namespace portcullis::log {

namespace {

struct State {
  std::atomic<Level> level{Level::kInfo};
  std::mutex mutex;
  std::string level_key = "level";
  bool upper_case = false;
  std::function<void(std::string_view)> sink;
};

State& state() {
  static State* instance = new State;
  return *instance;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
    if (wrote <= 0) return;  // nobody to tell
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// Lines that wait for the thread that writes.
struct Background {
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
      if (pending.size() + line.size() > max_bytes) {
        ++dropped;
        return;
      }
      pending += line;
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
      if (lost > 0) {  // its own line, though that waits for its turn, too
        warning("log", "lines were dropped: nobody took them from standard error",
                {{"lines", static_cast<std::int64_t>(lost)}});
      }
      lock.lock();
      writing = false;
      if (pending.empty()) emptied.notify_all();
    }
  }
};

Background& background() {
  static Background* instance = new Background;
  return *instance;
}

std::string_view level_text(Level level, bool upper_case) noexcept {
  switch (level) {
    case Level::kDebug: return upper_case ? "DEBUG" : "debug";
    case Level::kInfo: return upper_case ? "INFO" : "info";
    case Level::kWarning: return upper_case ? "WARN" : "warn";
    case Level::kError: return upper_case ? "ERROR" : "error";
  }
  return "info";
}

struct ValueWriter {
  std::string& out;
  void operator()(std::string_view text) const { text::append_json_string(out, text); }
  void operator()(const std::string& text) const { text::append_json_string(out, text); }
  void operator()(std::int64_t number) const { out += std::to_string(number); }
  void operator()(double number) const {
    if (!std::isfinite(number)) {
      out += "null";
      return;
    }
    char buffer[32];
    out.append(buffer, static_cast<std::size_t>(std::snprintf(buffer, sizeof buffer, "%.9g", number)));
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(const Json& json) const { out += json.text.empty() ? "null" : json.text; }
};

}  // namespace

void set_level(Level level) noexcept { state().level.store(level, std::memory_order_relaxed); }

bool enabled(Level level) noexcept { return level >= state().level.load(std::memory_order_relaxed); }

bool parse_level(std::string_view name, Level& level) noexcept {
  if (name == "DEBUG")
    level = Level::kDebug;
  else if (name == "INFO")
    level = Level::kInfo;
  else if (name == "WARNING")
    level = Level::kWarning;
  else if (name == "ERROR")
    level = Level::kError;
  else
    return false;
  return true;
}

void set_level_format(std::string key, bool upper_case) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.level_key = std::move(key);
  s.upper_case = upper_case;
}

void set_sink(std::function<void(std::string_view)> sink) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.sink = std::move(sink);
}

void write(Level level, std::string_view logger, std::string_view message, std::initializer_list<Field> fields) {
  State& s = state();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::lock_guard lock(s.mutex);
  std::string line = "{";
  text::append_json_string(line, s.level_key);
  line += ":\"";
  line += level_text(level, s.upper_case);
  char stamp[48];
  std::snprintf(stamp, sizeof stamp, "\",\"ts\":%.7f", std::chrono::duration<double>(now).count());
  line += stamp;
  if (!logger.empty()) {
    line += ",\"logger\":";
    text::append_json_string(line, logger);
  }
  line += ",\"msg\":";
  text::append_json_string(line, message);
  for (const Field& field : fields) {
    line += ',';
    text::append_json_string(line, field.key);
    line += ':';
    std::visit(ValueWriter{line}, field.value);
  }
  line += '}';
  if (s.sink) {
    s.sink(line);
    return;
  }
  line += '\n';
  if (background().started.load(std::memory_order_acquire)) {
    background().add(line);
  } else {
    write_all(line);
  }
}

void start_background(std::size_t max_bytes) {
  Background& b = background();
  if (b.started.exchange(true)) return;
  {
    const std::lock_guard lock(b.mutex);
    b.max_bytes = max_bytes;
  }
  std::thread([&b] { b.run(); }).detach();
}

bool flush(std::chrono::milliseconds at_most) {
  Background& b = background();
  if (!b.started.load()) return true;
  std::unique_lock lock(b.mutex);
  return b.emptied.wait_for(lock, at_most, [&b] { return b.pending.empty() && !b.writing; });
}

std::size_t background_bytes() {
  Background& b = background();
  const std::lock_guard lock(b.mutex);
  return b.pending.capacity();
}

}  // namespace portcullis::log
