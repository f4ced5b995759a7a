// The server's side of one HTTP/2 connection (RFC 9113) as a state machine over nghttp2: bytes in, requests out;
// responses in, bytes out. No sockets and no clock; who drives it does both (net/http2_connection.h).
// Bounds: concurrent streams, head and body of a request, all bodies of the connection together, handlers that run for
// streams the peer has given up, and resets (a peer that opens streams only to reset them is told to go).
// Threads: one at a time. Internal to net/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "net/http_server.h"

struct nghttp2_session;

namespace portcullis::net {

struct Http2Limits {
  std::uint32_t max_streams = 250;  // at once, as Go's server advertises
  std::size_t max_head_bytes = 64 * 1024;
  std::size_t max_body_bytes = 7 * 1024 * 1024;
  std::size_t max_buffered_bytes = 64 * 1024 * 1024;  // all bodies that are being received: above, streams are refused
  std::uint64_t spare_resets = 1000;                  // resets by the peer beyond one for each answered request
};

struct Http2Stream {
  std::int32_t id = 0;
  HttpRequest request;
  HttpResponse response;
  std::optional<Reject> reject;  // why the request is not to be handled

  // The session's own bookkeeping.
  std::size_t head_bytes = 0;
  std::size_t buffered = 0;  // of request.body, as long as it counts against the connection's bound
  std::size_t sent = 0;      // of response.body
  bool receiving = true;     // the peer has not sent all of it
  bool queued = false;       // next() has it, or will
  bool head_only = false;
  bool begun = false;       // its head is complete
  bool handed_out = false;  // next() returned it, and respond() was not called yet
  bool answered = false;    // the response, or a reset, is with nghttp2
  bool gone = false;        // nghttp2 knows it no longer
  bool more = false;        // streamed body: pieces are still to come
};

class Http2Session {
 public:
  explicit Http2Session(const Http2Limits& limits);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Takes what came. False: the peer broke the protocol; what output() still gives tells it so, then close.
  bool feed(std::string_view bytes);

  // The next request that is complete or rejected, null when there is none. It belongs to the session, and stays until
  // respond() or abandon(), even if the peer gives the stream up meanwhile.
  Http2Stream* next();
  // Sends `stream.response` (status, content type, headers, body); with stream.more set its body continues by resume().
  // The stream is not to be used afterwards, except for resume() while it is streamed.
  void respond(Http2Stream& stream);
  // The peer takes too long to send the rest of it: next() hands it out as rejected.
  void time_out(std::int32_t id);
  // Resets the stream instead of answering.
  void abandon(Http2Stream& stream);
  // Streamed bodies: after response.body or `more` changed. False when the peer is gone: the source can stop; release
  // with end_stream(). Bytes that are not sent yet: unsent().
  bool resume(Http2Stream& stream);
  static std::size_t unsent(const Http2Stream& stream) noexcept { return stream.response.body.size() - stream.sent; }
  void end_stream(Http2Stream& stream);
  // The body cannot be completed: the stream is reset, so that the peer sees it. Instead of end_stream().
  void cut(Http2Stream& stream);

  // Appends frames to `out` until about `limit` bytes are in it. Nothing appended: nothing is to be sent now.
  void output(std::string& out, std::size_t limit);

  // Graceful end in two steps: announce_end() says that it is near; after a round trip refuse_new() ends it: later
  // streams are ignored, which tells the peer that it may send them elsewhere.
  void announce_end();
  void refuse_new();

  bool alive() const noexcept;                         // something may still be read or written
  std::size_t open() const noexcept { return live_; }  // streams that are received, handled or answered
  std::size_t receiving() const noexcept { return receiving_; }
  // The id of the stream that is being received for longest, 0 when there is none. O(streams) when there is one.
  std::int32_t oldest_receiving() const noexcept;

 private:
  struct Callbacks;
  Http2Stream* make(std::int32_t id);
  void release(Http2Stream& stream);
  void queue(Http2Stream& stream);
  void reset(std::int32_t id, std::uint32_t code);
  void stop_receiving(Http2Stream& stream);
  void forget_body(Http2Stream& stream);

  const Http2Limits limits_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<Http2Stream>> streams_;  // all that live
  std::vector<std::unique_ptr<Http2Stream>> spare_;    // kept for their buffers
  std::deque<Http2Stream*> ready_;
  std::size_t live_ = 0;
  std::size_t receiving_ = 0;
  std::size_t handed_out_ = 0;
  std::size_t buffered_ = 0;  // bytes of bodies that are not handed out yet
  std::uint64_t answered_ = 0;
  std::uint64_t resets_ = 0;
  bool failed_ = false;
};

}  // namespace portcullis::net
