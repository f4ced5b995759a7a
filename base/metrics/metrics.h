// Metrics in Prometheus' terms: counters, gauges and histograms of the families that families.def declares, and their
// text exposition (format 0.0.4), sorted and spelled as Go's client library does, so that a diff of two scrapes is
// short. Threads: any. Cost: updating a series is an atomic operation or two; finding one takes a lock and a map
// lookup, so hot paths keep the reference, which stays valid as long as the registry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::metrics {

enum class Family : std::uint8_t {
#define FAMILY(enumerator, type, name, flags, labels, buckets, help) enumerator,
#include "base/metrics/families.def"
#undef FAMILY
};

enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double delta) noexcept { value_.fetch_add(delta, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds` are upper bounds in rising order and outlive the histogram.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value) noexcept;
  std::uint64_t count() const noexcept;  // O(buckets)
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }
  std::span<const double> bounds() const noexcept { return bounds_; }
  std::uint64_t in_bucket(std::size_t i) const noexcept { return counts_[i].load(std::memory_order_relaxed); }

 private:
  std::span<const double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // one more than bounds: above the last
  std::atomic<double> sum_{0};
};

// Label values in the order of the family's labels in families.def. A family appears in the exposition once it has a
// series. Past kMaxSeries per family, or for a wrong type or number of labels (a bug: counted), a series that is not
// shown is returned, so that callers need no error path.
class Registry {
 public:
  static constexpr std::size_t kMaxSeries = 4096;
  using Labels = std::initializer_list<std::string_view>;

  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(Family family, Labels values = {});
  Gauge& gauge(Family family, Labels values = {});
  Histogram& histogram(Family family, Labels values = {});
  // Takes one series, or all of a family, out of the exposition. References to them stay valid.
  void remove(Family family, Labels values);
  void clear(Family family);

  // The text for a scrape: these families, the process's own (process_*), and target_info.
  std::string expose() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The registry that a process exposes.
Registry& global();

extern const std::string_view kContentType;

// Appends a number as Go's strconv.FormatFloat(value, 'g', -1, 64): 0.005, 1e+06, +Inf.
void append_go_float(std::string& out, double value);

}  // namespace portcullis::metrics
