// The only place that turns error codes into Results and names Asio's completion tokens. Everything else awaits these.
// Threads: each call runs on the thread of the io_context its arguments belong to.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "net/awaitable.h"

namespace portcullis::net {

using Tcp = boost::asio::ip::tcp;

enum class WaitFor : std::uint8_t { kRead, kWrite };

// kCancelled when the operation was cancelled, kTimeout for ETIMEDOUT, else kUnavailable; "what: reason".
Error to_error(const boost::system::error_code& code, std::string_view what);

// Until the socket can be read or written without blocking. kCancelled after socket.cancel() or close().
awaitable<Result<void>> wait_ready(Tcp::socket& socket, WaitFor what);
awaitable<Result<Tcp::socket>> accept(Tcp::acceptor& acceptor, boost::asio::io_context& target);

// Addresses of a host name or literal. kUnavailable, kTimeout.
awaitable<Result<std::vector<Tcp::endpoint>>> resolve(std::string host, std::uint16_t port, Deadline deadline);
// The first address that answers, with TCP_NODELAY set. kUnavailable names the last failure; kTimeout.
awaitable<Result<Tcp::socket>> connect(std::vector<Tcp::endpoint> endpoints, Deadline deadline);

// A listening socket on `host` (empty: every address, IPv6 dual-stack where there is one) with SO_REUSEADDR.
// kInvalid: not an address; kUnavailable: in use or not allowed. `port` 0 picks a free one.
Result<Tcp::acceptor> listen_on(boost::asio::io_context& context, const std::string& host, std::uint16_t port);

// Returns at `deadline`; ok() then, kCancelled when the coroutine is being cancelled.
awaitable<Result<void>> sleep_until(Deadline deadline);
// Lets other work of this thread run.
awaitable<void> yield();

// Starts a coroutine on `context`. An exception that leaves it is logged with `name` and counted; it ends nothing else.
void spawn(boost::asio::io_context& context, awaitable<void> coroutine, std::string name);
std::uint64_t failed_coroutines() noexcept;

// Runs `function` once on the context's thread (for calls from other threads).
void post(boost::asio::io_context& context, std::function<void()> function);

// The io_context of the running coroutine.
awaitable<boost::asio::io_context*> this_context();

// A one-shot or repeated signal between coroutines of one thread: wait() returns at the next notify() or at the
// deadline. notify_all() before wait() is not remembered: check the condition first. Not for use across threads.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& context);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  // True when notified, false at the deadline.
  awaitable<bool> wait(Deadline deadline);
  void notify_one();
  void notify_all();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::net
