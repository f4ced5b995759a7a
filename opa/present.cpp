#include "opa/present.h"

#include <algorithm>

#include "base/text.h"
#include "engine/value/json.h"

namespace portcullis::opa {
namespace {

constexpr JsonStyle kIndented{.indent = 2, .escape_html = true};
constexpr JsonStyle kCompact{.indent = 0, .escape_html = true};

std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_string(out, text, true);
  return out;
}

// Indented JSON as it stands inside a document at `depth` levels of two spaces.
std::string nested(const Value& value, std::size_t depth) {
  const std::string flat = to_json(value, kIndented);
  std::string out;
  for (const char c : flat) {
    out += c;
    if (c == '\n') out.append(2 * depth, ' ');
  }
  return out;
}

std::string expression_json(const Value& value, const ExpressionInfo& info) {
  const std::string in(10, ' ');
  return "        {\n" + in + "\"value\": " + nested(value, 5) + ",\n" + in + "\"text\": " + quoted(info.text) + ",\n" +
         in + "\"location\": {\n" + in + "  \"row\": " + std::to_string(info.row) + ",\n" + in +
         "  \"col\": " + std::to_string(info.column) + "\n" + in + "}\n        }";
}

std::string json(const Value& results, const std::vector<ExpressionInfo>& expressions) {
  if (results.size() == 0) return "{}\n";
  std::string out = "{\n  \"result\": [\n";
  for (std::uint32_t i = 0; i < results.size(); ++i) {
    const Value& result = results.elements()[i];
    const std::span<const Value> values = result.get("expressions").elements();
    out += "    {\n      \"expressions\": [\n";
    for (std::size_t k = 0; k < values.size() && k < expressions.size(); ++k) {
      if (k != 0) out += ",\n";
      out += expression_json(values[k], expressions[k]);
    }
    out += "\n      ]";
    const Value bindings = result.get("bindings");
    if (bindings.size() > 0) out += ",\n      \"bindings\": " + nested(bindings, 3);
    out += i + 1 < results.size() ? "\n    },\n" : "\n    }\n";
  }
  return out + "  ]\n}\n";
}

std::string values(const Value& results) {
  std::string out;
  for (const Value& result : results.elements()) out += to_json(result.get("expressions"), kIndented) + "\n";
  return out;
}

std::string bindings(const Value& results) {
  std::string out;
  for (const Value& result : results.elements()) out += to_json(result.get("bindings"), kIndented) + "\n";
  return out;
}

std::string raw(const Value& results) {
  std::string out;
  for (const Value& result : results.elements()) {
    const std::span<const Value> all = result.get("expressions").elements();
    for (std::size_t i = 0; i < all.size(); ++i) {
      out += all[i].is_string() ? std::string(all[i].as_string()) : to_json(all[i], kCompact);
      out += i + 1 < all.size() ? ' ' : '\n';
    }
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < text.size();) {
    const text::Rune rune = text::decode_rune(text, at);
    at += rune.size;
    const char32_t c = rune.value;
    if (c >= 0x300 && c <= 0x36f) continue;
    const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                      (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                      (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    out += wide ? 2 : 1;
  }
  return out;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

using Row = std::vector<std::string>;

struct Column {
  std::string title;
  bool is_binding = false;
  std::size_t expression = 0;
};

// Expressions that are no booleans, then the bindings by name, as the first result has them.
std::vector<Column> columns_of(const Value& first, const std::vector<ExpressionInfo>& expressions) {
  std::vector<Column> out;
  const Value bound = first.get("bindings");
  const std::span<const Value> all = first.get("expressions").elements();
  for (std::size_t i = 0; i < all.size() && i < expressions.size(); ++i) {
    if (!all[i].is_bool() || bound.size() == 0) out.push_back({expressions[i].text, false, i});
  }
  for (const Value& name : bound.keys()) out.push_back({std::string(name.as_string()), true, 0});
  return out;
}

std::string pretty(const Value& results, const std::vector<ExpressionInfo>& expressions) {
  if (results.size() == 0) return "undefined\n";
  const Value& first = results.elements().front();
  const std::span<const Value> shown = first.get("expressions").elements();
  if (results.size() == 1 && first.get("bindings").size() == 0) {
    const bool booleans = std::all_of(shown.begin(), shown.end(), [](const Value& each) { return each.is_bool(); });
    if (shown.size() == 1 || (booleans && !shown.empty())) return to_json(shown.front(), kIndented) + "\n";
  }
  const std::vector<Column> columns = columns_of(first, expressions);
  Row header;
  for (const Column& column : columns) header.push_back(column.title);
  std::vector<Row> rows;
  for (const Value& result : results.elements()) {
    Row row;
    for (const Column& column : columns) {
      const Value value = column.is_binding ? result.get("bindings").get(column.title)
                                            : result.get("expressions").elements()[column.expression];
      row.push_back(to_json(value, kCompact));
    }
    rows.push_back(std::move(row));
  }
  return table(header, rows);
}

}  // namespace

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  const std::size_t columns = header.empty() && !rows.empty() ? rows.front().size() : header.size();
  for (std::size_t i = 0; i < columns; ++i) {
    std::size_t width = i < header.size() ? width_of(header[i]) : 0;
    for (const std::vector<std::string>& row : rows) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](std::string_view left, std::string_view middle, std::string_view right) {
    std::string out(left);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (i != 0) out += middle;
      out += repeated("─", widths[i] + 2);
    }
    return out + std::string(right) + "\n";
  };
  std::string out = line("┌", "┬", "┐");
  if (!header.empty()) out += "│";
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::size_t spare = widths[i] + 2 - width_of(header[i]);
    out += std::string(spare / 2, ' ') + header[i] + std::string(spare - spare / 2, ' ') + "│";
  }
  if (!header.empty()) out += "\n" + line("├", "┼", "┤");
  for (const std::vector<std::string>& row : rows) {
    out += "│";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += " " + row[i] + std::string(widths[i] - width_of(row[i]) + 1, ' ') + "│";
    }
    out += "\n";
  }
  return out + line("└", "┴", "┘");
}

std::string present(std::string_view format, const Value& results, const std::vector<ExpressionInfo>& expressions) {
  if (format == "pretty") return pretty(results, expressions);
  if (format == "raw") return raw(results);
  if (format == "values") return values(results);
  if (format == "bindings") return bindings(results);
  if (format == "discard") return results.size() == 0 ? "{}\n" : "{\n  \"result\": \"discarded\"\n}\n";
  return json(results, expressions);
}

}  // namespace portcullis::opa
