#include "opa/failure.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::opa {

Failures failures_of(const rego::Diagnostics& diagnostics) {
  Failures out;
  for (const rego::Diagnostic& each : diagnostics.list) {
    // The one that only says that there are more has no place.
    const bool located = each.row != 0 || each.column != 0;
    // A query that is a package or an import is refused without a code.
    const bool coded = located || each.code != "rego_parse_error";
    out.push_back(
        {each.message, coded ? each.code : std::string(), located, each.file, each.row, each.column, each.details, 0});
  }
  return out;
}

Failures failures_of(const rego::EvalError& error) {
  return {{error.message, error.code, error.row != 0, error.file, error.row, error.column, {}, 0}};
}

Failures failures_of(std::string message) { return {{std::move(message), {}, false, {}, 0, 0, {}, 0}}; }

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_string(out, text, true);
  return out;
}

// A parse error's excerpt: the line, and under it a caret.
void append_excerpt(std::string& out, const Failure& failure) {
  if (failure.details.size() != 2) return;
  const std::size_t index = failure.details[1].find('^');
  if (index == std::string::npos) return;
  out += ",\n      \"details\": {\n        \"line\": " + quoted(std::string(failure.tabs, '\t') + failure.details[0]) +
         ",\n        \"idx\": " + std::to_string(failure.tabs + index) + "\n      }";
}

}  // namespace

void find_excerpts(Failures& failures, std::string_view source) {
  const std::vector<std::string_view> lines = text::split(source, '\n');
  for (Failure& failure : failures) {
    if (failure.details.size() != 2) continue;
    // The excerpt is of the error's line, or of the last before it that holds something.
    for (std::size_t row = std::min<std::size_t>(failure.row, lines.size()); row > 0; --row) {
      std::string_view line = lines[row - 1];
      if (line.ends_with('\r')) line.remove_suffix(1);
      const std::size_t tabs = std::min(line.find_first_not_of('\t'), line.size());
      if (line.substr(tabs) != failure.details[0]) continue;
      failure.tabs = static_cast<std::uint32_t>(tabs);
      break;
    }
  }
}

std::string failures_json(const Failures& failures) {
  std::string out = "{\n  \"errors\": [";
  bool first = true;
  for (const Failure& failure : failures) {
    out += first ? "\n" : ",\n";
    first = false;
    out += "    {\n      \"message\": " + quoted(failure.message);
    if (!failure.code.empty()) out += ",\n      \"code\": " + quoted(failure.code);
    if (failure.located) {
      out += ",\n      \"location\": {\n        \"file\": " + quoted(failure.file) +
             ",\n        \"row\": " + std::to_string(failure.row) +
             ",\n        \"col\": " + std::to_string(failure.column) + "\n      }";
    }
    append_excerpt(out, failure);
    out += "\n    }";
  }
  return out + "\n  ]\n}\n";
}

std::string failures_text(const Failures& failures, std::string_view when) {
  std::string out = failures.size() == 1 ? "1 error occurred" : std::to_string(failures.size()) + " errors occurred";
  out += when;
  out += failures.size() == 1 ? ": " : ":\n";
  bool first = true;
  for (const Failure& failure : failures) {
    if (!first) out += "\n";
    first = false;
    if (failure.located) {
      out += failure.file.empty() ? std::to_string(failure.row) + ":" + std::to_string(failure.column)
                                  : failure.file + ":" + std::to_string(failure.row);
      out += ": ";
    }
    if (!failure.code.empty()) out += failure.code + ": ";
    out += failure.message;
    for (const std::string& line : failure.details) out += "\n\t" + line;
  }
  return out + "\n";
}

}  // namespace portcullis::opa
