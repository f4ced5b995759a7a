// One coroutine reads, one for each slow handler runs it, and whoever has something to send writes for all.
#include "net/http2_connection.h"

#include <utility>

namespace portcullis::net {

namespace {

constexpr std::size_t kReadBuffer = 16 * 1024;   // a TLS record
constexpr std::size_t kWriteBuffer = 64 * 1024;  // frames that go out in one write
constexpr std::size_t kKeptCapacity = 256 * 1024;
constexpr std::size_t kUnsentStream = 256 * 1024;  // of a streamed body: above, its source has to wait
constexpr int kReadsInARow = 16;                   // then the other connections of the thread get a turn
// What the peer sends before it has heard of the end is still served: a round trip, generously.
constexpr std::chrono::milliseconds kNotice{250};
constexpr std::chrono::seconds kGoodbye{2};  // for the peer to close after it

Http2Limits limits_of(const HttpServerOptions& options) {
  Http2Limits limits;
  limits.max_head_bytes = options.max_head_bytes;
  limits.max_body_bytes = options.max_body_bytes;
  return limits;
}

}  // namespace

Http2Connection::Http2Connection(boost::asio::io_context& context, Transport& transport, const Peer& peer,
                                 RequestRunner& runner)
    : context_(context),
      transport_(transport),
      peer_(peer),
      runner_(runner),
      session_(limits_of(runner.options())),
      changed_(context) {}

// The transport has one deadline; the sooner of both sides counts. The read side's is that of the request that is being
// received for longest; of the peer, which must take answers that its flow control holds back; or of a connection on
// which nothing happens. While handlers run there is none: they have their own.
void Http2Connection::set_deadline() {
  const HttpServerOptions& options = runner_.options();
  const std::int32_t oldest = session_.oldest_receiving();
  Awaited now = Awaited::kNext;
  if (oldest != 0) {
    now = Awaited::kRequest;
  } else if (session_.open() > 0) {
    now = running_ > 0 ? Awaited::kHandlers : Awaited::kWindow;
  }
  const bool anew = now != awaited_ || (now == Awaited::kRequest ? oldest != oldest_ : progressed_);
  if (anew) {
    switch (now) {
      case Awaited::kRequest: read_until_ = Deadline::after(options.body_timeout); break;
      case Awaited::kHandlers: read_until_ = Deadline::never(); break;
      case Awaited::kWindow: read_until_ = Deadline::after(options.write_timeout); break;
      case Awaited::kNext:
        read_until_ = Deadline::after(said_goodbye_ ? std::chrono::nanoseconds(kGoodbye) : options.idle_timeout);
        break;
    }
  }
  awaited_ = now;
  oldest_ = oldest;
  progressed_ = false;
  transport_.set_deadline(read_until_.sooner(write_until_));
}

// The deadline has passed. False: that is the end of the connection.
bool Http2Connection::on_late() {
  if (write_until_.passed()) return false;
  if (awaited_ == Awaited::kRequest) {  // that one alone
    session_.time_out(oldest_);
    return true;
  }
  if (awaited_ != Awaited::kNext || draining_) return false;
  drain();  // nothing has happened for long: not without a word, for a request may be on its way
  return true;
}

awaitable<void> Http2Connection::run() {
  co_await flush();  // our settings
  int in_a_row = 0;
  while (!ended_) {
    bool progress = false;
    const bool going = co_await read_some(&progress);
    if (!going) break;
    start_ready();
    co_await flush();
    if (!session_.alive()) break;
    if (progress && ++in_a_row % kReadsInARow == 0) co_await yield();
  }
  ended_ = true;
  changed_.notify_all();
  while (running_ > 0) {
    const bool notified = co_await changed_.wait(Deadline::never());
    static_cast<void>(notified);
  }
  write_until_ = Deadline::after(std::chrono::seconds(1));
  transport_.set_deadline(write_until_);
  co_await flush();  // why, if the peer still listens
}

// Reads once, waiting if need be. False: the connection has ended.
awaitable<bool> Http2Connection::read_some(bool* progress) {
  if (in_.size() < kReadBuffer) in_.resize(kReadBuffer);
  std::size_t done = 0;
  const IoStatus status = transport_.try_read(in_.data(), in_.size(), done);
  if (status == IoStatus::kDone) {
    *progress = true;
    progressed_ = true;
    co_return session_.feed(std::string_view(in_).substr(0, done));
  }
  if (status == IoStatus::kEnd || status == IoStatus::kFailed) co_return false;
  set_deadline();
  Result<void> ready = co_await transport_.wait(status);
  if (ready.ok()) co_return true;
  co_return ready.error().code == Code::kTimeout&& on_late();
}

void Http2Connection::answer(Http2Stream& stream) {
  if (stream.response.drop) {
    session_.abandon(stream);
  } else {
    session_.respond(stream);
  }
}

void Http2Connection::start_ready() {
  while (Http2Stream* stream = session_.next()) {
    HttpRequest& request = stream->request;
    request.peer = &peer_;
    stream->head_only = request.method == "HEAD";
    runner_.begin(request);
    if (stream->reject) {
      stream->response = runner_.reject(*stream->reject, request);
      answer(*stream);
    } else if (!runner_.run_now(request, stream->response)) {
      ++running_;
      spawn(context_, handle(stream), runner_.options().name);
    } else if (is_streamed(*stream)) {
      ++running_;
      spawn(context_, finish(stream), runner_.options().name);
    } else {
      answer(*stream);
    }
  }
}

void Http2Connection::leave() {
  --running_;
  changed_.notify_all();
}

awaitable<void> Http2Connection::handle(Http2Stream* stream) {
  auto run_call = runner_.run(std::move(stream->request));
  HttpResponse response = co_await std::move(run_call);
  stream->response = std::move(response);
  co_await finish(stream);
}

bool Http2Connection::is_streamed(const Http2Stream& stream) {
  return stream.response.stream && !stream.head_only && !stream.response.drop;
}

awaitable<void> Http2Connection::finish(Http2Stream* stream) {
  if (is_streamed(*stream)) {
    co_await stream_body(stream);
  } else {
    answer(*stream);
  }
  co_await flush();
  leave();
}

awaitable<void> Http2Connection::stream_body(Http2Stream* stream) {
  const std::shared_ptr<BodySource> source = stream->response.stream;
  stream->more = true;
  session_.respond(*stream);
  while (!ended_) {
    co_await flush();
    Result<std::string> piece = co_await source->next();
    if (!piece.ok()) {
      stream->more = false;
      session_.cut(*stream);
      co_return;
    }
    if (piece->empty()) break;
    stream->response.body += *piece;
    if (!session_.resume(*stream)) break;
    co_await flush();
    while (!ended_ && !stream->gone && Http2Session::unsent(*stream) > kUnsentStream) {
      const bool notified = co_await changed_.wait(Deadline::after(runner_.options().write_timeout));
      if (!notified) {  // the peer does not take what it asked for
        ended_ = true;
        transport_.cancel();
      }
    }
  }
  session_.end_stream(*stream);
}

// One writer at a time, which takes along what others have added meanwhile.
awaitable<void> Http2Connection::flush() {
  if (writing_) co_return;
  writing_ = true;
  for (;;) {
    out_.clear();
    session_.output(out_, kWriteBuffer);
    if (out_.empty()) break;
    progressed_ = true;
    write_until_ = Deadline::after(runner_.options().write_timeout);
    set_deadline();
    Result<void> sent = co_await transport_.write_all(out_);
    write_until_ = Deadline::never();
    if (!sent.ok()) {
      ended_ = true;
      transport_.cancel();
      break;
    }
  }
  if (out_.capacity() > kKeptCapacity) out_ = std::string();
  writing_ = false;
  set_deadline();
  changed_.notify_all();
}

void Http2Connection::drain() {
  if (draining_ || ended_) return;
  draining_ = true;
  progressed_ = true;  // the deadline begins anew
  ++running_;
  spawn(context_, say_goodbye(), runner_.options().name + " drain");
}

awaitable<void> Http2Connection::say_goodbye() {
  session_.announce_end();
  co_await flush();
  const Deadline until = Deadline::after(kNotice);
  while (!ended_ && !until.passed()) {
    const bool notified = co_await changed_.wait(until);
    static_cast<void>(notified);
  }
  session_.refuse_new();
  said_goodbye_ = true;
  progressed_ = true;
  co_await flush();
  leave();
}

}  // namespace portcullis::net
