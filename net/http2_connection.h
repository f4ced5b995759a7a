// Drives one HTTP/2 connection: moves bytes between a Transport and an Http2Session, runs the handlers of its streams
// beside each other on the connection's thread, and keeps the deadlines.
// Threads: the connection's I/O thread only. Internal to net/.
#pragma once

#include <cstddef>
#include <string>

#include "net/http2_session.h"
#include "net/io.h"
#include "net/request_runner.h"
#include "net/transport.h"

namespace portcullis::net {

class Http2Connection {
 public:
  // All outlive the connection.
  Http2Connection(boost::asio::io_context& context, Transport& transport, const Peer& peer, RequestRunner& runner);

  // Serves until the peer or a drain ends it, and every handler that was started has ended.
  awaitable<void> run();
  // The graceful end: the peer hears that no new streams will be served, those that run are answered. Returns at once.
  void drain();

 private:
  void start_ready();
  awaitable<void> handle(Http2Stream* stream);
  awaitable<void> finish(Http2Stream* stream);
  awaitable<void> stream_body(Http2Stream* stream);
  awaitable<void> say_goodbye();
  awaitable<bool> read_some(bool* progress);
  awaitable<void> flush();
  void answer(Http2Stream& stream);
  static bool is_streamed(const Http2Stream& stream);
  void set_deadline();
  bool on_late();
  void leave();

  boost::asio::io_context& context_;
  Transport& transport_;
  const Peer& peer_;
  RequestRunner& runner_;
  Http2Session session_;
  Signal changed_;           // running_ fell, or output was written
  std::size_t running_ = 0;  // coroutines besides run() that use this object
  bool writing_ = false;
  bool draining_ = false;
  bool ended_ = false;  // the peer has gone, or broke the protocol
  bool said_goodbye_ = false;
  Deadline read_until_ = Deadline::never();
  Deadline write_until_ = Deadline::never();
  enum class Awaited : std::uint8_t { kRequest, kHandlers, kWindow, kNext };
  Awaited awaited_ = Awaited::kHandlers;  // what read_until_ bounds
  bool progressed_ = false;               // something was read or written since it was set
  std::int32_t oldest_ = 0;               // the stream whose end read_until_ waits for
  std::string in_;
  std::string out_;
};

}  // namespace portcullis::net
