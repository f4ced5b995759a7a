// HTTP/2 frames and streams by nghttp2; limits and the life of a request by us.
#include "net/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "net/http_date.h"

namespace portcullis::net {

namespace {

constexpr std::int32_t kStreamWindow = 1024 * 1024;
constexpr std::int32_t kConnectionWindow = 8 * 1024 * 1024;
constexpr std::size_t kSpareStreams = 16;
constexpr std::size_t kKeptCapacity = 256 * 1024;

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  nghttp2_nv nv{};
  nv.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  nv.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  nv.namelen = name.size();
  nv.valuelen = value.size();
  return nv;
}

ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t size, std::uint32_t* flags,
                  nghttp2_data_source* source, void*) {
  auto& stream = *static_cast<Http2Stream*>(source->ptr);
  const std::size_t part = std::min(size, Http2Session::unsent(stream));
  if (part > 0) std::memcpy(to, stream.response.body.data() + stream.sent, part);
  stream.sent += part;
  if (Http2Session::unsent(stream) == 0) {
    if (!stream.more) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (part == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
  }
  return static_cast<ssize_t>(part);
}

}  // namespace

struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static Http2Stream* stream(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    self(user).make(frame->hd.stream_id);
    return 0;
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name_data,
                    std::size_t name_size, const std::uint8_t* value_data, std::size_t value_size, std::uint8_t,
                    void* user) {
    Http2Stream* at = stream(session, frame->hd.stream_id);
    if (at == nullptr || at->begun) return 0;  // trailers say nothing to us
    const std::string_view name = view(name_data, name_size);
    const std::string_view value = view(value_data, value_size);
    at->head_bytes += name.size() + value.size() + 4;
    if (at->head_bytes > self(user).limits_.max_head_bytes) {
      at->reject = Reject::kHeadTooLarge;
      return 0;
    }
    if (name == ":method") {
      at->request.method = value;
    } else if (name == ":path") {
      at->request.target = value;
    } else if (name == ":authority") {
      at->request.headers.add("host", value);
    } else if (name.front() != ':') {
      at->request.headers.add(name, value);
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                  void* user) {
    Http2Stream* at = stream(session, id);
    if (at == nullptr || at->reject || at->handed_out || at->answered) return 0;
    Http2Session& s = self(user);
    if (at->request.body.size() + size > s.limits_.max_body_bytes) {
      at->reject = Reject::kBodyTooLarge;
      s.stop_receiving(*at);
      s.forget_body(*at);
      at->request.body.clear();
      s.queue(*at);
      return 0;
    }
    if (s.buffered_ + size > s.limits_.max_buffered_bytes) {
      s.stop_receiving(*at);
      at->answered = true;
      s.reset(id, NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    at->request.body += view(bytes, size);
    at->buffered += size;
    s.buffered_ += size;
    return 0;
  }

  static int frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& s = self(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM && ++s.resets_ > s.limits_.spare_resets + s.answered_) {
      nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
      return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Http2Stream* at = stream(session, frame->hd.stream_id);
    if (at == nullptr || at->queued || at->answered) return 0;
    at->begun = true;
    const bool complete = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool rejected_now = at->reject == Reject::kHeadTooLarge && frame->hd.type == NGHTTP2_HEADERS;
    if ((complete && !at->reject) || rejected_now) {
      s.stop_receiving(*at);
      s.queue(*at);
    }
    return 0;
  }

  static int sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    ++self(user).answered_;
    // A client that still sends what was refused is told that it need not.
    const Http2Stream* at = stream(session, frame->hd.stream_id);
    if (at != nullptr && at->reject) self(user).reset(frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
  }

  static int closed(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    Http2Stream* at = stream(session, id);
    if (at == nullptr) return 0;
    Http2Session& s = self(user);
    s.stop_receiving(*at);
    at->gone = true;
    if (!at->handed_out && !at->more) s.release(*at);
    return 0;
  }
};

Http2Session::Http2Session(const Http2Limits& limits) : limits_(limits) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Callbacks::sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::closed);
    nghttp2_option_set_no_closed_streams(option, 1);  // priorities of the past are memory for nothing
    nghttp2_option_set_max_settings(option, 32);
    if (nghttp2_session_server_new2(&session_, callbacks, this, option) != 0) session_ = nullptr;
  }
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);
  failed_ = session_ == nullptr;
  if (failed_) return;
  const std::array<nghttp2_settings_entry, 3> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kStreamWindow)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_head_bytes)},
  }};
  failed_ = nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
            nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) != 0;
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Http2Stream* Http2Session::make(std::int32_t id) {
  if (spare_.empty()) {
    streams_.push_back(std::make_unique<Http2Stream>());
  } else {
    streams_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  Http2Stream* made = streams_.back().get();
  made->id = id;
  nghttp2_session_set_stream_user_data(session_, id, made);
  ++live_;
  ++receiving_;
  return made;
}

void Http2Session::stop_receiving(Http2Stream& stream) {
  if (!stream.receiving) return;
  stream.receiving = false;
  --receiving_;
}

void Http2Session::forget_body(Http2Stream& stream) {
  buffered_ -= stream.buffered;
  stream.buffered = 0;
}

void Http2Session::queue(Http2Stream& stream) {
  if (stream.queued) return;
  stream.queued = true;
  ready_.push_back(&stream);
}

void Http2Session::time_out(std::int32_t id) {
  const auto at = std::find_if(streams_.begin(), streams_.end(), [id](const auto& s) { return s->id == id; });
  if (at == streams_.end() || !(*at)->receiving) return;
  (*at)->reject = Reject::kTimeout;
  stop_receiving(**at);
  forget_body(**at);
  queue(**at);
}

void Http2Session::release(Http2Stream& stream) {
  const auto at = std::find_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == &stream; });
  std::unique_ptr<Http2Stream> taken = std::move(*at);
  *at = std::move(streams_.back());
  streams_.pop_back();
  ready_.erase(std::remove(ready_.begin(), ready_.end(), taken.get()), ready_.end());
  --live_;
  stop_receiving(*taken);
  forget_body(*taken);
  if (spare_.size() >= kSpareStreams) return;
  HttpRequest request = std::move(taken->request);
  HttpResponse response = std::move(taken->response);
  *taken = Http2Stream{};
  if (request.body.capacity() <= kKeptCapacity) taken->request = std::move(request);
  if (response.body.capacity() <= kKeptCapacity) taken->response = std::move(response);
  taken->request.clear();
  taken->response.clear();
  spare_.push_back(std::move(taken));
}

