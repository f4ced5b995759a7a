// Printing of diagnostics in OPA's form.
#include "engine/rego/syntax/diagnostic.h"

#include <utility>

namespace portcullis::rego {

std::string to_string(const Location& location) {
  if (!location.file.empty()) return std::string(location.file) + ":" + std::to_string(location.row);
  if (!location.text.empty()) return std::string(location.text);
  return std::to_string(location.row) + ":" + std::to_string(location.column);
}

std::string Diagnostic::to_string() const {
  std::string out;
  if (!file.empty()) {
    out = file + ":" + std::to_string(row) + ": ";
  } else if (row != 0 || column != 0) {
    out = std::to_string(row) + ":" + std::to_string(column) + ": ";
  }
  out += code;
  out += ": ";
  out += message;
  for (const std::string& line : details) {
    out += "\n\t";
    out += line;
  }
  return out;
}

void Diagnostics::add(std::string code, const Location& where, std::string message, std::vector<std::string> details) {
  list.push_back(
      {std::move(code), std::move(message), std::string(where.file), where.row, where.column, std::move(details)});
}

std::string Diagnostics::to_string() const {
  if (list.empty()) return "no error(s)";
  if (list.size() == 1) return "1 error occurred: " + list.front().to_string();
  std::string out = std::to_string(list.size()) + " errors occurred:";
  for (const Diagnostic& diagnostic : list) {
    out += '\n';
    out += diagnostic.to_string();
  }
  return out;
}

Error Diagnostics::to_error() const { return Error{Code::kInvalid, to_string(), {}}; }

}  // namespace portcullis::rego
