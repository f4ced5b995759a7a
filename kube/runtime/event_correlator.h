// Keeps Kubernetes Events from flooding the API server, as client-go's recorders do: an event that was seen before
// becomes a higher count, many events that differ only in their message become one, and what an object may cause is
// limited.
// Threads: one. Pure but for the random names of events whose object has an unusual name.
#pragma once

#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace portcullis::kube {

// What an Event is about. `ns` is also where the Event is kept ("default" when empty).
struct EventTarget {
  std::string kind;
  std::string name;
  std::string ns;
  std::string uid;
  std::string resource_version;
};

struct Event {
  EventTarget target;
  std::string component;  // source: "gatekeeper-webhook"
  std::string type = "Warning";
  std::string reason;
  std::string message;
  std::vector<std::pair<std::string, std::string>> annotations;
};

struct EventLimits {
  std::size_t keys = 4096;              // of each memory; the least recently used goes
  std::size_t similar = 10;             // from so many messages on, similar events are combined
  std::int64_t similar_seconds = 600;   // … when no longer apart than this
  double burst = 25;                    // events at once about one object
  double refill_per_second = 1. / 300;  // and one more every five minutes
};

// The memory of the least recently used keys. T is default-constructible.
template <typename T>
class RecentKeys {
 public:
  explicit RecentKeys(std::size_t limit) : limit_(limit) {}
  // The entry of `key`, made when absent, now the most recent.
  T& touch(const std::string& key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return found->second->second;
    }
    if (order_.size() >= limit_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, T{});
    index_.emplace(key, order_.begin());
    return order_.front().second;
  }
  std::size_t size() const noexcept { return order_.size(); }

 private:
  using Order = std::list<std::pair<std::string, T>>;
  std::size_t limit_;
  Order order_;
  std::unordered_map<std::string, typename Order::iterator> index_;
};

class EventCorrelator {
 public:
  explicit EventCorrelator(EventLimits limits = {});

  enum class Action : std::uint8_t { kCreate, kPatch, kSkip };
  struct Decision {
    Action action = Action::kSkip;
    std::string ns;
    std::string name;
    std::string body;   // of the whole Event: to create it, also when the one to patch is gone
    std::string patch;  // merge patch: count, lastTimestamp, message
  };
  // `now_ns`: Unix nanoseconds.
  Decision correlate(const Event& event, std::int64_t now_ns);

 private:
  struct Similar {
    std::set<std::string> messages;
    std::int64_t last_ns = 0;
  };
  struct Seen {
    std::int64_t count = 0;
    std::int64_t first_ns = 0;
    std::string name;
  };
  struct Bucket {
    bool known = false;
    double tokens = 0;
    std::int64_t last_ns = 0;
  };
  bool allowed(const std::string& key, std::int64_t now_ns);

  EventLimits limits_;
  RecentKeys<Similar> similar_;
  RecentKeys<Seen> seen_;
  RecentKeys<Bucket> buckets_;
};

// "<object name>.<nanoseconds in hex>"; a random UUID where that is no name an API server takes.
std::string event_name(const std::string& object_name, std::int64_t now_ns);

}  // namespace portcullis::kube
