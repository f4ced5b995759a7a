#include "engine/rego/trace/profile.h"

#include <algorithm>

namespace portcullis::rego::trace {

namespace {

int fall(std::string_view by, const Profile::Row& a, const Profile::Row& b) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (by == "total_time_ns") return sign(b.nanoseconds, a.nanoseconds);
  if (by == "num_eval") return sign(b.evaluated, a.evaluated);
  if (by == "num_redo") return sign(b.redone, a.redone);
  if (by == "num_gen_expr") return sign(b.expressions, a.expressions);
  if (by == "file") return sign(b.file, a.file);
  if (by == "line") return sign(b.row, a.row);
  return 0;
}

}  // namespace

// The time of a step ends where the next one begins.
void Profile::close() {
  if (!running_) return;
  const auto now = std::chrono::steady_clock::now();
  Entry& entry = entries_[{std::string(location_.file), location_.row}];
  if (entry.indexes.empty()) {
    entry.row.file = location_.file;
    entry.row.row = location_.row;
    entry.row.column = location_.column;
    entry.row.text = location_.text;
  }
  entry.indexes.insert(index_);
  entry.row.nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(now - since_).count();
  if (op_ == Op::kEval) ++entry.row.evaluated;
  if (op_ == Op::kRedo) ++entry.row.redone;
}

void Profile::event(const Event& event) {
  if (event.expr == nullptr || (event.op != Op::kEval && event.op != Op::kRedo)) return;
  close();
  running_ = true;
  op_ = event.op;
  index_ = event.expr->index;
  location_ = event.expr->location;
  since_ = std::chrono::steady_clock::now();
}

std::vector<Profile::Row> Profile::rows(const std::vector<std::string>& order, std::size_t limit) {
  close();
  running_ = false;
  std::vector<Row> out;
  for (auto& [place, entry] : entries_) {
    entry.row.expressions = entry.indexes.size();
    out.push_back(entry.row);
  }
  std::stable_sort(out.begin(), out.end(), [&](const Row& a, const Row& b) {
    for (const std::string& by : order) {
      if (const int way = fall(by, a, b); way != 0) return way < 0;
    }
    return false;
  });
  if (limit != 0 && out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace portcullis::rego::trace
