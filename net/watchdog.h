// One timer per io_context that cuts what has passed its deadline. A deadline that only moves into the future costs two
// stores, not a timer operation: the timer is set for the earliest deadline seen, and re-armed when it fires too early.
// Threads: the io_context's thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/deadline.h"

namespace portcullis::net {

class Watchdog;

// Something that can be late. Enrolled for its whole life.
class Expirable {
 public:
  Expirable(const Expirable&) = delete;
  Expirable& operator=(const Expirable&) = delete;
  Deadline deadline() const noexcept { return deadline_; }
  // Also forgets that an earlier deadline has passed.
  void set_deadline(Deadline deadline);

 protected:
  explicit Expirable(boost::asio::io_context& context);
  virtual ~Expirable();
  virtual void on_expired() noexcept = 0;
  bool expired() const noexcept { return expired_; }

 private:
  friend class Watchdog;
  Watchdog* watchdog_;
  Deadline deadline_ = Deadline::never();
  bool expired_ = false;
  Expirable* previous_ = nullptr;
  Expirable* next_ = nullptr;
};

class Watchdog final : public boost::asio::io_context::service {
 public:
  static boost::asio::io_context::id id;
  explicit Watchdog(boost::asio::io_context& context);

 private:
  friend class Expirable;
  void shutdown() noexcept override;
  void enroll(Expirable& entry) noexcept;
  void leave(Expirable& entry) noexcept;
  void arm(Deadline when);
  void fire();

  boost::asio::steady_timer timer_;
  Deadline armed_ = Deadline::never();
  Expirable* head_ = nullptr;
  bool down_ = false;
};

}  // namespace portcullis::net
