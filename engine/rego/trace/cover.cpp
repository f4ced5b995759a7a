// Collecting places from events, and the report about them.
#include "engine/rego/trace/cover.h"

#include <algorithm>

#include "base/text.h"
#include "engine/value/number.h"

namespace portcullis::rego::trace {

namespace {

struct Collector {
  std::map<std::string, std::set<Range>>& out;

  void place(const Location& at) {
    if (at.row != 0 && !at.file.empty()) out[std::string(at.file)].insert(range_of(at));
  }
  void term(const Term& term_of) {
    for (const Term& item : term_of.items) term(item);
    if (term_of.body) body(*term_of.body);
  }
  void body(const Body& of) {
    for (const Expr& expr : of.exprs) expression(expr);
  }
  void expression(const Expr& expr) {
    if (expr.kind != ExprKind::kSome) place(expr.location);
    for (const Term& each : expr.terms) term(each);
    for (const With& with : expr.with) term(with.value);
    if (expr.kind == ExprKind::kEvery) term(expr.every_domain);
    for (const Body* inner : {expr.every_body.get(), expr.left.get(), expr.right.get()}) {
      if (inner != nullptr) body(*inner);
    }
  }
  void rule(const Rule& of) {
    place(of.head.location);
    for (const Term& argument : of.head.arguments) term(argument);
    for (const Term& step : of.head.reference.items) term(step);
    if (of.head.key) term(*of.head.key);
    if (of.head.value) term(*of.head.value);
    body(of.body);
    if (of.otherwise) rule(*of.otherwise);
  }
};

template <typename Ranges, typename Get>
std::size_t lines_of(const Ranges& ranges, Get get) {
  std::set<std::uint32_t> rows;
  for (const auto& each : ranges) {
    const Range& range = get(each);
    for (std::uint32_t row = range.row; row <= range.end_row; ++row) rows.insert(row);
  }
  return rows.size();
}

std::string position(std::uint32_t row, std::uint32_t column) {
  return "{\"row\":" + std::to_string(row) + ",\"col\":" + std::to_string(column) + "}";
}

std::string range_json(const Range& range, const std::vector<std::string>& kinds) {
  std::string out =
      "{\"start\":" + position(range.row, range.column) + ",\"end\":" + position(range.end_row, range.end_column);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    out += i == 0 ? ",\"kinds\":[" : ",";
    out += "\"" + kinds[i] + "\"";
  }
  return out + (kinds.empty() ? "}" : "]}");
}

}  // namespace

bool Range::contains(const Range& other) const {
  const bool starts = row < other.row || (row == other.row && column <= other.column);
  const bool ends = end_row > other.end_row || (end_row == other.end_row && end_column >= other.end_column);
  return starts && ends;
}

Range range_of(const Location& location) {
  Range out{location.row, location.column, location.row, location.column};
  std::string_view last = location.text;
  const auto breaks = static_cast<std::uint32_t>(std::count(last.begin(), last.end(), '\n'));
  if (breaks != 0) {
    out.end_row += breaks;
    out.end_column = 1;
    last.remove_prefix(last.rfind('\n') + 1);
  }
  for (std::size_t at = 0; at < last.size(); ++out.end_column) at += text::decode_rune(last, at).size;
  return out;
}

double percentage(std::size_t covered, std::size_t not_covered) {
  const std::size_t all = covered + not_covered;
  return all == 0 ? 0 : 100.0 * static_cast<double>(covered) / static_cast<double>(all);
}

double Coverage::Report::percentage() const { return trace::percentage(covered_lines, not_covered_lines); }

void Coverage::event(const Event& event) {
  const Location* at = nullptr;
  if (event.op == Op::kExit && event.rule != nullptr) at = &event.rule->head.location;
  if (event.op == Op::kEval && event.expr != nullptr) at = &event.expr->location;
  if (at == nullptr || at->file.empty()) return;
  const auto known = covered_.find(at->file);
  (known != covered_.end() ? known->second : covered_[std::string(at->file)]).insert(range_of(*at));
}

void Coverage::add(const Coverage& other) {
  for (const auto& [file, ranges] : other.covered_) covered_[file].insert(ranges.begin(), ranges.end());
}

bool Coverage::covers(const std::string& file, const Range& range) const {
  const auto at = covered_.find(file);
  return at != covered_.end() &&
         std::any_of(at->second.begin(), at->second.end(), [&](const Range& each) { return each.contains(range); });
}

Coverage::Report Coverage::report(const std::vector<Module>& modules, const std::vector<Extra>& extras) const {
  Report out;
  for (const auto& [file, ranges] : covered_) out.files[file].covered.assign(ranges.begin(), ranges.end());
  for (const Module& module : modules) {
    std::map<std::string, std::set<Range>> places;
    Collector collector{places};
    for (const Rule& rule : module.rules) collector.rule(rule);
    File& file = out.files[*module.file];
    for (const auto& [name, ranges] : places) {
      for (const Range& range : ranges) {
        if (covers(name, range)) continue;
        std::vector<std::string> kinds;
        for (const Extra& extra : extras) {
          if (extra.coverage->covers(name, range)) kinds.push_back(extra.kind);
        }
        file.not_covered.emplace_back(range, std::move(kinds));
      }
    }
  }
  for (auto& [name, file] : out.files) {
    file.covered_lines = lines_of(file.covered, [](const Range& range) -> const Range& { return range; });
    file.not_covered_lines = lines_of(file.not_covered, [](const auto& each) -> const Range& { return each.first; });
    out.covered_lines += file.covered_lines;
    out.not_covered_lines += file.not_covered_lines;
  }
  return out;
}

std::string to_json(const Coverage::Report& report) {
  std::string out = "{\"files\":{";
  bool first_file = true;
  const auto tail = [](std::size_t covered, std::size_t not_covered, bool always) {
    std::string text;
    const double share = percentage(covered, not_covered);
    if (always || covered != 0) text += ",\"covered_lines\":" + std::to_string(covered);
    if (always || not_covered != 0) text += ",\"not_covered_lines\":" + std::to_string(not_covered);
    if (always || share != 0) text += ",\"coverage\":" + format_json(share);
    return text;
  };
  for (const auto& [name, file] : report.files) {
    if (!first_file) out += ",";
    first_file = false;
    text::append_json_string(out, name, true);
    std::string members;
    for (const Range& range : file.covered) {
      members += members.empty() ? ",\"covered\":[" : ",";
      members += range_json(range, {});
    }
    if (!members.empty()) members += "]";
    bool first = true;
    for (const auto& [range, kinds] : file.not_covered) {
      members += first ? ",\"not_covered\":[" : ",";
      first = false;
      members += range_json(range, kinds);
    }
    if (!first) members += "]";
    members += tail(file.covered_lines, file.not_covered_lines, false);
    out += ":{" + (members.empty() ? members : members.substr(1)) + "}";
  }
  return out + "}" + tail(report.covered_lines, report.not_covered_lines, true) + "}";
}

}  // namespace portcullis::rego::trace
