// Go's durations as text: what flags, query parameters, log fields and time.parse_duration_ns carry.
// Threads: any. Rules: the Go package time, ParseDuration and Duration.String.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis {

enum class GoDurationUnits : std::uint8_t {
  kGo,       // ns us µs ms s m h
  kUpToYear  // and d, w, y, as OPA takes them
};

// "1h30m", "-1.5s", "0". Nothing when malformed or beyond int64 nanoseconds; `why`, where given, then holds Go's
// message
// ("time: invalid duration \"x\"").
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text, std::string* why = nullptr,
                                                          GoDurationUnits units = GoDurationUnits::kGo);

// "1h30m0s", "10s", "1.5ms", "0s": exact to the nanosecond.
std::string go_duration(std::chrono::nanoseconds span);

}  // namespace portcullis
