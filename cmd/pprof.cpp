// Sampling by SIGPROF, and the few messages of profile.proto.
#include "cmd/pprof.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>

#include "base/text.h"
#include "net/io.h"

namespace portcullis::cmd {

namespace {

constexpr int kHertz = 100;
constexpr int kDepth = 48;
constexpr int kOwnFrames = 2;             // the handler and the kernel's trampoline
constexpr std::size_t kSamples = 16'384;  // 6 MiB while a profile is taken
constexpr int kDefaultSeconds = 30;

struct Sample {
  int depth = 0;
  std::array<void*, kDepth> frames;
};
struct Buffer {
  std::array<Sample, kSamples> samples;
  std::atomic<std::size_t> used{0};
};

std::atomic<bool> g_taken{false};
std::atomic<Buffer*> g_buffer{nullptr};
std::atomic<int> g_inside{0};  // handlers at work

void on_sample(int) {
  const int saved = errno;
  g_inside.fetch_add(1);
  if (Buffer* const buffer = g_buffer.load()) {
    const std::size_t at = buffer->used.fetch_add(1);
    if (at < kSamples) {
      Sample& sample = buffer->samples[at];
      sample.depth = ::backtrace(sample.frames.data(), kDepth);
    }
  }
  g_inside.fetch_sub(1);
  errno = saved;
}

void set_timer(int hertz) {
  itimerval timer{};
  if (hertz > 0) timer.it_interval.tv_usec = timer.it_value.tv_usec = 1'000'000 / hertz;
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

// Protocol buffers: varints and length-delimited fields are all that profile.proto needs.
class Message {
 public:
  void number(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
  }
  void bytes(int field, std::string_view value) {
    varint((static_cast<std::uint64_t>(field) << 3) | 2);
    varint(value.size());
    out_ += value;
  }
  void message(int field, const Message& value) { bytes(field, value.out_); }
  const std::string& text() const noexcept { return out_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

class Strings {
 public:
  std::uint64_t operator()(const std::string& text) {
    const auto [at, is_new] = numbers_.try_emplace(text, numbers_.size());
    if (is_new) order_.push_back(text);
    return at->second;
  }
  void write(Message& profile) const {
    for (const std::string& text : order_) profile.bytes(6, text);
  }

 private:
  std::map<std::string, std::uint64_t> numbers_{{"", 0}};
  std::vector<std::string> order_{""};
};

void value_type(Message& profile, int field, Strings& strings, const char* type, const char* unit) {
  Message message;
  message.number(1, strings(type));
  message.number(2, strings(unit));
  profile.message(field, message);
}

struct Mapping {
  std::uint64_t from = 0, to = 0, offset = 0;
  std::string file;
};
// What is mapped executable, from files.
std::vector<Mapping> code_mappings() {
  std::vector<Mapping> out;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"), &std::fclose);
  char line[4096];
  while (maps != nullptr && std::fgets(line, sizeof line, maps.get()) != nullptr && out.size() < 1024) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    unsigned long long offset = 0;
    char rights[8];
    int name = 0;
    if (std::sscanf(line, "%llx-%llx %7s %llx %*s %*s %n", &from, &to, rights, &offset, &name) < 4) continue;
    const std::string_view file = text::trim(std::string_view(line + name));
    if (rights[2] == 'x' && text::starts_with(file, "/")) out.push_back({from, to, offset, std::string(file)});
  }
  return out;
}

int seconds_of(std::string_view target) {
  const std::size_t at = target.find("seconds=");
  if (at == std::string_view::npos) return kDefaultSeconds;
  int seconds = 0;
  const std::string_view text = target.substr(at + 8);
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp(seconds, 1, kMaxProfileSeconds);
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

net::HttpResponse profile_response(std::string body, const char* name) {
  net::HttpResponse response;
  response.status = 200;
  response.content_type = "application/octet-stream";
  response.headers.add("Content-Disposition", std::string("attachment; filename=\"") + name + "\"");
  response.body = std::move(body);
  return response;
}

constexpr const char* kIndex =
    "Profiles of this process, for `go tool pprof`:\n"
    "  /debug/pprof/profile?seconds=30   where the processor's time goes (1 to 120 seconds)\n"
    "  /debug/pprof/heap                 memory in use by kind, as portcullis_memory_bytes has it\n"
    "  /debug/pprof/cmdline              the command line\n"
    "Not there, since this is no Go program: allocs, block, goroutine, mutex, threadcreate, trace, symbol. Names of\n"
    "functions come from the program's file: go tool pprof MANAGER http://127.0.0.1:6060/debug/pprof/profile\n";

std::string command_line() {
  std::string out;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/cmdline", "re"), &std::fclose);
  char buffer[65536];
  if (file != nullptr) out.assign(buffer, std::fread(buffer, 1, sizeof buffer, file.get()));
  if (!out.empty() && out.back() == '\0') out.pop_back();
  return out;
}

}  // namespace

bool CpuProfiler::start() {
  if (g_taken.exchange(true)) return false;
  void* warm[2];
  static_cast<void>(::backtrace(warm, 2));  // loads the unwinder outside of a signal handler
  g_buffer.store(new Buffer);
  struct sigaction action{};
  action.sa_handler = on_sample;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGPROF, &action, nullptr);
  set_timer(kHertz);
  return true;
}

CpuProfiler::Result CpuProfiler::stop() {
  set_timer(0);
  ::signal(SIGPROF, SIG_IGN);
  const std::unique_ptr<Buffer> buffer(g_buffer.exchange(nullptr));
  while (g_inside.load() != 0) {  // a handler ends within microseconds
  }
  Result result;
  std::map<std::vector<std::uintptr_t>, std::uint64_t> stacks;
  const std::size_t used = buffer == nullptr ? 0 : buffer->used.load();
  for (std::size_t i = 0; i < std::min(used, kSamples); ++i) {
    const Sample& sample = buffer->samples[i];
    std::vector<std::uintptr_t> frames;
    for (int at = std::min(kOwnFrames, sample.depth); at < sample.depth; ++at) {
      frames.push_back(reinterpret_cast<std::uintptr_t>(sample.frames[static_cast<std::size_t>(at)]));
    }
    if (!frames.empty()) ++stacks[frames];
  }
  result.dropped = used > kSamples ? used - kSamples : 0;
  for (auto& [frames, count] : stacks) result.stacks.push_back({frames, count});
  g_taken.store(false);
  return result;
}

std::string encode_cpu_profile(const CpuProfiler::Result& result, std::chrono::nanoseconds duration,
                               std::int64_t time_ns) {
  constexpr std::uint64_t kPeriod = 1'000'000'000 / kHertz;
  Message profile;
  Strings strings;
  value_type(profile, 1, strings, "samples", "count");
  value_type(profile, 1, strings, "cpu", "nanoseconds");
  const std::vector<Mapping> mappings = code_mappings();
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    Message mapping;
    mapping.number(1, i + 1);
    mapping.number(2, mappings[i].from);
    mapping.number(3, mappings[i].to);
    mapping.number(4, mappings[i].offset);
    mapping.number(5, strings(mappings[i].file));
    profile.message(3, mapping);
  }
  std::map<std::uintptr_t, std::uint64_t> locations;
  for (const CpuProfiler::Stack& stack : result.stacks) {
    Message sample;
    for (std::size_t depth = 0; depth < stack.frames.size(); ++depth) {
      const std::uintptr_t address = stack.frames[depth] - (depth == 0 ? 0 : 1);  // return addresses: into the call
      const auto [at, is_new] = locations.try_emplace(address, locations.size() + 1);
      sample.number(1, at->second);
      if (!is_new) continue;
      Message location;
      location.number(1, at->second);
      for (std::size_t i = 0; i < mappings.size(); ++i) {
        if (address >= mappings[i].from && address < mappings[i].to) location.number(2, i + 1);
      }
      location.number(3, address);
      profile.message(4, location);
    }
    sample.number(2, stack.count);
    sample.number(2, stack.count * kPeriod);
    profile.message(2, sample);
  }
  profile.number(9, static_cast<std::uint64_t>(time_ns));
  profile.number(10, static_cast<std::uint64_t>(duration.count()));
  value_type(profile, 11, strings, "cpu", "nanoseconds");
  profile.number(12, kPeriod);
  if (result.dropped > 0) profile.number(13, strings(std::to_string(result.dropped) + " samples did not fit"));
  strings.write(profile);
  return profile.text();
}

std::string encode_heap_profile(const std::vector<metrics::MemoryKind>& kinds, std::int64_t time_ns) {
  Message profile;
  Strings strings;
  value_type(profile, 1, strings, "inuse_space", "bytes");
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Message function;
    function.number(1, i + 1);
    function.number(2, strings(kinds[i].kind));
    function.number(3, strings(kinds[i].kind));
    profile.message(5, function);
    Message line;
    line.number(1, i + 1);
    Message location;
    location.number(1, i + 1);
    location.message(4, line);
    profile.message(4, location);
    Message sample;
    sample.number(1, i + 1);
    sample.number(2, kinds[i].bytes);
    profile.message(2, sample);
  }
  profile.number(9, static_cast<std::uint64_t>(time_ns));
  value_type(profile, 11, strings, "space", "bytes");
  profile.number(12, 1);
  strings.write(profile);
  return profile.text();
}

bool PprofHandler::handle_now(net::HttpRequest& request, net::HttpResponse& response) {
  const std::string_view path = request.path();
  if (path == "/debug/pprof/profile") return false;
  if (path == "/debug/pprof/heap") {
    response = profile_response(
        encode_heap_profile(metrics::memory_by_kind(metrics::process_memory(), memory_()), now_ns()), "heap");
    return true;
  }
  response.content_type = "text/plain; charset=utf-8";
  response.status = 200;
  if (path == "/debug/pprof/" || path == "/debug/pprof") {
    response.body = kIndex;
  } else if (path == "/debug/pprof/cmdline") {
    response.body = command_line();
  } else {
    response.status = 404;
    response.body = std::string("not there: ") + std::string(path) + "\n" + kIndex;
  }
  return true;
}

awaitable<net::HttpResponse> PprofHandler::handle(net::HttpRequest request) {
  const std::chrono::seconds wanted(seconds_of(request.target));
  if (!CpuProfiler::start()) {
    co_return net::HttpResponse::text(500, "Could not enable CPU profiling: cpu profiling already in use\n");
  }
  const auto began = std::chrono::steady_clock::now();
  const std::int64_t time_ns = now_ns();
  const Result<void> slept = co_await net::sleep_until(Deadline::after(wanted));
  const CpuProfiler::Result result = CpuProfiler::stop();
  if (!slept.ok()) co_return net::HttpResponse::text(503, "stopped\n");
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
  co_return profile_response(encode_cpu_profile(result, took, time_ns), "profile");
}

}  // namespace portcullis::cmd
