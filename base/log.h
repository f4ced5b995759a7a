// Structured logs in the shape of Gatekeeper's (zap, production JSON): one object per line with "level", "ts",
// "logger", "msg", then the fields of the call. Written to stderr, or to the sink a test installs.
// Threads: any. Cost: nothing but a level check when the level is off. Never blocks on anything but the write itself.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace portcullis::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

// A value that is already JSON text (an object, a list, null) and is written as it is.
struct Json {
  std::string text;
};

struct Field {
  std::string_view key;
  std::variant<std::string_view, std::string, std::int64_t, double, bool, Json> value;
};

void set_level(Level level) noexcept;
// Names as Gatekeeper's --log-level takes them: DEBUG, INFO, WARNING, ERROR. False for any other.
bool parse_level(std::string_view text, Level& level) noexcept;
// The JSON key of the level ("level" unless --log-level-key says otherwise) and whether it is upper case.
void set_level_format(std::string key, bool upper_case);
bool enabled(Level level) noexcept;

// `logger` may be empty (the key is then left out), e.g. "webhook", "controller".
void write(Level level, std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, logger, message, fields);
}
inline void info(std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kInfo)) write(Level::kInfo, logger, message, fields);
}
inline void warning(std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kWarning)) write(Level::kWarning, logger, message, fields);
}
inline void error(std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kError)) write(Level::kError, logger, message, fields);
}

// Sends every line to `sink` (without the newline) instead of stderr; an empty function restores stderr. For tests, and
// for whoever writes in a thread of its own (net/log_writer.h). Called under a lock: it must not block, nor log.
void set_sink(std::function<void(std::string_view)> sink);

}  // namespace portcullis::log
