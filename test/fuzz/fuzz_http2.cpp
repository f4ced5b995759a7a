// The HTTP/2 session on any bytes after a client's preface: whatever comes, its counts stay true and its bounds hold.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2_session.h"

using namespace portcullis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Http2Limits limits;
  limits.max_streams = 8;
  limits.max_head_bytes = 4096;
  limits.max_body_bytes = 4096;
  limits.max_buffered_bytes = 16384;
  limits.spare_resets = 16;
  net::Http2Session session(limits);
  session.feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  std::vector<net::Http2Stream*> held;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string out;
  while (!rest.empty()) {
    // The first byte of each piece says how long it is, and what the server does after it.
    const auto control = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    const std::size_t part = std::min<std::size_t>(rest.size(), control * 8u + 1);
    const bool fine = session.feed(rest.substr(0, part));
    rest.remove_prefix(part);
    while (net::Http2Stream* stream = session.next()) {
      if (stream->request.body.size() > limits.max_body_bytes) std::abort();
      held.push_back(stream);
    }
    if (held.size() > limits.max_streams) std::abort();
    if (control % 3 == 0 && !held.empty()) {
      held.back()->response = net::HttpResponse::text(200, std::string(control, 'x'));
      session.respond(*held.back());
      held.pop_back();
    }
    out.clear();
    session.output(out, 65536);
    if (!fine || !session.alive()) break;
  }
  for (net::Http2Stream* stream : held) session.respond(*stream);
  out.clear();
  session.output(out, 65536);
  if (session.receiving() > session.open()) std::abort();
  return 0;
}
