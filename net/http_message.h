// HTTP requests and responses as plain data; no I/O. Buffers keep their capacity over clear(), so that a connection
// that serves many requests stops allocating.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"

namespace portcullis::net {

// Header fields in order of arrival, kept in one buffer. Names compare without case.
class Headers {
 public:
  void clear() noexcept {
    text_.clear();
    entries_.clear();
  }
  void add(std::string_view name, std::string_view value);
  // The first value of `name`, or nothing. O(fields). The view lives until the next change of this object.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::size_t size() const noexcept { return entries_.size(); }
  std::string_view name(std::size_t i) const noexcept { return view(entries_[i].name_at, entries_[i].name_size); }
  std::string_view value(std::size_t i) const noexcept { return view(entries_[i].value_at, entries_[i].value_size); }

 private:
  struct Entry {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string_view view(std::uint32_t at, std::uint32_t size) const noexcept {
    return std::string_view(text_).substr(at, size);
  }
  std::string text_;
  std::vector<Entry> entries_;
};

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Who is at the other end of a connection. Filled once per connection.
struct Peer {
  std::string address;  // "127.0.0.1:41234"
  bool tls = false;
  std::string client_common_name;  // of the verified client certificate; empty without one
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query as sent
  Headers headers;
  std::string body;
  // Server side: when the answer stops being of use (the ?timeout= of the API server, or the server's own limit).
  Deadline deadline = Deadline::never();
  const Peer* peer = nullptr;  // server side; lives as long as the connection, that is until handle() has returned

  std::string_view path() const noexcept;
  // Value of a query parameter, not percent-decoded; nothing when absent.
  std::optional<std::string_view> query(std::string_view name) const noexcept;
  std::string_view content_type() const noexcept { return headers.find("content-type").value_or(""); }
  void clear() noexcept;
};

// A response body that is made while it is sent (chunked). See net/http_server.h.
class BodySource;

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: no Content-Type field
  Headers headers;           // others; Content-Length, Date and Connection are the server's business
  std::string body;
  std::shared_ptr<BodySource> stream;  // server side: instead of `body`
  bool close = false;                  // end the connection after this response
  bool drop = false;                   // server side: end the connection without any answer

  void clear() noexcept;
  static HttpResponse text(int status, std::string body);
  static HttpResponse json(int status, std::string body);
};

std::string_view reason_phrase(int status) noexcept;

std::string percent_encode(std::string_view text);  // for path segments and query values
std::string percent_decode(std::string_view text);  // malformed escapes stay as they are

}  // namespace portcullis::net
