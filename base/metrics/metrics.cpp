// The registry and its text exposition.
#include "base/metrics/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/metrics/process.h"
#include "base/text.h"

namespace portcullis::metrics {

const std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

namespace {

constexpr std::uint8_t kFromStart = 1;

constexpr std::span<const double> kNoBuckets;
constexpr double kIngestionBounds[] = {0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1,
                                       0.2,  0.3,  0.4,  0.5,  1,    2,    3,    4,    5};
constexpr double kRequestBounds[] = {0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.02, 0.03,
                                     0.04,  0.05,  0.06,  0.07,  0.08,  0.09,  0.1,   0.2,   0.3,   0.4,  0.5,  0.6,
                                     0.7,   0.8,   0.9,   1,     1.5,   2,     2.5,   3,     3.5,   4,    4.5,  5,
                                     5.5,   6,     6.5,   7,     7.5,   8,     8.5,   9,     9.5,   10};
constexpr double kAuditBounds[] = {60, 180, 300, 600, 900, 1200, 2400, 4800, 9600, 19200};
constexpr double kMutatorIngestionBounds[] = {0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007,
                                              0.008, 0.009, 0.01,  0.02,  0.03,  0.04,  0.05};
constexpr double kIterationBounds[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500};
constexpr double kSyncBounds[] = {0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006, 0.0007, 0.0008, 0.0009, 0.001,
                                  0.002,  0.003,  0.004,  0.005,  0.01,   0.02,   0.03,   0.04,   0.05};
constexpr std::span<const double> kIngestionBuckets = kIngestionBounds;
constexpr std::span<const double> kRequestBuckets = kRequestBounds;
constexpr std::span<const double> kAuditBuckets = kAuditBounds;
constexpr std::span<const double> kMutatorIngestionBuckets = kMutatorIngestionBounds;
constexpr std::span<const double> kIterationBuckets = kIterationBounds;
constexpr std::span<const double> kSyncBuckets = kSyncBounds;

struct Declared {
  std::string_view name;
  Type type;
  std::uint8_t flags;
  std::string_view labels;
  std::span<const double> buckets;
  std::string_view help;
};

constexpr Declared kFamilies[] = {
#define FAMILY(enumerator, type, name, flags, labels, buckets, help) {name, Type::type, flags, labels, buckets, help},
#include "base/metrics/families.def"
#undef FAMILY
};

struct Series {
  explicit Series(std::span<const double> bounds) : histogram(bounds) {}
  Counter counter;
  Gauge gauge;
  Histogram histogram;
};

std::size_t label_count(std::string_view labels) noexcept {
  return labels.empty() ? 0 : static_cast<std::size_t>(std::count(labels.begin(), labels.end(), ',')) + 1;
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

// {a="1",b="2"} with `extra` (already formatted) at the end; nothing when there are no labels.
std::string label_text(std::string_view names, const std::vector<std::string>& values, std::string_view extra = {}) {
  std::string out;
  std::size_t i = 0;
  for (const std::string_view name : text::split(names, ',')) {
    if (names.empty()) break;
    out += out.empty() ? "{" : ",";
    out += name;
    out += "=\"";
    append_escaped(out, values[i++]);
    out += '"';
  }
  if (!extra.empty()) {
    out += out.empty() ? "{" : ",";
    out += extra;
  }
  if (!out.empty()) out += '}';
  return out;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  out += name;
  out += labels;
  out += ' ';
  append_go_float(out, value);
  out += '\n';
}

void append_histogram(std::string& out, const Declared& family, const std::vector<std::string>& values,
                      const Histogram& histogram) {
  const std::string name(family.name);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.in_bucket(i);
    std::string le = "le=\"";
    append_go_float(le, i < histogram.bounds().size() ? histogram.bounds()[i] : HUGE_VAL);
    le += '"';
    append_sample(out, name + "_bucket", label_text(family.labels, values, le), static_cast<double>(total));
  }
  const std::string labels = label_text(family.labels, values);
  append_sample(out, name + "_sum", labels, histogram.sum());
  append_sample(out, name + "_count", labels, static_cast<double>(total));
}

}  // namespace

void append_go_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  // The shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e6 on.
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  const std::string_view scientific(digits, static_cast<std::size_t>(end - digits));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1), scientific.data() + scientific.size(),
                  exponent);
  if (exponent < -4 || exponent >= 6) {
    out += scientific;
    return;
  }
  char fixed[64];
  const auto fixed_end = std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr;
  out.append(fixed, static_cast<std::size_t>(fixed_end - fixed));
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds), counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {}

