// The Date field of responses. Internal to net/.
#pragma once

#include <string_view>

namespace portcullis::net {

// "Tue, 24 Nov 2026 11:00:00 GMT", made once a second and thread. Valid until the next call on this thread.
std::string_view http_date();

}  // namespace portcullis::net
