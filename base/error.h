// Errors as values. A Result<T> holds a T or an Error; nothing in this program reports failure any other way.
// Rego "undefined" and policy violations are data, not errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace portcullis {

// What the caller should do, not where the failure came from.
enum class Code : std::uint8_t {
  kInvalid,      // the input is wrong: show the message to whoever wrote it, never retry
  kNotFound,     // the thing does not exist
  kConflict,     // somebody changed it meanwhile: read again and retry
  kGone,         // the position in a stream is too old: start over with a list
  kDenied,       // not authenticated or not allowed
  kThrottled,    // the other side asks for less: retry later
  kUnavailable,  // the other side cannot be reached or is failing: retry with backoff
  kTimeout,      // the deadline passed
  kLimit,        // a bound of ours was hit (size, depth, memory, instructions)
  kCancelled,    // we are stopping
  kUnsupported,  // a feature that is not there
  kBug,          // an impossible state; report it
};

// Stable lower-case name of a code ("invalid", "not_found", …) for logs and metrics.
std::string_view code_name(Code code) noexcept;

struct Error {
  Code code = Code::kBug;            // a default Error is a bug: Result<T>{} must not look like success
  std::string message;               // what happened, for a person
  std::vector<std::string> context;  // innermost first: "target admission.k8s.gatekeeper.sh", "template k8spsp"

  // "outermost: …: innermost: message".
  std::string to_string() const;
};

inline Error make_error(Code code, std::string message) { return Error{code, std::move(message), {}}; }

// Value or error. Movable; copyable when T and E are. Accessing the wrong side is a bug and terminates.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result() : state_(std::in_place_index<1>) {}
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & { return std::get<1>(state_); }
  const E& error() const& { return std::get<1>(state_); }
  E&& error() && { return std::get<1>(std::move(state_)); }

  // Adds where it happened, on the way up; only for E = Error.
  Result&& with_context(std::string where) && {
    if (!ok()) error().context.push_back(std::move(where));
    return std::move(*this);
  }

 private:
  std::variant<T, E> state_;
};

template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() : failed_(true) {}                                   // as for Result<T>: a default Result is an error
  Result(E error) : failed_(true), error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  static Result success() {
    Result result;
    result.failed_ = false;
    return result;
  }

  bool ok() const noexcept { return !failed_; }
  explicit operator bool() const noexcept { return ok(); }
  E& error() & { return error_; }
  const E& error() const& { return error_; }
  E&& error() && { return std::move(error_); }

  Result&& with_context(std::string where) && {
    if (failed_) error_.context.push_back(std::move(where));
    return std::move(*this);
  }

 private:
  bool failed_;
  E error_{};
};

inline Result<void> ok() { return Result<void>::success(); }

// Counts and logs an impossible state, returns an Error of kBug; PC_BUG("…") fills in the place.
Error report_bug(std::string_view what, const char* file, int line);
std::uint64_t bug_count() noexcept;

}  // namespace portcullis

#define PC_CONCAT_INNER(a, b) a##b
#define PC_CONCAT(a, b) PC_CONCAT_INNER(a, b)

#define PC_TRY_IMPL(keyword, tmp, decl, ...)     \
  auto tmp = (__VA_ARGS__);                      \
  if (!tmp.ok()) keyword std::move(tmp).error(); \
  decl = std::move(tmp).value()
#define PC_TRY_VOID_IMPL(keyword, tmp, ...)        \
  do {                                             \
    auto tmp = (__VA_ARGS__);                      \
    if (!tmp.ok()) keyword std::move(tmp).error(); \
  } while (false)

// PC_TRY(auto x, f());  returns f's error from the enclosing function, or declares x.
#define PC_TRY(decl, ...) PC_TRY_IMPL(return, PC_CONCAT(pc_try_, __COUNTER__), decl, __VA_ARGS__)
#define PC_TRY_VOID(...) PC_TRY_VOID_IMPL(return, PC_CONCAT(pc_try_, __COUNTER__), __VA_ARGS__)
// The same inside a coroutine; the expression must not contain co_await (see STYLE.md, Async, rule 2).
#define PC_CO_TRY(decl, ...) PC_TRY_IMPL(co_return, PC_CONCAT(pc_try_, __COUNTER__), decl, __VA_ARGS__)
#define PC_CO_TRY_VOID(...) PC_TRY_VOID_IMPL(co_return, PC_CONCAT(pc_try_, __COUNTER__), __VA_ARGS__)

#define PC_BUG(what) ::portcullis::report_bug((what), __FILE__, __LINE__)

#ifdef NDEBUG
#define PC_DCHECK(condition) static_cast<void>(0)
#else
#define PC_DCHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::portcullis::dcheck_failed(#condition, __FILE__, __LINE__))
#endif

namespace portcullis {
[[noreturn]] void dcheck_failed(const char* condition, const char* file, int line);
}  // namespace portcullis
