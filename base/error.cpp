// Names of error codes, and the reporting of impossible states.
#include "base/error.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace portcullis {

namespace {
std::atomic<std::uint64_t> g_bugs{0};
}  // namespace

std::string_view code_name(Code code) noexcept {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not_found";
    case Code::kConflict: return "conflict";
    case Code::kGone: return "gone";
    case Code::kDenied: return "denied";
    case Code::kThrottled: return "throttled";
    case Code::kUnavailable: return "unavailable";
    case Code::kTimeout: return "timeout";
    case Code::kLimit: return "limit";
    case Code::kCancelled: return "cancelled";
    case Code::kUnsupported: return "unsupported";
    case Code::kBug: return "bug";
  }
  return "bug";
}

std::string Error::to_string() const {
  std::string text;
  for (auto it = context.rbegin(); it != context.rend(); ++it) {
    text += *it;
    text += ": ";
  }
  text += message;
  return text;
}

Error report_bug(std::string_view what, const char* file, int line) {
  g_bugs.fetch_add(1, std::memory_order_relaxed);
  std::string message = "internal error: ";
  message += what;
  message += " (";
  message += file;
  message += ":";
  message += std::to_string(line);
  message += "); please report this";
  std::fprintf(stderr, "%s\n", message.c_str());
  return Error{Code::kBug, std::move(message), {}};
}

std::uint64_t bug_count() noexcept { return g_bugs.load(std::memory_order_relaxed); }

void dcheck_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace portcullis
