// Runs a coroutine on another I/O thread and waits for it on this one.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "net/awaitable.h"

namespace portcullis::net {

// `context` must run until it is done. An exception of the coroutine is thrown at the caller.
template <typename T>
awaitable<T> run_on(boost::asio::io_context& context, awaitable<T> coroutine) {
  T result = co_await boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_awaitable);
  co_return result;
}

}  // namespace portcullis::net
