// http.send but for the sending: what a request may say, what is sent, and what of the answer a policy sees. The host
// sends (Host::call_out), so that the engine has no sockets; a host that sends nothing refuses.
// Threads: one at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/builtins/common.h"

namespace portcullis::rego::builtins {

// Known keys only, method and url among them. `texts_checked`: these two must be strings here already. False: the error
// is in the context.
bool check_http_request(BuiltinContext& context, const Value& request, bool texts_checked);

// Names as a Rego set: {"a", "b"}.
std::string shown_names(BuiltinContext& context, const std::vector<std::string_view>& names);

// call_out("http.send") gets one object:
//   method, url, headers {name: value}, body: what is sent
//   timeout_ns (of one attempt), deadline_ns (of all; absent: none), retries, redirects (follow them)
//   key: equal for requests that one evaluation sends only once
//   tls_…: as the policy gave them; files and environment variables are the host's to read
// and answers {status, status_code, headers {name: [value…]}, raw_body}, or {network_error: text, raised: the text
// where it is raised as an error and reads otherwise}; an error of call_out itself is one of the request or of the
// host.
Value http_send(BuiltinContext& context, Args arguments);

}  // namespace portcullis::rego::builtins
