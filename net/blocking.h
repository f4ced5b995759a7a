// Runs a coroutine to its end from a thread that is no I/O thread. For start-up, the command line and tests.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "net/awaitable.h"

namespace portcullis::net {

// Blocks the calling thread; the coroutine runs on `context`'s thread. An exception of the coroutine is thrown here.
template <typename T>
T run_blocking(boost::asio::io_context& context, awaitable<T> coroutine) {
  return boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future).get();
}

}  // namespace portcullis::net
