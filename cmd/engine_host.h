// What the controller lets policies ask of the outside: the clock, and print() into the log. No network, no
// environment. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "engine/rego/eval/builtin.h"

namespace portcullis::cmd {

class EngineHost final : public rego::Host {
 public:
  std::int64_t now_ns() override;
  std::uint64_t random_seed() override;
  void print(std::string_view line) override;

 private:
  std::atomic<std::int64_t> print_second_{0};
  std::atomic<std::uint32_t> printed_{0};
};

}  // namespace portcullis::cmd
