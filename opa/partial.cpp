#include "opa/partial.h"

#include <algorithm>

#include "base/text.h"
#include "engine/rego/format/format.h"
#include "engine/rego/syntax/ast_json.h"
#include "engine/rego/syntax/parser.h"
#include "opa/command.h"

namespace portcullis::opa {
namespace {

std::string json(const rego::PartialResult& result) {
  std::string out = "{\"partial\":{";
  if (!result.queries.empty()) {
    out += "\"queries\":[";
    for (std::size_t i = 0; i < result.queries.size(); ++i) {
      if (i != 0) out += ',';
      out += rego::body_json(result.queries[i]);
    }
    out += ']';
  }
  if (!result.support.empty()) {
    out += result.queries.empty() ? "\"modules\":[" : ",\"modules\":[";
    for (std::size_t i = 0; i < result.support.size(); ++i) {
      if (i != 0) out += ',';
      out += rego::module_json(result.support[i]);
    }
    out += ']';
  }
  return indented(out + "}}") + "\n";
}

Result<std::string, Failures> source_of(const rego::Body& query) {
  rego::FormatOptions options;
  options.ignore_locations = true;
  auto text = rego::format_body(query, options);
  if (!text.ok()) return failures_of(text.error());
  return *text;
}

Result<std::string, Failures> source_of(const rego::Module& module) {
  rego::FormatOptions options;
  options.ignore_locations = true;
  options.target = module.version == rego::RegoVersion::kV0           ? rego::FormatTarget::kV0
                   : module.version == rego::RegoVersion::kV0CompatV1 ? rego::FormatTarget::kV0AndV1
                                                                      : rego::FormatTarget::kV1;
  auto text = rego::format_module(module, options);
  if (!text.ok()) return failures_of(text.error());
  return *text;
}

struct Cell {
  std::string name;
  std::vector<std::string> lines;
};

std::size_t width(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i += text::decode_rune(text, i).size) ++count;
  return count;
}

Cell cell(std::string name, std::string_view source) {
  std::string text;
  for (const char c : source) text += c == '\t' ? std::string("  ") : std::string(1, c);
  while (text.ends_with('\n')) text.pop_back();
  Cell out{std::move(name), {}};
  for (const std::string_view line : text::split(text, '\n')) out.lines.emplace_back(line);
  if (out.lines.empty()) out.lines.emplace_back();
  return out;
}

std::string table(const std::vector<Cell>& cells) {
  std::size_t left = 0, right = 0;
  for (const Cell& one : cells) {
    left = std::max(left, width(one.name));
    for (const std::string& line : one.lines) right = std::max(right, width(line));
  }
  const auto rule = [&](const char* begin, const char* middle, const char* end) {
    std::string out = begin;
    for (std::size_t i = 0; i < left + 2; ++i) out += "─";
    out += middle;
    for (std::size_t i = 0; i < right + 2; ++i) out += "─";
    return out + end + "\n";
  };
  std::string out = rule("┌", "┬", "┐");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) out += rule("├", "┼", "┤");
    for (std::size_t k = 0; k < cells[i].lines.size(); ++k) {
      const std::string& line = cells[i].lines[k];
      const std::string name = k == 0 ? cells[i].name : std::string();
      out += "│ " + name + std::string(left - width(name), ' ') + " │ " + line + std::string(right - width(line), ' ') +
             " │\n";
    }
  }
  return out + rule("└", "┴", "┘");
}

}  // namespace

void PartialFlags::add_to(Flags& flags) {
  flags.add_switch("partial", 'p', &on);
  flags.add_texts("unknowns", 'u', &unknowns);
  flags.add_texts("disable-inlining", 0, &disable_inlining);
  flags.add_switch("shallow-inlining", 0, &shallow_inlining);
  flags.add_switch("nondeterminstic-builtins", 0, &nondeterministic_builtins);
}

std::string PartialFlags::problem(std::string_view format) const {
  if (on && format != "json" && format != "pretty" && format != "source") {
    return "invalid output format for partial evaluation";
  }
  if (!on && format == "source") return "invalid output format for evaluation";
  for (const std::string& unknown : unknowns) {
    if (unknown == "input") continue;
    const auto term = rego::parse_term(unknown, {});
    if (!term.ok()) return term.error().to_string();
    if (term->kind != rego::TermKind::kRef) {
      return "illegal argument with --unknowns, specify string with one or more --unknowns";
    }
    break;  // only the first is looked at
  }
  return {};
}

Result<rego::PartialOptions, Failures> PartialFlags::options(rego::RegoVersion version) const {
  rego::PartialOptions out;
  out.version = version;
  out.shallow_inlining = shallow_inlining;
  out.nondeterministic_builtins = nondeterministic_builtins;
  for (const std::string& unknown : unknowns) {
    auto term = rego::parse_term(unknown, {});
    if (!term.ok()) return failures_of(term.error());
    const bool named = term->kind == rego::TermKind::kVar || term->kind == rego::TermKind::kRef;
    if (!named) return failures_of("illegal argument with --unknowns: " + unknown);
    out.unknowns.push_back(std::move(*term));
  }
  for (const std::string& path : disable_inlining) {
    auto ref = rego::parse_ref(path);
    if (!ref.ok()) {
      Failures failures = failures_of(ref.error());
      for (Failure& failure : failures) failure.message.insert(0, "failed to parse ref: ");
      return failures;
    }
    out.disable_inlining.push_back(std::move(*ref));
  }
  return out;
}

Result<std::string, Failures> present_partial(std::string_view format, const rego::PartialResult& result) {
  if (format == "json") return json(result);
  if (format == "pretty" && result.queries.empty()) return std::string("undefined\n");
  std::string out;
  std::vector<Cell> cells;
  const auto add = [&](const char* short_name, const char* name, std::size_t i, const std::string& text, bool query) {
    const std::string number = std::to_string(i + 1);
    if (format == "pretty") {
      cells.push_back(cell(short_name + number, text));
    } else {
      out += name + number + "\n" + text + (query ? "\n" : "");
    }
  };
  for (std::size_t i = 0; i < result.queries.size(); ++i) {
    auto text = source_of(result.queries[i]);
    if (!text.ok()) return text;
    add("Query ", "# Query ", i, *text, true);
  }
  for (std::size_t i = 0; i < result.support.size(); ++i) {
    auto text = source_of(result.support[i]);
    if (!text.ok()) return text;
    add("Support ", "# Module ", i, *text, false);
  }
  return format == "pretty" ? table(cells) : out;
}

}  // namespace portcullis::opa
