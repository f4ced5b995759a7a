// What policies see of the outside when they run on the command line: clock, environment, network, and where print()
// writes.
// Threads: one at a time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/builtin.h"
#include "opa/outside.h"

namespace portcullis::opa {

class CommandHost : public rego::Host {
 public:
  // What print() prints is appended to `printed`.
  explicit CommandHost(std::string* printed) : printed_(printed) {}

  std::int64_t now_ns() override;
  std::uint64_t random_seed() override;
  void print(std::string_view line) override;
  Value runtime(Arena& arena) override;
  Value call_out(std::string_view builtin, Arena& arena, std::span<const Value> arguments, std::string& error) override;
  void test_case(const Value& path) override;

  // The paths of the test cases that began (texts; what is no string as JSON).
  using CasePath = std::vector<std::string>;
  std::vector<CasePath>& cases() { return cases_; }

 private:
  std::string* printed_;
  std::vector<CasePath> cases_;
  Outside outside_;
};

}  // namespace portcullis::opa
