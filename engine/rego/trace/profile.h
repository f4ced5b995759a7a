// How often each line of the sources was evaluated and taken back, and the time between one step and the next.
// Threads: one at a time. Cost: two looks at a clock per step.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/rego/trace/event.h"

namespace portcullis::rego::trace {

class Profile : public Tracer {
 public:
  void event(const Event& event) override;

  struct Row {
    std::int64_t nanoseconds = 0;
    std::uint64_t evaluated = 0;
    std::uint64_t redone = 0;
    std::uint64_t expressions = 0;  // different ones on the line
    std::string file;
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    std::string text;  // the first expression's
  };
  // Sorted by the names in `order` (total_time_ns, num_eval, num_redo, num_gen_expr, file, line), all falling; at most
  // `limit` of them (0: all).
  std::vector<Row> rows(const std::vector<std::string>& order, std::size_t limit);

 private:
  struct Entry {
    Row row;
    std::set<std::uint32_t> indexes;
  };
  void close();

  std::map<std::pair<std::string, std::uint32_t>, Entry> entries_;
  std::chrono::steady_clock::time_point since_{};
  bool running_ = false;
  Op op_ = Op::kEval;
  std::uint32_t index_ = 0;
  Location location_;
};

}  // namespace portcullis::rego::trace
