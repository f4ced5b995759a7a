// Clock, randomness and rate-limited print().
#include "cmd/engine_host.h"

#include <chrono>
#include <random>

#include "base/log.h"

namespace portcullis::cmd {

namespace {
constexpr std::uint32_t kPrintsPerSecond = 100;
}  // namespace

std::int64_t EngineHost::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t EngineHost::random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

void EngineHost::print(std::string_view line) {
  const std::int64_t second = now_ns() / 1'000'000'000;
  std::int64_t expected = print_second_.load(std::memory_order_relaxed);
  if (expected != second && print_second_.compare_exchange_strong(expected, second)) printed_.store(0);
  const std::uint32_t number = printed_.fetch_add(1, std::memory_order_relaxed);
  if (number < kPrintsPerSecond)
    log::info("rego", line);
  else if (number == kPrintsPerSecond)
    log::warning("rego", "further print() lines of this second are left out");
}

}  // namespace portcullis::cmd
