#include "gator/test_output.h"

#include <array>
#include <span>
#include <utility>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"
#include "gator/json_numbers.h"
#include "policy/model/object.h"

namespace portcullis::gator {
namespace {

constexpr std::string_view kIndent = "    ";

std::string human(const TestReport& report) {
  std::string out;
  for (const TestResult& result : report.results) {
    const std::string_view ns = policy::namespace_of(result.object);
    out +=
        std::string(result.object.string_or("apiVersion")) + "/" + std::string(result.object.string_or("kind")) + " ";
    if (!ns.empty()) out += std::string(ns) + "/";
    out += std::string(policy::name_of(result.object)) + ": [" + text::go_quote(result.violation.constraint->name) +
           "] Message: " + text::go_quote(result.violation.message) + "\n";
  }
  return out;
}

// The details of a violation, undefined for an autorejection.
Value parse_details(Arena& arena, const policy::Violation& violation) {
  if (violation.details.empty()) return Value::undefined();
  Result<Value> parsed = parse_json_into(arena, violation.details);
  return parsed.ok() ? *parsed : Value::null();
}

// --- JSON: objects with the field order of Go structs, as json.MarshalIndent lays them out ------------------------

class JsonWriter {
 public:
  void begin(char bracket) {
    separate();
    out_ += bracket;
    ++depth_;
    first_ = true;
  }
  void end(char bracket) {
    --depth_;
    if (!first_) newline();
    out_ += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    separate();
    text::append_json_string(out_, name, true);
    out_ += ": ";
    after_key_ = true;
  }
  void text_value(std::string_view value) {
    separate();
    text::append_json_string(out_, value, true);
  }
  void raw(std::string_view value) {
    separate();
    out_ += value;
  }
  // Any value at the depth reached.
  void value(const Value& value) {
    if (value.is_object()) {
      begin('{');
      for (std::size_t i = 0; i < value.keys().size(); ++i) {
        key(value.keys()[i].as_string());
        this->value(value.values()[i]);
      }
      end('}');
    } else if (value.is_array()) {
      begin('[');
      for (const Value& element : value.elements()) this->value(element);
      end(']');
    } else {
      JsonStyle style;
      style.escape_html = true;
      raw(to_json(value, style));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (after_key_) {
      after_key_ = false;
      return;
    }
    if (depth_ == 0) return;
    if (!first_) out_ += ',';
    first_ = false;
    newline();
  }
  void newline() {
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += kIndent;
  }

  std::string out_;
  int depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

void write_result(JsonWriter& json, const TestResult& result) {
  Arena arena;
  const policy::Violation& violation = result.violation;
  json.begin('{');
  json.key("target");
  json.text_value(policy::kTargetName);
  if (!violation.message.empty()) {
    json.key("msg");
    json.text_value(violation.message);
  }
  const Value details = parse_details(arena, violation);
  if (details.defined()) {
    json.key("metadata");
    json.begin('{');
    json.key("details");
    json.value(details);
    json.end('}');
  }
  json.key("constraint");
  json.value(as_json_floats(arena, violation.constraint->object));
  if (!violation.action().empty()) {
    json.key("enforcementAction");
    json.text_value(violation.action());
  }
  if (violation.scoped_actions != nullptr && !violation.scoped_actions->empty()) {
    json.key("scopedActions");
    json.begin('[');
    for (const std::string& action : *violation.scoped_actions) json.text_value(action);
    json.end(']');
  }
  json.key("violatingObject");
  json.value(as_json_floats(arena, result.object));
  json.key("trace");
  json.raw("null");
  json.end('}');
}

void write_results(JsonWriter& json, const TestReport& report) {
  if (report.results.empty()) {
    json.raw("null");
    return;
  }
  json.begin('[');
  for (const TestResult& result : report.results) write_result(json, result);
  json.end(']');
}

struct Label {
  std::string_view name;
  Value value;
};

std::array<Label, 3> stats_labels(const TestReport& report) {
  return {Label{"TracingEnabled", Value::boolean(false)}, Label{"PrintEnabled", Value::boolean(report.print_enabled)},
          Label{"target", Value::string(policy::kTargetName)}};
}

std::array<std::pair<std::string_view, std::uint64_t>, 2> stats_values(const policy::TemplateStats& stats) {
  return {std::pair<std::string_view, std::uint64_t>{"templateRunTimeNS", stats.run_time_ns},
          {"constraintCount", stats.constraints}};
}

void write_stats(JsonWriter& json, const TestReport& report, const policy::TemplateStats& stats) {
  json.begin('{');
  json.key("scope");
  json.text_value("template");
  json.key("statsFor");
  json.text_value(stats.kind);
  json.key("stats");
  json.begin('[');
  for (const auto& [name, value] : stats_values(stats)) {
    json.begin('{');
    json.key("name");
    json.text_value(name);
    json.key("value");
    json.raw(std::to_string(value));
    json.key("source");
    json.begin('{');
    json.key("type");
    json.text_value("engine");
    json.key("value");
    json.text_value(policy::kRegoEngine);
    json.end('}');
    json.end('}');
  }
  json.end(']');
  json.key("labels");
  json.begin('[');
  for (const Label& label : stats_labels(report)) {
    json.begin('{');
    json.key("name");
    json.text_value(label.name);
    json.key("value");
    json.value(label.value);
    json.end('}');
  }
  json.end(']');
  json.end('}');
}

std::string format_json(const TestReport& report) {
  JsonWriter json;
  if (report.stats.empty()) {
    write_results(json, report);
    return json.take();
  }
  json.begin('{');
  json.key("results");
  write_results(json, report);
  json.key("stats");
  json.begin('[');
  for (const policy::TemplateStats& stats : report.stats) write_stats(json, report, stats);
  json.end(']');
  json.end('}');
  return json.take();
}

// --- YAML: Go field names in lower case; numbers are float64 but in the constraint, where whole ones are integers --

void write_result(YamlEmitter& yaml, const TestResult& result, bool flow) {
  Arena arena;
  const policy::Violation& violation = result.violation;
  const Value details = parse_details(arena, violation);
  const auto text_member = [&yaml](std::string_view key, std::string_view value) {
    yaml.key(key);
    yaml.value(Value::string(value));
  };
  yaml.begin_mapping(3, flow);
  yaml.key("result");
  yaml.begin_mapping(6);
  text_member("target", policy::kTargetName);
  text_member("msg", violation.message);
  yaml.key("metadata");
  yaml.begin_mapping(details.defined() ? 1 : 0);
  if (details.defined()) {
    yaml.key("details");
    yaml.value(policy::as_float64(arena, details));
  }
  yaml.end_mapping();
  yaml.key("constraint");
  yaml.begin_mapping(1);
  yaml.key("object");
  yaml.value(as_json_floats(arena, violation.constraint->object));
  yaml.end_mapping();
  text_member("enforcementaction", violation.action());
  yaml.key("scopedenforcementactions");
  const std::size_t actions = violation.scoped_actions == nullptr ? 0 : violation.scoped_actions->size();
  yaml.begin_sequence(actions);
  for (std::size_t i = 0; i < actions; ++i) yaml.value(Value::string((*violation.scoped_actions)[i]));
  yaml.end_sequence();
  yaml.end_mapping();
  yaml.key("violatingObject");
  yaml.value(result.object);
  yaml.key("trace");
  yaml.value(Value::null());
  yaml.end_mapping();
}

// The field `trace` is marked as flow in Go, and its library lets that mark fall on what comes next: every result but
// the first is one flow line.
void write_results(YamlEmitter& yaml, const TestReport& report) {
  yaml.begin_sequence(report.results.size());
  bool flow = false;
  for (const TestResult& result : report.results) {
    write_result(yaml, result, flow);
    flow = true;
  }
  yaml.end_sequence();
}

void write_stats(YamlEmitter& yaml, const TestReport& report, const policy::TemplateStats& stats) {
  Arena arena;
  yaml.begin_mapping(4);
  yaml.key("scope");
  yaml.value(Value::string("template"));
  yaml.key("statsfor");
  yaml.value(Value::string(stats.kind));
  yaml.key("stats");
  yaml.begin_sequence(2);
  for (const auto& [name, value] : stats_values(stats)) {
    yaml.begin_mapping(3);
    yaml.key("name");
    yaml.value(Value::string(name));
    yaml.key("value");
    yaml.value(make_number(arena, static_cast<double>(value)));
    yaml.key("source");
    yaml.begin_mapping(2);
    yaml.key("type");
    yaml.value(Value::string("engine"));
    yaml.key("value");
    yaml.value(Value::string(policy::kRegoEngine));
    yaml.end_mapping();
    yaml.end_mapping();
  }
  yaml.end_sequence();
  yaml.key("labels");
  yaml.begin_sequence(3);
  for (const Label& label : stats_labels(report)) {
    yaml.begin_mapping(2);
    yaml.key("name");
    yaml.value(Value::string(label.name));
    yaml.key("value");
    yaml.value(label.value);
    yaml.end_mapping();
  }
  yaml.end_sequence();
  yaml.end_mapping();
}

std::string format_yaml(const TestReport& report) {
  YamlStyle style;
  style.indent = 4;
  style.indent_sequences = true;
  YamlEmitter yaml(style);
  if (report.stats.empty()) {
    write_results(yaml, report);
    return yaml.finish();
  }
  yaml.begin_mapping(2);
  yaml.key("results");
  write_results(yaml, report);
  yaml.key("stats");
  yaml.begin_sequence(report.stats.size());
  for (const policy::TemplateStats& stats : report.stats) write_stats(yaml, report, stats);
  yaml.end_sequence();
  yaml.end_mapping();
  return yaml.finish();
}

}  // namespace

bool denies(const TestResult& result) noexcept {
  return result.violation.action() == "deny" || result.violation.has_action("deny");
}

std::string format_report(const TestReport& report, std::string_view format) {
  const std::string name = text::to_lower_ascii(format);
  if (name == "json") return format_json(report);
  if (name == "yaml") return format_yaml(report);
  if (name == "default") return {};
  return human(report);
}

}  // namespace portcullis::gator
