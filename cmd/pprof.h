// /debug/pprof of the manager (--enable-pprof): a CPU profile and a summary of memory in the format that `go tool
// pprof` reads. What Go's runtime has beyond that is not there, and says so. Threads: requests come on the server's I/O
// threads. One CPU profile at a time in the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/metrics/memory.h"
#include "net/http_server.h"

namespace portcullis::cmd {

inline constexpr int kMaxProfileSeconds = 120;

class PprofHandler final : public net::HttpHandler {
 public:
  explicit PprofHandler(std::function<std::vector<metrics::MemoryKind>()> memory) : memory_(std::move(memory)) {}
  bool handle_now(net::HttpRequest& request, net::HttpResponse& response) override;
  // The CPU profile: takes as long as it was asked for.
  awaitable<net::HttpResponse> handle(net::HttpRequest request) override;

 private:
  std::function<std::vector<metrics::MemoryKind>()> memory_;
};

// Call stacks of whatever uses the processor, 100 times per second of its time. Buffers are bounded; what does not fit
// is counted.
class CpuProfiler {
 public:
  static bool start();  // false: another one is running
  struct Stack {
    std::vector<std::uintptr_t> frames;  // innermost first
    std::uint64_t count = 0;
  };
  struct Result {
    std::vector<Stack> stacks;
    std::uint64_t dropped = 0;
  };
  static Result stop();
};

// Profiles as pprof's protocol buffers (not compressed, which its tools take as well).
std::string encode_cpu_profile(const CpuProfiler::Result& result, std::chrono::nanoseconds duration,
                               std::int64_t time_ns);
std::string encode_heap_profile(const std::vector<metrics::MemoryKind>& kinds, std::int64_t time_ns);

}  // namespace portcullis::cmd
