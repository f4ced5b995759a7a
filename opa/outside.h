// What the command line does for Rego outside of the process: http.send and net.lookup_ip_addr.
// Threads: one at a time; a call blocks until it is answered or its time is up. Ownership: answers live in the caller's
// arena. Within one Outside a request is sent once, whatever caching it asks for: it lives as long as one command.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/document.h"

namespace portcullis::opa {

class Outside {
 public:
  // Host::call_out of these two builtins; the request has the form that engine/rego/builtins/http_send.h describes.
  Value call(std::string_view builtin, Arena& arena, std::span<const Value> arguments, std::string& error);

 private:
  Value http_send(Arena& arena, const Value& request, std::string& error);

  static constexpr std::size_t kMaxKept = 1000;  // answers
  std::map<std::string, Document, std::less<>> answers_;
};

}  // namespace portcullis::opa