void Http2Session::reset(std::int32_t id, std::uint32_t code) {
  static_cast<void>(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code));
}

bool Http2Session::feed(std::string_view bytes) {
  if (failed_) return false;
  const ssize_t used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) failed_ = true;
  return !failed_;
}

Http2Stream* Http2Session::next() {
  while (!ready_.empty()) {
    Http2Stream* stream = ready_.front();
    ready_.pop_front();
    forget_body(*stream);
    // A peer that resets what it has asked for may not have more handlers running than it may have streams.
    if (handed_out_ >= limits_.max_streams) {
      stream->handed_out = true;
      ++handed_out_;
      abandon(*stream);
      continue;
    }
    stream->handed_out = true;
    ++handed_out_;
    return stream;
  }
  return nullptr;
}

void Http2Session::abandon(Http2Stream& stream) {
  --handed_out_;
  stream.handed_out = false;
  stream.answered = true;
  if (stream.gone) {
    release(stream);
  } else {
    reset(stream.id, NGHTTP2_REFUSED_STREAM);
  }
}

void Http2Session::respond(Http2Stream& stream) {
  --handed_out_;
  stream.handed_out = false;
  stream.answered = true;
  if (stream.gone || failed_) {
    stream.gone = true;
    if (!stream.more) release(stream);
    return;
  }
  const HttpResponse& response = stream.response;
  const std::string status = std::to_string(response.status);
  const std::string length = std::to_string(response.body.size());
  std::vector<nghttp2_nv> fields;
  fields.reserve(4 + response.headers.size());
  fields.push_back(field(":status", status));
  if (!response.content_type.empty()) fields.push_back(field("content-type", response.content_type));
  fields.push_back(field("date", http_date()));
  if (!stream.more) fields.push_back(field("content-length", length));
  std::vector<std::string> names(response.headers.size());  // HTTP/2 has them in lower case
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const char c : response.headers.name(i)) {
      names[i] += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    fields.push_back(field(names[i], response.headers.value(i)));
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &read_body;
  const bool body = !stream.head_only && (stream.more || !response.body.empty());
  if (nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(), body ? &provider : nullptr) != 0) {
    reset(stream.id, NGHTTP2_INTERNAL_ERROR);
  }
}

bool Http2Session::resume(Http2Stream& stream) {
  if (stream.gone || failed_) return false;
  if (stream.sent > kKeptCapacity) {  // what was sent need not be kept
    stream.response.body.erase(0, stream.sent);
    stream.sent = 0;
  }
  static_cast<void>(nghttp2_session_resume_data(session_, stream.id));
  return true;
}

void Http2Session::end_stream(Http2Stream& stream) {
  stream.more = false;
  if (stream.gone) {
    release(stream);
  } else {
    static_cast<void>(resume(stream));
  }
}

void Http2Session::cut(Http2Stream& stream) {
  stream.more = false;
  if (stream.gone) {
    release(stream);
  } else {
    reset(stream.id, NGHTTP2_INTERNAL_ERROR);
  }
}

void Http2Session::output(std::string& out, std::size_t limit) {
  while (session_ != nullptr && out.size() < limit) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) failed_ = true;
    if (size <= 0) return;
    out += view(data, static_cast<std::size_t>(size));
  }
}

void Http2Session::announce_end() {
  if (!failed_) static_cast<void>(nghttp2_submit_shutdown_notice(session_));
}

void Http2Session::refuse_new() {
  if (failed_) return;
  static_cast<void>(nghttp2_submit_goaway(
      session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR, nullptr, 0));
}

std::int32_t Http2Session::oldest_receiving() const noexcept {
  std::int32_t oldest = 0;
  if (receiving_ == 0) return oldest;
  for (const auto& stream : streams_) {
    if (stream->receiving && (oldest == 0 || stream->id < oldest)) oldest = stream->id;
  }
  return oldest;
}

bool Http2Session::alive() const noexcept {
  return !failed_ && (nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0);
}

}  // namespace portcullis::net
