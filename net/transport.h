// One TCP connection, plain or TLS, non-blocking, with a deadline over whatever is going on. OpenSSL works on the
// socket itself (no copies through memory buffers), and bytes that are there are read without suspending the coroutine.
// Threads: the io_context's thread only. Internal to net/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/io.h"
#include "net/tls.h"
#include "net/watchdog.h"

struct ssl_st;

namespace portcullis::net {

enum class IoStatus : std::uint8_t { kDone, kWantRead, kWantWrite, kEnd, kFailed };

class Transport final : public Expirable {
 public:
  Transport(boost::asio::io_context& context, Tcp::socket socket);
  ~Transport() override;

  // Begin TLS; handshake() must follow. kBug when OpenSSL refuses.
  Result<void> start_tls(std::shared_ptr<const TlsServerContext> context);
  Result<void> start_tls(std::shared_ptr<const TlsClientContext> context, const std::string& host);
  // kTimeout; kDenied: the peer's certificate (or its absence) is not acceptable; kUnavailable: anything else.
  awaitable<Result<void>> handshake();

  // At most `size` bytes now. kDone with `done` > 0; kEnd at the peer's end; kFailed: error() has it.
  IoStatus try_read(char* data, std::size_t size, std::size_t& done);
  IoStatus try_write(const char* data, std::size_t size, std::size_t& done);
  // Waits for what kWantRead or kWantWrite asked for. kTimeout past the deadline, kCancelled after cancel().
  awaitable<Result<void>> wait(IoStatus wanted);
  awaitable<Result<void>> write_all(std::string_view data);

  // Something can be read, or the peer has gone: an idle connection in this state is of no use.
  bool stirred();
  // Ends waits with kCancelled, now and later.
  void cancel() noexcept;
  // Says goodbye (TLS close_notify, best effort) and closes. shutdown_write() closes our half only.
  void close() noexcept;
  void shutdown_write() noexcept;

  bool is_tls() const noexcept { return ssl_ != nullptr; }
  std::string peer_address() const;
  std::string peer_common_name() const;  // of its certificate; empty without one
  std::string peer_chain_pem() const;
  std::string_view alpn() const noexcept;
  const Error& error() const noexcept { return error_; }

 private:
  void on_expired() noexcept override;
  IoStatus tls_result(int result, std::string_view what);
  Result<void> check_alive() const;

  Tcp::socket socket_;
  int fd_;
  ssl_st* ssl_ = nullptr;
  std::shared_ptr<const void> tls_context_;  // keeps what OpenSSL callbacks refer to
  bool verifies_peer_ = false;
  bool cancelled_ = false;
  Error error_;
};

}  // namespace portcullis::net
