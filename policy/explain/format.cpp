// Explanations as text and as JSON.
#include <algorithm>

#include "engine/value/json.h"
#include "policy/explain/explain.h"

namespace portcullis::policy {

namespace {

std::string time_text(std::uint64_t ns) {
  if (ns == 0) return "-";
  const std::uint64_t us10 = (ns + 50) / 100;  // tenths of microseconds
  if (us10 < 10'000) return std::to_string(us10 / 10) + "." + std::to_string(us10 % 10) + "µs";
  const std::uint64_t ms100 = (ns + 5000) / 10'000;
  const std::string cents = std::to_string(ms100 % 100);
  return std::to_string(ms100 / 100) + "." + std::string(2 - cents.size(), '0') + cents + "ms";
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Table {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string out;
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += row[i];
        if (i + 1 < row.size()) out += std::string(widths[i] - width_of(row[i]) + 2, ' ');
      }
      out += '\n';
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Why it did not match, or what it said, in one line.
std::string remark(const ExplainedConstraint& constraint) {
  std::string out = constraint.reason;
  for (const MatchRefusal& refusal : constraint.refusals) {
    if (!out.empty()) out += "; ";
    out += refusal.field + ": wants " + refusal.wanted + ", found " + refusal.found;
  }
  if (out.empty() && constraint.verdict == Verdict::kNotMatched) out = "neither object nor old object matches";
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json(out, Value::string(text));
  return out;
}

class JsonWriter {
 public:
  explicit JsonWriter(bool indented) : indented_(indented) {}
  void open(char bracket) {
    out_ += bracket;
    ++depth_;
    first_ = true;
  }
  void close(char bracket) {
    --depth_;
    if (!first_) line();
    out_ += bracket;
    first_ = false;
  }
  void item() {
    if (!first_) out_ += ',';
    first_ = false;
    line();
  }
  void key(std::string_view name) {
    item();
    out_ += quoted(name);
    out_ += indented_ ? ": " : ":";
  }
  void field(std::string_view name, std::string_view text) {
    key(name);
    out_ += quoted(text);
  }
  void raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
  }
  void field_text(std::string_view text) { out_ += quoted(text); }
  std::string take() { return std::move(out_); }

 private:
  void line() {
    if (!indented_) return;
    out_ += '\n';
    out_ += std::string(2 * depth_, ' ');
  }
  bool indented_;
  bool first_ = true;
  std::size_t depth_ = 0;
  std::string out_;
};

void write(JsonWriter& json, const ExplainedViolation& violation) {
  json.item();
  json.open('{');
  json.field("message", violation.message);
  if (violation.details != "{}") json.raw("details", violation.details);
  json.key("rules");
  json.open('[');
  for (const FiredRule& rule : violation.rules) {
    json.item();
    json.open('{');
    json.raw("line", std::to_string(rule.line));
    json.field("text", rule.text);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void write(JsonWriter& json, const ExplainedConstraint& constraint) {
  json.item();
  json.open('{');
  json.field("kind", constraint.kind);
  json.field("name", constraint.name);
  json.field("enforcementAction", constraint.action);
  json.field("verdict", verdict_name(constraint.verdict));
  if (!constraint.reason.empty()) json.field("reason", constraint.reason);
  if (!constraint.refusals.empty()) {
    json.key("refusedBy");
    json.open('[');
    for (const MatchRefusal& refusal : constraint.refusals) {
      json.item();
      json.open('{');
      json.field("field", refusal.field);
      if (!refusal.wanted.empty()) json.raw("wants", refusal.wanted);
      json.field("found", refusal.found);
      json.close('}');
    }
    json.close(']');
  }
  if (!constraint.violations.empty()) {
    json.key("violations");
    json.open('[');
    for (const ExplainedViolation& violation : constraint.violations) write(json, violation);
    json.close(']');
  }
  if (constraint.run_time_ns != 0) json.raw("runTimeNS", std::to_string(constraint.run_time_ns));
  json.close('}');
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  std::string out = explanation.subject;
  if (!explanation.operation.empty()) out += " (" + explanation.operation + ")";
  out += explanation.response.allowed ? ": allowed" : ": refused";
  if (explanation.response.code != 200) out += ", code " + std::to_string(explanation.response.code);
  if (explanation.run_time_ns != 0) out += ", reviewed in " + time_text(explanation.run_time_ns);
  out += '\n';
  if (!explanation.exclusion.empty()) out += explanation.exclusion + "\n";
  if (!explanation.failure.empty()) out += "the review failed: " + explanation.failure + "\n";
  if (explanation.constraints.empty()) return out + "no constraint is loaded\n";
  out += '\n';
  Table table;
  table.add({"CONSTRAINT", "ACTION", "VERDICT", "TIME", "WHY"});
  for (const ExplainedConstraint& constraint : explanation.constraints) {
    table.add({constraint.kind + "/" + constraint.name, constraint.action,
               std::string(verdict_name(constraint.verdict)), time_text(constraint.run_time_ns), remark(constraint)});
  }
  std::string lines = table.text();
  std::size_t end = 0;  // no blanks at the end of lines
  while ((end = lines.find(" \n")) != std::string::npos) lines.erase(end, 1);
  out += lines;
  if (explanation.left_out > 0) out += "and " + std::to_string(explanation.left_out) + " more that do not match\n";
  for (const ExplainedConstraint& constraint : explanation.constraints) {
    for (const ExplainedViolation& violation : constraint.violations) {
      out += "\n" + constraint.kind + "/" + constraint.name + ": " + violation.message + "\n";
      for (const FiredRule& rule : violation.rules)
        out += "  line " + std::to_string(rule.line) + ": " + rule.text + "\n";
      if (violation.details != "{}") out += "  details: " + violation.details + "\n";
    }
  }
  return out;
}

std::string explanation_json(const Explanation& explanation, bool indented) {
  JsonWriter json(indented);
  json.open('{');
  json.field("subject", explanation.subject);
  json.field("operation", explanation.operation);
  json.raw("allowed", explanation.response.allowed ? "true" : "false");
  json.raw("code", std::to_string(explanation.response.code));
  json.field("message", explanation.response.message);
  if (!explanation.response.warnings.empty()) {
    json.key("warnings");
    json.open('[');
    for (const std::string& warning : explanation.response.warnings) {
      json.item();
      json.field_text(warning);
    }
    json.close(']');
  }
  if (!explanation.exclusion.empty()) json.field("exclusion", explanation.exclusion);
  if (!explanation.failure.empty()) json.field("failure", explanation.failure);
  if (explanation.run_time_ns != 0) json.raw("runTimeNS", std::to_string(explanation.run_time_ns));
  json.key("constraints");
  json.open('[');
  for (const ExplainedConstraint& constraint : explanation.constraints) write(json, constraint);
  json.close(']');
  if (explanation.left_out > 0) json.raw("leftOut", std::to_string(explanation.left_out));
  json.close('}');
  return json.take() + "\n";
}

}  // namespace portcullis::policy
