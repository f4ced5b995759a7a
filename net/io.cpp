// Error codes into Results, and the few operations everything else is made of.
#include "net/io.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>

#include "base/log.h"
#include "net/watchdog.h"

namespace portcullis::net {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
std::atomic<std::uint64_t> g_failed_coroutines{0};

// Cancels an operation on any Asio object when its deadline passes.
template <typename Object>
class CancelAt final : public Expirable {
 public:
  CancelAt(asio::io_context& context, Object& object, Deadline deadline) : Expirable(context), object_(object) {
    set_deadline(deadline);
  }
  bool late() const noexcept { return expired(); }

 private:
  void on_expired() noexcept override {
    try {
      object_.cancel();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a socket that is gone needs no cancelling
    }
  }
  Object& object_;
};

asio::io_context& context_of(const asio::any_io_executor& executor) {
  return static_cast<asio::io_context&>(asio::query(executor, asio::execution::context));
}

Error late(std::string_view what) { return make_error(Code::kTimeout, std::string(what) + ": deadline exceeded"); }

}  // namespace

Error to_error(const boost::system::error_code& code, std::string_view what) {
  Code mapped = Code::kUnavailable;
  if (code == asio::error::operation_aborted) mapped = Code::kCancelled;
  if (code == asio::error::timed_out) mapped = Code::kTimeout;
  return make_error(mapped, std::string(what) + ": " + code.message());
}

awaitable<Result<void>> wait_ready(Tcp::socket& socket, WaitFor what) {
  const auto kind = what == WaitFor::kRead ? Tcp::socket::wait_read : Tcp::socket::wait_write;
  const auto [code] = co_await socket.async_wait(kind, kTuple);
  if (code) co_return to_error(code, "wait");
  co_return ok();
}

awaitable<Result<Tcp::socket>> accept(Tcp::acceptor& acceptor, asio::io_context& target) {
  const asio::any_io_executor executor = target.get_executor();
  auto accepted = co_await acceptor.async_accept(executor, kTuple);
  if (std::get<0>(accepted)) co_return to_error(std::get<0>(accepted), "accept");
  co_return std::move(std::get<1>(accepted));
}

awaitable<Result<std::vector<Tcp::endpoint>>> resolve(std::string host, std::uint16_t port, Deadline deadline) {
  boost::system::error_code not_literal;
  const asio::ip::address address = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return std::vector<Tcp::endpoint>{Tcp::endpoint(address, port)};

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Tcp::resolver resolver(executor);
  const CancelAt<Tcp::resolver> guard(context_of(executor), resolver, deadline);
  const std::string service = std::to_string(port);
  auto resolved = co_await resolver.async_resolve(host, service, Tcp::resolver::numeric_service, kTuple);
  if (guard.late()) co_return late("resolve " + host);
  if (std::get<0>(resolved)) co_return to_error(std::get<0>(resolved), "resolve " + host);
  std::vector<Tcp::endpoint> endpoints;
  for (const auto& entry : std::get<1>(resolved)) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

awaitable<Result<Tcp::socket>> connect(std::vector<Tcp::endpoint> endpoints, Deadline deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Error last = make_error(Code::kUnavailable, "connect: no address");
  for (const Tcp::endpoint& endpoint : endpoints) {
    Tcp::socket socket(executor);
    const CancelAt<Tcp::socket> guard(context_of(executor), socket, deadline);
    const std::string what = "connect " + endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
    const auto connected = co_await socket.async_connect(endpoint, kTuple);
    const boost::system::error_code code = std::get<0>(connected);
    if (guard.late()) co_return late(what);
    if (!code) {
      boost::system::error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      co_return std::move(socket);
    }
    last = to_error(code, what);
  }
  co_return last;
}

Result<Tcp::acceptor> listen_on(asio::io_context& context, const std::string& host, std::uint16_t port) {
  boost::system::error_code code;
  asio::ip::address address = asio::ip::address_v6::any();
  if (!host.empty()) {
    address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
    if (code) return make_error(Code::kInvalid, "listen: \"" + host + "\" is not an IP address");
  }
  const std::string what = "listen on " + (host.empty() ? std::string() : host) + ":" + std::to_string(port);
  Tcp::acceptor acceptor(context);
  acceptor.open(address.is_v6() ? Tcp::v6() : Tcp::v4(), code);
  if (code && host.empty()) {  // no IPv6 here
    address = asio::ip::address_v4::any();
    acceptor.open(Tcp::v4(), code);
  }
  if (code) return to_error(code, what);
  acceptor.set_option(Tcp::acceptor::reuse_address(true), code);
  if (host.empty() && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), code);
  acceptor.bind(Tcp::endpoint(address, port), code);
  if (!code) acceptor.listen(1024, code);
  if (code) return to_error(code, what);
  return acceptor;
}

awaitable<Result<void>> sleep_until(Deadline deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, deadline.when());
  const auto [code] = co_await timer.async_wait(kTuple);
  if (code) co_return to_error(code, "sleep");
  co_return ok();
}

awaitable<void> yield() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

void spawn(asio::io_context& context, awaitable<void> coroutine, std::string name) {
  asio::co_spawn(context, std::move(coroutine), [name = std::move(name)](std::exception_ptr failure) {
    if (!failure) return;
    g_failed_coroutines.fetch_add(1, std::memory_order_relaxed);
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log::error("net", "coroutine ended by an exception", {{"coroutine", name}, {"error", std::string(error.what())}});
    } catch (...) {
      log::error("net", "coroutine ended by an exception", {{"coroutine", name}});
    }
  });
}

std::uint64_t failed_coroutines() noexcept { return g_failed_coroutines.load(std::memory_order_relaxed); }

void post(asio::io_context& context, std::function<void()> function) { asio::post(context, std::move(function)); }

awaitable<asio::io_context*> this_context() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_return &context_of(executor);
}

struct Signal::Impl {
  // In the frame of its wait(); leaves the list with it, whatever ends the frame.
  struct Waiter {
    explicit Waiter(std::shared_ptr<Impl> s) : self(std::move(s)), timer(self->context) {
      at = self->waiters.insert(self->waiters.end(), this);
    }
    ~Waiter() {
      if (!notified) self->waiters.erase(at);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    std::shared_ptr<Impl> self;
    asio::steady_timer timer;
    std::list<Waiter*>::iterator at;
    bool notified = false;
  };
  explicit Impl(asio::io_context& c) : context(c) {}
  asio::io_context& context;
  std::list<Waiter*> waiters;  // oldest first

  static awaitable<bool> wait(std::shared_ptr<Impl> self, Deadline deadline) {
    Waiter waiter(std::move(self));
    waiter.timer.expires_at(deadline.when());
    const auto [code] = co_await waiter.timer.async_wait(kTuple);
    static_cast<void>(code);
    co_return waiter.notified;
  }
  void notify(Waiter& waiter) {
    waiter.notified = true;
    waiter.timer.cancel();
  }
};

Signal::Signal(asio::io_context& context) : impl_(std::make_shared<Impl>(context)) {}
Signal::~Signal() { notify_all(); }

awaitable<bool> Signal::wait(Deadline deadline) { return Impl::wait(impl_, deadline); }

void Signal::notify_one() {
  if (impl_->waiters.empty()) return;
  Impl::Waiter& first = *impl_->waiters.front();
  impl_->waiters.pop_front();
  impl_->notify(first);
}

void Signal::notify_all() {
  while (!impl_->waiters.empty()) notify_one();
}

}  // namespace portcullis::net
