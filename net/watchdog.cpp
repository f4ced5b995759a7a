// The per-thread deadline timer.
#include "net/watchdog.h"

#include <algorithm>

namespace portcullis::net {

namespace {
// Scans of all entries are at least this far apart, so that many different deadlines do not mean many scans.
constexpr std::chrono::milliseconds kGrain{2};
}  // namespace

boost::asio::io_context::id Watchdog::id;

Expirable::Expirable(boost::asio::io_context& context) : watchdog_(&boost::asio::use_service<Watchdog>(context)) {
  watchdog_->enroll(*this);
}

Expirable::~Expirable() { watchdog_->leave(*this); }

void Expirable::set_deadline(Deadline deadline) {
  deadline_ = deadline;
  expired_ = false;
  if (deadline.when() < watchdog_->armed_.when()) watchdog_->arm(deadline);
}

Watchdog::Watchdog(boost::asio::io_context& context) : boost::asio::io_context::service(context), timer_(context) {}

void Watchdog::shutdown() noexcept { down_ = true; }

void Watchdog::enroll(Expirable& entry) noexcept {
  entry.next_ = head_;
  if (head_ != nullptr) head_->previous_ = &entry;
  head_ = &entry;
}

void Watchdog::leave(Expirable& entry) noexcept {
  if (entry.previous_ != nullptr) entry.previous_->next_ = entry.next_;
  if (entry.next_ != nullptr) entry.next_->previous_ = entry.previous_;
  if (head_ == &entry) head_ = entry.next_;
  if (head_ == nullptr && !down_ && !armed_.is_never()) {  // let io_context::run() return when nothing is left
    armed_ = Deadline::never();
    timer_.cancel();
  }
}

void Watchdog::arm(Deadline when) {
  if (down_) return;
  armed_ = when;
  timer_.expires_at(when.when());
  timer_.async_wait([this](const boost::system::error_code& code) {
    if (!code) fire();
  });
}

void Watchdog::fire() {
  const auto now = Deadline::Clock::now();
  Deadline next = Deadline::never();
  armed_ = Deadline::never();
  for (Expirable* entry = head_; entry != nullptr; entry = entry->next_) {
    if (entry->expired_ || entry->deadline_.is_never()) continue;
    if (entry->deadline_.when() <= now) {
      entry->expired_ = true;
      entry->on_expired();  // cancels I/O; completions come later, so the list does not change here
    } else {
      next = next.sooner(entry->deadline_);
    }
  }
  if (!next.is_never()) arm(Deadline::at(std::max(next.when(), now + kGrain)));
}

}  // namespace portcullis::net
