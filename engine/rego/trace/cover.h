// Which parts of the sources an evaluation went through.
// Threads: one at a time. Cost: one set entry per distinct place.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/rego/syntax/ast.h"
#include "engine/rego/trace/event.h"

namespace portcullis::rego::trace {

struct Range {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::uint32_t end_row = 0;
  std::uint32_t end_column = 0;
  auto operator<=>(const Range&) const = default;
  bool contains(const Range& other) const;
};

Range range_of(const Location& location);

class Coverage : public Tracer {
 public:
  void event(const Event& event) override;
  void add(const Coverage& other);  // what another evaluation covered

  // Why a range was not covered: another evaluation of the same query covered it.
  struct Extra {
    std::string kind;  // "index_excluded", "early_exit"
    const Coverage* coverage = nullptr;
  };
  struct File {
    std::vector<Range> covered;
    std::vector<std::pair<Range, std::vector<std::string>>> not_covered;
    std::size_t covered_lines = 0;
    std::size_t not_covered_lines = 0;
  };
  struct Report {
    std::map<std::string, File> files;
    std::size_t covered_lines = 0;
    std::size_t not_covered_lines = 0;
    double percentage() const;
  };
  // `modules` as parsed, before any pass.
  Report report(const std::vector<Module>& modules, const std::vector<Extra>& extras = {}) const;

 private:
  bool covers(const std::string& file, const Range& range) const;

  std::map<std::string, std::set<Range>, std::less<>> covered_;
};

// The report as `opa test --coverage` prints it, but compact.
std::string to_json(const Coverage::Report& report);
double percentage(std::size_t covered, std::size_t not_covered);

}  // namespace portcullis::rego::trace
