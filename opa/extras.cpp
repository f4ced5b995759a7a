#include "opa/extras.h"

#include "base/text.h"
#include "engine/value/number.h"
#include "opa/present.h"

namespace portcullis::opa {

namespace {

namespace trace = rego::trace;

std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_string(out, text, true);
  return out;
}

std::string location(const std::string& file, std::uint32_t row, std::uint32_t column) {
  return "{\"file\":" + quoted(file) + ",\"row\":" + std::to_string(row) + ",\"col\":" + std::to_string(column) + "}";
}

std::string explanation_json(const trace::Explainer& explanation) {
  std::string out;
  for (const trace::Explainer::Line& line : explanation.lines()) {
    out += out.empty() ? "[" : ",";
    out += "{\"Op\":" + quoted(op_name(line.op)) + ",\"Node\":" + quoted(line.text);
    out += ",\"Location\":" + location(line.file, line.row, line.column);
    out += ",\"QueryID\":" + std::to_string(line.query) + ",\"ParentID\":" + std::to_string(line.parent);
    out += ",\"Message\":" + quoted(line.message) + "}";
  }
  return out.empty() ? std::string() : out + "]";
}

std::string fraction(std::int64_t value, std::int64_t unit) {
  std::string out = std::to_string(value / unit);
  std::string rest = std::to_string(unit + value % unit).substr(1);
  while (!rest.empty() && rest.back() == '0') rest.pop_back();
  return rest.empty() ? out : out + "." + rest;
}

}  // namespace

std::string go_duration(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (nanoseconds == 0) return "0s";
  if (nanoseconds < 1'000) return std::to_string(nanoseconds) + "ns";
  if (nanoseconds < 1'000'000) return fraction(nanoseconds, 1'000) + "µs";
  if (nanoseconds < kSecond) return fraction(nanoseconds, 1'000'000) + "ms";
  std::string out;
  const std::int64_t minutes = nanoseconds / (60 * kSecond);
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + fraction(nanoseconds % (60 * kSecond), kSecond) + "s";
}

std::string extras_json(const Extras& extras) {
  std::string out;
  if (extras.metrics) {
    std::string members;
    for (const auto& [name, value] : *extras.metrics) {
      members += members.empty() ? "" : ",";
      members += quoted(name) + ":" + std::to_string(value);
    }
    out += ",\"metrics\":{" + members + "}";
  }
  if (extras.explanation != nullptr) {
    const std::string events = explanation_json(*extras.explanation);
    if (!events.empty()) out += ",\"explanation\":" + events;
  }
  for (std::size_t i = 0; i < extras.profile.size(); ++i) {
    const trace::Profile::Row& row = extras.profile[i];
    out += i == 0 ? ",\"profile\":[" : ",";
    out += "{\"total_time_ns\":" + std::to_string(row.nanoseconds) + ",\"num_eval\":" + std::to_string(row.evaluated);
    out += ",\"num_redo\":" + std::to_string(row.redone) + ",\"num_gen_expr\":" + std::to_string(row.expressions);
    out += ",\"location\":" + location(row.file, row.row, row.column) + "}";
  }
  if (!extras.profile.empty()) out += "]";
  if (extras.coverage) out += ",\"coverage\":" + to_json(*extras.coverage);
  return out;
}

std::string extras_text(const Extras& extras) {
  std::string out;
  if (extras.metrics && !extras.metrics->empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : *extras.metrics) rows.push_back({name, std::to_string(value)});
    out += table({"Metric", "Value"}, rows);
  }
  if (!extras.profile.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const trace::Profile::Row& row : extras.profile) {
      std::string place = row.text;
      if (!row.file.empty()) place = row.file + ":" + std::to_string(row.row);
      if (place.empty()) place = std::to_string(row.row) + ":" + std::to_string(row.column);
      rows.push_back({go_duration(row.nanoseconds), std::to_string(row.evaluated), std::to_string(row.redone),
                      std::to_string(row.expressions), place});
    }
    out += table({"Time", "Num Eval", "Num Redo", "Num Gen Expr", "Location"}, rows);
  }
  if (extras.coverage) {
    const double share = extras.coverage->percentage();
    const auto cents = static_cast<std::int64_t>(share * 100 + 0.5);
    const std::string cent = std::to_string(100 + cents % 100).substr(1);
    out += table({}, {{"Overall Coverage", std::to_string(cents / 100) + "." + cent}});
  }
  return out;
}

}  // namespace portcullis::opa
