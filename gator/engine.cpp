#include "gator/engine.h"

#include <chrono>
#include <utility>

namespace portcullis::gator {
namespace {

constexpr std::size_t kMaxPrinted = std::size_t{1} << 20;

policy::DriverOptions driver_options(bool keep_print) {
  policy::DriverOptions options;
  options.keep_print = keep_print;
  return options;
}

}  // namespace

std::int64_t PrintHost::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t PrintHost::random_seed() { return static_cast<std::uint64_t>(now_ns()); }

void PrintHost::print(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  const std::size_t room = kMaxPrinted - printed_.size();
  if (whole.size() > room) truncated_ = true;
  printed_.append(whole, 0, room);
}

std::string PrintHost::take() {
  std::string out = std::exchange(printed_, {});
  if (std::exchange(truncated_, false)) out += "\n... additional print output truncated ...\n";
  return out;
}

Engine::Engine(bool keep_print) : builder_(driver_options(keep_print)) {}

void Engine::clear_inventory() {
  inventory_ = std::make_unique<policy::Inventory>();
  cached_ = {};
}

policy::ReviewResult Engine::review(const policy::Review& review, bool stats) {
  policy::ReviewOptions options;
  options.point = policy::EnforcementPoint::kGator;
  options.stats = stats;
  return snapshot_->review(review, inventory_->refresh(cached_), scratch_, host_, options);
}

}  // namespace portcullis::gator
