// CPU time and heap calls of one call, as the engine benchmark takes them.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace portcullis::bench {

extern double round_ns;           // how long a round takes (--round-ms)
extern std::uint64_t heap_calls;  // operator new, since the start (bench_engines.cpp replaces it)

inline double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Median of five rounds of about `round_ns` each.
template <typename Call>
double measure(Call&& call) {
  constexpr std::size_t kRounds = 5;
  std::size_t count = 1;
  for (;;) {
    const double start = cpu_ns();
    for (std::size_t i = 0; i < count; ++i) call();
    const double took = cpu_ns() - start;
    if (took >= round_ns / 2) {
      count = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(count) * round_ns / took));
      break;
    }
    count *= 2;
  }
  std::array<double, kRounds> rounds{};
  for (double& round : rounds) {
    const double start = cpu_ns();
    for (std::size_t i = 0; i < count; ++i) call();
    round = (cpu_ns() - start) / static_cast<double>(count);
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

}  // namespace portcullis::bench
