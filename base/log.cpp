// JSON lines to stderr, one write(2) each, so that lines of several threads do not mix.
#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>

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
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t wrote = ::write(STDERR_FILENO, line.data() + done, line.size() - done);
    if (wrote <= 0) break;  // nobody to tell
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace portcullis::log
