#include "opa/parse.h"

#include <string>
#include <vector>

#include "engine/rego/syntax/ast_json.h"
#include "engine/rego/syntax/parser.h"
#include "opa/command.h"
#include "opa/failure.h"
#include "opa/load.h"
#include "opa/tree.h"

namespace portcullis::opa {
namespace {

constexpr std::string_view kHelp =
    R"(Parse a Rego source file and print its syntax tree.

Usage:
  opa parse <path> [flags]

Flags:
  -f, --format string         pretty or json (default pretty)
      --json-include string   "-comments" leaves the comments out
      --v0-compatible         Rego v0
      --v1-compatible         Rego v1 (the default)
  -h, --help                  this text
)";

struct Include {
  bool comments = true;

  std::string set(std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      const std::string_view option = list.substr(0, comma);
      list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
      const bool value = !option.starts_with('-');
      if (option.ends_with("locations") && value) return "locations are not supported";
      if (option.ends_with("comments")) comments = value;
    }
    return {};
  }
};

}  // namespace

int run_parse(std::span<const std::string_view> args, const Io& io) {
  Flags flags;
  VersionFlags version;
  Include include;
  std::string format;
  bool help = false;
  add_format(flags, {"pretty", "json"}, &format);
  flags.add("json-include", 0, [&include](std::string_view list) { return include.set(list); });
  flags.add_switch("help", 'h', &help);
  version.add_to(flags);
  const Result<std::vector<std::string>> paths = flags.parse(args);
  if (!paths.ok()) return wrong_usage(io, paths.error().message, kHelp);
  if (help) {
    *io.out += kHelp;
    return 0;
  }
  if (paths->empty()) return wrong_usage(io, "no source file specified", kHelp);

  const std::string& given = paths->front();
  const std::string path = given.starts_with("file://") ? given.substr(7) : given;
  const Result<std::string> text = read_file(path);
  if (!text.ok()) {
    *io.err += failures_json(failures_of(text.error().message));
    return 1;
  }
  rego::ParseOptions options;
  options.version = version.version();
  options.process_annotations = true;
  auto module = rego::parse_module(path, *text, options);
  if (!module.ok()) {
    Failures failures = failures_of(module.error());
    find_excerpts(failures, *text);
    *io.err += failures_json(failures);
    return 1;
  }
  if (!include.comments) module->comments.clear();
  *io.out += format == "json" ? indented(rego::module_json(*module)) + "\n" : tree_text(*module);
  return 0;
}

}  // namespace portcullis::opa