void Histogram::observe(double value) noexcept {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<std::size_t>(at - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) total += in_bucket(i);
  return total;
}

struct Registry::Impl {
  struct FamilySeries {
    std::map<std::vector<std::string>, Series*> shown;
    std::vector<std::unique_ptr<Series>> all;  // what was removed stays alive for whoever holds a reference
  };

  Series& series(Family family, Type type, Labels values);

  mutable std::mutex mutex;
  FamilySeries families[std::size(kFamilies)];
  Series hidden{kNoBuckets};
};

Series& Registry::Impl::series(Family family, Type type, Labels values) {
  const Declared& declared = kFamilies[static_cast<std::size_t>(family)];
  if (declared.type != type || label_count(declared.labels) != values.size()) {
    static_cast<void>(PC_BUG("metric used with another type or number of labels than declared"));
    return hidden;
  }
  std::vector<std::string> key(values.begin(), values.end());
  const std::lock_guard lock(mutex);
  FamilySeries& of = families[static_cast<std::size_t>(family)];
  const auto found = of.shown.find(key);
  if (found != of.shown.end()) return *found->second;
  if (of.all.size() >= kMaxSeries) return hidden;
  of.all.push_back(std::make_unique<Series>(declared.buckets));
  of.shown.emplace(std::move(key), of.all.back().get());
  return *of.all.back();
}

Registry::Registry() : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < std::size(kFamilies); ++i) {
    if ((kFamilies[i].flags & kFromStart) != 0) impl_->series(static_cast<Family>(i), kFamilies[i].type, {});
  }
}

Registry::~Registry() = default;

Counter& Registry::counter(Family family, Labels values) {
  return impl_->series(family, Type::kCounter, values).counter;
}
Gauge& Registry::gauge(Family family, Labels values) { return impl_->series(family, Type::kGauge, values).gauge; }
Histogram& Registry::histogram(Family family, Labels values) {
  return impl_->series(family, Type::kHistogram, values).histogram;
}

void Registry::remove(Family family, Labels values) {
  const std::lock_guard lock(impl_->mutex);
  impl_->families[static_cast<std::size_t>(family)].shown.erase(std::vector<std::string>(values.begin(), values.end()));
}

void Registry::clear(Family family) {
  const std::lock_guard lock(impl_->mutex);
  impl_->families[static_cast<std::size_t>(family)].shown.clear();
}

std::string Registry::expose() const {
  std::map<std::string_view, std::string> blocks;  // by family name: the exposition is sorted
  {
    const std::lock_guard lock(impl_->mutex);
    for (std::size_t i = 0; i < std::size(kFamilies); ++i) {
      const Declared& family = kFamilies[i];
      if (impl_->families[i].shown.empty()) continue;
      constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
      std::string& out = blocks[family.name];
      append_head(out, family.name, family.help, kTypes[static_cast<std::size_t>(family.type)]);
      for (const auto& [values, series] : impl_->families[i].shown) {
        switch (family.type) {
          case Type::kCounter:
            append_sample(out, family.name, label_text(family.labels, values),
                          static_cast<double>(series->counter.value()));
            break;
          case Type::kGauge:
            append_sample(out, family.name, label_text(family.labels, values), series->gauge.value());
            break;
          case Type::kHistogram: append_histogram(out, family, values, series->histogram); break;
        }
      }
    }
  }
  for (auto& [name, block] : process_blocks()) blocks.emplace(name, std::move(block));
  std::string out;
  for (const auto& [name, block] : blocks) out += block;
  return out;
}

Registry& global() {
  static Registry registry;
  return registry;
}

}  // namespace portcullis::metrics
