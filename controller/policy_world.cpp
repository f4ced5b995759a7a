// Folding of changes into publications.
#include "controller/policy_world.h"

#include <boost/asio/io_context.hpp>

#include "net/io.h"

namespace portcullis::controller {

namespace {
constexpr std::chrono::milliseconds kFold{50};
}  // namespace

PolicyWorld::PolicyWorld(boost::asio::io_context& context, policy::DriverOptions options)
    : context_(context), builder_(options) {}

PolicyWorld::~PolicyWorld() { *alive_ = false; }

void PolicyWorld::changed() {
  if (pending_.exchange(true)) return;
  net::spawn(context_, publish_later(alive_, this), "publish policies");
}

awaitable<void> PolicyWorld::publish_later(std::shared_ptr<bool> alive, PolicyWorld* self) {
  const auto earliest = self->last_ + kFold;
  co_await net::yield();  // what is already queued belongs to the same publication
  if (!*alive) co_return;
  if (std::chrono::steady_clock::now() < earliest) {
    const Result<void> slept = co_await net::sleep_until(Deadline::at(earliest));
    if (!slept.ok() || !*alive) co_return;
  }
  self->flush();
}

void PolicyWorld::flush() {
  last_ = std::chrono::steady_clock::now();
  std::shared_ptr<const policy::Snapshot> snapshot = builder_.build();
  cell_.publish(snapshot);
  pending_.store(false, std::memory_order_release);
  if (listener_) listener_(*snapshot);
}

}  // namespace portcullis::controller
