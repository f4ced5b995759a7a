// The coroutine type of everything that does I/O.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace portcullis {

template <typename T>
using awaitable = boost::asio::awaitable<T>;

}  // namespace portcullis
